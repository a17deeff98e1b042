//! The attacks that no other table holds: the patch, the masks that confine an attack to a region, and the search that
//! takes turns between pixels and words.

use super::kinds::kinds;

/// What must be known about such an attack.
#[derive(Debug, Clone, Copy)]
pub struct OtherAttackFacts {
    /// The name that a spec gives it.
    pub name: &'static str,
    /// The source file whose head documents it.
    pub source: &'static str,
}

kinds! {
    /// An attack that is no search within a ball, no corruption and no edit.
    pub enum OtherAttack of OtherAttackFacts {
        /// Any change of the pixels of one square, at the worst place that gradients find.
        Patch = OtherAttackFacts { name: "patch", source: include_str!("../lab/attack/image/patch.rs") };
        /// Black, white and random squares on places of a grid, without gradients.
        NaivePatch = OtherAttackFacts {
            name: "naive-patch",
            source: include_str!("../lab/attack/image/naive_patch.rs"),
        };
        /// A region that confines an attack on the pixels: inside a mask, or outside it.
        Mask = OtherAttackFacts { name: "mask", source: include_str!("../lab/attack/image/mask.rs") };
        /// A search that takes turns between the pixels and the words.
        Cross = OtherAttackFacts { name: "cross", source: include_str!("../lab/chunk/cross.rs") };
    }
}
