//! The grammar of the sentence that compares with what was accepted:
//!
//! ```text
//! regression = [model] "no" "regression" "against" ["the"] "baseline" "(" "margin" number ")"
//!              [("at" | "under" | "with") condition]
//! ```
//!
//! Without a model it is about all of them, and without a condition about every cell of the spec. A margin turns
//! "no worse", which no number of cases can show, into "not worse by more than this", which they can
//! (non-inferiority; Blackwelder, Controlled Clinical Trials 3, 1982).

use super::parser::{Complaint, Parsed, Parser};
use super::token::Kind;
use super::{Condition, Names, Regression};

/// Parses a sentence such as `fusion no regression against baseline (margin 1%)`; None if it is of another kind.
///
/// # Errors
/// Its first fault.
pub fn parse_regression(sentence: &str, names: Names<'_>) -> Option<Result<Regression, Complaint>> {
    let mut parser = Parser::new(sentence, names);
    let start = start(&mut parser)?;
    Some(regression(&mut parser, start))
}

/// Where `no regression` stands.
fn start(parser: &mut Parser<'_>) -> Option<usize> {
    for at in 0.. {
        parser.at = at;
        parser.peek()?;
        if parser.take_word(&["no"]) && parser.take_word(&["regression"]) {
            return Some(at);
        }
    }
    None
}

fn regression(parser: &mut Parser<'_>, start: usize) -> Parsed<Regression> {
    if start > 1 {
        parser.at = start;
        let help = "write it as an item of its own under `require`";
        return Err(parser.complain("this is a sentence of its own", help));
    }
    parser.at = 0;
    let model = if start == 1 { Some(parser.model()?) } else { None };
    parser.at = start + 2;
    expect_word(parser, "against")?;
    parser.take_word(&["the"]);
    expect_word(parser, "baseline")?;
    let margin = margin(parser)?;
    let condition = condition(parser)?;
    Ok(Regression { model, margin, condition })
}

fn expect_word(parser: &mut Parser<'_>, word: &str) -> Parsed<()> {
    if parser.take_word(&[word]) {
        return Ok(());
    }
    let help = "write `no regression against baseline (margin 1%)`";
    Err(parser.complain(format!("`{word}` is expected here"), help))
}

/// What may be lost at most.
fn margin(parser: &mut Parser<'_>) -> Parsed<f64> {
    const HELP: &str = "write what may be lost at most, such as `(margin 1%)`";
    if !parser.take(&Kind::Other('(')) || !parser.take_word(&["margin"]) {
        return Err(parser.complain("the margin is missing", HELP));
    }
    let Some(Kind::Number(number)) = parser.peek() else {
        return Err(parser.complain("a margin is expected here", HELP));
    };
    let margin = number.share().map_err(|(message, help)| parser.complain(message, help))?;
    if margin <= 0.0 {
        return Err(parser.complain("no number of cases shows a margin of 0", HELP));
    }
    parser.at += 1;
    if parser.take(&Kind::Other(')')) {
        Ok(margin)
    } else {
        Err(parser.complain("`)` is expected here", HELP))
    }
}

/// What follows the margin.
fn condition(parser: &mut Parser<'_>) -> Parsed<Option<Condition>> {
    let before = parser.at;
    let condition = parser.optional_condition()?;
    if parser.peek().is_some() {
        let help = "an attack follows `at`, `under` or `with`; another sentence is an item of its own";
        return Err(parser.complain("this does not belong to the sentence", help));
    }
    Ok((parser.at > before).then_some(condition))
}
