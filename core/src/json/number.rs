//! Numbers.

/// A number. One without a fraction is an integer, however it is written: not every language can
/// tell 1.0 from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum JsonNumber {
    Integer(i128),
    Float(f64),
}

impl JsonNumber {
    /// A number of the floating kind.
    pub fn of_float(number: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is an integer of 54 bits"
            )]
            return Self::Integer(number as i128);
        }
        Self::Float(number)
    }
}
