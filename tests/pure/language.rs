//! Attacks on words mean something only for reports in words, and promises about what a report says only in the
//! language of the rules.

use std::path::Path;

use medcert::data::{LEAST_KNOWN, cut, load};
use medcert::spec::parse;
use medcert::text::meaning::known_words;

const ENGLISH: [&str; 4] = [
    "The lungs are clear bilaterally. There is no pleural effusion or pneumothorax. Heart size is normal.",
    "Opacity in the right lower lobe is consistent with pneumonia. Small left pleural effusion.",
    "Stable cardiomegaly with mild pulmonary edema. No acute bony abnormality is seen.",
    "Cardiomediastinal silhouette is within normal limits. No focal consolidation.",
];
const GERMAN: [&str; 4] = [
    "Kein Pleuraerguss links. Kein Pneumothorax. Herz normal groß.",
    "Verschattung im rechten Unterlappen, vereinbar mit einer Pneumonie. Kleiner Erguss links.",
    "Stabile Kardiomegalie mit geringer pulmonalvenöser Stauung. Keine frische Fraktur.",
    "Ohne Nachweis einer Konsolidierung. Mediastinum nicht verbreitert.",
];
const FRENCH: [&str; 4] = [
    "Pas d'épanchement pleural. Pas de pneumothorax. Silhouette cardiaque normale.",
    "Opacité du lobe inférieur droit compatible avec une pneumonie. Petit épanchement à gauche.",
    "Cardiomégalie stable avec œdème pulmonaire modéré. Pas de fracture récente.",
    "Absence de foyer de consolidation. Médiastin non élargi.",
];
const CHINESE: [&str; 4] = [
    "双肺野清晰，未见明显实变影。心影大小正常，双侧肋膈角锐利，未见胸腔积液及气胸征象。",
    "右下肺见斑片状密度增高影，考虑肺炎，建议治疗后复查胸部影像学检查以明确诊断。",
    "心影增大，肺血增多，双侧少量胸腔积液，请结合临床病史及超声心动图检查结果综合判断。",
    "未见明显活动性病变，双侧膈面光滑，骨质结构未见明显异常改变，软组织未见异常。",
];

/// Whether reports are accepted under a requirement.
fn said(reports: [&str; 4], requirement: &str, threats: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |(case, report): (usize, &&str)| format!("c{case},p{case},{},\"{report}\"\n", case % 2);
    let rows: String = reports.iter().enumerate().map(row).collect();
    std::fs::write(folder.path().join("cases.csv"), "case,patient,label,report\n".to_string() + &rows)
        .expect("written");
    let text = format!(
        "claim: c\ndata: {{manifest: {{file: cases.csv, columns: {{findings: report}}}}}}\nsplit: {{test: 50%}}\n\
         models: {{language: {{bert: {{config: tiny, train: {{lr: 5e-4, epochs: 2}}}}}}}}\nthreats: {{{threats}}}\n\
         require: [language accuracy ≥ 9% {requirement}]\n"
    );
    let spec = parse(&folder.path().join("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}"));
    load(&spec, None).map(|_| ()).map_err(|error| {
        assert_eq!(error.exit_code(), 4);
        error.to_string()
    })
}

#[test]
fn promises_about_meaning_are_refused_in_other_languages() {
    let kept = "kept: {deletion: {fraction: 50%, mode: preserving}}";
    said(ENGLISH, "under kept", kept).expect("the rules know it");
    said(ENGLISH, "under negation", "").expect("the rules know it");
    for (name, reports) in [("German", GERMAN), ("French", FRENCH)] {
        for (requirement, threats) in
            [("under kept", kept), ("under negation", ""), ("under 40% TextFooler", "")]
        {
            let why = said(reports, requirement, threats).expect_err(name);
            assert!(why.contains("they are for English") && why.contains("mode: free"), "{why}");
        }
        // without a promise, words are words in any language
        said(reports, "under 50% deletion", "").expect(name);
        said(reports, "", "").expect(name);
    }
}

#[test]
fn text_without_spaces_has_no_words_to_edit() {
    for requirement in ["under 50% deletion", "under 40% synonyms"] {
        let why = said(CHINESE, requirement, "").expect_err("refused");
        assert!(why.contains("no spaces between their words"), "{why}");
    }
    said(CHINESE, "", "").expect("clean reports are read");
}

/// Share of the words of these reports that the rules know.
fn share<'t>(reports: impl IntoIterator<Item = &'t str>) -> f64 {
    let counts = reports.into_iter().map(known_words);
    let (known, all) = counts.fold((0, 0), |(known, all), (own, of)| (known + own, all + of));
    known as f64 / all as f64
}

#[test]
fn the_least_share_parts_english_from_other_languages() {
    let (english, german, french) = (share(ENGLISH), share(GERMAN), share(FRENCH));
    println!("English {english:.3}, German {german:.3}, French {french:.3}");
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for name in ["iu_xray/indiana_reports.csv", "nih_pairs/cases.csv"] {
        let Ok(mut reader) = csv::Reader::from_path(public.join(name)) else { continue };
        let place =
            reader.headers().expect("a header").iter().position(|name| name == "findings").expect("findings");
        let texts: Vec<String> = reader.records().map(|row| row.expect("a row")[place].to_string()).collect();
        println!("{name} {:.3}", share(texts.iter().map(String::as_str)));
    }
    assert!(english > 1.5 * LEAST_KNOWN, "{english}");
    assert!(german < LEAST_KNOWN / 1.5 && french < LEAST_KNOWN / 1.5, "{german} {french}");
}

#[test]
fn reports_that_are_cut_are_counted_before_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "clear ".repeat(200);
    let csv = format!("case,patient,label,report\na,p,1,{long}\nb,q,0,clear\nc,r,0,{long}\nd,s,1,{long}\n");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let text = "claim: c\ndata: {manifest: {file: cases.csv, columns: {findings: report}}}\nsplit: {test: 50%}\n\
        models: {language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}}\nrequire: [language accuracy ≥ 9%]\n";
    let spec = parse(&folder.path().join("a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}"));
    let data = load(&spec, None).expect("data");
    let said = cut(&data, &spec, &[0, 1, 2]);
    // 200 words, [CLS] and [SEP], of which 128 are read
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("language reads 128 tokens, and 2 of 3 test reports are longer"), "{said:?}");
    assert!(said[0].contains("lose 74 tokens"), "{said:?}");
    assert!(cut(&data, &spec, &[1]).is_empty());
}
