//! D1 patient-split: a patient is in two parts of the split.
//!
//! One study of a patient says much about the next, so a model that trained on one has seen part of the answer to the
//! other. medcert splits by patient and refuses a split that leaks. This check reads the count in the evidence, so it
//! also covers evidence from elsewhere. Raised if the count is not zero. It is an ERROR for every requirement.
//! What to do: name the column of the patient, `columns: {patient: …}`.

use super::{Field, Look, Raised};
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    let patients = field.evidence.data.patients_in_two_parts;
    if patients == 0 {
        return Look::at([]);
    }
    let noun = if patients == 1 { "patient is" } else { "patients are" };
    let message = format!("{patients} {noun} in two parts of the split");
    Look::at([Raised::new(Check::PatientSplit, None, message)])
}
