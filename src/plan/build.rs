//! Binds a spec's names, resolves its threats to points and lists the cells.

use super::probes::probes;
use super::{
    Attack, Cell, Certificate, Clause, ImageAttack, Plan, Regression, Requirement, Row, Subject, subjects,
};
use crate::spec::{self, Asked, Bound, Condition, ImageMethod, Joint, Norm, Spec, Strength, Threat};

/// The plan of a spec. A spec that was parsed always has one.
pub fn build(spec: Spec) -> Plan {
    let (subjects, findings) = (subjects(&spec), spec.data.findings());
    let attacks = vec![vec![Attack::default()]; subjects.len()];
    let mut binder = Binder { spec: &spec, findings: &findings, subjects: &subjects, attacks };
    let rows: Vec<BoundRow> = spec.table.iter().map(|condition| binder.row(condition)).collect();
    let requirements: Vec<BoundRequirement> = spec
        .require
        .iter()
        .map(|required| required.clauses.iter().flat_map(|clause| binder.clause(clause)).collect())
        .collect();
    let compared: Vec<BoundRow> =
        spec.require.iter().map(|required| binder.regression(required.regression.as_ref())).collect();
    // the place of a cell counts the cells of all earlier subjects, which are known only now
    let attacks = binder.attacks;
    let starts: Vec<usize> =
        (0..attacks.len()).map(|subject| attacks[..subject].iter().map(Vec::len).sum()).collect();
    let place =
        |(subject, cells): &Cells| cells.iter().map(|cell| starts[*subject] + cell).collect::<Vec<usize>>();
    let bound_row = |(condition, row): (&Condition, &BoundRow)| Row {
        words: condition.words.clone(),
        cells: row.iter().map(place).collect(),
    };
    let mut certificates: Vec<Certificate> = Vec::new();
    for bound in requirements.iter().flatten() {
        let wanted = bound.asked.certified.map(|certified| Certificate::of(bound.subject.0, certified));
        certificates.extend(wanted.filter(|wanted| !certificates.contains(wanted)));
    }
    let bound_clause = |bound: &BoundClause| {
        let wanted = bound.asked.certified.map(|certified| Certificate::of(bound.subject.0, certified));
        Clause {
            certificate: wanted.and_then(|wanted| certificates.iter().position(|known| *known == wanted)),
            asked: bound.asked.clone(),
            each: bound.each.map(|finding| findings[finding].clone()),
            mean_with: bound.mean_with.iter().map(|cells| (cells.0, place(cells))).collect(),
            cells: place(&bound.subject),
            others: bound.other.as_ref().map(place).unwrap_or_default(),
        }
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
            None => every_cell(&subjects, &cells, asked.model),
        },
    };
    let requirements: Vec<Requirement> = spec
        .require
        .iter()
        .zip(requirements.iter().zip(&compared))
        .map(|(required, (clauses, compared))| Requirement {
            sentence: required.sentence.clone(),
            place: required.place,
            clauses: clauses.iter().map(bound_clause).collect(),
            regression: required.regression.as_ref().map(|one| bound_regression((one, compared))),
        })
        .collect();
    let probes = probes(&spec, &subjects, &cells, &requirements);
    Plan { spec, subjects, cells, certificates, probes, rows, requirements, allowed_hosts: vec![] }
}

/// The cells of a model of the spec, or of all.
fn every_cell(subjects: &[Subject], cells: &[Cell], model: Option<usize>) -> Vec<usize> {
    let is_meant = |cell: &Cell| model.is_none_or(|model| subjects[cell.model].model == model);
    (0..cells.len()).filter(|&place| is_meant(&cells[place])).collect()
}

/// A subject, and places among its own attacks.
type Cells = (usize, Vec<usize>);
type BoundRow = Vec<Cells>;
type BoundRequirement = Vec<BoundClause>;

/// A clause with its subjects and cells.
struct BoundClause {
    /// The clause; its models are indices of subjects.
    asked: spec::Clause,
    /// The subject's cells.
    subject: Cells,
    /// The finding, for a clause that `every finding` expands to.
    each: Option<usize>,
    /// The further subjects of a mean.
    mean_with: Vec<Cells>,
    /// The other subject's cells, for a comparison.
    other: Option<Cells>,
}

/// Collects the attacks of every subject, each once, in the order in which they are first asked for.
struct Binder<'a> {
    spec: &'a Spec,
    findings: &'a [String],
    subjects: &'a [Subject],
    attacks: Vec<Vec<Attack>>,
}

