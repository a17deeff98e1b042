//! Public collections that `medcert init` recognises by the header of their table, so that one command begins a spec for
//! each. A case is abnormal if its table says any finding, and normal if it says that there is none; in CheXpert and
//! MIMIC-CXR, unless `No Finding` is 1.0.

use std::fmt::Write as _;
use std::path::Path;

use super::place::scalar;
use crate::data::Column;

/// A collection.
pub(super) struct PublicSet {
    /// A description of the collection, which the spec carries as a comment.
    pub(super) about: &'static str,
    /// Columns that no other table has together.
    header: &'static [&'static str],
    /// The keys of the manifest behind its file and columns, but the labels.
    keys: &'static str,
    /// The `columns` of the manifest; `SEX` and `AGE` are replaced by the names that this release has for them.
    columns: &'static str,
    /// Folders that its images may lie in, beside the table; the pattern follows.
    folders: &'static [&'static str],
    /// The pattern of an image below that folder.
    image: &'static str,
    /// The labels that mean abnormal and those that mean normal, as its table writes them; the usual ones if none.
    labels: Option<(&'static [&'static str], &'static [&'static str])>,
    /// The findings that `--findings` asks about, each with its column or its word in the list, and the keys of the manifest
    /// that say what their labels mean.
    findings: &'static [(&'static str, &'static str)],
    finding_keys: &'static str,
    /// Names of columns that differ between releases, for `SEX` and `AGE`.
    sex: &'static [&'static str],
    age: &'static [&'static str],
    /// Tables that lie beside it and are joined where they are there, with the columns that both have.
    joins: &'static [(&'static str, &'static str)],
    /// The group that the spec asks about.
    is_grouped_by_sex: bool,
}

/// `No Finding` of CheXpert and of MIMIC-CXR: 1.0 where the labeller found none, else empty.
const NO_FINDING: Option<(&[&str], &[&str])> = Some((&[""], &["1.0"]));

/// The observations of the labeller of CheXpert, which MIMIC-CXR has too.
const CHEXPERT: [(&str, &str); 13] = [
    ("enlarged-cardiomediastinum", "Enlarged Cardiomediastinum"),
    ("cardiomegaly", "Cardiomegaly"),
    ("lung-opacity", "Lung Opacity"),
    ("lung-lesion", "Lung Lesion"),
    ("edema", "Edema"),
    ("consolidation", "Consolidation"),
    ("pneumonia", "Pneumonia"),
    ("atelectasis", "Atelectasis"),
    ("pneumothorax", "Pneumothorax"),
    ("effusion", "Pleural Effusion"),
    ("pleural-other", "Pleural Other"),
    ("fracture", "Fracture"),
    ("support-devices", "Support Devices"),
];

