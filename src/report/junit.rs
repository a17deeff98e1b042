//! The result as `JUnit`'s XML, as Jenkins and GitLab read it (Jenkins' xUnit plugin, junit-10.xsd): a clause is a test
//! case, and so are each check and each waiver, so that a case keeps its name whatever becomes of it. What could not be
//! judged is an error; everything else that stops the gate is a failure of that verdict's type.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::annotations::{distinct, fault, loosened, unsigned, waived, waivers};
use super::gate::Gate;
use super::{ReportInput, clause_name, evidence_diff, plain};
use crate::judge::{CheckState, Loosened, Tally, Verdict};
use crate::sanitize::lines;
use crate::spec::Check;

/// The suite of the requirements, which says the word of the gate too.
const REQUIREMENTS: &str = "requirements";

struct Suite {
    name: &'static str,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    end: End,
    /// What is said of it at length.
    text: String,
}

/// How a test case ended, with its message.
enum End {
    Passed,
    Skipped(String),
    /// The type, and the message.
    Failed(String, String),
    Error(String, String),
}

impl End {
    fn of(verdict: Verdict, message: String) -> Self {
        match verdict {
            Verdict::Pass => Self::Passed,
            Verdict::Error => Self::Error(verdict.to_string(), message),
            Verdict::Inconclusive | Verdict::Fail | Verdict::Suspect | Verdict::Vacuous => {
                Self::Failed(verdict.to_string(), message)
            }
        }
    }
}

/// The whole result; ends with a newline.
pub fn render(result: ReportInput<'_>) -> String {
    let suites = [
        Suite { name: "snapshot", cases: changed_cells(result) },
        Suite { name: REQUIREMENTS, cases: requirements(result) },
        Suite { name: "checks", cases: checks(result) },
        Suite { name: "waivers", cases: waived_checks(result) },
    ];
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // a vector takes whatever is written to it
    let _ = write(&mut writer, result, &suites);
    String::from_utf8(writer.into_inner()).unwrap_or_default() + "\n"
}

/// A test case for each cell that changed since the accepted snapshot, and one for the comparison. None of them fails: a
/// requirement such as `no regression` decides that.
fn changed_cells(result: ReportInput<'_>) -> Vec<Case> {
    let Some(changes) = result.accepted.map(|accepted| accepted.changes(result)) else { return vec![] };
    let mut text = vec![plain(&changes.summary())];
    text.extend(changes.notes.iter().chain(&changes.differences()).map(|line| plain(line)));
    text.extend(changes.verdicts.iter().map(|changed| plain(&changed.line())));
    let whole = Case { name: "accepted snapshot".to_string(), end: End::Passed, text: text.join("\n") };
    let cells = changes.changed_cells().0.into_iter().map(|cell| Case {
        name: plain(&cell.name()),
        end: End::Passed,
        text: evidence_diff::line(cell),
    });
    std::iter::once(whole).chain(cells).collect()
}

fn requirements(result: ReportInput<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (place, finding) in result.findings().iter().enumerate() {
        for (clause, found) in finding.clauses.iter().enumerate() {
            let reason = plain(&found.reason);
            let id = result.id_of(place).map_or(String::new(), |id| format!("{id}: "));
            let at = format!("{}:{}:{}", spec(result), finding.place.line, finding.place.column);
            cases.push(Case {
                name: clause_name(result.plan, place, clause, found),
                text: format!("{id}{} {}\n{reason}\n{at}", found.verdict, plain(&finding.sentence)),
                end: End::of(found.verdict, reason),
            });
        }
    }
    cases
}

/// Every check, raised or not.
fn checks(result: ReportInput<'_>) -> Vec<Case> {
    let unread = Tally::new(result.plan, result.evidence).err();
    let told = distinct(&result.judgement.checks);
    let case = |check: &Check| {
        let own = told.iter().filter(|(raised, _)| raised.check == *check);
        let said = |(raised, more): &(&crate::judge::Raised, usize)| {
            let waiver = raised.waiver.and_then(|place| result.plan.spec.waivers.get(place));
            let why = waiver.map_or(String::new(), |waiver| {
                format!(" ({}: {})", waived(result.plan, waiver), plain(&waiver.reason))
            });
            format!(
                "{}: {}{}{why}",
                raised.word(),
                plain(&raised.message),
                super::annotations::and_more(*more)
            )
        };
        let text: Vec<String> = own.clone().map(said).collect();
        let worst = own.filter_map(|(raised, _)| raised.counts()).max();
        let unlooked = result.judgement.examined.iter().find(|one| one.check == *check);
        let unlooked = unlooked.and_then(|one| match one.state {
            CheckState::NotApplicable | CheckState::NotRun => {
                Some(format!("{}: {}", one.state.words(), plain(&one.reasons.join("; "))))
            }
            CheckState::Passed | CheckState::Raised => None,
        });
        let end = match (worst, &unread, unlooked) {
            (Some(worst), _, _) => End::of(worst, text.join("; ")),
            (None, Some(why), _) if text.is_empty() => End::Skipped(plain(why)),
            (None, _, Some(why)) if text.is_empty() => End::Skipped(why),
            (None, _, _) => End::Passed,
        };
        Case { name: check.to_string(), end, text: text.join("\n") }
    };
    Check::ALL.iter().map(case).collect()
}

