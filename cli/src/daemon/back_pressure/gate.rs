//! One limit, and whether it currently refuses messages.

use crate::args::PressureLimit;

/// Shuts when a value exceeds its limit, and opens when it is well within: at 80 % of a maximum, at 125 % of a minimum.
/// So it does not flap while values move around the limit.
#[derive(Debug)]
pub struct Gate {
    pub limit: PressureLimit,
    pub bound: u64,
    is_shut: bool,
}

impl Gate {
    /// An open gate.
    pub fn new(limit: PressureLimit, bound: u64) -> Self {
        Self {
            limit,
            bound,
            is_shut: false,
        }
    }

    pub fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// Takes a new value. Returns whether the gate moved.
    pub fn update(&mut self, value: u64) -> bool {
        let (value, bound) = (u128::from(value), u128::from(self.bound));
        let (is_over, is_well_within) = if self.limit.is_least() {
            (value < bound, value * 4 >= bound * 5)
        } else {
            (value > bound, value * 5 <= bound * 4)
        };
        let was_shut = self.is_shut;
        self.is_shut = is_over || (was_shut && !is_well_within);
        self.is_shut != was_shut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_moves(limit: PressureLimit, bound: u64, values: &[(u64, bool)]) {
        let mut gate = Gate::new(limit, bound);
        for (value, is_shut) in values {
            let was_shut = gate.is_shut();
            assert_eq!(gate.update(*value), was_shut != *is_shut, "{value}");
            assert_eq!(gate.is_shut(), *is_shut, "{value}");
        }
    }

    #[test]
    fn a_most_opens_at_80_percent() {
        let values = [
            (0, false),
            (10, false),
            (11, true),
            (10, true),
            (9, true),
            (8, false),
            (10, false),
            (u64::MAX, true),
            (0, false),
        ];
        assert_moves(PressureLimit::MaxDepth, 10, &values);
        assert_moves(PressureLimit::MaxAge, 10, &values);
        // 80 % of one file is zero files.
        let values = [(1, false), (2, true), (1, true), (0, false)];
        assert_moves(PressureLimit::MaxDepth, 1, &values);
    }

    #[test]
    fn a_least_opens_at_125_percent() {
        let values = [
            (u64::MAX, false),
            (8, false),
            (7, true),
            (8, true),
            (9, true),
            (10, false),
            (8, false),
            (0, true),
            (10, false),
        ];
        assert_moves(PressureLimit::MinFree, 8, &values);
        assert_moves(PressureLimit::MinFreeInodes, 8, &values);
        assert_moves(PressureLimit::MinFree, 0, &[(0, false)]);
    }
}
