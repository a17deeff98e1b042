//! P2 epsilon-unit: it must be said what ε is measured in.
//!
//! In medcert ε is in pixel units, with pixels in [0, 1], and the normalisation is part of the model: medcert's own
//! networks contain it, and a `TorchScript` module must declare `mean` and `deviation`, or the spec is refused. So ε
//! cannot be in another unit, but its size can be wrong. Raised where an ε in linf exceeds 1, the whole range of a
//! pixel: it was meant in grey levels or in normalised units. It is an ERROR for every requirement on the cell.
//! What to do: give ε in pixel units, for grey levels as `8/255`.

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
