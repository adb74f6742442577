//! Values with units: sizes (`32MiB`) and durations (`30s`); and booleans.

use std::time::Duration;

/// Reads a number of bytes: `4096`, `64k`, `32MiB`, `1GB`.
///
/// `kB`, `MB`, `GB` count in thousands; `KiB`, `MiB`, `GiB` and the bare letters in 1,024.
pub fn bytes(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let factor: usize = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "k" | "kib" => 1 << 10,
        "mb" => 1_000_000,
        "m" | "mib" => 1 << 20,
        "gb" => 1_000_000_000,
        "g" | "gib" => 1 << 30,
        _ => return Err("the unit must be one of kB, MB, GB, KiB, MiB, GiB".to_owned()),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "expected a whole number of bytes, such as 65536 or 32MiB".to_owned())
}

/// Reads how much memory the daemon may take.
pub fn memory(text: &str) -> Result<usize, String> {
    /// This leaves room for small messages besides the program itself.
    const LEAST: usize = 32 << 20;
    match bytes(text)? {
        few if few < LEAST => Err("expected 32MiB or more".to_owned()),
        memory => Ok(memory),
    }
}

/// Reads a duration: `30` (seconds), `500ms`, `30s`, `2m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err("the unit must be one of ms, s, m, h".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(milliseconds))
        // Longer ones would overflow the clock that they are added to.
        .filter(|milliseconds| *milliseconds <= 366 * 24 * 3_600_000)
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a whole number with a unit, such as 30s or 500ms".to_owned())
}

/// Reads a duration other than zero.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| {
        if time.is_zero() {
            Err("expected more than zero; leave out the option to turn it off".to_owned())
        } else {
            Ok(time)
        }
    })
}

/// Reads a boolean, of an environment variable: `true`, `yes`, `on`, `1`, and their opposites; an empty one
/// is false.
pub fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" | "" => Ok(false),
        _ => Err("expected true or false"),
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    (number, unit.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_units() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("32MiB"), Ok(32 << 20));
        assert_eq!(bytes("32 mib"), Ok(32 << 20));
        assert_eq!(bytes("1MB"), Ok(1_000_000));
        assert_eq!(bytes("64k"), Ok(65_536));
        for wrong in ["", "MiB", "-1", "1.5MiB", "3 parsecs", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn booleans_have_several_names() {
        for (text, expected) in [
            ("true", true),
            ("1", true),
            ("Yes", true),
            (" on ", true),
            ("false", false),
            ("0", false),
            ("", false),
        ] {
            assert_eq!(boolean(text), Ok(expected));
        }
        for wrong in ["2", "maybe", "treu", "falsch"] {
            assert!(boolean(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_take_units() {
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for wrong in [
            "",
            "s",
            "-1s",
            "1.5s",
            "1 year",
            "99999999999999h",
            "999999h",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(positive_duration("1ms"), Ok(Duration::from_millis(1)));
        for wrong in ["0", "0ms", "1 year"] {
            assert!(positive_duration(wrong).is_err(), "{wrong}");
        }
    }
}
