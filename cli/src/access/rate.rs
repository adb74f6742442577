//! A number of messages per period.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// `100/s` or `6000/m`: this many at once, after which they are replenished evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    unit: &'static str,
}

impl Rate {
    /// How many may arrive at once.
    pub fn burst(self) -> u32 {
        self.count.get()
    }

    /// The time in which they are replenished.
    pub fn period(self) -> Duration {
        Duration::from_secs(if self.unit == "s" { 1 } else { 60 })
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "expected at least 1 message per second or minute, such as 100/s or 6000/m";
        let (count, unit) = text.split_once('/').ok_or(FORM)?;
        let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
        let count = count.parse().ok().filter(|_| is_number).ok_or(FORM)?;
        let unit = match unit {
            "s" | "sec" | "second" => "s",
            "m" | "min" | "minute" => "m",
            _ => return Err(FORM),
        };
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_unit() {
        for (text, burst, seconds, shown) in [
            ("100/s", 100, 1, "100/s"),
            ("6000/m", 6_000, 60, "6000/m"),
            ("1/minute", 1, 60, "1/m"),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(
                (rate.burst(), rate.period(), rate.to_string().as_str()),
                (burst, Duration::from_secs(seconds), shown)
            );
        }
        for wrong in [
            "",
            "100",
            "0/s",
            "-1/s",
            "+1/s",
            "1/h",
            "1 / s",
            "5000000000/s",
        ] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
