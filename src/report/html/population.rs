//! Who the test cases are: cases, patients and the share of the abnormal, for all and for every group that is known.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{ReportInput, grouped};
use super::svg::{Markup, bar};
use crate::evidence::Case;

/// A group of test cases.
pub(super) struct Group {
    /// `all test cases`, or an attribute and its value.
    pub(super) name: String,
    pub(super) cases: String,
    pub(super) patients: String,
    /// Per cent of its cases.
    pub(super) abnormal: String,
    pub(super) bar: Markup,
}

/// All cases, then every group, by attribute and value.
pub(super) fn groups(result: ReportInput<'_>) -> Vec<Group> {
    let cases = &result.evidence.cases;
    let mut by_group: BTreeMap<&(String, String), Vec<&Case>> = BTreeMap::new();
    for case in cases {
        for group in &case.groups {
            by_group.entry(group).or_default().push(case);
        }
    }
    let all: Vec<&Case> = cases.iter().collect();
    let rest = by_group.into_iter().map(|((name, value), cases)| group(format!("{name}: {value}"), &cases));
    std::iter::once(group("all test cases".to_string(), &all)).chain(rest).collect()
}

fn group(name: String, cases: &[&Case]) -> Group {
    let patients: BTreeSet<&str> = cases.iter().map(|case| case.patient.as_str()).collect();
    let abnormal = cases.iter().filter(|case| case.label).count() as f64 / cases.len().max(1) as f64;
    Group {
        name,
        cases: grouped(cases.len() as u64),
        patients: grouped(patients.len() as u64),
        abnormal: format!("{:.1}", abnormal * 100.0),
        bar: bar(abnormal),
    }
}
