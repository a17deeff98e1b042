//! Sampled perturbations of a report: what each kind may do, replay, contracts and shrinking.

use std::cell::Cell;
use std::path::PathBuf;

use medcert::data::phantom;
use medcert::spec::{EditKind, Section};
use medcert::text::Lexicon;
use medcert::text::perturb::{
    Document, Edit, Edits, Perturbed, Rules, apply, perturb, purpose, replay, shrink,
};
use medcert::text::words::words;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

const REPORT: &str = "The heart is normal in size.  No pleural effusion or PNEUMOTHORAX, (mild) XXXX .";

/// Every kind, in the order of its names.
fn kinds() -> impl Iterator<Item = EditKind> {
    EditKind::ALL.iter().copied()
}

fn draw(document: &Document, kinds: &[(EditKind, f64)], seed: u64, draw: u32) -> Perturbed {
    perturb(document, kinds, &Rules::free(&Lexicon::embedded()), seed, "case", draw)
}

/// Words that are more than punctuation.
fn spoken(text: &str) -> usize {
    words(text).iter().filter(|word| !word.core.is_empty()).count()
}

fn reports(count: usize) -> Vec<(String, Document)> {
    let document = |study: medcert::data::Study| {
        let report = &study.report;
        let sections = [Section::Indication, Section::Findings, Section::Impression];
        let document = Document::new(sections.map(|section| (section, report.section(section))));
        (study.id.to_string(), document)
    };
    phantom::studies(count, 5, 0.1).into_iter().map(document).collect()
}

/// Phantom reports and text of any kind, in one to three sections.
fn documents() -> impl Strategy<Value = Document> {
    let known = proptest::sample::select(reports(40)).prop_map(|(_, document)| document);
    let names = [Section::Indication, Section::Findings, Section::Impression];
    let any = proptest::collection::vec("\\PC{0,60}", 1..4)
        .prop_map(move |sections| Document { names: names[..sections.len()].to_vec(), sections });
    let numbers =
        "(A |two |[0-9]{1,2}(\\.[0-9])? )?(x [0-9] )?(cm|mm|5-mm|ribs?|No effusion\\.|There is no )?[.] ";
    let numbers = proptest::collection::vec(numbers, 1..6).prop_map(|parts| Document::of(&parts.concat()));
    prop_oneof![3 => known, 2 => any, 1 => numbers]
}

fn any_kind() -> impl Strategy<Value = EditKind> {
    proptest::sample::select(kinds().collect::<Vec<_>>())
}

/// Kinds, seed and case, and the edits and text that they gave.
type Golden<'a> = (&'a [(EditKind, f64)], u64, &'a str, u32, &'a str);

