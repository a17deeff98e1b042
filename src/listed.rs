//! An enum that knows its variants, so that no list of them has to be kept by hand.

/// Declares an enum without fields, and `ALL`: its variants in the order of their declaration.
macro_rules! listed {
    ($(#[$about:meta])* $visible:vis enum $name:ident { $($(#[$said:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$about])*
        $visible enum $name {
            $($(#[$said])* $variant),+
        }

        impl $name {
            /// Every one, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

/// Declares such an enum, and `about`: the comment on a variant, which is then written once and printed too.
macro_rules! documented {
    ($(#[$meta:meta])* $visible:vis enum $name:ident {
        $($(#[doc = $about:literal])+ $variant:ident),+ $(,)?
    }) => {
        crate::listed::listed! {
            $(#[$meta])*
            $visible enum $name { $($(#[doc = $about])+ $variant),+ }
        }

        impl $name {
            /// What it means: the comment on it, line by line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($about, "\n"),+),)+ }
            }
        }
    };
}

pub(crate) use {documented, listed};
