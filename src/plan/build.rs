//! Binds a spec's names, resolves its threats to points and lists the cells.

use super::adaptive::companions;
use super::probes::probes;
use super::{
    Attack, Bound, Cell, Certificate, Clause, ImageAttack, Plan, Regression, Requirement, Row, Subject,
    subjects,
};
use crate::spec::{self, Asked, Condition, ImageMethod, Joint, Norm, Spec, Strength, Threat};

/// The plan of a spec. A spec that was parsed always has one.
pub fn build(spec: Spec) -> Plan {
    let subjects = subjects(&spec);
    let attacks = vec![vec![Attack::default()]; subjects.len()];
    let mut binder = Binder { spec: &spec, findings: spec.data.findings(), subjects: &subjects, attacks };
    let rows: Vec<BoundRow> = spec.table.iter().map(|condition| binder.row(condition)).collect();
    let requirements: Vec<Vec<Vec<BoundClause>>> = spec
        .require
        .iter()
        .map(|required| required.clauses.iter().map(|clause| binder.clause(clause)).collect())
        .collect();
    let compared: Vec<BoundRow> =
        spec.require.iter().map(|required| binder.regression(required.regression.as_ref())).collect();
    // only now every subject's cells are known, and with them the place of each
    let Binder { findings, attacks, .. } = binder;
    let starts: Vec<usize> =
        (0..attacks.len()).map(|subject| attacks[..subject].iter().map(Vec::len).sum()).collect();
    let place =
        |(subject, cells): &Cells| cells.iter().map(|cell| starts[*subject] + cell).collect::<Vec<usize>>();
    let bound_row = |(condition, row): (&Condition, &BoundRow)| Row {
        words: condition.words.clone(),
        cells: row.iter().map(place).collect(),
    };
    let bound_clause = |clause: &spec::Clause, bound: &BoundClause| Clause {
        certificate: None,
        words: match bound.each {
            Some(finding) => format!("{} ({})", clause.words, findings[finding]),
            None => clause.words.clone(),
        },
        model: bound.subject.0,
        each: bound.each.map(|finding| findings[finding].clone()),
        mean_with: bound.mean_with.iter().map(|cells| (cells.0, place(cells))).collect(),
        metric: clause.metric,
        cells: place(&bound.subject),
        group: clause.group.clone(),
        bound: match (&clause.bound, &bound.other) {
            (spec::Bound::Model { offset, .. }, Some(other)) => {
                Bound::Model { model: other.0, cells: place(other), offset: *offset }
            }
            (spec::Bound::Rate(share), _) => Bound::Rate(*share),
            (spec::Bound::AtMost(most), _) => Bound::AtMost(*most),
            (spec::Bound::Model { .. }, None) => unreachable!("a relation binds both its models"),
        },
    };
    let sought = |(required, bound): (&spec::Requirement, &Vec<Vec<BoundClause>>)| -> Vec<Certificate> {
        let each = required.clauses.iter().zip(bound);
        let of = |(clause, bound): (&spec::Clause, &Vec<BoundClause>)| {
            Some(Certificate::of(bound.first()?.subject.0, clause.certified?))
        };
        each.filter_map(of).collect()
    };
    let mut certificates: Vec<Certificate> = Vec::new();
    for certificate in spec.require.iter().zip(&requirements).flat_map(sought) {
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    let bound_clause = |clause: &spec::Clause, bound: &BoundClause| {
        let wanted = clause.certified.map(|certified| Certificate::of(bound.subject.0, certified));
        let certificate = wanted.and_then(|wanted| certificates.iter().position(|known| *known == wanted));
        Clause { certificate, ..bound_clause(clause, bound) }
    };
    let rows = spec.table.iter().zip(&rows).map(bound_row).collect();
    let cells: Vec<Cell> = attacks
        .iter()
        .enumerate()
        .flat_map(|(model, attacks)| attacks.iter().cloned().map(move |attack| Cell { model, attack }))
        .collect();
    let bound_regression = |(regression, compared): (&spec::Regression, &BoundRow)| Regression {
        cells: match (&regression.condition, &regression.model) {
            (Some(_), _) => compared.iter().flat_map(place).collect(),
            (None, Some(name)) => {
                let own = subjects_of(&spec, &subjects, name);
                (0..cells.len()).filter(|&cell| own.contains(&cells[cell].model)).collect()
            }
            (None, None) => (0..cells.len()).collect(),
        },
        margin: regression.margin,
    };
    let requirements: Vec<Requirement> = spec
        .require
        .iter()
        .zip(requirements.iter().zip(&compared))
        .map(|(required, (clauses, compared))| Requirement {
            sentence: required.sentence.clone(),
            place: required.place,
            clauses: (required.clauses.iter().zip(clauses))
                .flat_map(|(clause, bound)| bound.iter().map(|one| bound_clause(clause, one)))
                .collect(),
            regression: required.regression.as_ref().map(|one| bound_regression((one, compared))),
        })
        .collect();
    let mut plan = Plan { spec, subjects, cells, certificates, probes: vec![], rows, requirements };
    plan.probes = probes(&plan);
    plan
}

/// The subjects of a model, by its name.
fn subjects_of(spec: &Spec, subjects: &[Subject], name: &str) -> Vec<usize> {
    let is_of = |subject: &usize| spec.models[subjects[*subject].model].0 == name;
    (0..subjects.len()).filter(is_of).collect()
}

/// A subject, and places among its own attacks.
type Cells = (usize, Vec<usize>);
type BoundRow = Vec<Cells>;

/// What a clause is about.
struct BoundClause {
    /// The subject's cells.
    subject: Cells,
    /// The finding, where it is one of those that `every finding` stands for.
    each: Option<usize>,
    /// The further subjects of a mean.
    mean_with: Vec<Cells>,
    /// The other subject's cells, in a relation.
    other: Option<Cells>,
}

/// Collects the attacks of every subject, each once, in the order in which they are first asked for.
struct Binder<'a> {
    spec: &'a Spec,
    findings: Vec<String>,
    subjects: &'a [Subject],
    attacks: Vec<Vec<Attack>>,
}

