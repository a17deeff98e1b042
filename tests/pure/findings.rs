//! Findings: what manifests and phantoms say of each, and what is left out.

use std::path::Path;

use medcert::data::{Dataset, FindingCounts, Presence, load};
use medcert::spec::{Spec, parse};

const MODELS: &str = "models: {language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}}\n";

fn parsed(folder: &Path, data: &str) -> Result<Spec, String> {
    let text = format!(
        "claim: c\ndata: {data}\nsplit: {{test: 30%}}\n{MODELS}require: [language edema accuracy ≥ 9%]\n"
    );
    parse(&folder.join("a.yaml"), &text).map_err(|faults| faults.to_string())
}

/// A manifest of this text, read with these keys beside its file and columns.
fn read(csv: &str, columns: &str, keys: &str) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let data = format!(
        "{{manifest: {{file: cases.csv, columns: {{id: id, patient: id, findings: text{columns}}}, {keys}}}}}"
    );
    let told = |text: String| text.replace(&folder.path().display().to_string(), "FOLDER");
    let spec = parsed(folder.path(), &data).map_err(told)?;
    load(&spec, None).map_err(|why| told(why.to_string()))
}

/// The letters of a finding over all studies.
fn letters(data: &Dataset, finding: &str) -> String {
    let place = data.findings.iter().position(|name| name == finding).expect("a finding");
    data.studies.iter().map(|study| study.findings[place].letter()).collect()
}

const COLUMNS: &str =
    "id,text,Edema,Pleural Effusion,No Finding\na,x,1.0,-1.0,\nb,x,0.0,1.0,\nc,x,,,1.0\nd,x,,,\n";
const NAMES: &str = "findings: {edema: Edema, effusion: Pleural Effusion}";

#[test]
fn a_finding_has_a_column() {
    let left_out =
        read(COLUMNS, "", &format!("{NAMES}, uncertain: leave out, empty: leave out")).expect("data");
    assert_eq!((letters(&left_out, "edema"), letters(&left_out, "effusion")), ("10--".into(), "?1--".into()));
    let labels: Vec<bool> = left_out.studies.iter().map(|study| study.label.is_abnormal()).collect();
    assert_eq!(labels, [true, true, false, false], "abnormal is whatever has one of the findings");
    assert_eq!(left_out.remarks, Vec::<String>::new());
    let healthy =
        read(COLUMNS, "", &format!("{NAMES}, uncertain: leave out, empty: leave out, none: No Finding"))
            .expect("data");
    assert_eq!((letters(&healthy, "edema"), letters(&healthy, "effusion")), ("100-".into(), "?10-".into()));
    let taken = read(COLUMNS, "", &format!("{NAMES}, uncertain: positive, empty: negative")).expect("data");
    assert_eq!((letters(&taken, "edema"), letters(&taken, "effusion")), ("1000".into(), "1100".into()));
    assert_eq!(
        taken.remarks,
        [
            "edema: 2 empty labels are taken for absent",
            "effusion: 1 uncertain labels are taken for present",
            "effusion: 2 empty labels are taken for absent",
        ]
    );
    let zeros = read(COLUMNS, "", &format!("{NAMES}, uncertain: negative, empty: negative")).expect("data");
    assert_eq!(letters(&zeros, "effusion"), "0100");
    assert_ne!(taken.digest, zeros.digest, "the labels are part of the data");
    let counts = FindingCounts::of("edema", 0, &left_out.studies);
    assert_eq!((counts.present, counts.absent, counts.uncertain, counts.empty), (1, 1, 0, 2));
}

#[test]
fn a_column_lists_findings() {
    let nih = "id,text,labels\na,x,Edema|Effusion\nb,x,No Finding\nc,x,Hernia\nd,x,\n";
    let keys =
        "findings: {edema: Edema, effusion: Effusion}, separator: '|', empty: leave out, none: No Finding";
    let data = read(nih, ", label: labels", keys).expect("data");
    assert_eq!((letters(&data, "edema"), letters(&data, "effusion")), ("100-".into(), "100-".into()));
    assert_eq!(data.remarks, ["`labels` lists 1 words that are none of the findings (`Hernia` 1)"]);
    // as Python writes a list
    let padchest = "id,text,labels\na,x,\"['Edema', 'pleural effusion']\"\nb,x,\"['normal']\"\n";
    let keys =
        "findings: {edema: Edema, effusion: pleural effusion}, separator: ',', leave_out: [suboptimal study]";
    let data = read(padchest, ", label: labels", keys).expect("data");
    assert_eq!((letters(&data, "edema"), letters(&data, "effusion")), ("10".into(), "10".into()));
}