/// The findings of torchxrayvision's dataset class, each with the labels of the radiologists that mean it.
const PADCHEST: [(&str, &str); 28] = [
    ("air-trapping", "air trapping"),
    ("aortic-atheromatosis", "aortic atheromatosis"),
    (
        "aortic-elongation",
        "aortic elongation, ascendent aortic elongation, descendent aortic elongation, supra aortic elongation",
    ),
    (
        "atelectasis",
        "atelectasis, atelectasis basal, laminar atelectasis, lobar atelectasis, round atelectasis, segmental atelectasis, total atelectasis",
    ),
    ("bronchiectasis", "bronchiectasis"),
    ("cardiomegaly", "cardiomegaly"),
    ("consolidation", "air bronchogram, consolidation"),
    ("costophrenic-angle-blunting", "costophrenic angle blunting"),
    ("edema", "pulmonary edema"),
    (
        "effusion",
        "loculated fissural effusion, loculated pleural effusion, pericardial effusion, pleural effusion",
    ),
    ("emphysema", "emphysema, subcutaneous emphysema"),
    ("fibrosis", "pulmonary fibrosis"),
    ("flattened-diaphragm", "flattened diaphragm"),
    (
        "fracture",
        "callus rib fracture, clavicle fracture, fracture, humeral fracture, rib fracture, vertebral fracture",
    ),
    ("granuloma", "calcified granuloma, granuloma"),
    ("hemidiaphragm-elevation", "hemidiaphragm elevation"),
    ("hernia", "hiatal hernia"),
    (
        "hilar-enlargement",
        "adenopathy, calcified adenopathy, calcified mediastinal adenopathy, hilar enlargement, pulmonary artery enlargement, vascular hilar enlargement",
    ),
    (
        "infiltration",
        "air bronchogram, alveolar pattern, consolidation, ground glass pattern, infiltrates, interstitial pattern, reticular interstitial pattern, reticulonodular interstitial pattern",
    ),
    ("mass", "breast mass, mass, mediastinal mass, pleural mass, pulmonary mass, soft tissue mass"),
    ("nodule", "multiple nodules, nodule, pseudonodule"),
    ("pleural-thickening", "apical pleural thickening, calcified pleural thickening, pleural thickening"),
    ("pneumonia", "atypical pneumonia, pneumonia"),
    ("pneumothorax", "hydropneumothorax, pneumothorax"),
    ("scoliosis", "scoliosis"),
    ("support-devices", "dual chamber device, electrical device, pacemaker, single chamber device"),
    (
        "tube",
        "NSG tube, chest drain tube, double J stent, endotracheal tube, gastrostomy tube, nephrostomy tube, tracheostomy tube, ventriculoperitoneal drain tube",
    ),
    ("tuberculosis", "tuberculosis, tuberculosis sequelae"),
];

