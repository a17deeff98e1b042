//! Whether the reports are such that attacks on words mean something: in words between spaces, and, where a threat
//! promises to keep or to flip what a report says, in the language of the rules that read it.

use super::Dataset;
use crate::spec::{Condition, Mode, Spec, TextAttack, TextMethod, Threat};
use crate::text::{meaning, tokens, vocabulary, words};
use crate::{Error, Result};

/// Share of the words that the rules of `text::meaning` must know for the modes `preserving` and `directional`.
/// Measured: they know 93 % of the words of the Indiana University findings and 92 % of those beside NIH images, 7 to 9 %
/// of German reports and 22 % of French ones, whose words have the same roots.
pub const LEAST_KNOWN: f64 = 0.5;
/// Letters of a mean word from which a text has no spaces between words. English reports have 6, German ones 9.
const LONGEST_MEAN: f64 = 20.0;

/// Refuses threats on words that can do nothing to these reports, or promise what nobody can see.
///
/// # Errors
/// A threat needs words between spaces, or the rules know too few of the words.
pub(super) fn check(data: &Dataset, spec: &Spec) -> Result<()> {
    let attacks: Vec<TextAttack> = attacks(spec).collect();
    let edits = |attack: &TextAttack| match attack.method {
        TextMethod::Sampled(_) | TextMethod::Searched { .. } => true,
        TextMethod::Absent(_) => false,
    };
    if !attacks.iter().any(edits) {
        return Ok(());
    }
    let texts: Vec<String> = data.studies.iter().map(|study| data.text(study)).collect();
    let mean = mean_word(&texts);
    if mean > LONGEST_MEAN {
        return Err(Error::Input(format!(
            "the reports have no spaces between their words (what stands between spaces has {mean:.0} letters in the \
             mean), and attacks on words edit what stands between spaces; leave these threats out, or put spaces between \
             the words"
        )));
    }
    let known = known(&texts);
    let needs_rules = attacks.iter().find_map(|attack| match attack.mode {
        Mode::Preserving | Mode::Directional => Some(attack.mode.name()),
        Mode::Free => None,
    });
    match needs_rules {
        Some(mode) if known < LEAST_KNOWN => Err(Error::Input(format!(
            "the mode `{mode}` needs rules that read what a report says; they are for English and know {:.0} % of the \
             words of these reports ({:.0} % are needed); write `mode: free` under the threat, which promises nothing about \
             the meaning, or leave it out",
            100.0 * known,
            100.0 * LEAST_KNOWN
        ))),
        _ => Ok(()),
    }
}

/// Every attack on words that a spec names where it counts: in its table, its requirements, and beside published figures.
fn attacks(spec: &Spec) -> impl Iterator<Item = TextAttack> {
    let clauses = spec.require.iter().flat_map(|requirement| &requirement.clauses);
    let regressions =
        spec.require.iter().filter_map(|requirement| requirement.regression.as_ref()?.condition.as_ref());
    let conditions = (spec.table.iter())
        .chain(spec.published.iter().map(|figure| &figure.condition))
        .chain(clauses.map(|clause| &clause.condition))
        .chain(regressions);
    let on_words = |threat: &Threat| match threat {
        Threat::Text(attack) => Some(*attack),
        Threat::Image { .. } => None,
    };
    conditions.flat_map(move |condition: &Condition| condition.threats.iter().filter_map(on_words))
}

/// Letters of a mean word.
fn mean_word(texts: &[String]) -> f64 {
    let cores = texts.iter().flat_map(|text| words::words(text)).filter(|word| !word.core.is_empty());
    let (count, letters) = cores
        .fold((0_usize, 0_usize), |(count, letters), word| (count + 1, letters + word.core.chars().count()));
    letters as f64 / count.max(1) as f64
}

/// Share of the words that the rules know.
fn known(texts: &[String]) -> f64 {
    let (known, all) = texts
        .iter()
        .map(|text| meaning::known_words(text))
        .fold((0, 0), |(known, all), (own, of)| (known + own, all + of));
    known as f64 / f64::from(u32::try_from(all.max(1)).unwrap_or(u32::MAX))
}

/// What of the reports of these studies a language model never reads: at least so much, since words may be several
/// tokens. One sentence for each model whose length the spec says.
pub fn cut(data: &Dataset, spec: &Spec, studies: &[usize]) -> Vec<String> {
    let lengths: Vec<usize> =
        studies.iter().map(|&place| vocabulary::least_length(&data.text(&data.studies[place]))).collect();
    let of_model = |(name, model): &(String, crate::spec::Model)| {
        tokens::cut(name, &lengths, model.max_tokens()? as usize).map(|cut| format!("at least: {cut}"))
    };
    spec.models.iter().filter_map(of_model).collect()
}
