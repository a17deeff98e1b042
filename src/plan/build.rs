//! Binds a spec's names, resolves its threats to points and lists the cells.

use super::{Attack, Bound, Cell, Clause, ImageAttack, Plan, Requirement, Row, TextAttack};
use crate::spec::{self, Condition, Spec, Strength, Threat};

/// The plan of a spec. A spec that was parsed always has one.
pub fn build(spec: Spec) -> Plan {
    let mut binder = Binder { spec: &spec, attacks: vec![vec![Attack::default()]; spec.models.len()] };
    let rows: Vec<BoundRow> = spec.table.iter().map(|condition| binder.row(condition)).collect();
    let requirements: Vec<BoundRequirement> = spec
        .require
        .iter()
        .map(|required| required.clauses.iter().map(|clause| binder.clause(clause)).collect())
        .collect();
    // only now every model's cells are known, and with them the place of each
    let attacks = binder.attacks;
    let starts: Vec<usize> =
        (0..attacks.len()).map(|model| attacks[..model].iter().map(Vec::len).sum()).collect();
    let place =
        |(model, cells): &Cells| cells.iter().map(|cell| starts[*model] + cell).collect::<Vec<usize>>();
    let bound_row = |(condition, row): (&Condition, &BoundRow)| Row {
        words: condition.words.clone(),
        cells: row.iter().map(place).collect(),
    };
    let bound_clause = |(clause, (subject, other)): (&spec::Clause, &BoundClause)| Clause {
        words: clause.words.clone(),
        model: subject.0,
        metric: clause.metric,
        cells: place(subject),
        bound: match (&clause.bound, other) {
            (spec::Bound::Model { offset, .. }, Some(other)) => {
                Bound::Model { model: other.0, cells: place(other), offset: *offset }
            }
            (spec::Bound::Rate(share), _) => Bound::Rate(*share),
            (spec::Bound::Model { .. }, None) => unreachable!("a relation binds both its models"),
        },
    };
    let rows = spec.table.iter().zip(&rows).map(bound_row).collect();
    let requirements = spec
        .require
        .iter()
        .zip(&requirements)
        .map(|(required, clauses)| Requirement {
            sentence: required.sentence.clone(),
            place: required.place,
            clauses: required.clauses.iter().zip(clauses).map(bound_clause).collect(),
        })
        .collect();
    let cells = attacks
        .into_iter()
        .enumerate()
        .flat_map(|(model, attacks)| attacks.into_iter().map(move |attack| Cell { model, attack }))
        .collect();
    Plan { spec, cells, rows, requirements }
}

/// A model, and places among its own attacks.
type Cells = (usize, Vec<usize>);
type BoundRow = Vec<Cells>;
/// The subject's cells, and the other model's in a relation.
type BoundClause = (Cells, Option<Cells>);
type BoundRequirement = Vec<BoundClause>;

/// Collects the attacks of every model, each once, in the order in which they are first asked for.
struct Binder<'a> {
    spec: &'a Spec,
    attacks: Vec<Vec<Attack>>,
}

impl Binder<'_> {
    /// What a row is for every model; nothing where a threat touches no input of the model.
    fn row(&mut self, condition: &Condition) -> BoundRow {
        let models = self.spec.models.len();
        let bind = |model: usize| {
            let applies = condition.threats.iter().all(|threat| self.touches(model, threat));
            if applies { self.cells(model, &condition.threats) } else { (model, vec![]) }
        };
        (0..models).map(bind).collect()
    }

    fn clause(&mut self, clause: &spec::Clause) -> BoundClause {
        let threats = &clause.condition.threats;
        let subject = self.model(&clause.model);
        let subject = self.cells(subject, threats);
        let other = match &clause.bound {
            spec::Bound::Rate(_) => None,
            spec::Bound::Model { model, .. } => {
                // the other model meets what of the condition can touch it
                let model = self.model(model);
                let touching: Vec<Threat> =
                    threats.iter().filter(|threat| self.touches(model, threat)).cloned().collect();
                Some(self.cells(model, &touching))
            }
        };
        (subject, other)
    }

    /// A name's index; parsing has checked that it is there.
    fn model(&self, name: &str) -> usize {
        self.spec.models.iter().position(|(other, _)| other == name).unwrap_or_default()
    }

    fn touches(&self, model: usize, threat: &Threat) -> bool {
        let model = &self.spec.models[model].1;
        if threat.on_image() { model.reads_image() } else { model.reads_text() }
    }

    fn cells(&mut self, model: usize, threats: &[Threat]) -> Cells {
        let attacks = &mut self.attacks[model];
        let mut cells = Vec::new();
        for attack in points(threats, &self.spec.grid) {
            let cell = attacks.iter().position(|known| *known == attack).unwrap_or_else(|| {
                attacks.push(attack);
                attacks.len() - 1
            });
            cells.push(cell);
        }
        (model, cells)
    }
}

/// The attacks that a condition stands for: one a strength of its image attack. A threat of strength 0 is
/// none.
fn points(threats: &[Threat], grid: &[f64]) -> Vec<Attack> {
    let mut images = vec![None];
    let mut text = Vec::new();
    for threat in threats {
        match *threat {
            Threat::Image { method, epsilon } => {
                let attack = |epsilon| Some(ImageAttack { method, epsilon });
                images = strengths(epsilon, grid).map(attack).collect();
            }
            Threat::Deletion { fraction } => text.push(TextAttack::Deletion { fraction }),
            Threat::Synonyms { fraction } => text.push(TextAttack::Synonyms { fraction }),
        }
    }
    text.retain(|attack| attack.fraction() > 0.0);
    if images.is_empty() {
        images.push(None);
    }
    images.into_iter().map(|image| Attack { image, text: text.clone() }).collect()
}

/// The points of a strength, ascending, without 0.
fn strengths(strength: Strength, grid: &[f64]) -> impl Iterator<Item = f64> {
    let mut points = match strength {
        Strength::At(epsilon) => vec![epsilon],
        Strength::UpTo(bound) => {
            let mut points: Vec<f64> = grid.iter().copied().filter(|&point| point < bound).collect();
            points.push(bound);
            points
        }
    };
    points.retain(|&point| point > 0.0);
    points.into_iter()
}
