//! Plans and evidence made by hand, for the tests of what comes after the laboratory.
#![allow(dead_code)] // each test program uses a part of it

use jiff::civil::{Date, date};
use medcert::evidence::{
    Case, Cell, DataFacts, Evidence, GradientHealth, Health, Machine, ModelFacts, Outcome, Regressions,
    RunFacts, SCHEMA, Twins,
};
use medcert::judge::Judgement;
use medcert::plan::{self, Attack, Clause, ImageAttack, Plan, Probe, Regression, Requirement, Row};
use medcert::spec::{
    self, BertConfig, Bound, Check, Condition, Data, Fusion, ImageMethod, ImageSearch, Metric, Place,
    Referent, Source, Spec, TextAttack, Views, VisionNetwork, Waiver, Weights,
};

/// The day by which waivers count.
pub const TODAY: Date = date(2026, 11, 25);

/// A spec with an image model `vision`, a text model `language` and `fusion` of both; nothing is required.
pub fn spec() -> Spec {
    let file =
        |name: &str| Weights::File { source: Source { path: name.into(), sha256: None }, expect: None };
    Spec {
        path: "specs/hand.yaml".into(),
        claim: "The fusion model keeps reading under attack".into(),
        data: Data::Phantom {
            studies: 900,
            seed: 7,
            label_noise: 0.02,
            missed: 0.07,
            findings: vec![],
            classes: vec![],
            unlabelled: 0.0,
            views: Views::Both,
        },
        split: spec::Split {
            parts: spec::Parts::Drawn { test: 0.3, validation: 0.15 },
            cases: None,
            seed: 7,
        },
        models: vec![
            (
                "vision".into(),
                spec::Model::Vision {
                    network: VisionNetwork::SeResnet18,
                    image: 64,
                    width: 32,
                    start: None,
                    weights: file("v"),
                },
            ),
            (
                "language".into(),
                spec::Model::Bert {
                    config: Some(BertConfig::TINY),
                    start: None,
                    max_tokens: None,
                    lowercase: None,
                    weights: file("l"),
                },
            ),
            (
                "fusion".into(),
                spec::Model::Fusion {
                    kind: Fusion::Early,
                    vision: Referent::new("vision", 0),
                    language: Referent::new("language", 1),
                    fresh: false,
                    weights: file("f"),
                },
            ),
        ],
        threats: vec![],
        grid: vec![0.05, 0.1],
        grid_l2: vec![0.5, 1.0],
        masks: vec![],
        counterexamples: 1,
        stop: medcert::spec::Stop::All,
        table: vec![],
        published: vec![],
        harm: None,
        product: None,
        require: vec![],
        thresholds: vec![],
        checks: spec::Checks::default(),
        waivers: vec![],
        seed: 0,
        device: spec::DeviceChoice::Auto,
        chunk: 32,
    }
}

/// A plan and its evidence, grown cell by cell.
#[derive(Clone)]
pub struct World {
    pub plan: Plan,
    pub evidence: Evidence,
}

impl World {
    /// Cases with these labels, each of another patient, and no cell.
    pub fn new(labels: &[bool]) -> Self {
        let spec = spec();
        let facts = |(name, _): &(String, spec::Model)| ModelFacts {
            name: name.clone(),
            finding: None,
            architecture: "by hand".into(),
            weights: format!("{:0<64}", hex(name)),
            parameters: 1234,
            source: None,
            threshold: None,
        };
        let evidence = Evidence {
            schema: SCHEMA,
            medcert: "0.1.0".into(),
            spec: spec.fingerprint(),
            run: RunFacts {
                device: "cpu".into(),
                chunk: 32,
                folded: true,
                early: false,
                computed_by: vec![Machine {
                    processor: "x86_64 by hand".into(),
                    libtorch: "2.13.0".into(),
                    device: "cpu".into(),
                    threads: 2,
                }],
            },
            data: DataFacts {
                digest: "da".repeat(32),
                studies: labels.len() * 3 + 20,
                left_out: vec![("no lateral image".into(), 12), ("no label".into(), 3)],
                remarks: vec![],
                findings: vec![],
                train: labels.len() * 2,
                validation: 20,
                test: labels.len(),
                patients_in_two_parts: 0,
            },
            models: spec.models.iter().map(facts).collect(),
            baselines: vec![],
            cases: labels
                .iter()
                .enumerate()
                .map(|(place, &label)| Case {
                    id: format!("s{place}"),
                    patient: format!("p{place}"),
                    label: label.into(),
                    findings: String::new(),
                    lesion: None,
                    seen: vec![],
                    twins: Twins::default(),
                    groups: vec![],
                })
                .collect(),
            cells: vec![],
            certificates: vec![],
            probes: vec![],
            health: spec.models.iter().map(|(name, _)| healthy(name)).collect(),
            counterexamples: vec![],
            regressions: Regressions::default(),
        };
        let subjects = medcert::plan::subjects(&spec);
        let plan = Plan {
            spec,
            subjects,
            cells: vec![],
            certificates: vec![],
            probes: vec![],
            rows: vec![],
            requirements: vec![],
            allowed_hosts: vec![],
        };
        Self { plan, evidence }
    }

