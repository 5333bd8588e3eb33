//! Values that halve with time: what is left, when it will be less than something, and what is shown of it.

/// What is left of a value after so many milliseconds. A half-life of 0 leaves all of it.
pub fn left(value: f64, elapsed: u64, half_life: u64) -> f64 {
    if half_life == 0 || elapsed == 0 {
        return value;
    }
    value * (-(elapsed as f64) / half_life as f64).exp2()
}

/// After how many milliseconds a value has fallen to this bound, or a moment before it. Bound and half-life must be above 0.
pub fn wait(value: f64, bound: f64, half_life: u64) -> u64 {
    ((value / bound).log2() * half_life as f64).ceil() as u64
}

/// The nearest whole number, a half down: then a number that falls ends exactly half a degree below it.
pub fn degrees(heat: f64) -> u64 {
    (heat - 0.5).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_shown_as_the_number_below() {
        for (heat, shown) in [(0.0, 0), (0.5, 0), (0.51, 1), (1.5, 1), (1.51, 2), (1e30, u64::MAX)]
        {
            assert_eq!(degrees(heat), shown, "{heat}");
        }
    }

    #[test]
    fn a_half_life_halves() {
        assert_eq!(left(8.0, 600_000, 600_000), 4.0);
        assert_eq!(left(8.0, 1_800_000, 600_000), 1.0);
        assert_eq!(left(8.0, 1_800_000, 0), 8.0);
        assert_eq!(left(8.0, u64::MAX, 1), 0.0);
    }

    #[test]
    fn the_wait_is_as_long_as_the_fall() {
        assert_eq!(wait(8.0, 4.0, 600_000), 600_000);
        assert_eq!(wait(8.0, 1.0, 600_000), 1_800_000);
        assert_eq!(wait(4.0, 4.0, 600_000), 0);
        assert_eq!(wait(1.0, 4.0, 600_000), 0);
    }
}
