//! What a report says: sentences read one by one, the laws of the contract, its flips, and its measure on real
//! reports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use medcert::data::phantom;
use medcert::random::{shuffle, stream};
use medcert::spec::EditKind;
use medcert::text::meaning::{
    Finding, Meaning, Polarity, Severity, Side, Statement, Status, flip, meaning, preserves, sentences,
    statements,
};
use medcert::text::perturb::Rules;
use medcert::text::words::{Word, words};
use medcert::text::{Document, Lexicon, perturb};
use proptest::prelude::*;

const TABLE: &str = include_str!("../golden/sentences.txt");

/// Findings and impression of the reports of Indiana University, by uid; none where there is no data.
fn reports(test: &str) -> Option<Vec<(String, String)>> {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let Ok(text) = std::fs::read_to_string(folder.join("iu_xray/indiana_reports.csv")) else {
        eprintln!("skipped: {test} (no iu_xray)");
        return None;
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.expect("a row"));
    Some(rows.map(|row| (row[0].to_string(), format!("{} {}", &row[6], &row[7]))).collect())
}

/// Phantom reports, their three sections joined.
fn phantoms(count: usize) -> Vec<String> {
    let studies = phantom::studies(count, 11, 0.0);
    let join = |r: &medcert::data::Report| format!("{}\n{}\n{}", r.indication, r.findings, r.impression);
    studies.iter().map(|study| join(&study.report)).collect()
}

fn read(text: &str) -> String {
    let said: Vec<String> = statements(text).iter().map(ToString::to_string).collect();
    if said.is_empty() { "nothing".to_string() } else { said.join("; ") }
}