static SETS: [PublicSet; 6] = [
    PublicSet {
        about: "PadChest (Bustos et al., Medical Image Analysis 2020), PA and AP images",
        header: &["ImageID", "ImageDir", "StudyID", "PatientID", "Projection", "Labels"],
        keys: "where: {Projection: [PA, AP]}, missing: [nan, None]",
        columns: "id: ImageID, patient: PatientID, label: Labels, view: Projection, groups: [SEX]",
        folders: &[""],
        image: "{ImageDir}/{ImageID}",
        labels: None,
        sex: &["PatientSex_DICOM"],
        age: &[],
        findings: &PADCHEST,
        finding_keys: "separator: ',', empty: leave out",
        joins: &[],
        is_grouped_by_sex: true,
    },
    PublicSet {
        about: "NIH ChestX-ray14 (Wang et al., CVPR 2017)",
        header: &["Image Index", "Finding Labels", "Follow-up #", "Patient ID", "View Position"],
        keys: "separator: '|'",
        columns: "id: Image Index, patient: Patient ID, label: Finding Labels, view: View Position, groups: [SEX, AGE]",
        folders: &["images", "images-224"],
        image: "{Image Index}",
        labels: Some((
            &[
                "Atelectasis",
                "Cardiomegaly",
                "Effusion",
                "Infiltration",
                "Mass",
                "Nodule",
                "Pneumonia",
                "Pneumothorax",
                "Consolidation",
                "Edema",
                "Emphysema",
                "Fibrosis",
                "Pleural_Thickening",
                "Hernia",
            ],
            &["No Finding"],
        )),
        sex: &["Patient Gender", "Patient Sex"],
        age: &["Patient Age"],
        findings: &[
            ("atelectasis", "Atelectasis"),
            ("cardiomegaly", "Cardiomegaly"),
            ("effusion", "Effusion"),
            ("infiltration", "Infiltration"),
            ("mass", "Mass"),
            ("nodule", "Nodule"),
            ("pneumonia", "Pneumonia"),
            ("pneumothorax", "Pneumothorax"),
            ("consolidation", "Consolidation"),
            ("edema", "Edema"),
            ("emphysema", "Emphysema"),
            ("fibrosis", "Fibrosis"),
            ("pleural-thickening", "Pleural_Thickening"),
            ("hernia", "Hernia"),
        ],
        finding_keys: "none: No Finding",
        joins: &[],
        is_grouped_by_sex: true,
    },
    PublicSet {
        about: "CheXpert (Irvin et al., AAAI 2019), frontal images",
        header: &["Path", "Frontal/Lateral", "AP/PA", "No Finding", "Enlarged Cardiomediastinum"],
        keys: "parts: {Path: '{set}/{part}/{patient}/{study}/{image}'}, where: {Frontal/Lateral: [Frontal], AP/PA: [PA, AP]}",
        columns: "id: Path, patient: patient, label: No Finding, view: AP/PA, groups: [SEX, AGE]",
        folders: &[""],
        image: "{part}/{patient}/{study}/{image}",
        labels: NO_FINDING,
        sex: &["Sex"],
        age: &["Age"],
        findings: &CHEXPERT,
        finding_keys: "none: No Finding, apart: [support-devices], uncertain: leave out, empty: leave out",
        joins: &[],
        is_grouped_by_sex: true,
    },
    PublicSet {
        about: "the RSNA Pneumonia Detection Challenge (Shih et al., Radiology: AI 2019)",
        header: &["patientId", "x", "y", "width", "height", "Target"],
        keys: "rows: any",
        columns: "id: patientId, patient: patientId, label: Target",
        folders: &["stage_2_train_images"],
        image: "{patientId}.dcm",
        labels: None,
        sex: &[],
        age: &[],
        findings: &[("opacity", "Target")],
        finding_keys: "",
        joins: &[],
        is_grouped_by_sex: false,
    },
    PublicSet {
        about: "VinBigData Chest X-ray (Nguyen et al., Scientific Data 2022); a row is a box of one of three readers",
        header: &["image_id", "class_name", "class_id", "rad_id"],
        keys: "rows: any",
        columns: "id: image_id, patient: image_id, label: class_name",
        folders: &["train"],
        image: "{image_id}.dicom",
        labels: Some((
            &[
                "Aortic enlargement",
                "Atelectasis",
                "Calcification",
                "Cardiomegaly",
                "Consolidation",
                "ILD",
                "Infiltration",
                "Lung Opacity",
                "Nodule/Mass",
                "Other lesion",
                "Pleural effusion",
                "Pleural thickening",
                "Pneumothorax",
                "Pulmonary fibrosis",
            ],
            &["No finding"],
        )),
        sex: &[],
        age: &[],
        findings: &[
            ("aortic-enlargement", "Aortic enlargement"),
            ("atelectasis", "Atelectasis"),
            ("calcification", "Calcification"),
            ("cardiomegaly", "Cardiomegaly"),
            ("consolidation", "Consolidation"),
            ("ild", "ILD"),
            ("infiltration", "Infiltration"),
            ("lung-opacity", "Lung Opacity"),
            ("nodule-mass", "Nodule/Mass"),
            ("other-lesion", "Other lesion"),
            ("effusion", "Pleural effusion"),
            ("pleural-thickening", "Pleural thickening"),
            ("pneumothorax", "Pneumothorax"),
            ("pulmonary-fibrosis", "Pulmonary fibrosis"),
        ],
        finding_keys: "separator: '|', none: No finding",
        joins: &[],
        is_grouped_by_sex: false,
    },
    PublicSet {
        about: "MIMIC-CXR-JPG (Johnson et al., 2019), frontal images",
        header: &["dicom_id", "subject_id", "study_id", "ViewPosition"],
        keys: "where: {ViewPosition: [PA, AP]}",
        columns: "id: dicom_id, patient: subject_id, label: No Finding, view: ViewPosition",
        folders: &[""],
        image: "files/p{subject_id:2}/p{subject_id}/s{study_id}/{dicom_id}.jpg",
        labels: NO_FINDING,
        sex: &[],
        age: &[],
        findings: &CHEXPERT,
        finding_keys: "none: No Finding, apart: [support-devices], uncertain: leave out, empty: leave out",
        joins: &[("mimic-cxr-2.0.0-chexpert.csv", "subject_id, study_id")],
        is_grouped_by_sex: false,
    },
];

