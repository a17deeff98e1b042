//! The searches for words: within their budgets, deterministic, replayable; optimal where word weights add up.

use crate::word_classifier;

use medcert::lab::attack::text::{Reports, propose};
use medcert::lab::model::bert::Bert;
use medcert::lab::model::params::{Named, Params};
use medcert::lab::model::{Architecture, Network, Reader, TokenizerOf};
use medcert::lab::tensor;
use medcert::lab::victim::{Answer, Victim};
use medcert::spec::{BertConfig, LanguageFamily, TextSearch};
use medcert::text::meaning::preserves;
use medcert::text::perturb::{apply, replay};
use medcert::text::{Document, Edit, Lexicon, Scheme, Vocabulary, learn_vocabulary};
use word_classifier::{Adds, Found, lexicon, run};

const BLACK_BOX: [TextSearch; 5] = [
    TextSearch::Importance,
    TextSearch::Pwws,
    TextSearch::TextFooler,
    TextSearch::DeepWordBug,
    TextSearch::Beam,
];
const REPORTS: [&str; 6] = [
    "There is a small effusion in the left base. The heart is normal.",
    "No pneumothorax or large effusion. Mild edema is seen, heart enlarged.",
    "The lungs are CLEAR. No focal consolidation is identified.",
    "Stable cardiomegaly. The spine is intact, without acute fracture.",
    "Small nodule at the right apex; the lungs are otherwise clear.",
    "The heart is enlarged. There is mild congestion at both bases.",
];

/// A model that adds up made-up weights of words, positive for most.
fn adds(seed: u64) -> Adds {
    Adds::drawn(seed, &REPORTS.map(str::to_string))
}

fn documents() -> Vec<Document> {
    REPORTS.iter().map(|text| Document::of(text)).collect()
}

fn texts(documents: &[Document], found: &Found) -> Vec<String> {
    documents.iter().zip(&found.steps).map(|(of, steps)| replay(of, steps).expect("steps that fit")).collect()
}

fn spoken(document: &Document) -> usize {
    document.words().iter().filter(|word| !word.core.is_empty()).count()
}

#[test]
fn every_search_keeps_its_contract() {
    let (lexicon, documents) = (lexicon(), documents());
    let mut edited = 0;
    for seed in 0..4 {
        let model = adds(seed);
        for search in BLACK_BOX {
            for (share, queries, preserving) in
                [(0.1, 500, true), (0.3, 40, false), (1.0, 1, false), (0.5, 13, true), (1.0, 500, false)]
            {
                let found = run(&model, &documents, &lexicon, search, (share, queries, preserving));
                let again = run(&model, &documents, &lexicon, search, (share, queries, preserving));
                let said = format!("{search:?} {share} {queries} {preserving} {seed}");
                assert_eq!((&found.steps, &found.queries), (&again.steps, &again.queries), "{said}");
                let after = texts(&documents, &found);
                for (case, document) in documents.iter().enumerate() {
                    assert!(found.queries[case] <= queries, "{said}: {} queries", found.queries[case]);
                    let steps = &found.steps[case];
                    let edits: usize = steps.iter().map(Vec::len).sum();
                    assert!(steps.len() <= 1, "{said}");
                    assert!(
                        edits as f64 <= (share * spoken(document) as f64 + 0.5).floor(),
                        "{said}: {edits}"
                    );
                    let clean = model.margin(REPORTS[case], found.truth[case]);
                    if edits > 0 {
                        edited += 1;
                        assert!(model.margin(&after[case], found.truth[case]) < clean, "{said}");
                    } else {
                        assert_eq!(after[case], REPORTS[case], "{said}");
                    }
                    assert!(!preserving || preserves(REPORTS[case], &after[case]), "{said}: {}", after[case]);
                    if clean <= 0.0 {
                        assert_eq!((edits, found.queries[case]), (0, 1), "{said}: it was wrong already");
                    }
                }
                assert_eq!(found.truth, found.truth_after, "{said}: labels are not touched");
            }
        }
    }
    assert!(edited > 100, "only {edited} reports were edited");
}

