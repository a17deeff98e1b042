//! Checks that evidence fits its plan: its cases, its models, and a cell for every cell of the plan.

use std::collections::{HashMap, HashSet};

use crate::Class;
use crate::evidence::Evidence;
use crate::plan::Plan;

/// Checks that every case is listed once.
pub(super) fn check_cases(evidence: &Evidence) -> Result<(), String> {
    let (cases, told) = (evidence.cases.len(), evidence.data.test);
    if cases == 0 {
        return Err("the evidence holds no test case".to_string());
    }
    if cases != told {
        return Err(format!("the evidence lists {cases} test cases and says that there are {told}"));
    }
    let mut seen = HashSet::new();
    match evidence.cases.iter().find(|case| !seen.insert(case.id.as_str())) {
        Some(case) => Err(format!("the case {} is listed twice, so the order of cases is unknown", case.id)),
        None => Ok(()),
    }
}

/// Checks that every case has one of the spec's classes, and every answer too.
pub(super) fn check_classes(plan: &Plan, evidence: &Evidence) -> Result<(), String> {
    let count = plan.spec.data.class_count();
    let is_known = |class: Class| class.place() < count && class == Class::at(class.place(), count);
    if let Some(case) = evidence.cases.iter().find(|case| !is_known(case.label)) {
        return Err(format!(
            "the case {} has the class {}, which the spec does not have",
            case.id, case.label
        ));
    }
    for cell in evidence.cells.iter().chain(&evidence.probes) {
        let answers = cell.outcomes.iter().filter_map(|outcome| outcome.predicted);
        if let Some(class) = answers.into_iter().find(|class| !is_known(*class)) {
            let (model, attack) = (&cell.model, &cell.attack);
            return Err(format!(
                "{model} under {attack} answers the class {class}, which the spec does not have"
            ));
        }
    }
    Ok(())
}

/// Checks that the models are those of the spec, in its order.
pub(super) fn check_models(plan: &Plan, evidence: &Evidence) -> Result<(), String> {
    let planned = plan.subjects.iter().map(|subject| &subject.name);
    if planned.ne(evidence.models.iter().map(|model| &model.name)) {
        return Err("the models of the evidence are not those of the spec".to_string());
    }
    Ok(())
}

/// The place of each planned cell in the evidence.
pub(super) fn find_cells(plan: &Plan, evidence: &Evidence) -> Result<Vec<usize>, String> {
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for (place, cell) in evidence.cells.iter().enumerate() {
        let (model, attack) = (cell.model.as_str(), cell.attack.as_str());
        if known.insert((model, attack), place).is_some() {
            return Err(format!("the evidence has {model} under {attack} twice"));
        }
        if let Some(why) = evidence.miscounted(cell) {
            return Err(why);
        }
    }
    let place = |planned: &crate::plan::Cell| {
        let model = plan.name(planned.model);
        let attack = planned.attack.to_string();
        let found = known.get(&(model, attack.as_str())).copied();
        found.ok_or_else(|| format!("the evidence lacks {model} under {attack}; run the spec again"))
    };
    plan.cells.iter().map(place).collect()
}