    /// Adds a cell; `right` says of each case (place, label) whether the model is right on it.
    pub fn cell(&mut self, model: usize, attack: Attack, right: impl Fn(usize, bool) -> bool) -> usize {
        let epsilon = attack.image.map_or(0.0, |image| image.strength as f32);
        let edits = if attack.text.is_empty() { 0 } else { 4 };
        let weakened = if attack == Attack::default() { 1.0 } else { 0.8 };
        let outcome = |(place, case): (usize, &Case)| {
            let outcome = outcome(case.label.is_abnormal(), right(place, case.label.is_abnormal()));
            let margin = outcome.margin.map(|margin| margin * weakened);
            Outcome { change: epsilon, edits, acted: epsilon > 0.0 || edits > 0, margin, ..outcome }
        };
        self.evidence.cells.push(Cell {
            model: self.plan.spec.models[model].0.clone(),
            attack: attack.to_string(),
            outcomes: self.evidence.cases.iter().enumerate().map(outcome).collect(),
        });
        self.plan.cells.push(plan::Cell { model, attack });
        self.plan.cells.len() - 1
    }

    /// What is made of it, without anything that was accepted.
    pub fn judged(&self) -> Judgement {
        Judgement::of(&self.plan, &self.evidence, Err("no baseline was given"), TODAY)
    }

    /// Adds an attack that only the checks ask for, on all cases or on so many from where probes begin.
    pub fn probe(&mut self, model: usize, attack: Attack, cases: usize, right: impl Fn(usize, bool) -> bool) {
        let outcome = |(place, case): (usize, &Case)| {
            outcome(case.label.is_abnormal(), right(place, case.label.is_abnormal()))
        };
        let (name, attack_name) = (self.plan.spec.models[model].0.clone(), attack.to_string());
        let all = self.evidence.cases.iter().enumerate().map(outcome).collect::<Vec<_>>();
        let mut probe = Cell { model: name, attack: attack_name, outcomes: all[..cases].to_vec() };
        let first = self.evidence.probed_from(&probe);
        probe.outcomes = all[first..first + cases].to_vec();
        self.evidence.probes.push(probe);
        let whole = cases == self.evidence.cases.len();
        self.plan.probes.push(Probe { cell: plan::Cell { model, attack }, whole });
    }

    /// Gives every patient so many cases.
    pub fn cases_a_patient(&mut self, cases: usize) {
        for (place, case) in self.evidence.cases.iter_mut().enumerate() {
            case.patient = format!("p{}", place / cases);
        }
    }

    /// Adds a sentence of these clauses.
    pub fn require(&mut self, sentence: &str, clauses: Vec<Clause>) {
        let place = Place { line: 20 + self.plan.requirements.len(), column: 5 };
        self.plan.requirements.push(Requirement {
            sentence: sentence.into(),
            place,
            clauses,
            regression: None,
        });
    }

    /// Adds a row of the table.
    pub fn row(&mut self, words: &str, cells: Vec<Vec<usize>>) {
        self.plan.rows.push(Row { words: words.into(), cells });
    }
}