#[test]
fn a_share_of_nothing_leaves_every_report() {
    let (lexicon, documents) = (lexicon(), documents());
    for search in BLACK_BOX {
        let found = run(&adds(1), &documents, &lexicon, search, (0.0, 500, false));
        assert!(found.steps.iter().all(Vec::is_empty), "{search:?}");
        assert!(found.queries.iter().all(|&queries| queries == 1), "{search:?}: {:?}", found.queries);
    }
}

#[test]
fn importance_deletes_the_largest_weights() {
    let (lexicon, documents) = (lexicon(), documents());
    let mut tight = 0;
    for seed in 0..10 {
        let model = adds(seed);
        for share in [0.1, 0.2, 0.4] {
            let found = run(&model, &documents, &lexicon, TextSearch::Importance, (share, 500, false));
            let after = texts(&documents, &found);
            for (case, document) in documents.iter().enumerate() {
                let truth = found.truth[case];
                let clean = model.margin(REPORTS[case], truth);
                if clean <= 0.0 {
                    continue;
                }
                let most = (share * spoken(document) as f64 + 0.5).floor() as usize;
                let mut gains: Vec<f64> =
                    document.words().iter().map(|word| model.share_of(word.core, truth)).collect();
                gains.sort_by(|a, b| b.total_cmp(a));
                // the greedy optimum: the largest weights go, as many as it takes
                let mut best = clean;
                for gain in gains.iter().take(most).filter(|gain| **gain > 0.0) {
                    if best > 0.0 {
                        best -= gain;
                    }
                }
                let margin = model.margin(&after[case], truth);
                assert!((margin - best).abs() < 1e-4, "{margin} is not {best}: {}", after[case]);
                tight += usize::from(best > 0.0);
            }
        }
    }
    assert!(tight > 10, "only {tight} searches ran to the end of their share");
}

/// The least margin that `moves` of a word, one word each, reach with so many words.
fn optimum(
    model: &Adds,
    document: &Document,
    truth: bool,
    moves: impl Fn(&str) -> Vec<String>,
    most: usize,
) -> f64 {
    let gain = |core: &str| {
        let own = model.share_of(core, truth);
        moves(core).iter().map(|by| own - model.share_of(by, truth)).fold(0.0, f64::max)
    };
    let mut gains: Vec<f64> = document.words().iter().map(|word| gain(word.core)).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    model.margin(&document.text(), truth) - gains.iter().take(most).sum::<f64>()
}

#[test]
fn searches_over_synonyms_reach_the_best_and_no_more() {
    let (lexicon, documents) = (lexicon(), documents());
    let synonyms = |core: &str| lexicon.of(&core.to_lowercase()).to_vec();
    let mut reached = [0; 3];
    for seed in 0..20 {
        let model = adds(seed);
        let searches = [TextSearch::Pwws, TextSearch::TextFooler, TextSearch::Beam];
        for (place, search) in searches.into_iter().enumerate() {
            for share in [0.1, 0.2, 1.0] {
                let found = run(&model, &documents, &lexicon, search, (share, 100_000, false));
                let after = texts(&documents, &found);
                for (case, document) in documents.iter().enumerate() {
                    let truth = found.truth[case];
                    if model.margin(REPORTS[case], truth) <= 0.0 {
                        continue;
                    }
                    let most = (share * spoken(document) as f64 + 0.5).floor() as usize;
                    let moves = |core: &str| {
                        let mut all = synonyms(core);
                        if search == TextSearch::Beam {
                            all.push(String::new());
                        }
                        all
                    };
                    let best = optimum(&model, document, truth, moves, most);
                    let margin = model.margin(&after[case], truth);
                    let said = format!("{search:?} {share} {seed}: {margin} for {best} in {}", after[case]);
                    assert!(margin >= best - 1e-4, "{said}");
                    if share >= 1.0 || search == TextSearch::Beam {
                        // with every word at hand, and for a beam always, a flip that exists is found
                        assert_eq!(margin <= 0.0, best <= 1e-9, "{said}");
                        reached[place] += usize::from(margin <= 0.0);
                    }
                }
            }
        }
    }
    assert!(reached.iter().all(|&count| count > 5), "{reached:?}");
}

