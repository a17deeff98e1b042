//! The sentences of a spec: the rows of its table, what others published, and what it requires.

use serde_json::Value as Json;

use crate::spec::condition::parse_condition;
use crate::spec::node::Node;
use crate::spec::regression::parse_regression;
use crate::spec::schema::parts;
use crate::spec::sentence::{parse_figure, parse_sentence};
use crate::spec::table::About;
use crate::spec::{
    Asked, Clause, Complaint, Condition, Figure, Metric, ModelInputs, Names, Regression, Requirement, Threat,
};

/// Whether the spec says what errors cost, about a finding or about whether a study is abnormal.
type HasCosts<'a> = &'a dyn Fn(Option<&str>) -> bool;

/// A sentence is read aloud in a meeting; a longer text is none.
const MOST_CHARACTERS: usize = 2000;
const MOST_SENTENCES: usize = 1000;

/// The rows of the table; the clean cases if the spec gives none.
pub(super) fn table(node: Option<&Node<'_>>, names: Names<'_>) -> Option<Vec<Condition>> {
    let Some(node) = node else { return Some(vec![Condition::clean()]) };
    let rows = sentences(node)?.into_iter().map(|item| read_by(&item, names, parse_condition));
    rows.collect::<Vec<_>>().into_iter().collect()
}

/// The schema of the figures that others published.
pub(super) fn schema_of_published(about: &str, _: About<'_>) -> Json {
    let figure = parts::text(
        "MODEL METRIC FIGURE, with `at` or `under` an attack.",
        &["vision accuracy 63.06% at FGSM ε=0.01"],
    );
    parts::described(parts::list(&figure, 0), about)
}

/// What others published.
pub(super) fn published(node: Option<&Node<'_>>, names: Names<'_>) -> Option<Vec<Figure>> {
    let Some(node) = node else { return Some(vec![]) };
    let figures = sentences(node)?.into_iter().map(|item| read_by(&item, names, parse_figure));
    figures.collect::<Vec<_>>().into_iter().collect()
}

/// A text that a grammar can take in reasonable time.
fn sentence_of<'a>(item: &Node<'a>) -> Option<&'a str> {
    let text = item.text()?;
    let length = text.chars().count();
    if length > MOST_CHARACTERS {
        let help = "write several sentences, each an item of its own".to_string();
        item.fault(format!("this has {length} characters, and a sentence at most {MOST_CHARACTERS}"), help);
        return None;
    }
    Some(text)
}

/// The items of a list of sentences, within its limit.
fn sentences<'a>(node: &Node<'a>) -> Option<Vec<Node<'a>>> {
    let items = node.items()?;
    if items.len() > MOST_SENTENCES {
        let help = "divide the spec into several".to_string();
        node.fault(format!("these are {} items, and a list has at most {MOST_SENTENCES}", items.len()), help);
        return None;
    }
    Some(items)
}