/// A model whose answers and gradients are as they should be.
pub fn healthy(model: &str) -> Health {
    Health {
        model: model.into(),
        cases: 32,
        evaluations: 740,
        unrepeatable: 0,
        alone: 4,
        dependent: 0,
        probabilities: false,
        gradient: Some(GradientHealth { zero: 0, not_finite: 0, cosine: 0.99, rising: 32 }),
        noise: None,
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// What a model answered: the label or its opposite.
pub fn outcome(label: bool, right: bool) -> Outcome {
    Outcome {
        predicted: Some((label == right).into()),
        margin: Some(if right { 1.25 } else { -0.5 }),
        edits: 0,
        change: 0.0,
        acted: false,
        queries: 1,
        draws: 1,
        held: u32::from(right),
        meaning_changed: None,
        flipped: false,
        routes: medcert::evidence::Routes::default(),
    }
}

pub fn fgsm(epsilon: f64) -> Attack {
    let image = ImageAttack { method: ImageMethod::usual(ImageSearch::Fgsm), strength: epsilon };
    Attack { image: Some(image), ..Attack::default() }
}

pub fn pgd(epsilon: f64) -> Attack {
    let image = ImageAttack { method: ImageMethod::usual(ImageSearch::PGD), strength: epsilon };
    Attack { image: Some(image), ..Attack::default() }
}

pub fn deletion() -> Attack {
    Attack { text: vec![TextAttack::deletion(0.5)], ..Attack::default() }
}

/// A clause about accuracy and a share.
pub fn at_least(words: &str, model: usize, cells: Vec<usize>, share: f64) -> Clause {
    let asked = spec::Clause {
        words: words.into(),
        model,
        asked: spec::Asked::Abnormal,
        metric: Metric::Accuracy,
        bound: Bound::Rate(share),
        group: None,
        condition: Condition::clean(),
        certified: None,
    };
    Clause { asked, each: None, mean_with: vec![], cells, certificate: None, others: vec![] }
}

/// The same clause about another metric.
pub fn measuring(metric: Metric, mut clause: Clause) -> Clause {
    clause.asked.metric = metric;
    clause
}

/// The same clause with another bound.
pub fn bounded(bound: Bound, mut clause: Clause) -> Clause {
    clause.asked.bound = bound;
    clause
}

/// The same clause in every group.
pub fn grouped(group: &str, mut clause: Clause) -> Clause {
    clause.asked.group = Some(group.into());
    clause
}

/// The same clause beside another model in these cells, plus an offset.
pub fn beside(model: usize, others: Vec<usize>, offset: f64, clause: Clause) -> Clause {
    Clause { others, ..bounded(Bound::Model { model, offset }, clause) }
}

/// No regression in these cells by more than a margin.
pub fn no_regression(cells: Vec<usize>, margin: f64) -> Regression {
    Regression { asked: spec::Regression { model: None, margin, condition: None }, cells }
}

/// Labels that alternate from case to case, so that no class has the majority.
pub fn even(cases: usize) -> Vec<bool> {
    (0..cases).map(|place| place % 2 == 0).collect()
}

/// Evidence with every verdict that no check gives, and a vacuous one.
pub fn verdicts() -> World {
    let labels: Vec<bool> = (0..400).map(|place| place % 5 < 3).collect();
    let mut world = World::new(&labels);
    let vision = world.cell(0, Attack::default(), |place, _| place % 10 != 0);
    let broken = world.cell(0, fgsm(0.1), |_, label| label);
    let language = world.cell(1, Attack::default(), |place, _| place % 25 != 0);
    let deleted = world.cell(1, deletion(), |place, _| place % 6 != 0);
    let fusion = world.cell(2, Attack::default(), |place, _| place % 50 != 0);
    let attacked = world.cell(2, fgsm(0.1), |place, _| place % 3 != 0 && place % 50 != 0);
    let both = Attack { image: fgsm(0.1).image, text: deletion().text, ..Attack::default() };
    let joint = world.cell(2, both, |place, _| place % 4 != 0);
    world.row("clean", vec![vec![vision], vec![language], vec![fusion]]);
    world.row("FGSM ε≤0.1", vec![vec![broken], vec![], vec![attacked]]);
    world.row("FGSM ε=0.1 + 50% deletion", vec![vec![], vec![], vec![joint]]);
    world.require(
        "fusion accuracy ≥ 90%, ≥ 80% at FGSM ε≤0.1",
        vec![
            at_least("fusion accuracy ≥ 90%", 2, vec![fusion], 0.9),
            at_least("≥ 80% at FGSM ε≤0.1", 2, vec![attacked], 0.8),
        ],
    );
    world.require(
        "language accuracy ≥ 96%",
        vec![at_least("language accuracy ≥ 96%", 1, vec![language], 0.96)],
    );
    world.require(
        "vision accuracy ≥ 50% at FGSM ε=0.1",
        vec![at_least("vision accuracy ≥ 50% at FGSM ε=0.1", 0, vec![broken], 0.5)],
    );
    let words = "fusion sensitivity ≥ language sensitivity − 2%";
    world.require(
        words,
        vec![measuring(
            Metric::Sensitivity,
            beside(1, vec![deleted], -0.02, at_least(words, 2, vec![fusion], 0.0)),
        )],
    );
    world.require(
        "fusion accuracy ≥ 10% under nothing",
        vec![at_least("fusion accuracy ≥ 10%", 2, vec![], 0.1)],
    );
    world
}

/// The same with a waiver that has expired.
pub fn mixed() -> World {
    let mut world = verdicts();
    world.plan.spec.waivers.push(Waiver {
        check: Check::BlackBox,
        model: Some(0),
        owner: "R. Ray".into(),
        reason: "Square was lucky".into(),
        expires: date(2026, 6, 30),
        place: Place { line: 30, column: 5 },
    });
    world
}

/// A trigger that a spec changes, and nobody signs.
pub fn trigger(check: Check, value: f64) -> spec::ChangedTrigger {
    spec::ChangedTrigger { check, value, signature: None, place: Place { line: 31, column: 5 } }
}