#[test]
fn one_substitution_of_pwws_is_weighed_by_its_formula() {
    let (lexicon, documents) = (lexicon(), documents());
    let mut checked = 0;
    for seed in 0..10 {
        let model = adds(seed);
        for (case, document) in documents.iter().enumerate() {
            let one = [document.clone()];
            let share = 1.0 / spoken(document) as f64;
            let found = run(&model, &one, &lexicon, TextSearch::Pwws, (share, 500, false));
            let truth = found.truth[0];
            let belief = |margin: f64| 1.0 / (1.0 + (-margin).exp());
            let clean = model.margin(REPORTS[case], truth);
            if clean <= 0.0 {
                continue;
            }
            let score = |core: &str| {
                let own = model.share_of(core, truth);
                let saliency = belief(clean) - belief(clean - own);
                let fall = |by: &String| belief(clean) - belief(clean - own + model.share_of(by, truth));
                let fall = lexicon.of(&core.to_lowercase()).iter().map(fall).fold(0.0, f64::max);
                saliency.exp() * fall
            };
            let scores: Vec<f64> = document.words().iter().map(|word| score(word.core)).collect();
            let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("words");
            if let Some([Edit::Replace { word, .. }]) = found.steps[0].first().map(Vec::as_slice) {
                assert!((scores[*word] - scores[best]).abs() < 1e-6, "{word} for {best}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked}");
}

#[test]
fn a_model_that_reads_only_the_word_no_is_exposed_unless_the_report_must_say_the_same() {
    let model = Adds::of([("no".to_string(), -2.0)], 1.0);
    let report = "There is no effusion. The heart is normal in size.";
    let (lexicon, documents) = (lexicon(), [Document::of(report)]);
    let free = run(&model, &documents, &lexicon, TextSearch::Importance, (0.1, 500, false));
    assert_eq!(free.steps[0], [[Edit::Delete { word: 2 }]]);
    let bound = run(&model, &documents, &lexicon, TextSearch::Importance, (0.1, 500, true));
    assert!(bound.steps[0].is_empty(), "{:?}", bound.steps);
    let beam = run(&model, &documents, &lexicon, TextSearch::Beam, (0.1, 500, false));
    assert_eq!(beam.steps[0], [[Edit::Delete { word: 2 }]]);
    for search in [TextSearch::TextFooler, TextSearch::Pwws, TextSearch::DeepWordBug] {
        let found = run(&model, &documents, &lexicon, search, (1.0, 500, false));
        assert!(found.steps[0].is_empty(), "{search:?} touches a stop word: {:?}", found.steps);
    }
}

#[test]
fn letter_case_and_punctuation_stay() {
    let model = Adds::of([("normal".to_string(), -2.0), ("enlarged".to_string(), -1.5)], 1.0);
    let sets = [vec!["normal".to_string(), "unremarkable".to_string()]];
    let lexicon = Lexicon::from_sets(sets.into_iter());
    let documents = [Document::of("Heart: (NORMAL). "), Document::of("Normal, heart.")];
    let found = run(&model, &documents, &lexicon, TextSearch::TextFooler, (1.0, 500, false));
    assert_eq!(texts(&documents, &found), ["Heart: (UNREMARKABLE).", "Unremarkable, heart."]);
}

/// The words of the reports, and others that may replace them.
fn known() -> Vec<&'static str> {
    REPORTS.iter().copied().chain(["tiny little minor big unremarkable ordinary swollen widened"]).collect()
}

/// A tiny BERT over the words of the reports.
fn bert() -> Network {
    tiny(LanguageFamily::Bert, Vocabulary::uncased(learn_vocabulary(&known(), 400)))
}

/// A tiny RoBERTa over the words of the reports, each of which grows from the space before it letter by letter.
fn roberta() -> Network {
    let letters = ('!'..='~').chain(['Ġ', 'Ċ']).map(String::from);
    let special = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"].map(String::from);
    let mut entries: Vec<String> = special.into_iter().chain(letters).collect();
    let mut merges = Vec::new();
    let known = known().join(" ").to_lowercase();
    for word in known.split(|c: char| !c.is_ascii_alphabetic()) {
        let mut grown = String::from("Ġ");
        for letter in word.chars() {
            let longer = format!("{grown}{letter}");
            if !entries.contains(&longer) {
                merges.push((grown, letter.to_string()));
                entries.push(longer.clone());
            }
            grown = longer;
        }
    }
    let scheme = Scheme::BytePairs { merges, leading_space: true };
    tiny(LanguageFamily::Roberta, Vocabulary { entries, lowercase: true, scheme })
}

/// A tiny network of random weights, large enough that words matter.
fn tiny(family: LanguageFamily, vocabulary: Vocabulary) -> Network {
    let config = BertConfig {
        hidden: 16,
        layers: 2,
        heads: 2,
        intermediate: 32,
        max_tokens: 40,
        vocabulary: vocabulary.entries.len() as u32,
    };
    let architecture = Architecture::Language(Bert { family, ..Bert::of(config) });
    let tokenizer = TokenizerOf::new(vocabulary, 40).expect("a tokenizer");
    let mut params = Params::random(&architecture.declare(), 5).expect("weights");
    let grow = |(name, shape, values): Named| {
        let factor = match name.as_str() {
            name if name.contains("LayerNorm") => 1.0,
            // words are small beside places, so that the first order says much
            name if name.contains("word_embeddings") => 4.0,
            name if name.contains("position_embeddings") => 40.0,
            _ => 12.0,
        };
        (name, shape, values.into_iter().map(|value| value * factor).collect())
    };
    let grown: Vec<Named> = params.values().expect("values").into_iter().map(grow).collect();
    params.restore(&grown).expect("restored");
    params.freeze();
    Network {
        name: "tiny".into(),
        architecture,
        params,
        tokenizer: Some(tokenizer),
        side: None,
        source: None,
        masked: None,
    }
}

fn margins(network: &Network, truth: &[bool], texts: &[String]) -> Vec<f32> {
    let victim = Victim::new(network, truth.to_vec()).expect("a victim");
    let asked: Vec<_> = texts.iter().cloned().enumerate().collect();
    let answers = victim.ask(None, &asked).expect("answers");
    answers.iter().map(|answer: &Answer| answer.margin.expect("finite")).collect()
}

/// Words of a kind that the reports hold, as if each could stand for the others.
fn kinds() -> Lexicon {
    let adjectives =
        "small normal large mild enlarged clear focal stable intact acute right left tiny minor ordinary";
    let nouns =
        "effusion heart pneumothorax edema lungs consolidation cardiomegaly spine fracture nodule congestion";
    let set = |words: &str| words.split(' ').map(str::to_string).collect();
    Lexicon::from_sets([set(adjectives), set(nouns)].into_iter())
}

#[test]
fn hotflip_finds_the_exchange_that_brute_force_finds() {
    for network in [bert(), roberta()] {
        assert_finds_the_best_exchange(&network);
    }
}

fn assert_finds_the_best_exchange(network: &Network) {
    let lexicon = kinds();
    let (mut same, mut found_some) = (0, 0);
    for report in REPORTS.map(str::to_lowercase) {
        let document = Document::of(&report);
        let margin_of =
            |text: &String, truth: bool| margins(network, &[truth], std::slice::from_ref(text))[0];
        let truth = margin_of(&report, true) > 0.0;
        let clean = margin_of(&report, truth);
        let words = document.words();
        let exchanges = words.iter().enumerate().flat_map(|(word, spelt)| {
            let others = lexicon.of(spelt.core).iter();
            others.map(move |by| Edit::Replace { word, words: 1, by: by.clone() })
        });
        let exchanges: Vec<Edit> = exchanges.collect();
        assert!(exchanges.len() > 20, "{}", exchanges.len());
        let fits = |edit: &Edit| apply(&document, std::slice::from_ref(edit)).expect("it fits");
        let mut after: Vec<f32> = exchanges.iter().map(|edit| margin_of(&fits(edit), truth)).collect();
        after.sort_by(f32::total_cmp);
        let share = 1.0 / words.len() as f64;
        let found =
            run(network, std::slice::from_ref(&document), &lexicon, TextSearch::HotFlip, (share, 500, false));
        let text = replay(&document, &found.steps[0]).expect("steps that fit");
        let margin = margin_of(&text, truth);
        println!("HotFlip: {margin} from {clean}; brute force {:?}", &after[..3]);
        assert!(margin < clean, "{report}");
        assert!(found.queries[0] <= 12, "{:?}", found.queries);
        same += usize::from(margin <= after[0] + 1e-5);
        found_some += 1;
    }
    assert_eq!((found_some, same), (6, 6));
}

#[test]
fn hotflip_keeps_the_contract_and_its_budget() {
    for network in [bert(), roberta()] {
        assert_keeps_the_contract(&network);
    }
}

fn assert_keeps_the_contract(network: &Network) {
    let (lexicon, documents) = (kinds(), documents());
    for (share, queries, preserving) in [(0.3, 30, false), (0.3, 7, true), (1.0, 1, false), (0.0, 50, false)]
    {
        let found = run(network, &documents, &lexicon, TextSearch::HotFlip, (share, queries, preserving));
        let again = run(network, &documents, &lexicon, TextSearch::HotFlip, (share, queries, preserving));
        assert_eq!((&found.steps, &found.queries), (&again.steps, &again.queries));
        for (case, after) in texts(&documents, &found).iter().enumerate() {
            assert!(found.queries[case] <= queries, "{:?}", found.queries);
            let edits: usize = found.steps[case].iter().map(Vec::len).sum();
            assert!(edits as f64 <= (share * spoken(&documents[case]) as f64 + 0.5).floor());
            assert!(!preserving || preserves(REPORTS[case], after), "{after}");
        }
        assert_eq!(found.queries[2], 1, "it was wrong already");
        assert!(
            share == 0.0 || queries < 30 || found.steps.iter().flatten().flatten().count() > 5,
            "{:?}",
            found.steps
        );
    }
}

#[test]
fn hotflip_exchanges_words_whose_embeddings_are_near() {
    let nothing = Lexicon::from_sets(std::iter::empty());
    let document = [Document::of("The heart is normal.")];
    for make in [bert, roberta] {
        let exchanged = [-0.3, 0.3].map(|step: f32| {
            let mut network = make();
            let tokenizer = &network.tokenizer.as_ref().expect("a tokenizer").tokenizer;
            let id = |word: &str| tokenizer.piece(word).expect("an entry") as usize;
            let (from, into) = (id("normal") * 16, id("ordinary") * 16);
            let named = "bert.embeddings.word_embeddings.weight";
            let all = network.params.values().expect("values");
            let (name, shape, mut table) =
                all.into_iter().find(|(name, _, _)| name == named).expect("the table");
            for at in 0..16 {
                table[into + at] = table[from + at] * (1.0 + if at % 3 == 0 { step } else { -step });
            }
            network.params.restore(&[(name, shape, table)]).expect("restored");
            network.params.freeze();
            let found = run(&network, &document, &nothing, TextSearch::HotFlip, (1.0, 500, false));
            let by = |edit: &Edit| matches!(edit, Edit::Replace { word: 3, by, .. } if by == "ordinary");
            found.steps[0].concat().iter().any(by)
        });
        // a step one way lowers the margin, the other way raises it
        assert_ne!(exchanged[0], exchanged[1]);
    }
}

#[test]
fn images_stay_with_their_reports() {
    let (lexicon, documents) = (lexicon(), documents());
    let mut model = adds(2);
    let shifts = [0.0, 50.0, 0.0, 1.0, -0.5, 0.25];
    let image = tensor::floats(&shifts, &[6, 1]).expect("a tensor");
    let propose = |model: &Adds, image, rows: std::ops::Range<usize>| {
        let reports = Reports {
            victim: Victim::new(model, vec![true; rows.len()]).expect("a victim"),
            image,
            documents: documents[rows.clone()].iter().collect(),
            originals: REPORTS[rows.clone()].to_vec(),
            cases: &["a", "b", "c", "d", "e", "f"][rows],
            seed: 1,
            lexicon: &lexicon,
            reader: model,
            preserving: false,
        };
        propose(&reports, TextSearch::Importance, 0.5, 500).expect("edits")
    };
    let together = propose(&model, Some(&image), 0..6);
    for (row, shift) in shifts.into_iter().enumerate() {
        model.bias = shift;
        assert_eq!(propose(&model, None, row..row + 1)[0], together[row], "{row}");
    }
    assert!(together.iter().flatten().flatten().count() > 5);
}

#[test]
fn the_slope_by_embeddings_is_the_difference_quotient() {
    let network = bert();
    let truth = vec![true];
    let victim = Victim::new(&network, truth).expect("a victim");
    let text = REPORTS[0].to_string();
    let slope = victim.text_slopes(None, &[(0, text.clone())]).expect("slopes").remove(0);
    assert_eq!(victim.queries(), [1]);
    let slope = tensor::values(&slope).expect("values");
    let pieces = network.pieces().expect("pieces");
    let ids = pieces.of.tokenizer.encode(&text, 40);
    assert_eq!(slope.len(), ids.len() * 16);
    // the gradient by the table's row of a piece that comes once is that by its embedding
    let at =
        (1..ids.len() - 1).find(|&at| ids.iter().filter(|id| **id == ids[at]).count() == 1).expect("a piece");
    let loss = |step: f32| {
        let mut moved = bert();
        let name = "bert.embeddings.word_embeddings.weight";
        let all = moved.params.values().expect("values");
        let (name, shape, mut values) =
            all.into_iter().find(|(known, _, _)| known == name).expect("the table");
        values[ids[at] as usize * 16 + 3] += step;
        moved.params.restore(&[(name, shape, values)]).expect("restored");
        moved.params.freeze();
        let margin = f64::from(margins(&moved, &[true], std::slice::from_ref(&text))[0]);
        (1.0 + (-margin).exp()).ln()
    };
    let quotient = (loss(1e-2) - loss(-1e-2)) / 2e-2;
    let ours = f64::from(slope[at * 16 + 3]);
    assert!((quotient - ours).abs() <= 0.02 * quotient.abs().max(0.01), "{ours} is not {quotient}");
}

#[test]
fn what_a_model_does_not_have_is_said() {
    let (lexicon, documents) = (lexicon(), documents());
    let model = adds(1);
    for (search, says) in [(TextSearch::HotFlip, "embeddings"), (TextSearch::Bae, "cls.predictions")] {
        let victim = Victim::new(&model, vec![true; documents.len()]).expect("a victim");
        let reports = Reports {
            victim: victim.clone(),
            image: None,
            documents: documents.iter().collect(),
            originals: REPORTS.to_vec(),
            cases: &["a", "b", "c", "d", "e", "f"],
            seed: 1,
            lexicon: &lexicon,
            reader: &model,
            preserving: false,
        };
        let why = propose(&reports, search, 0.1, 500).expect_err("an error").to_string();
        assert!(why.contains(says) && why.contains("adds"), "{why}");
        assert!(victim.queries().iter().all(|&queries| queries == 0));
    }
}