impl Binder<'_> {
    /// What a row is for every subject; nothing where a threat touches no input of its model.
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
        match &regression.model {
            None => self.row(condition),
            Some(name) => subjects_of(self.spec, self.subjects, name)
                .into_iter()
                .map(|subject| self.cells(subject, &condition.threats, condition.joint))
                .collect(),
        }
    }

    /// A clause, or one for each finding that it stands for.
    fn clause(&mut self, clause: &spec::Clause) -> Vec<BoundClause> {
        let place = |name: &String| self.findings.iter().position(|finding| finding == name);
        let each = match &clause.asked {
            Asked::Abnormal => return vec![self.one(clause, None)],
            Asked::Finding(name) => return vec![self.one(clause, place(name))],
            Asked::EveryFinding | Asked::MeanOfFindings => 0..self.findings.len(),
        };
        let all = each.map(|finding| self.one(clause, Some(finding)));
        if clause.asked == Asked::EveryFinding {
            let findings = 0..;
            return all
                .zip(findings)
                .map(|(one, finding)| BoundClause { each: Some(finding), ..one })
                .collect();
        }
        let mut all: Vec<Cells> = all.map(|one| one.subject).collect();
        let mean_with = all.split_off(1.min(all.len()));
        let one = |subject| BoundClause { subject, each: None, mean_with, other: None };
        all.pop().map(one).into_iter().collect()
    }

    /// A clause about one finding, or about whether a study is abnormal.
    fn one(&mut self, clause: &spec::Clause, finding: Option<usize>) -> BoundClause {
        let Condition { threats, joint, .. } = &clause.condition;
        let subject = self.subject(&clause.model, finding);
        let subject = self.cells(subject, threats, *joint);
        let other = match &clause.bound {
            spec::Bound::Rate(_) | spec::Bound::AtMost(_) => None,
            spec::Bound::Model { model, .. } => {
                // the other model meets what of the condition can touch it
                let other = self.subject(model, finding);
                let touching: Vec<Threat> =
                    threats.iter().filter(|threat| self.touches(other, threat)).cloned().collect();
                Some(self.cells(other, &touching, *joint))
            }
        };
        BoundClause { subject, each: None, mean_with: vec![], other }
    }

    /// The place of a model that is asked something; parsing has checked that it is there.
    fn subject(&self, name: &str, finding: Option<usize>) -> usize {
        let is_it = |one: &Subject| self.spec.models[one.model].0 == name && one.finding == finding;
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
                // what either alone would have done is reported beside what both did
                self.cell(subject, image);
                self.cell(subject, text);
            }
            let beside = companions(self.spec, self.subjects[subject].model, &attack);
            cells.push(self.cell(subject, attack));
            for attack in beside {
                cells.push(self.cell(subject, attack));
            }
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
                ImageMethod::Patch { .. } | ImageMethod::Absent(_) => vec![],
            };
            grid.into_iter().filter(|&point| point < bound).chain([bound]).collect()
        }
    }
}