fn waived_checks(result: ReportInput<'_>) -> Vec<Case> {
    let case = |(waiver, state)| Case {
        name: waived(result.plan, waiver),
        text: plain(&waiver.reason),
        end: fault(state).map_or(End::Passed, |why| End::Failed("WAIVER".to_string(), why.to_string())),
    };
    let trigger = |one: &Loosened| Case {
        name: loosened(one),
        text: one.trigger.signature.as_ref().map_or(String::new(), |signature| plain(&signature.reason)),
        end: unsigned(one.state)
            .map_or(End::Passed, |why| End::Failed("WAIVER".to_string(), why.to_string())),
    };
    waivers(result).map(case).chain(result.judgement.loosened.iter().map(trigger)).collect()
}

/// What test cases are grouped by: the spec's name.
fn class(result: ReportInput<'_>, suite: &Suite) -> String {
    let name = result.plan.spec.path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{}.{}", plain(&name), suite.name)
}

fn spec(result: ReportInput<'_>) -> String {
    plain(&result.plan.spec.path.display().to_string())
}

type Out = Writer<Vec<u8>>;

fn write(writer: &mut Out, result: ReportInput<'_>, suites: &[Suite]) -> std::io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let claim = plain(&result.plan.spec.claim);
    let all: Vec<&Case> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let counts = counts(&all);
    let named = std::iter::once(("name", claim.as_str())).chain(attributes(&counts));
    writer.create_element("testsuites").with_attributes(named).write_inner_content(|writer| {
        suites
            .iter()
            .filter(|suite| !suite.cases.is_empty())
            .try_for_each(|suite| write_suite(writer, result, suite))
    })?;
    Ok(())
}

fn write_suite(writer: &mut Out, result: ReportInput<'_>, suite: &Suite) -> std::io::Result<()> {
    let cases: Vec<&Case> = suite.cases.iter().collect();
    let counts = counts(&cases);
    let skipped = cases.iter().filter(|case| matches!(case.end, End::Skipped(_))).count().to_string();
    let named = std::iter::once(("name", suite.name)).chain(attributes(&counts));
    let element = writer
        .create_element("testsuite")
        .with_attributes(named)
        .with_attribute(("skipped", skipped.as_str()));
    element.write_inner_content(|writer| {
        if suite.name == REQUIREMENTS {
            writer.create_element("properties").write_inner_content(|writer| {
                let gate = ("value", Gate::of(result.judgement).word());
                writer.create_element("property").with_attributes([("name", "gate"), gate]).write_empty()?;
                result.product().iter().try_for_each(|(name, fact)| {
                    let named = [("name", *name), ("value", fact.as_str())];
                    writer.create_element("property").with_attributes(named).write_empty().map(|_| ())
                })
            })?;
        }
        suite.cases.iter().try_for_each(|case| write_case(writer, &class(result, suite), case))
    })?;
    Ok(())
}

/// The numbers of cases, failures and errors.
fn counts(cases: &[&Case]) -> [String; 3] {
    let count = |which: fn(&End) -> bool| cases.iter().filter(|case| which(&case.end)).count().to_string();
    [
        cases.len().to_string(),
        count(|end| matches!(end, End::Failed(..))),
        count(|end| matches!(end, End::Error(..))),
    ]
}

fn attributes(counts: &[String; 3]) -> impl Iterator<Item = (&str, &str)> {
    ["tests", "failures", "errors"].into_iter().zip(counts.iter().map(String::as_str))
}

fn write_case(writer: &mut Out, class: &str, case: &Case) -> std::io::Result<()> {
    let element = writer.create_element("testcase");
    let element = element.with_attribute(("name", case.name.as_str())).with_attribute(("classname", class));
    let text = lines(&case.text);
    if matches!(case.end, End::Passed) && text.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        let ended = match &case.end {
            End::Passed => None,
            End::Skipped(why) => {
                writer.create_element("skipped").with_attribute(("message", why.as_str())).write_empty()?;
                None
            }
            End::Failed(kind, message) => Some(("failure", kind, message)),
            End::Error(kind, message) => Some(("error", kind, message)),
        };
        if let Some((element, kind, message)) = ended {
            let element = writer.create_element(element);
            let element =
                element.with_attribute(("type", kind.as_str())).with_attribute(("message", message.as_str()));
            element.write_text_content(BytesText::new(&text))?;
        } else if !text.is_empty() {
            writer.create_element("system-out").write_text_content(BytesText::new(&text))?;
        }
        Ok(())
    })?;
    Ok(())
}
