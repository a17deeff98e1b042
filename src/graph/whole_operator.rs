//! Arithmetic on whole numbers such as sizes, which a program computes beside its tensors.

crate::listed::listed! {
    /// Arithmetic on sizes, with Python's meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum WholeOperator {
        /// a + b
        Add,
        /// a − b
        Subtract,
        /// a · b
        Multiply,
        /// a // b, rounded down
        Divide,
        /// a % b, with the sign of b
        Remainder,
        /// −a
        Negate,
        /// The larger one.
        Most,
        /// The smaller one.
        Least,
    }
}

impl WholeOperator {
    /// Its name in a file of torch.export.
    pub fn target(self) -> &'static str {
        match self {
            Self::Add => "_operator.add",
            Self::Subtract => "_operator.sub",
            Self::Multiply => "_operator.mul",
            Self::Divide => "_operator.floordiv",
            Self::Remainder => "_operator.mod",
            Self::Negate => "_operator.neg",
            Self::Most => "torch.sym_max",
            Self::Least => "torch.sym_min",
        }
    }

    /// Number of arguments.
    pub fn arity(self) -> usize {
        match self {
            Self::Negate => 1,
            Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Remainder
            | Self::Most
            | Self::Least => 2,
        }
    }

    /// The result; None if arguments are missing, the result overflows, or the divisor is zero.
    pub fn apply(self, arguments: &[i64]) -> Option<i64> {
        let (&a, b) = (arguments.first()?, arguments.get(1).copied());
        match self {
            Self::Negate => a.checked_neg(),
            Self::Add => a.checked_add(b?),
            Self::Subtract => a.checked_sub(b?),
            Self::Multiply => a.checked_mul(b?),
            Self::Divide => {
                let quotient = a.checked_div(b?)?;
                // Python's `//` rounds down, Rust's division rounds towards zero
                if a.checked_rem(b?)? != 0 && (a < 0) != (b? < 0) {
                    quotient.checked_sub(1)
                } else {
                    Some(quotient)
                }
            }
            Self::Remainder => {
                let remainder = a.checked_rem(b?)?;
                if remainder != 0 && (remainder < 0) != (b? < 0) {
                    remainder.checked_add(b?)
                } else {
                    Some(remainder)
                }
            }
            Self::Most => Some(a.max(b?)),
            Self::Least => Some(a.min(b?)),
        }
    }
}
