//! P2 epsilon-unit: it must be said what ε is measured in.
//!
//! In medcert ε is in pixel units, with pixels in [0, 1], and the normalisation is part of the model: a network of
//! ours holds it, and a `TorchScript` module must declare `mean` and `deviation`, or the spec is refused. So an ε
//! cannot be of another unit; what can be wrong is its size. Raised where an ε of the largest change of a pixel
//! exceeds 1, the whole range: it was meant in grey levels (write `8/255`) or in normalised units. It is an ERROR
//! for every sentence that rests on the cell.

use super::{Field, Look, Raised, search_of};
use crate::spec::{Check, Norm};

pub(super) fn check(field: &Field<'_>) -> Look {
    let cells = field.plan.cells.iter().enumerate();
    let searched = cells.filter_map(|(place, cell)| match search_of(&cell.attack)? {
        (_, Norm::Linf, _, epsilon) => Some((place, cell, epsilon)),
        (_, Norm::L2, ..) => None,
    });
    let look = Look::each(searched, |(place, cell, epsilon)| {
        Ok((epsilon > 1.0).then(|| {
            let message = format!("{}: ε exceeds the range of a pixel, which is 1", cell.attack);
            Raised::new(Check::Unit, Some(cell.model), message).about(vec![place])
        }))
    });
    look.or_else_inapplicable("no attack of the spec has an ε of a pixel's largest change")
}
