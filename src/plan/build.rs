//! Binds a spec's names, resolves its threats to points and lists the cells.

use super::probes::probes;
use super::{Attack, Cell, Certificate, Clause, ImageAttack, Plan, Regression, Requirement, Row};
use crate::spec::{self, Bound, Condition, ImageMethod, Joint, Norm, Spec, Strength, Threat};

/// The plan of a spec. A spec that was parsed always has one.
pub fn build(spec: Spec) -> Plan {
    let mut binder = Binder { spec: &spec, attacks: vec![vec![Attack::default()]; spec.models.len()] };
    let rows: Vec<BoundRow> = spec.table.iter().map(|condition| binder.row(condition)).collect();
    let requirements: Vec<BoundRequirement> = spec
        .require
        .iter()
        .map(|required| required.clauses.iter().map(|clause| binder.clause(clause)).collect())
        .collect();
    let compared: Vec<BoundRow> =
        spec.require.iter().map(|required| binder.regression(required.regression.as_ref())).collect();
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
    let bound_clause = |(asked, (subject, other)): (&spec::Clause, &BoundClause)| Clause {
        certificate: None,
        asked: asked.clone(),
        cells: place(subject),
        others: other.as_ref().map(place).unwrap_or_default(),
    };
    let sought = |(required, bound): (&spec::Requirement, &BoundRequirement)| -> Vec<Certificate> {
        let each = required.clauses.iter().zip(bound);
        each.filter_map(|(clause, ((model, _), _))| Some(Certificate::of(*model, clause.certified?)))
            .collect()
    };
    let mut certificates: Vec<Certificate> = Vec::new();
    for certificate in spec.require.iter().zip(&requirements).flat_map(sought) {
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    let bound_clause = |(clause, bound): (&spec::Clause, &BoundClause)| {
        let wanted = clause.certified.map(|certified| Certificate::of(bound.0.0, certified));
        let certificate = wanted.and_then(|wanted| certificates.iter().position(|known| *known == wanted));
        Clause { certificate, ..bound_clause((clause, bound)) }
    };
    let rows = spec.table.iter().zip(&rows).map(bound_row).collect();
    let cells: Vec<Cell> = attacks
        .iter()
        .enumerate()
        .flat_map(|(model, attacks)| attacks.iter().cloned().map(move |attack| Cell { model, attack }))
        .collect();
    let bound_regression = |(asked, compared): (&spec::Regression, &BoundRow)| Regression {
        asked: asked.clone(),
        cells: match asked.condition {
            Some(_) => compared.iter().flat_map(place).collect(),
            None => every_cell(&cells, asked.model),
        },
    };
    let requirements: Vec<Requirement> = spec
        .require
        .iter()
        .zip(requirements.iter().zip(&compared))
        .map(|(required, (clauses, compared))| Requirement {
            sentence: required.sentence.clone(),
            place: required.place,
            clauses: required.clauses.iter().zip(clauses).map(bound_clause).collect(),
            regression: required.regression.as_ref().map(|one| bound_regression((one, compared))),
        })
        .collect();
    let probes = probes(&spec, &cells, &requirements);
    Plan { spec, cells, certificates, probes, rows, requirements }
}

/// The cells of a model, or of all.
fn every_cell(cells: &[Cell], model: Option<usize>) -> Vec<usize> {
    let is_meant = |cell: &Cell| model.is_none_or(|model| cell.model == model);
    (0..cells.len()).filter(|&place| is_meant(&cells[place])).collect()
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
            if applies { self.cells(model, &condition.threats, condition.joint) } else { (model, vec![]) }
        };
        (0..models).map(bind).collect()
    }

    /// The cells that a regression's condition stands for; none if it has no condition.
    fn regression(&mut self, regression: Option<&spec::Regression>) -> BoundRow {
        let Some((regression, condition)) = regression.and_then(|one| Some((one, one.condition.as_ref()?)))
        else {
            return vec![];
        };
        match &regression.model {
            None => self.row(condition),
            Some(model) => vec![self.cells(*model, &condition.threats, condition.joint)],
        }
    }

    fn clause(&mut self, clause: &spec::Clause) -> BoundClause {
        let Condition { threats, joint, .. } = &clause.condition;
        let subject = self.cells(clause.model, threats, *joint);
        let other = match clause.bound {
            Bound::Rate(_) | Bound::AtMost(_) => None,
            Bound::Model { model, .. } => {
                // the other model meets what of the condition can touch it
                let touching: Vec<Threat> =
                    threats.iter().filter(|threat| self.touches(model, threat)).cloned().collect();
                Some(self.cells(model, &touching, *joint))
            }
        };
        (subject, other)
    }

    fn touches(&self, model: usize, threat: &Threat) -> bool {
        let model = &self.spec.models[model].1;
        let (image, text) = (model.reads_image(), model.reads_text());
        if threat.needs_the_other() {
            image && text
        } else if threat.on_image() {
            image
        } else {
            text
        }
    }

    fn cells(&mut self, model: usize, threats: &[Threat], joint: Joint) -> Cells {
        let mut cells = Vec::new();
        for attack in points(threats, joint, self.spec) {
            if let Some((image, text)) = attack.sources() {
                // what either alone would have done is reported beside what both did
                self.cell(model, image);
                self.cell(model, text);
            }
            cells.push(self.cell(model, attack));
        }
        (model, cells)
    }

    /// The place of an attack among the model's own.
    fn cell(&mut self, model: usize, attack: Attack) -> usize {
        let attacks = &mut self.attacks[model];
        attacks.iter().position(|known| *known == attack).unwrap_or_else(|| {
            attacks.push(attack);
            attacks.len() - 1
        })
    }
}

/// The attacks that a condition means: one for each strength of its image attack.
fn points(threats: &[Threat], joint: Joint, spec: &Spec) -> Vec<Attack> {
    let mut images = vec![None];
    let mut text = Vec::new();
    for threat in threats {
        match *threat {
            Threat::Image { method, strength } => {
                let attack = |strength| Some(ImageAttack { method, strength });
                images = strengths(method, strength, spec).into_iter().map(attack).collect();
            }
            Threat::Text(attack) => text.push(attack),
        }
    }
    if images.is_empty() {
        images.push(None);
    }
    let attack = |image: Option<ImageAttack>| {
        let joint = if image.is_some() && !text.is_empty() { joint } else { Joint::default() };
        Attack { image, text: text.clone(), joint }
    };
    images.into_iter().map(attack).collect()
}

/// The points of a strength, ascending.
fn strengths(method: ImageMethod, strength: Strength, spec: &Spec) -> Vec<f64> {
    match strength {
        Strength::At(strength) => vec![strength],
        Strength::UpTo(bound) => {
            let grid = match method {
                ImageMethod::Search { norm: Norm::Linf, .. } => spec.grid.clone(),
                ImageMethod::Search { norm: Norm::L2, .. } => spec.grid_l2.clone(),
                ImageMethod::Corruption(_) => (1..=5).map(f64::from).collect(),
                ImageMethod::Patch { .. } | ImageMethod::NaivePatch { .. } | ImageMethod::Absent(_) => {
                    vec![]
                }
            };
            grid.into_iter().filter(|&point| point < bound).chain([bound]).collect()
        }
    }
}
