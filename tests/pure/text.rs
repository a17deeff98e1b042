//! Perturbations and tokens: their laws.

use std::path::PathBuf;

use medcert::spec::EditKind;
use medcert::text::perturb::{Edits, Rules};
use medcert::text::words::words;
use medcert::text::{Document, Lexicon, Perturbed, Tokenizer, Vocabulary, learn_vocabulary};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

const REPORT: &str = "The heart is normal in size.  No pleural effusion or PNEUMOTHORAX, (mild) XXXX .";

fn deletion(share: f64) -> (EditKind, f64) {
    (EditKind::Deletion, share)
}

fn synonyms(share: f64) -> (EditKind, f64) {
    (EditKind::Synonyms, share)
}

fn perturb(text: &str, kinds: &[(EditKind, f64)], lexicon: &Lexicon, seed: u64, case: &str) -> Perturbed {
    medcert::text::perturb(&Document::of(text), kinds, &Rules::free(lexicon), seed, case, 0)
}

fn strategy<'l>(text: &str, kind: (EditKind, f64), lexicon: &'l Lexicon) -> Edits<'l> {
    Edits { document: Document::of(text), kinds: vec![kind], rules: Rules::free(lexicon) }
}

fn core_words(text: &str) -> Vec<String> {
    words(text).iter().map(|word| word.core.to_string()).filter(|core| !core.is_empty()).collect()
}

proptest! {
    #[test]
    fn deletion_removes_the_share_and_keeps_the_order(text in "([a-zA-Z]{1,8}[.,]? ){0,40}", percent in 0..=100_u32, seed in any::<u64>()) {
        let fraction = f64::from(percent) / 100.0;
        let result = perturb(&text, &[deletion(fraction)], &Lexicon::embedded(), seed, "case");
        let (before, after) = (core_words(&text), core_words(&result.text));
        prop_assert_eq!(result.edits, (before.len() as f64 * fraction + 0.5).floor() as u32);
        prop_assert_eq!(after.len() + result.edits as usize, before.len());
        let mut rest = before.iter();
        prop_assert!(after.iter().all(|word| rest.any(|other| other == word)), "a subsequence");
    }

    #[test]
    fn no_share_is_the_identity_to_the_byte(text in "\\PC{0,80}", seed in any::<u64>()) {
        for attack in [deletion(0.0), synonyms(0.0)] {
            let result = perturb(&text, &[attack], &Lexicon::embedded(), seed, "case");
            prop_assert_eq!(result.text.as_str(), text.as_str());
            prop_assert_eq!(result.edits, 0);
        }
    }

    #[test]
    fn any_text_can_be_perturbed_and_repeats(text in "\\PC{0,120}", fraction in 0.0..=1.0_f64, seed in any::<u64>()) {
        let lexicon = Lexicon::embedded();
        let attacks = [synonyms(fraction), deletion(fraction)];
        let result = perturb(&text, &attacks, &lexicon, seed, "case");
        prop_assert_eq!(&result, &perturb(&text, &attacks, &lexicon, seed, "case"));
    }

    #[test]
    fn tokens_keep_their_frame_and_limit(text in "\\PC{0,200}", limit in 2_usize..40) {
        let tokenizer = Tokenizer::new(&Vocabulary::uncased(learn_vocabulary(&[REPORT], 100))).expect("a tokenizer");
        let ids = tokenizer.encode(&text, limit);
        prop_assert!(ids.len() >= 2 && ids.len() <= limit);
        prop_assert_eq!((ids[0], ids[ids.len() - 1]), (2, 3));
    }
}

#[test]
fn everything_deleted_is_an_empty_text() {
    let result = perturb("No effusion.", &[deletion(1.0)], &Lexicon::embedded(), 1, "case");
    assert_eq!((result.text.as_str(), result.edits), ("", 2));
}

#[test]
fn synonyms_keep_case_and_punctuation() {
    let result = perturb("EFFUSION, (Heart) mild.", &[synonyms(1.0)], &Lexicon::embedded(), 1, "case");
    insta::assert_snapshot!(format!("{} edits: {}", result.edits, result.text));
}

#[test]
fn cases_and_seeds_have_their_own_noise() {
    let draw = |seed, case| perturb(REPORT, &[deletion(0.5)], &Lexicon::embedded(), seed, case).text;
    assert_ne!(draw(1, "a"), draw(1, "b"));
    assert_ne!(draw(1, "a"), draw(2, "a"));
}