/// The collection that a table is of.
pub(super) fn recognise(columns: &[Column]) -> Option<&'static PublicSet> {
    let has = |name: &&str| columns.iter().any(|column| column.name == *name);
    SETS.iter().find(|set| set.header.iter().all(has))
}

impl PublicSet {
    /// Whether its labels are too many to say which mean abnormal, so that it is read by finding alone.
    fn is_by_finding(&self) -> bool {
        self.is_list() && self.labels.is_none()
    }

    /// Whether a column lists the findings.
    fn is_list(&self) -> bool {
        [self.keys, self.finding_keys].iter().any(|keys| keys.contains("separator: "))
    }

    /// The column that groups its cases in a sentence.
    pub(super) fn group(&self, columns: &[Column]) -> Option<String> {
        let found = self.sex.iter().find(|name| columns.iter().any(|column| column.name == **name));
        found.filter(|_| self.is_grouped_by_sex).map(|name| (*name).to_string())
    }

    /// The `data:` block of a spec on a line, without its views and its last brace. `file` is the table as the spec writes
    /// it, and `beside` the folder that it lies in.
    pub(super) fn block(&self, file: &str, beside: &Path, columns: &[Column], by_finding: bool) -> String {
        let by_finding = by_finding || self.is_by_finding();
        let of = |names: &[&'static str]| {
            names.iter().find(|name| columns.iter().any(|column| column.name == **name)).copied()
        };
        let groups: Vec<String> = [of(self.sex), of(self.age)].into_iter().flatten().map(scalar).collect();
        let mut own =
            self.columns.replace("[SEX, AGE]", "[SEX]").replace("[SEX]", &format!("[{}]", groups.join(", ")));
        let folder = self.folders.iter().find(|folder| beside.join(folder).is_dir()).or(self.folders.first());
        let folder =
            folder.filter(|folder| !folder.is_empty()).map_or(String::new(), |folder| format!("{folder}/"));
        if by_finding && !self.is_list() {
            // each finding has a column, so that no label is read
            let label =
                own.split(", ").find(|part| part.starts_with("label: ")).map(|label| format!(", {label}"));
            own = label.map_or(own.clone(), |label| own.replace(&label, ""));
        }
        let _ = write!(own, ", frontal: '{folder}{}'", self.image);
        let mut block = format!("manifest: {{file: {}, columns: {{{own}}}", scalar(file));
        let joined: Vec<String> =
            self.joins.iter().filter_map(|(name, on)| join(name, on, file, beside)).collect();
        if !joined.is_empty() {
            let _ = write!(block, ", join: [{}]", joined.join(", "));
        }
        if by_finding {
            // a list says its separator among its findings' keys, where the label alone is one word
            let keys: Vec<&str> =
                [self.keys, self.finding_keys].into_iter().filter(|keys| !keys.is_empty()).collect();
            let named: Vec<String> =
                self.findings.iter().map(|(name, column)| format!("{name}: {}", scalar(column))).collect();
            let _ = write!(block, ", {}, findings: {{{}}}", keys.join(", "), named.join(", "));
            return block;
        }
        let _ = write!(block, ", {}", self.keys);
        if let Some((positive, negative)) = self.labels {
            let list = |words: &[&str]| words.iter().map(|word| scalar(word)).collect::<Vec<_>>().join(", ");
            let _ = write!(block, ", positive: [{}], negative: [{}]", list(positive), list(negative));
        }
        block
    }
}

/// A table beside, plain or gzipped, if it is there.
fn join(name: &str, on: &str, file: &str, beside: &Path) -> Option<String> {
    let name =
        [name.to_string(), format!("{name}.gz")].into_iter().find(|name| beside.join(name).is_file())?;
    let path = Path::new(file).with_file_name(name);
    Some(format!("{{file: {}, on: [{on}]}}", scalar(&path.display().to_string())))
}