#[test]
fn a_finding_is_present_if_any_row_of_its_case_has_it() {
    // `1`, `0`, `-1` and an empty cell, every two of them in both orders
    let cells = ["1", "0", "-1", ""];
    let pairs = cells.iter().flat_map(|one| cells.iter().map(move |other| (one, other)));
    let rows = pairs.map(|(one, other)| format!("{one}/{other},x,{one},0\n{one}/{other},x,{other},0\n"));
    let csv = format!("id,text,Edema,Pleural Effusion\n{}", rows.collect::<Vec<_>>().concat());
    let keys = format!("{NAMES}, uncertain: leave out, empty: leave out");
    let data = read(&csv, "", &format!("rows: any, {keys}")).expect("data");
    // present, then uncertain, then absent: only a case whose rows all lack the label has none
    assert_eq!(letters(&data, "edema"), "111110?01???10?-");
    assert_eq!(letters(&data, "effusion"), "0".repeat(16));
    for study in &data.studies {
        assert_eq!(
            study.label.is_abnormal(),
            study.findings.contains(&Presence::Present),
            "the label of {}",
            study.id
        );
    }
    let why = read(&csv, "", &keys).expect_err("refused");
    assert!(why.contains("the case 1/1 is in the file twice"), "{why}");
    // a row a finding, as lists of boxes have it
    let boxes =
        "id,text,labels\na,x,Edema\na,x,Effusion\nb,x,No Finding\nb,x,No Finding\nc,x,Effusion\nc,x,\n";
    let keys = "rows: any, findings: {edema: Edema, effusion: Effusion}, separator: '|', empty: leave out, none: No Finding";
    let data = read(boxes, ", label: labels", keys).expect("data");
    assert_eq!((letters(&data, "edema"), letters(&data, "effusion")), ("100".into(), "101".into()));
    let labels: Vec<bool> = data.studies.iter().map(|study| study.label.is_abnormal()).collect();
    assert_eq!(labels, [true, false, true]);
}