impl Binder<'_> {
    /// The cells of a row for every subject; none where a threat touches no input of its model.
    fn row(&mut self, condition: &Condition) -> BoundRow {
        let count = self.subjects.len();
        let bind = |subject: usize| {
            let applies = condition.threats.iter().all(|threat| self.touches(subject, threat));
            if applies { self.cells(subject, &condition.threats, condition.joint) } else { (subject, vec![]) }
        };
        (0..count).map(bind).collect()
    }

    /// The cells that a regression's condition stands for; none if it has no condition.
    fn regression(&mut self, regression: Option<&spec::Regression>) -> BoundRow {
        let Some((regression, condition)) = regression.and_then(|one| Some((one, one.condition.as_ref()?)))
        else {
            return vec![];
        };
        let Some(model) = regression.model else { return self.row(condition) };
        let own: Vec<usize> =
            (0..self.subjects.len()).filter(|&subject| self.subjects[subject].model == model).collect();
        own.into_iter().map(|subject| self.cells(subject, &condition.threats, condition.joint)).collect()
    }

    /// A clause, or one for each finding that it expands to. A mean or a sum over findings is one clause with further
    /// subjects; a sum is over the findings whose errors have costs.
    fn clause(&mut self, clause: &spec::Clause) -> Vec<BoundClause> {
        let place = |name: &String| self.findings.iter().position(|finding| finding == name);
        let has_costs = |place: &usize| {
            self.spec.harm.as_ref().is_some_and(|harm| harm.of(Some(&self.findings[*place])).is_some())
        };
        let each: Vec<usize> = match &clause.asked {
            Asked::Abnormal | Asked::Class(_) => return vec![self.one(clause, None)],
            Asked::Finding(name) => {
                let place = place(name);
                return vec![self.one(clause, place)];
            }
            Asked::EveryFinding | Asked::MeanOfFindings => (0..self.findings.len()).collect(),
            Asked::SumOfFindings => (0..self.findings.len()).filter(has_costs).collect(),
        };
        let mut all: Vec<BoundClause> =
            each.into_iter().map(|finding| self.one(clause, Some(finding))).collect();
        if clause.asked == Asked::EveryFinding {
            for (finding, one) in all.iter_mut().enumerate() {
                one.each = Some(finding);
                one.asked.words = format!("{} ({})", one.asked.words, self.findings[finding]);
            }
            return all;
        }
        let rest = all.split_off(1.min(all.len()));
        if let Some(first) = all.first_mut() {
            first.mean_with = rest.into_iter().map(|one| one.subject).collect();
        }
        all
    }

    /// A clause about one finding, or about whether a study is abnormal.
    fn one(&mut self, clause: &spec::Clause, finding: Option<usize>) -> BoundClause {
        let Condition { threats, joint, .. } = &clause.condition;
        let mut asked = clause.clone();
        asked.model = self.subject(clause.model, finding);
        let subject = self.cells(asked.model, threats, *joint);
        let other = match &mut asked.bound {
            Bound::Rate(_) | Bound::AtMost(_) => None,
            Bound::Model { model, .. } => {
                *model = self.subject(*model, finding);
                // only the threats that touch an input of the other model act on it
                let touching: Vec<Threat> =
                    threats.iter().filter(|threat| self.touches(*model, threat)).cloned().collect();
                Some(self.cells(*model, &touching, *joint))
            }
        };
        BoundClause { asked, subject, each: None, mean_with: vec![], other }
    }

    /// The place of the subject that asks a model about a finding; every model has a subject for each finding.
    fn subject(&self, model: usize, finding: Option<usize>) -> usize {
        let is_it = |one: &Subject| one.model == model && one.finding == finding;
        self.subjects.iter().position(is_it).unwrap_or_default()
    }

    fn touches(&self, subject: usize, threat: &Threat) -> bool {
        let model = &self.spec.models[self.subjects[subject].model].1;
        let (image, text) = (model.reads_image(), model.reads_text());
        if threat.needs_the_other() {
            image && text
        } else if threat.on_image() {
            image
        } else {
            text
        }
    }

    fn cells(&mut self, subject: usize, threats: &[Threat], joint: Joint) -> Cells {
        let mut cells = Vec::new();
        for attack in points(threats, joint, self.spec) {
            if let Some((image, text)) = attack.sources() {
                // the report shows what each half alone does beside what both do
                self.cell(subject, image);
                self.cell(subject, text);
            }
            cells.push(self.cell(subject, attack));
        }
        (subject, cells)
    }

    /// The place of an attack among the subject's own.
    fn cell(&mut self, subject: usize, attack: Attack) -> usize {
        let attacks = &mut self.attacks[subject];
        attacks.iter().position(|known| *known == attack).unwrap_or_else(|| {
            attacks.push(attack);
            attacks.len() - 1
        })
    }
}

/// The attacks that a condition stands for: one for each strength of its image attack.
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