#[test]
fn deletion_and_synonyms_give_the_texts_that_they_always_gave() {
    const DELETION: EditKind = EditKind::Deletion;
    const SYNONYMS: EditKind = EditKind::Synonyms;
    let lexicon = Lexicon::embedded();
    let golden: [Golden<'_>; 6] = [
        (&[(DELETION, 0.5)], 7, "p00001-1", 7, "heart normal in No PNEUMOTHORAX, (mild) ."),
        (
            &[(DELETION, 0.1)],
            7,
            "p00001-1",
            1,
            "The heart is normal in size. No pleural effusion PNEUMOTHORAX, (mild) XXXX .",
        ),
        (
            &[(SYNONYMS, 0.4)],
            7,
            "p00001-1",
            4,
            "The cardiac is unremarkable in dimension. No pleural effusion or PNEUMOTHORAX, (slight) XXXX .",
        ),
        (
            &[(SYNONYMS, 1.0)],
            8,
            "p00002-1",
            4,
            "The cardiac is unremarkable in dimension. No pleural effusion or PNEUMOTHORAX, (slight) XXXX .",
        ),
        (
            &[(SYNONYMS, 0.3), (DELETION, 0.25)],
            7,
            "x",
            7,
            "The cardiac is unremarkable dimension. No effusion or PNEUMOTHORAX, XXXX .",
        ),
        (
            &[(DELETION, 0.0)],
            7,
            "x",
            0,
            "The heart is normal in size.  No pleural effusion or PNEUMOTHORAX, (mild) XXXX .",
        ),
    ];
    for (kinds, seed, case, edits, text) in golden {
        let result = perturb(&Document::of(REPORT), kinds, &Rules::free(&lexicon), seed, case, 0);
        assert_eq!((result.text.as_str(), result.edits), (text, edits), "{kinds:?} {seed} {case}");
    }
    // four perturbations of a hundred reports, in sections or not, by their hash
    let all: [&[(EditKind, f64)]; 4] =
        [&[(DELETION, 0.5)], &[(DELETION, 0.15)], &[(SYNONYMS, 0.4)], &[(SYNONYMS, 0.2), (DELETION, 0.3)]];
    let mut hashes = [blake3::Hasher::new(), blake3::Hasher::new()];
    for (id, document) in reports(100) {
        for kinds in all {
            for (hash, document) in hashes.iter_mut().zip([document.clone(), Document::of(&document.text())])
            {
                let text = perturb(&document, kinds, &Rules::free(&lexicon), 7, &id, 0).text;
                hash.update(format!("{text}\n").as_bytes());
            }
        }
    }
    let expected = "7b781f53c3026186036088b138fdaa238bcc989e30d09840c6ef39bc1041d308";
    assert_eq!(hashes.map(|hash| hash.finalize().to_hex().to_string()), [expected, expected]);
    assert_eq!(purpose(DELETION, 0.5, 7, "p00001-1", 0), "Deletion { fraction: 0.5 } 7 p00001-1");
    assert_eq!(purpose(SYNONYMS, 1.0, 7, "p00001-1", 3), "Synonyms { fraction: 1.0 } 7 p00001-1 3");
}

/// Whether two phrases stand in one set of a data file.
fn share_a_set(file: &str, one: &str, other: &str) -> bool {
    let sets = file.lines().filter(|line| !line.starts_with('#'));
    let mut sets = sets.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    one != other && sets.any(|set| set.contains(&one) && set.contains(&other))
}

