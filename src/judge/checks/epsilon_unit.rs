//! P2 epsilon-unit: it must be said what ε is measured in.
//!
//! In medcert ε is in pixel units, with pixels in [0, 1], and the normalisation is part of the model: a network of
//! ours holds it, and a `TorchScript` module must declare `mean` and `deviation`, or the spec is refused. So an ε
//! cannot be of another unit; what can be wrong is its size. Raised where an ε of the largest change of a pixel
//! exceeds 1, the whole range: it was meant in grey levels (write `8/255`) or in normalised units. It is an ERROR
//! for every sentence that rests on the cell.

use super::{Field, Raised, search_of};
use crate::judge::Verdict;
use crate::spec::{Check, Norm};

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    let cells = field.plan.cells.iter().enumerate();
    cells
        .filter_map(|(place, cell)| {
            let (_, norm, _, epsilon) = search_of(&cell.attack)?;
            (norm == Norm::Linf && epsilon > 1.0).then(|| {
                let message = format!("{}: ε exceeds the range of a pixel, which is 1", cell.attack);
                Raised::new(Check::Unit, Verdict::Error, Some(cell.model), message).about(vec![place])
            })
        })
        .collect()
}
