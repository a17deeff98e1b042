//! Section drop: the report loses a section. Findings or impression are missing from many public reports
//! (Demner-Fushman et al., JAMIA 2016).
//!
//! One section is drawn uniformly; the only section is never dropped. Access: none. Cost: one evaluation a draw.

use super::document::Page;
use super::edit::Edit;
use super::kind::{Amount, Kind, Place};

pub(super) struct SectionDrop;

impl Kind for SectionDrop {
    fn amount(&self) -> Amount {
        Amount::Once
    }

    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let filled = (0..page.sections.len()).filter(|&section| !page.sections[section].is_empty());
        let drops: Vec<Place> =
            filled.map(|section| Place::fixed(0..0, Edit::DropSection { section })).collect();
        if drops.len() > 1 { drops } else { Vec::new() }
    }
}
