//! Who the test cases are: cases, patients and the share of the abnormal, for all and for every group that is known.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{ReportInput, grouped};
use super::svg::{Markup, bar};
use crate::class;
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

/// What a group's share is of: the abnormal cases or, of several classes, all that are not of the first.
pub(super) fn other(result: ReportInput<'_>) -> String {
    let classes = result.plan.spec.data.classes();
    classes.first().map_or("abnormal".to_string(), |first| format!("not {first}"))
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
    let rest =
        by_group.into_iter().map(|((name, value), cases)| group(result, format!("{name}: {value}"), &cases));
    std::iter::once(group(result, "all test cases".to_string(), &all)).chain(rest).collect()
}

fn group(result: ReportInput<'_>, name: String, cases: &[&Case]) -> Group {
    let patients: BTreeSet<&str> = cases.iter().map(|case| case.patient.as_str()).collect();
    let shares = class::shares(result.plan.spec.data.class_count(), cases.iter().map(|case| case.label));
    // of several classes, the share of those that are not the first
    let abnormal = shares.iter().skip(1).sum::<f64>();
    Group {
        name,
        cases: grouped(cases.len() as u64),
        patients: grouped(patients.len() as u64),
        abnormal: format!("{:.1}", abnormal * 100.0),
        bar: bar(abnormal),
    }
}
