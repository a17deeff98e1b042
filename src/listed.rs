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

pub(crate) use listed;