#[test]
fn every_word_is_deleted_as_often_as_any_other() {
    let text = "a b c d e f g h";
    let mut counts = [0_u32; 8];
    for case in 0..4000 {
        let left = perturb(text, &[deletion(0.5)], &Lexicon::embedded(), 3, &case.to_string()).text;
        for (place, word) in text.split(' ').enumerate() {
            counts[place] += u32::from(!left.split(' ').any(|other| other == word));
        }
    }
    // 2000 expected, standard deviation 32
    assert!(counts.iter().all(|count| count.abs_diff(2000) < 160), "{counts:?}");
}

#[test]
fn a_counterexample_shrinks_to_the_fewest_edits() {
    let lexicon = Lexicon::embedded();
    let strategy = strategy("the lungs show no effusion and no mass", deletion(0.9), &lexicon);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let result = runner.run(&strategy, |perturbed| {
        prop_assert!(perturbed.text.contains("effusion"), "the finding is gone");
        Ok(())
    });
    let Err(TestError::Fail(_, least)) = result else { panic!("deleting nine tenths must break it") };
    assert_eq!((least.edits, least.text.as_str()), (1, "the lungs show no and no mass"));
}

#[test]
fn the_lexicon_keeps_negations_sides_and_severities_apart() {
    let lexicon = Lexicon::embedded();
    for word in ["no", "not", "without", "left", "right", "bilateral", "none", "never"] {
        assert!(lexicon.of(word).is_empty(), "{word} must not be replaced");
    }
    for (word, others) in [("mild", ["moderate", "severe"]), ("effusion", ["pneumothorax", "edema"])] {
        assert!(others.iter().all(|other| !lexicon.of(word).iter().any(|synonym| synonym == other)));
    }
    assert!(lexicon.len() > 400, "{} words", lexicon.len());
}

#[test]
fn a_third_of_a_real_report_has_synonyms() {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let Ok(text) = std::fs::read_to_string(folder.join("iu_xray/indiana_reports.csv")) else {
        eprintln!("skipped: a_third_of_a_real_report_has_synonyms (no iu_xray)");
        return;
    };
    let lexicon = Lexicon::embedded();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let (mut known, mut all) = (0, 0);
    for row in reader.records().map(|row| row.expect("a row")) {
        for section in 4..8 {
            for word in core_words(row.get(section).unwrap_or_default()) {
                all += 1;
                known += usize::from(!lexicon.of(&word.to_lowercase()).is_empty());
            }
        }
    }
    assert!(known * 3 >= all, "{known} of {all} words have a synonym; a third is needed");
}

#[test]
fn wordnet_files_are_read_and_bad_ones_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Lexicon::from_wordnet(folder.path()).expect_err("nothing there").to_string();
    assert!(error.contains("data.noun") && error.contains("WordNet"), "{error}");
    let noun =
        "  1 This is the licence\n00001740 03 n 02 heart 0 cardiac_muscle 0 001 @ 00002 n 0000 | a pump  \n";
    for kind in ["noun", "verb", "adj", "adv"] {
        std::fs::write(folder.path().join(format!("data.{kind}")), noun).expect("written");
    }
    let lexicon = Lexicon::from_wordnet(folder.path()).expect("a lexicon");
    assert_eq!(lexicon.of("heart"), ["cardiac muscle"]);
    std::fs::write(folder.path().join("data.verb"), format!("{noun}rubbish\n")).expect("written");
    let error = Lexicon::from_wordnet(folder.path()).expect_err("a bad line").to_string();
    assert!(error.contains("data.verb:3"), "{error}");
}

#[test]
fn a_vocabulary_is_deterministic_and_bounded() {
    let vocabulary = learn_vocabulary(&["Lungs clear. Lungs", "héart"], 1000);
    insta::assert_snapshot!(vocabulary.join(" "));
    assert_eq!(
        learn_vocabulary(&["Lungs clear. Lungs", "héart"], vocabulary.len() - 1).len(),
        vocabulary.len() - 1
    );
}

#[test]
fn words_are_pieced_together_as_bert_does() {
    let vocabulary: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "lung", "##s", "clear", "."]
        .iter()
        .map(ToString::to_string)
        .collect();
    let new = |entries: &[String]| Tokenizer::new(&Vocabulary::uncased(entries.to_vec()));
    let tokenizer = new(&vocabulary).expect("a tokenizer");
    assert_eq!(tokenizer.encode("Lungs CLEAR.", 16), [2, 5, 6, 7, 8, 3]);
    assert_eq!(tokenizer.encode("lungs zzz", 16), [2, 5, 6, 1, 3]);
    assert_eq!(tokenizer.encode("", 16), [2, 3]);
    assert_eq!(tokenizer.encode("lungs clear", 4), [2, 5, 6, 3]);
    for missing in 0..5 {
        let mut broken = vocabulary.clone();
        broken[missing] = "x".into();
        assert!(new(&broken).is_err());
    }
    assert!(new(&[vocabulary.clone(), vocabulary].concat()).is_err());
}
