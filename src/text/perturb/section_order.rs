//! Section order: reorders the sections, whose order differs between hospitals. Shuffled parts of a document
//! keep its label (sentence permutation; Lewis et al., BART, ACL 2020, arXiv 1910.13461).
//!
//! The order is drawn uniformly from all others; a report with one section stays. Access: none.
//! Cost: one evaluation a draw.

use std::ops::Range;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Amount, Kind, Noise, Place};

pub(super) struct SectionOrder;

impl Kind for SectionOrder {
    fn amount(&self) -> Amount {
        Amount::Once
    }

    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        if page.sections.len() > 1 { vec![Place::drawn(0..0)] } else { Vec::new() }
    }

    fn draw(&self, page: &Page<'_>, _: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let own: Vec<usize> = (0..page.sections.len()).collect();
        let mut order = own.clone();
        while order == own {
            for last in (1..order.len()).rev() {
                order.swap(last, noise.below(last + 1));
            }
        }
        Some(Edit::Order(order))
    }
}