#[test]
fn what_labels_mean_must_be_said() {
    let nih = "id,text,labels\na,x,Edema|No Finding\nb,x,Effusion\n";
    let list = "findings: {edema: Edema, effusion: Effusion}, separator: '|'";
    let told = [
        read(COLUMNS, "", NAMES),
        read(COLUMNS, "", &format!("{NAMES}, uncertain: positive")),
        read(
            &COLUMNS.replace("1.0,-1.0", "yes,-1.0"),
            "",
            &format!("{NAMES}, uncertain: positive, empty: negative"),
        ),
        read(COLUMNS, "", "findings: {edema: Oedema}"),
        read(COLUMNS, ", label: Edema", NAMES),
        read(COLUMNS, "", "findings: {}"),
        read(COLUMNS, "", "findings: {accuracy: Edema, Edema: Edema, edema: Edema}"),
        read(COLUMNS, "", "uncertain: positive, empty: maybe"),
        read(COLUMNS, "", &format!("{NAMES}, uncertain: maybe, empty: positive")),
        read(nih, ", label: labels", &format!("{list}, none: No Finding")),
        read(nih, ", label: labels", &format!("{list}, positive: ['1']")),
        read(nih, ", label: labels", "findings: {edema: Oedema}, separator: '|'"),
    ]
    .map(|read| read.expect_err("refused"));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn phantoms_offer_what_they_show() {
    let folder = Path::new("nowhere");
    let spec = |keys: &str| {
        let text = format!(
            "claim: c\ndata: {{phantom: {{studies: 400, seed: 3, {keys}}}}}\nsplit: {{test: 30%}}\n{}require: [vision effusion accuracy ≥ 9%]\n",
            "models: {vision: {se_resnet18: {image: 64, train: {lr: 5e-4, epochs: 2}}}}\n"
        );
        parse(&folder.join("a.yaml"), &text).map_err(|faults| faults.to_string())
    };
    let data = |keys: &str| load(&spec(keys).expect("a spec"), None).expect("phantoms");
    let plain = data("label_noise: 0, findings: [effusion, right-effusion, left-effusion, device]");
    for (place, study) in plain.studies.iter().enumerate() {
        let has = |finding: usize| study.findings[finding] == Presence::Present;
        assert_eq!(has(0), has(1) || has(2), "an effusion of study {place} is on a side");
        assert!(!(has(1) && has(2)), "a phantom has one effusion at most");
    }
    let alone = data("label_noise: 0, findings: [effusion]");
    assert_eq!(letters(&plain, "effusion"), letters(&alone, "effusion"), "other findings change no label");
    let present = letters(&alone, "effusion").matches('1').count();
    assert!((60..160).contains(&present), "{present} of 400");
    let noisy = data("label_noise: 0.1, unlabelled: 25%, findings: [effusion]");
    let unknown = letters(&noisy, "effusion").matches('-').count();
    assert!((70..130).contains(&unknown), "{unknown} of 400");
    let wrong = letters(&noisy, "effusion")
        .chars()
        .zip(letters(&alone, "effusion").chars())
        .filter(|(noisy, clean)| *noisy != '-' && noisy != clean)
        .count();
    assert!((15..50).contains(&wrong), "{wrong} of {}", 400 - unknown);
    let told = ["findings: [effusions]", "findings: [effusion, effusion]", "findings: []", "unlabelled: 10%"]
        .map(|keys| spec(keys).expect_err("refused"));
    insta::assert_snapshot!(told.join("\n\n"));
}

/// A spec over phantoms of three findings with these sentences.
fn sentences(require: &str) -> Result<Spec, String> {
    let text = format!(
        "claim: c\ndata: {{phantom: {{studies: 400, seed: 3, findings: [effusion, nodule, device]}}}}\nsplit: {{test: 30%}}\n\
         models:\n  vision: {{se_resnet18: {{image: 64, train: {{lr: 5e-4, epochs: 2}}}}}}\n  other: {{se_resnet18: {{image: 64, \
         train: {{lr: 5e-4, epochs: 1}}}}}}\nrequire:\n{require}"
    );
    parse(Path::new("a.yaml"), &text).map_err(|faults| faults.to_string())
}

#[test]
fn a_sentence_names_a_finding_every_finding_or_the_mean() {
    let spec = sentences(
        "  - vision effusion auroc ≥ 85% at PGD ε≤4/255, nodule missed ≤ 5%, specificity ≥ 70%\n  - vision every finding \
         sensitivity ≥ 80% under motion-blur severity 2\n  - vision mean auroc ≥ 80%\n  - vision device accuracy ≥ other \
         accuracy − 2%\n  - vision no regression against baseline (margin 1%)\n",
    )
    .expect("a spec");
    let plan = medcert::plan::build(spec);
    let names: Vec<&str> = plan.subjects.iter().map(|subject| subject.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "vision/effusion",
            "vision/nodule",
            "vision/device",
            "other/effusion",
            "other/nodule",
            "other/device"
        ]
    );
    let told = plan.requirements.iter().flat_map(|sentence| &sentence.clauses).map(|clause| {
        let attacks = |cells: &[usize]| {
            let of =
                |&cell: &usize| format!("{}: {}", plan.name(plan.cells[cell].model), plan.cells[cell].attack);
            cells.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        let subjects: Vec<String> = clause.subjects().map(|(_, cells)| attacks(cells)).collect();
        format!("{} | {} | {}", clause.words, clause.metric.name(), subjects.join("; "))
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    let regression = plan.requirements[4].regression.as_ref().expect("a regression");
    let own: Vec<usize> = (0..plan.cells.len()).filter(|&cell| plan.cells[cell].model < 3).collect();
    assert_eq!(regression.cells, own, "every cell of each of the model's findings");
}

#[test]
fn a_sentence_that_leaves_the_finding_open_is_refused() {
    let told = [
        "vision accuracy ≥ 80%",
        "vision pneumonia accuracy ≥ 80%",
        "vision every sensitivity ≥ 80%",
        "vision mean accuracy ≥ 80%",
        "vision mean auroc ≥ 80% in every view",
        "effusion auroc ≥ 80%",
    ]
    .map(|sentence| sentences(&format!("  - {sentence}\n")).expect_err("refused"));
    insta::assert_snapshot!(told.join("\n\n"));
}