proptest! {
    #[test]
    fn no_share_is_the_identity_to_the_byte(document in documents(), seed in any::<u64>()) {
        for kind in kinds() {
            let result = draw(&document, &[(kind, 0.0)], seed, 1);
            prop_assert_eq!((&result.text, result.edits), (&document.text(), 0), "{:?}", kind);
        }
    }

    #[test]
    fn draws_repeat_replay_and_count(document in documents(), first in any_kind(), second in any_kind(), share in 0.0..=1.0_f64, seed in any::<u64>()) {
        let attacks = [(first, share), (second, share / 2.0)];
        let result = draw(&document, &attacks, seed, 2);
        prop_assert_eq!(&result, &draw(&document, &attacks, seed, 2));
        prop_assert_eq!(&replay(&document, &result.steps), &Ok(result.text.clone()));
        prop_assert_eq!(result.steps.iter().map(Vec::len).sum::<usize>(), result.edits as usize);
        let stored = serde_json::to_string(&result.steps).expect("stored");
        prop_assert_eq!(&serde_json::from_str::<Vec<Vec<Edit>>>(&stored).expect("read"), &result.steps);
        if document.text().trim().is_empty() {
            prop_assert_eq!(result.text.trim(), "");
        }
        if first.takes_share() {
            let most = (spoken(&document.text()) as f64 * share + 0.5).floor() as usize;
            prop_assert!(result.steps[0].len() <= most, "{} edits of {}", result.steps[0].len(), most);
            // these find a place at every word
            if matches!(first, EditKind::Deletion | EditKind::Insertion) {
                prop_assert_eq!(result.steps[0].len(), most);
            }
        }
    }

    #[test]
    fn edits_of_another_report_are_refused_or_laid(document in documents(), other in documents(), kind in any_kind(), seed in any::<u64>()) {
        // never a panic, and never more than the steps say
        let steps = draw(&other, &[(kind, 0.5)], seed, 0).steps;
        if let Ok(text) = replay(&document, &steps) {
            prop_assert!(text == document.text() || !steps[0].is_empty());
        }
    }

    #[test]
    fn typos_hit_the_keys_around_and_spare_the_ends(document in documents(), seed in any::<u64>()) {
        let result = draw(&document, &[(EditKind::Typos, 1.0)], seed, 0);
        let text = document.text();
        let (before, after) = (words(&text), words(&result.text));
        prop_assert!(result.edits == 0 || before.len() == after.len());
        for edit in &result.steps[0] {
            let Edit::Letters { word, at, letters, by } = edit else { panic!("{edit:?}") };
            let own: String = before[*word].core.chars().skip(*at).take(*letters).collect();
            let slip = (own.len(), by.len());
            prop_assert!(
                slip == (1, 0)
                    || slip == (1, 1) && touch(&own, by)
                    || slip == (1, 2) && by.starts_with(&own) && touch(&own, &by[1..])
                    || slip == (2, 2) && own.chars().rev().eq(by.chars()),
                "{} by {}", own, by
            );
            prop_assert_eq!(before[*word].core.chars().next(), after[*word].core.chars().next());
            prop_assert_eq!(before[*word].core.chars().last(), after[*word].core.chars().last());
            prop_assert_ne!(before[*word].core, after[*word].core);
        }
        let touched = |word: &usize| result.steps[0].iter().any(|edit| matches!(edit, Edit::Letters { word: own, .. } if own == word));
        for word in (0..after.len()).filter(|word| result.edits > 0 && !touched(word)) {
            prop_assert_eq!(before[word], after[word]);
        }
    }

    #[test]
    fn scanners_and_dictation_confuse_what_the_tables_say(document in documents(), seed in any::<u64>()) {
        let text = document.text();
        let before = words(&text);
        for edit in &draw(&document, &[(EditKind::Ocr, 1.0)], seed, 0).steps[0] {
            let Edit::Letters { word, at, letters, by } = edit else { panic!("{edit:?}") };
            let own: String = before[*word].core.chars().skip(*at).take(*letters).collect();
            prop_assert!(share_a_set(include_str!("../../src/text/perturb/ocr.txt"), &own, by), "{} by {}", own, by);
        }
        for edit in &draw(&document, &[(EditKind::Homophones, 1.0)], seed, 0).steps[0] {
            let Edit::Replace { word, words, by } = edit else { panic!("{edit:?}") };
            let own: Vec<&str> = before[*word..*word + *words].iter().map(|word| word.core).collect();
            let (own, by) = (own.join(" ").to_lowercase(), by.to_lowercase());
            prop_assert!(share_a_set(include_str!("../../src/text/perturb/homophones.txt"), &own, &by), "{} by {}", own, by);
        }
    }

    #[test]
    fn deidentified_words_are_one_data_sets_tokens(document in documents(), seed in any::<u64>()) {
        let result = draw(&document, &[(EditKind::Deidentification, 1.0)], seed, 0);
        let styles = ["XXXX", "___", "[**"];
        let style_of = |edit: &Edit| match edit {
            Edit::Replace { by, words: 1, .. } => styles.iter().position(|style| by.starts_with(style)),
            _ => None,
        };
        let used: Vec<_> = result.steps[0].iter().map(style_of).collect();
        prop_assert!(used.iter().all(|style| style.is_some() && *style == used[0]), "{:?}", used);
    }

    #[test]
    fn swaps_orders_and_drops_add_no_word(document in documents(), seed in any::<u64>()) {
        let sorted = |text: &str| {
            let mut cores: Vec<String> = words(text).iter().map(|word| word.core.to_string()).collect();
            cores.sort();
            cores
        };
        let before = sorted(&document.text());
        for kind in [EditKind::Swap, EditKind::SectionOrder] {
            prop_assert_eq!(&sorted(&draw(&document, &[(kind, 1.0)], seed, 0).text), &before, "{:?}", kind);
        }
        let dropped = draw(&document, &[(EditKind::SectionDrop, 1.0)], seed, 0);
        let filled = document.sections.iter().filter(|section| !section.trim().is_empty()).count();
        prop_assert_eq!(dropped.edits, u32::from(filled > 1));
        prop_assert!(spoken(&dropped.text) <= spoken(&document.text()));
    }

    #[test]
    fn units_keep_every_value(document in documents(), seed in any::<u64>(), share in 0.0..=1.0_f64) {
        let result = draw(&document, &[(EditKind::Units, share)], seed, 0);
        prop_assert_eq!(values(&result.text), values(&document.text()), "{}", result.text);
    }

    #[test]
    fn a_contract_holds_after_every_perturbation(document in documents(), kind in any_kind(), share in 0.0..=1.0_f64, seed in any::<u64>()) {
        let calls = Cell::new(0);
        let count = |text: &str| text.matches('e').count();
        let contract = |before: &str, after: &str| {
            calls.set(calls.get() + 1);
            count(before) == count(after)
        };
        let lexicon = Lexicon::embedded();
        let rules = Rules { contract: Some(&contract), ..Rules::free(&lexicon) };
        let result = perturb(&document, &[(kind, share)], &rules, seed, "case", 0);
        prop_assert_eq!(count(&result.text), count(&document.text()), "{:?}: {}", kind, result.text);
        prop_assert!(calls.get() <= 3 * words(&document.text()).len() + 30, "{} calls", calls.get());
    }

    #[test]
    fn shrunk_perturbations_need_every_edit(document in documents(), first in any_kind(), second in any_kind(), seed in any::<u64>()) {
        let full = draw(&document, &[(first, 0.6), (second, 0.5)], seed, 0);
        let letters = |text: &str| text.matches('e').count();
        let (clean, calls) = (letters(&document.text()), Cell::new(0));
        let breaks = |text: &str| letters(text) != clean;
        let least = shrink(&full, &document, |text| {
            calls.set(calls.get() + 1);
            breaks(text)
        });
        prop_assert_eq!(&replay(&document, &least.steps), &Ok(least.text.clone()));
        prop_assert!(calls.get() <= 4 * full.edits as usize);
        if breaks(&full.text) {
            prop_assert!(breaks(&least.text) && least.edits >= 1 && least.edits <= full.edits);
            if calls.get() < 4 * full.edits as usize {
                prop_assert_eq!(&shrink(&least, &document, breaks), &least, "it is a local minimum");
            }
        }
    }
}