/// What a grammar makes of a text; None if it complains.
fn read_by<T>(
    item: &Node<'_>,
    names: Names<'_>,
    parse: impl Fn(&str, Names<'_>) -> Result<T, Complaint>,
) -> Option<T> {
    parse(sentence_of(item)?, names).map_err(|complaint| report(item, complaint)).ok()
}

pub(super) fn requirements(
    node: &Node<'_>,
    names: Names<'_>,
    has_costs: HasCosts<'_>,
) -> Option<Vec<Requirement>> {
    let items = sentences(node)?;
    if items.is_empty() {
        let help = "write what must hold, such as `fusion accuracy ≥ 90% at FGSM ε≤0.1`".to_string();
        node.fault("nothing is required, so nothing could pass", help);
        return None;
    }
    let read: Vec<Option<Requirement>> =
        items.iter().map(|item| requirement(item, names, has_costs)).collect();
    read.into_iter().collect()
}

fn requirement(node: &Node<'_>, names: Names<'_>, has_costs: HasCosts<'_>) -> Option<Requirement> {
    let sentence = sentence_of(node)?;
    let parsed = match parse_regression(sentence, names) {
        Some(regression) => regression.map(|one| (vec![], Some(one))).map_err(|complaint| vec![complaint]),
        None => parse_sentence(sentence, names).map(|clauses| (clauses, None)),
    };
    match parsed {
        Ok((clauses, regression)) => {
            for clause in &clauses {
                check_reach(node, sentence, Some(clause.model), &clause.condition, names);
                check_metric(node, clause, names, has_costs);
            }
            if let Some(Regression { model, condition: Some(condition), .. }) = &regression {
                check_reach(node, sentence, *model, condition, names);
            }
            let sentence = sentence.trim().to_string();
            Some(Requirement { sentence, place: node.place(), clauses, regression })
        }
        Err(complaints) => {
            for complaint in complaints {
                report(node, complaint);
            }
            None
        }
    }
}

/// A metric that has nothing to count would pass for the wrong reason.
fn check_metric(node: &Node<'_>, clause: &Clause, names: Names<'_>, has_costs: HasCosts<'_>) {
    if clause.metric == Metric::Cost {
        check_costs(node, &clause.asked, names.findings, has_costs);
    }
    if clause.metric == Metric::Flips && clause.condition.threats.is_empty() {
        let help = "say under what, such as `flips ≤ 5% under 50% deletion`".to_string();
        node.fault("without an attack no case is turned", help);
    }
}

/// Reports harm of which the spec does not say what its errors cost.
fn check_costs(node: &Node<'_>, asked: &Asked, findings: &[String], has_costs: HasCosts<'_>) {
    let lacking = match asked {
        Asked::Abnormal | Asked::Class(_) => (!has_costs(None)).then_some(None),
        Asked::Finding(name) => (!has_costs(Some(name))).then_some(Some(name)),
        Asked::EveryFinding => findings.iter().find(|name| !has_costs(Some(name))).map(Some),
        Asked::MeanOfFindings | Asked::SumOfFindings => {
            findings.iter().all(|name| !has_costs(Some(name))).then_some(None)
        }
    };
    let Some(finding) = lacking else { return };
    let (about, key) = match finding {
        None => (String::new(), "harm: {missed: 10, overcalled: 1}".to_string()),
        Some(name) => {
            (format!(" about `{name}`"), format!("harm: {{{name}: {{missed: 10, overcalled: 1}}}}"))
        }
    };
    node.fault(format!("the spec does not say what errors{about} cost"), format!("add `{key}`"));
}

/// A sentence about an input that its model does not read would pass for the wrong reason; so would one about all
/// models of which none reads it.
fn check_reach(
    node: &Node<'_>,
    sentence: &str,
    model: Option<usize>,
    condition: &Condition,
    names: Names<'_>,
) {
    let meant =
        names.models.iter().enumerate().filter(|(place, _)| model.is_none_or(|model| model == *place));
    let reasons: Vec<_> = meant.map(|(_, reader)| out_of_reach(reader, condition)).collect();
    if let Some(Some((message, help))) = reasons.iter().find(|_| reasons.iter().all(Option::is_some)) {
        let words = &condition.words;
        let offset = sentence.find(words.as_str()).map_or(0, |at| sentence[..at].chars().count());
        node.fault_within(offset, words.clone(), message.clone(), Some(help.clone()));
    }
}

/// Why a condition cannot touch a model, and what to write instead.
fn out_of_reach(model: &ModelInputs, condition: &Condition) -> Option<(String, String)> {
    let blind = |threat: &Threat| if threat.on_image() { !model.image } else { !model.text };
    if let Some(threat) = condition.threats.iter().find(|threat| blind(threat)) {
        let (input, reads) = if threat.on_image() { ("image", "report") } else { ("report", "image") };
        let message = format!("`{}` does not read the {input}, so this cannot touch it", model.name);
        let help = format!("ask for an attack on the {reads}, or name a model that reads the {input}");
        Some((message, help))
    } else if condition.threats.iter().any(Threat::needs_the_other) && !(model.image && model.text) {
        let message = format!("`{}` reads nothing else, so without it there is no answer", model.name);
        let help = "write `blank`, or name a model that reads images and reports".to_string();
        Some((message, help))
    } else {
        None
    }
}

fn report(node: &Node<'_>, complaint: Complaint) {
    node.fault_within(complaint.offset, complaint.word, complaint.message, Some(complaint.help));
}
