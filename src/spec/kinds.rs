//! Enums whose variants each carry one row of facts. A kind of attack is a variant with its comment and its row; the
//! grammar, the reader of `threats`, the JSON Schema, the plan, the checks and `explain` read the row. The compiler
//! refuses a row that lacks a fact.

/// Declares such an enum: each variant, its comment, and the row of what must be known about it.
macro_rules! kinds {
    ($(#[doc = $enum_doc:literal])+ pub enum $kind:ident of $facts:ident {
        $($(#[doc = $about:literal])+ $variant:ident = $row:expr;)+
    }) => {
        $(#[doc = $enum_doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[doc = $about])+ $variant,)+
        }

        impl $kind {
            /// Every kind, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What is known about it.
            pub fn facts(self) -> &'static $facts {
                match self {
                    $(Self::$variant => {
                        const ROW: &$facts = &$row;
                        ROW
                    })+
                }
            }

            /// The name that a spec gives it, which is also its key in random streams and caches.
            pub fn name(self) -> &'static str {
                self.facts().name
            }

            /// What it is, in a sentence or two: the comment on its variant.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($about),+).trim_ascii(),)+
                }
            }

            /// The kind of a name, in any letter case.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name().eq_ignore_ascii_case(name))
            }
        }
    };
}

pub(crate) use kinds;