/// Whether two keys touch, by where they are on a QWERTY keyboard: rows are shifted by a quarter and a half.
fn touch(one: &str, other: &str) -> bool {
    let at = |key: &str| {
        let rows = [("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75)];
        let key = key.to_ascii_lowercase();
        let row = rows.iter().position(|(keys, _)| keys.contains(&key)).expect("a key");
        (rows[row].0.find(&key).expect("a key") as f64 + rows[row].1, row as f64)
    };
    let ((x, y), (u, v)) = (at(one), at(other));
    one != other && (x - u).abs() <= 1.0 && (y - v).abs() <= 1.0
}

/// Every number of a text, lengths in millimetres, ranges of one unit each in it.
fn values(text: &str) -> Vec<(u64, bool)> {
    const SPELLED: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let (mut found, mut open, mut is_joined): (Vec<(f64, bool)>, usize, bool) = (Vec::new(), 0, false);
    for word in words(text) {
        let core = word.core.to_lowercase();
        let end = core.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(core.len());
        let (number, unit) = core.split_at(end);
        let number = SPELLED.iter().position(|word| *word == core).map(|n| n as f64).or(number.parse().ok());
        let unit = if SPELLED.contains(&core.as_str()) { "" } else { unit.trim_start_matches('-') };
        if let Some(number) = number {
            found.push((number, false));
            open = if is_joined { open + 1 } else { 1 };
        }
        is_joined = ["x", "×", "by", "to"].contains(&core.as_str());
        let scale = match unit {
            "cm" | "centimeters" => 10.0,
            "mm" | "millimeters" => 1.0,
            "" | "x" | "×" | "by" | "to" => continue,
            _ => {
                open = 0;
                continue;
            }
        };
        let first = found.len() - open.min(found.len());
        for (value, is_length) in &mut found[first..] {
            (*value, *is_length) = (*value * scale, true);
        }
        open = 0;
    }
    found.into_iter().map(|(value, is_length)| ((value * 1000.0).round() as u64, is_length)).collect()
}

#[test]
fn draws_differ() {
    for (_, document) in reports(20) {
        for kind in kinds()
            .filter(|kind| kind.takes_share() && !matches!(kind, EditKind::Units | EditKind::Abbreviations))
        {
            let draws: Vec<Perturbed> =
                (0..20).map(|number| draw(&document, &[(kind, 0.3)], 1, number)).collect();
            let texts: std::collections::HashSet<&str> =
                draws.iter().map(|drawn| drawn.text.as_str()).collect();
            // where fewer words have a synonym than are wanted, every draw replaces them all
            let wanted = (words(&document.text()).len() as f64 * 0.3 + 0.5).floor() as u32;
            if kind == EditKind::Synonyms && draws[0].edits < wanted {
                continue;
            }
            assert!(texts.len() > 1, "{kind:?} of {}", document.text());
        }
    }
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let document = Document { sections: vec!["a b".into(), "c".into()], names: vec![] };
    let refused = [
        Edit::Delete { word: 3 },
        Edit::Replace { word: 1, words: 2, by: "across sections".into() },
        Edit::Replace { word: 0, words: 0, by: "nothing".into() },
        Edit::Rewrite { word: usize::MAX, words: usize::MAX, by: String::new() },
        Edit::Insert { before: 3, what: "x".into() },
        Edit::SwapWithNext { word: 1 },
        Edit::Letters { word: 0, at: 1, letters: 1, by: "x".into() },
        Edit::DropSection { section: 2 },
        Edit::Order(vec![0, 0]),
        Edit::Order(vec![0]),
        Edit::Heading { section: 9, heading: "X:".into() },
    ];
    for edit in refused {
        let why = apply(&document, std::slice::from_ref(&edit)).expect_err("it does not fit");
        assert!(why.contains("does not fit"), "{why}");
    }
    let twice = [Edit::Delete { word: 0 }, Edit::SwapWithNext { word: 0 }];
    assert!(apply(&document, &twice).expect_err("twice").contains("same word"));
    assert!(serde_json::from_str::<Edit>(r#"{"delete":{"word":0,"text":"a"}}"#).is_err());
}

#[test]
fn abbreviations_come_back() {
    let text = "Shortness of breath, status post surgery. COPD and CHF; no PTX in the RUL.";
    let there = draw(&Document::of(text), &[(EditKind::Abbreviations, 1.0)], 1, 0);
    let back = draw(&Document::of(&there.text), &[(EditKind::Abbreviations, 1.0)], 1, 0);
    assert_eq!(back.text, text, "by {}", there.text);
    insta::assert_snapshot!(there.text);
    for (_, document) in reports(200) {
        let there = draw(&document, &[(EditKind::Abbreviations, 1.0), (EditKind::Abbreviations, 1.0)], 1, 0);
        // a head of a sentence whose stop was taken out loses its capital
        assert_eq!(there.text.to_lowercase(), document.text().to_lowercase());
    }
}

#[test]
fn a_negation_is_what_the_flip_says() {
    let flip =
        |text: &str| Some(text.replace("There is a small", "No").replace("clear.", "not clear today."));
    let lexicon = Lexicon::embedded();
    let rules = Rules { flip: Some(&flip), ..Rules::free(&lexicon) };
    let document = Document {
        sections: vec!["There is a small effusion.".into(), "Lungs are clear.".into()],
        names: vec![],
    };
    let result = perturb(&document, &[(EditKind::Negation, 1.0)], &rules, 1, "case", 0);
    assert_eq!(result.text, "No effusion. Lungs are not clear today.");
    let steps = serde_json::to_string(&result.steps).expect("stored");
    assert!(!steps.contains("effusion") && !steps.contains("Lungs"), "{steps}");
    let free = draw(&document, &[(EditKind::Negation, 1.0)], 1, 0);
    assert_eq!((free.text, free.edits), (document.text(), 0));
}

#[test]
fn a_counterexample_shrinks_to_the_fewest_edits_over_all_steps() {
    let lexicon = Lexicon::embedded();
    let (_, document) =
        reports(40).into_iter().max_by_key(|(_, document)| document.text().len()).expect("one");
    let strategy = Edits {
        document: document.clone(),
        kinds: vec![(EditKind::Synonyms, 0.5), (EditKind::Insertion, 0.3), (EditKind::Deletion, 0.6)],
        rules: Rules::free(&lexicon),
    };
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let lost = document.text().split_whitespace().nth(6).expect("a word").to_string();
    let result = runner.run(&strategy, |perturbed| {
        prop_assert!(perturbed.text.contains(&lost), "the word is gone");
        Ok(())
    });
    let Err(TestError::Fail(_, least)) = result else { panic!("it must be lost at some time") };
    assert_eq!(least.edits, 1, "{least:?}");
}

#[test]
fn every_kind_edits_a_report() {
    let sections = [
        (Section::Indication, "XXXX-year-old male with shortness of breath."),
        (
            Section::Findings,
            "The heart is normal in size. There is no pleural effusion or pneumothorax. A 2 cm nodule projects over the right upper lobe, stable over 3 years. No acute bony abnormality is seen.",
        ),
        (Section::Impression, "No acute cardiopulmonary abnormality. Stable nodule."),
    ];
    let document = Document::new(sections);
    let lexicon = Lexicon::embedded();
    let flip = |text: &str| Some(text.replace("There is no", "There is a"));
    let rules = Rules { flip: Some(&flip), ..Rules::free(&lexicon) };
    let mut told = vec![format!("as written\n{}\n", document.sections.join("\n"))];
    for kind in kinds() {
        for number in 0..if kind == EditKind::Template { 4 } else { 1 } {
            let result = perturb(&document, &[(kind, 0.2)], &rules, 7, "case", number);
            told.push(format!("{}, {} edits\n{}\n", kind.name(), result.edits, result.text));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn real_reports_have_places_for_every_kind() {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let Ok(text) = std::fs::read_to_string(folder.join("iu_xray/indiana_reports.csv")) else {
        eprintln!("skipped: real_reports_have_places_for_every_kind (no iu_xray)");
        return;
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).step_by(5).collect();
    let section = |row: &csv::StringRecord, place| row.get(place).unwrap_or_default().to_string();
    let names = [(Section::Indication, 4), (Section::Findings, 6), (Section::Impression, 7)];
    let lexicon = Lexicon::embedded();
    for kind in kinds().filter(|kind| *kind != EditKind::Negation) {
        let mut touched = 0;
        for row in &rows {
            let texts = names.map(|(name, place)| (name, section(row, place)));
            let document = Document::new(texts.iter().map(|(name, text)| (*name, text.as_str())));
            let result = perturb(&document, &[(kind, 0.1)], &Rules::free(&lexicon), 7, &section(row, 0), 0);
            assert_eq!(replay(&document, &result.steps).as_deref(), Ok(result.text.as_str()));
            if kind == EditKind::Units {
                let all =
                    perturb(&document, &[(kind, 1.0)], &Rules::free(&lexicon), 7, &section(row, 0), 0).text;
                assert_eq!(values(&all), values(&document.text()), "{}: {all}", document.text());
            }
            touched += usize::from(result.edits > 0);
        }
        println!("{}: {touched} of {} reports", kind.name(), rows.len());
        // few reports name a number
        let least = if kind == EditKind::Units { 5 } else { 50 };
        assert!(touched * 100 >= rows.len() * least, "{kind:?}: {touched} of {}", rows.len());
    }
}
