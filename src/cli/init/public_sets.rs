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

static SETS: [PublicSet; 5] = [
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
        joins: &[],
        is_grouped_by_sex: true,
    },
    PublicSet {
        about: "CheXpert (Irvin et al., AAAI 2019), frontal images",
        header: &["Path", "Frontal/Lateral", "AP/PA", "No Finding", "Enlarged Cardiomediastinum"],
        keys: "parts: {Path: '{set}/{part}/{patient}/{study}/{image}'}, where: {Frontal/Lateral: [Frontal]}",
        columns: "id: Path, patient: patient, label: No Finding, view: AP/PA, groups: [SEX, AGE]",
        folders: &[""],
        image: "{part}/{patient}/{study}/{image}",
        labels: NO_FINDING,
        sex: &["Sex"],
        age: &["Age"],
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
    /// The column that groups its cases in a sentence.
    pub(super) fn group(&self, columns: &[Column]) -> Option<String> {
        let found = self.sex.iter().find(|name| columns.iter().any(|column| column.name == **name));
        found.filter(|_| self.is_grouped_by_sex).map(|name| (*name).to_string())
    }

    /// The `data:` block of a spec on a line, without its views and its last brace. `file` is the table as the spec writes
    /// it, and `beside` the folder that it lies in.
    pub(super) fn block(&self, file: &str, beside: &Path, columns: &[Column]) -> String {
        let of = |names: &[&'static str]| {
            names.iter().find(|name| columns.iter().any(|column| column.name == **name)).copied()
        };
        let groups: Vec<String> = [of(self.sex), of(self.age)].into_iter().flatten().map(scalar).collect();
        let mut own =
            self.columns.replace("[SEX, AGE]", "[SEX]").replace("[SEX]", &format!("[{}]", groups.join(", ")));
        let folder = self.folders.iter().find(|folder| beside.join(folder).is_dir()).or(self.folders.first());
        let folder =
            folder.filter(|folder| !folder.is_empty()).map_or(String::new(), |folder| format!("{folder}/"));
        let _ = write!(own, ", frontal: '{folder}{}'", self.image);
        let mut block = format!("manifest: {{file: {}, columns: {{{own}}}", scalar(file));
        let joined: Vec<String> =
            self.joins.iter().filter_map(|(name, on)| join(name, on, file, beside)).collect();
        if !joined.is_empty() {
            let _ = write!(block, ", join: [{}]", joined.join(", "));
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