fn joined(words: &[Word<'_>]) -> String {
    words.iter().map(Word::whole).collect::<Vec<_>>().join(" ")
}

#[test]
fn sentences_are_read_as_a_radiologist_means_them() {
    let lines: Vec<String> = TABLE.lines().map(|line| format!("{line}\n    {}", read(line))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_statement_says_where_it_stands_and_what_denies_it() {
    let text = "There is (no) definite LEFT effusion. Mildly enlarged heart.";
    let said = statements(text);
    let [effusion, heart] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(Some(effusion.finding), Finding::named("effusion"));
    assert_eq!((effusion.polarity, effusion.side), (Polarity::Negated, Some(Side::Left)));
    assert_eq!((effusion.words.clone(), effusion.negator.clone()), (5..6, Some(2..3)));
    assert_eq!((heart.finding.name(), heart.severity), ("cardiomegaly", Some(Severity::Mild)));
    assert_eq!((heart.words.clone(), heart.negator.clone(), heart.status), (7..9, None, Status::Current));
    assert_eq!(sentences(text), [0..6, 6..9]);
    assert!(Finding::all().all(|finding| Finding::named(finding.name()) == Some(finding)));
}

#[test]
fn only_a_disease_that_is_there_makes_a_text_abnormal() {
    let abnormal =
        ["Small effusion.", "Possible pneumonia.", "Effusion cannot be excluded.", "Lungs are not clear."];
    let normal = [
        "",
        "No effusion.",
        "The effusion has resolved.",
        "Old rib fracture.",
        "Rule out pneumonia.",
        "Calcified granuloma and degenerative changes.",
        "Lungs are clear.",
    ];
    for text in abnormal {
        assert!(meaning(text).abnormal(), "{text}: {}", read(text));
    }
    for text in normal {
        assert!(!meaning(text).abnormal(), "{text}: {}", read(text));
    }
    assert!(meaning("Chest pain.").is_empty() && meaning("No effusion. No effusion.").len() == 1);
}

#[test]
fn an_edit_is_preserving_only_if_nothing_else_is_said() {
    let kept = [
        ("The heart is enlarged. No pleural effusion.", "NO EFFUSION; cardiomegaly"),
        ("Small left effusion.", "There is a little fluid collection on the left."),
        ("The lungs are clear.", "Lungs unremarkable."),
        ("No infiltrate is seen.", "No infiltration is identified."),
    ];
    let changed = [
        ("No effusion.", "Effusion."),
        ("No effusion.", "New effusion."),
        ("Left effusion.", "Right effusion."),
        ("Small effusion.", "Large effusion."),
        ("Possible pneumonia.", "Pneumonia."),
        ("Old rib fracture.", "Rib fracture."),
        ("Effusion.", "Effusoin."),
        ("Effusion has resolved.", "Effusion has."),
        ("No effusion or edema.", "No effusion."),
        ("Unremarkable heart.", "Remarkable heart."),
        ("The heart is normal in size.", "The heart is in size."),
    ];
    for (before, after) in kept {
        assert!(preserves(before, after), "{before} | {after}: {}", read(after));
    }
    for (before, after) in changed {
        assert!(!preserves(before, after), "{before} | {after}");
    }
}

#[test]
fn what_another_text_says_otherwise_is_told() {
    let before = meaning("No effusion. Small left nodule. The heart is normal in size.");
    let after = meaning("New effusion. Small right nodule. Possible edema.");
    insta::assert_snapshot!(before.difference(&after).join("\n"));
    assert!(before.difference(&before).is_empty());
    assert_eq!(before.reversed(&after), [Finding::named("effusion").expect("a finding")]);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        let (said, all) = (statements(&text), words(&text).len());
        prop_assert!(said.iter().all(|s| s.words.start < s.words.end && s.words.end <= all));
        if let Some(flipped) = flip(&text) {
            prop_assert_ne!(meaning(&flipped).abnormal(), meaning(&text).abnormal());
        }
    }

    #[test]
    fn letter_case_order_and_repetition_say_nothing(
        picked in proptest::sample::subsequence(TABLE.lines().collect::<Vec<_>>(), 0..12),
        turns in 0_usize..12,
    ) {
        let mut other: Vec<String> = picked.iter().map(|line| line.to_uppercase()).collect();
        if !other.is_empty() {
            other.rotate_left(turns % picked.len());
            other.push(other[0].clone());
        }
        prop_assert_eq!(meaning(&picked.join(" ")), meaning(&other.join("\n")));
    }

    #[test]
    fn any_order_of_a_report_s_words_is_read(
        places in proptest::collection::vec(any::<proptest::sample::Index>(), 0..30),
    ) {
        let known = words(TABLE);
        let text = joined(&places.iter().map(|place| *place.get(&known)).collect::<Vec<_>>());
        let said = statements(&text);
        prop_assert!(said.iter().all(|s| s.words.start < s.words.end && s.words.end <= places.len()));
        if let Some(flipped) = flip(&text) {
            prop_assert_ne!(meaning(&flipped).abnormal(), meaning(&text).abnormal(), "{}", flipped);
        }
    }

    #[test]
    fn mixtures_of_sentences_flip(picked in proptest::sample::subsequence(TABLE.lines().collect::<Vec<_>>(), 1..12)) {
        flips(&picked.join(" "));
    }
}

/// Flips a text if it can, and holds it to its law.
fn flips(text: &str) -> Option<String> {
    let (flipped, before) = (flip(text)?, meaning(text));
    let after = meaning(&flipped);
    assert_ne!(before.abnormal(), after.abnormal(), "{text}\n{flipped}");
    if before.abnormal() {
        let there = |s: &&Statement| {
            s.finding.is_disease() && s.polarity == Polarity::Affirmed && s.status == Status::Current
        };
        let denied: BTreeSet<Finding> = statements(&flipped)
            .iter()
            .filter(|s| s.polarity == Polarity::Negated)
            .map(|s| s.finding)
            .collect();
        for said in statements(text).iter().filter(there) {
            assert!(denied.contains(&said.finding), "{said} is not denied: {text}\n{flipped}");
        }
    }
    Some(flipped)
}

#[test]
fn sentences_flip_readably() {
    let lines = TABLE.lines().map(|line| format!("{line}\n    {}", flips(line).unwrap_or("-".into())));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_phantom_report_flips_and_means_what_its_label_says() {
    let reports = phantoms(600);
    assert!(reports.iter().all(|text| flips(text).is_some()));
    let studies = phantom::studies(600, 11, 0.0);
    let agree = studies
        .iter()
        .zip(&reports)
        .filter(|(study, text)| study.label.is_abnormal() == meaning(text).abnormal())
        .count();
    eprintln!("phantom reports whose meaning is their label: {agree} of 600");
    assert!(agree >= 480, "{agree} of 600");
}

#[test]
fn real_reports_flip_unless_they_say_nothing() {
    let Some(reports) = reports("real_reports_flip_unless_they_say_nothing") else { return };
    let left: Vec<&str> =
        reports.iter().filter(|(_, text)| flips(text).is_none()).map(|(uid, _)| uid.as_str()).collect();
    eprintln!("{} of {} reports do not flip", left.len(), reports.len());
    assert!(left.len() * 50 < reports.len(), "not flipped: {left:?}");
}

/// A share in per cent.
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// Whether a finding that is denied before is affirmed after.
fn reverses(before: &Meaning, after: &str) -> bool {
    !before.reversed(&meaning(after)).is_empty()
}

/// Whether something is denied by a negator, not by a normal place alone.
fn denies(text: &str) -> bool {
    statements(text).iter().any(|said| said.polarity == Polarity::Negated && said.negator.is_some())
}

/// Deletes words in a random order, half of them, but none whose loss changes what is said.
fn preserving_deletion(text: &str, case: &str) -> String {
    let (all, before) = (words(text), meaning(text));
    let mut order: Vec<usize> = (0..all.len()).filter(|place| !all[*place].core.is_empty()).collect();
    shuffle(&mut order, &mut stream(&["preserving deletion", case]));
    let (mut left, mut kept) = (order.len().div_ceil(2), vec![true; all.len()]);
    let text_of = |kept: &[bool]| {
        let words = all.iter().zip(kept).filter(|(_, kept)| **kept);
        joined(&words.map(|(word, _)| *word).collect::<Vec<_>>())
    };
    for place in order {
        kept[place] = left == 0;
        if left > 0 && meaning(&text_of(&kept)) == before {
            left -= 1;
        } else {
            kept[place] = true;
        }
    }
    text_of(&kept)
}

#[test]
fn deleting_half_the_words_affirms_what_was_denied_unless_meaning_is_preserved() {
    let name = "deleting_half_the_words_affirms_what_was_denied_unless_meaning_is_preserved";
    let Some(reports) = reports(name) else { return };
    let lexicon = Lexicon::embedded();
    let delete = |text: &str, case: &str| {
        perturb(&Document::of(text), &[(EditKind::Deletion, 0.5)], &Rules::free(&lexicon), 1, case, 0).text
    };
    let (mut denying, mut reversed, mut hold, mut turned, mut changed) = (0, 0, 0, 0, 0);
    let (mut tried, mut preserved, mut gone) = (0, 0, 0);
    for (at, (uid, report)) in reports.iter().enumerate() {
        let all = words(report);
        let said: Vec<String> = sentences(report).into_iter().map(|place| joined(&all[place])).collect();
        let lost: Vec<bool> = (said.iter().filter(|text| denies(text)).enumerate())
            .map(|(at, text)| reverses(&meaning(text), &delete(text, &format!("{uid} {at}"))))
            .collect();
        denying += lost.len();
        reversed += lost.iter().filter(|lost| **lost).count();
        hold += usize::from(lost.contains(&true));
        let after = delete(report, uid);
        turned += usize::from(reverses(&meaning(report), &after));
        changed += usize::from(!preserves(report, &after));
        if at % 5 == 0 {
            let after = preserving_deletion(report, uid);
            tried += 1;
            preserved += usize::from(preserves(report, &after));
            gone += all.len() - words(&after).len();
            assert!(!reverses(&meaning(report), &after), "{uid}");
        }
    }
    let (sentences, held) = (percent(reversed, denying), percent(hold, reports.len()));
    eprintln!(
        "denying sentences that affirm under deletion of half: {reversed} of {denying} ({sentences:.1} %); reports \
         that hold one: {hold} ({held:.1} %); reports deleted as a whole that affirm something denied: {turned} \
         ({:.1} %), that mean something else: {changed} ({:.1} %); preserving: {preserved} of {tried} mean the \
         same, {:.1} words gone each",
        percent(turned, reports.len()),
        percent(changed, reports.len()),
        gone as f64 / f64::from(tried),
    );
    assert!((20.0..50.0).contains(&sentences), "{sentences}");
    assert!((40.0..80.0).contains(&held), "{held}");
    assert!(percent(changed, reports.len()) > 90.0, "{changed}");
    assert_eq!(preserved as i32, tried);
}

#[test]
fn a_synonym_seldom_changes_what_is_said() {
    let Some(reports) = reports("a_synonym_seldom_changes_what_is_said") else { return };
    let lexicon = Lexicon::embedded();
    let (mut kept, mut all) = (0, 0);
    for (_, report) in reports.iter().step_by(10) {
        let (text, before) = (words(report), meaning(report));
        for (place, word) in text.iter().enumerate() {
            for other in lexicon.of(&word.core.to_lowercase()) {
                let mut edited: Vec<String> = text.iter().map(Word::whole).collect();
                edited[place] = format!("{}{other}{}", word.leading, word.trailing);
                all += 1;
                kept += usize::from(meaning(&edited.join(" ")) == before);
            }
        }
    }
    eprintln!("single synonyms that keep the meaning: {kept} of {all} ({:.1} %)", percent(kept, all));
    assert!(percent(kept, all) > 97.0, "{kept} of {all}");
}

/// What a reader or the extractor says of a report: finding, polarity, and how it is meant.
type Said = BTreeSet<(String, bool, BTreeSet<String>)>;

/// Hits, false alarms and misses.
#[derive(Default)]
struct Score([usize; 3]);

impl Score {
    fn add<T: Ord>(&mut self, gold: &BTreeSet<T>, read: &BTreeSet<T>) {
        self.0[0] += gold.intersection(read).count();
        self.0[1] += read.difference(gold).count();
        self.0[2] += gold.difference(read).count();
    }

    fn precision(&self) -> f64 {
        percent(self.0[0], self.0[0] + self.0[1])
    }

    fn recall(&self) -> f64 {
        percent(self.0[0], self.0[0] + self.0[2])
    }
}

fn extracted(text: &str) -> Said {
    let parts = |said: &Statement| {
        let text = said.to_string();
        let manner = text.split_once(": ").map_or("", |(_, manner)| manner);
        let manner = manner.split(", ").skip(1).map(str::to_string).collect();
        (said.finding.name().to_string(), said.polarity == Polarity::Affirmed, manner)
    };
    statements(text).iter().map(parts).collect()
}

/// The reader is who wrote the lexicon, so these figures flatter. On the first 200, read blind, the extractor had
/// a precision of 97.9 % and a recall of 98.2 % (sides 93.5 and 73.5, uncertainty 89.3 and 86.2, severity 97.8
/// and 92.6); then its faults there were mended. On the 50 after them, read by hand before its output was compared:
/// 99.4 and 99.1 (sides 96.0 and 82.8, uncertainty 100 and 91.7, severity 96.3 and 96.3); then three more were
/// mended. These 50 were no clean sample: their sentences were among those that the lexicon was tuned on.
#[test]
fn two_hundred_and_fifty_reports_are_read_as_by_hand() {
    let Some(reports) = reports("two_hundred_and_fifty_reports_are_read_as_by_hand") else { return };
    let reports: BTreeMap<String, String> = reports.into_iter().collect();
    let mut gold: BTreeMap<(&str, &str), Said> = BTreeMap::new();
    for line in include_str!("../golden/meaning.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [set, uid, finding, polarity, manner] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(Finding::named(finding).is_some(), "{finding}");
        let manner = manner.split(',').filter(|part| !part.is_empty()).map(str::to_string).collect();
        gold.entry((set, uid)).or_default().insert((finding.to_string(), polarity == "+", manner));
    }
    assert_eq!(gold.len(), 250);
    for set in ["first", "second"] {
        let mut scores: [Score; 4] = Default::default();
        for ((_, uid), gold) in gold.iter().filter(|((of, _), _)| *of == set) {
            let read = extracted(&reports[*uid]);
            let sides = ["left", "right", "both"];
            let amounts = ["minimal", "mild", "moderate", "severe"];
            let plain = |said: &Said| said.iter().map(|(f, p, _)| (f.clone(), *p, String::new())).collect();
            let with = |said: &Said, parts: &[&str]| {
                let each = said.iter().flat_map(|(f, p, manner)| {
                    manner.iter().filter(|m| parts.contains(&m.as_str())).map(|m| (f.clone(), *p, m.clone()))
                });
                each.collect::<BTreeSet<_>>()
            };
            scores[0].add::<(String, bool, String)>(&plain(gold), &plain(&read));
            for (score, parts) in scores[1..].iter_mut().zip([&sides[..], &["uncertain"], &amounts]) {
                score.add(&with(gold, parts), &with(&read, parts));
            }
        }
        let names = ["finding and polarity", "side", "uncertainty", "severity"];
        for (name, score) in names.iter().zip(&scores) {
            eprintln!(
                "{set} set, {name}: precision {:.1} %, recall {:.1} %",
                score.precision(),
                score.recall()
            );
        }
        let floors = [(98.0, 98.0), (90.0, 78.0), (84.0, 90.0), (94.0, 94.0)];
        for ((name, score), (precision, recall)) in names.iter().zip(&scores).zip(floors) {
            assert!(
                score.precision() >= precision && score.recall() >= recall,
                "{set} {name}: {:?}",
                score.0
            );
        }
    }
}
