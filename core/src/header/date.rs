//! Date and time as mail writes them (RFC 5322 section 3.3).

use jiff::civil::{DateTime, Weekday};
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;

/// A point in time with the offset in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    local: DateTime,
    offset_minutes: i32,
    /// `-00:00`: the local offset is not known (RFC 3339 section 4.3).
    offset_unknown: bool,
}

impl Date {
    /// Parses RFC 3339. Fractions of a second are read and not kept: mail has none.
    pub fn from_rfc3339(text: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "A date is written as in RFC 3339, with an offset: 2026-01-31T12:00:00Z.";
        if !has_rfc3339_form(text) {
            return Err(FORM);
        }
        let pieces = Pieces::parse(text).map_err(|_| "There is no such date or time of day.")?;
        let (Some(time), Some(offset)) = (pieces.time(), pieces.offset()) else {
            return Err(FORM);
        };
        let local = pieces.date().to_datetime(time);
        let (offset, offset_unknown) = match offset {
            PiecesOffset::Zulu => (Offset::UTC, false),
            PiecesOffset::Numeric(numeric) => (
                numeric.offset(),
                numeric.is_negative() && numeric.offset().is_zero(),
            ),
            _ => return Err(FORM),
        };
        if local.year() < 1900 {
            return Err("A mail's date cannot be before the year 1900.");
        }
        Ok(Self {
            local,
            offset_minutes: offset.seconds() / 60,
            offset_unknown,
        })
    }

    /// In UTC.
    pub fn from_timestamp(timestamp: jiff::Timestamp) -> Self {
        Self {
            local: Offset::UTC.to_datetime(timestamp),
            offset_minutes: 0,
            offset_unknown: false,
        }
    }

    /// `Mon, 23 Nov 2026 05:33:54 +0000`
    pub fn to_rfc5322(self) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let day = match self.local.weekday() {
            Weekday::Monday => "Mon, ",
            Weekday::Tuesday => "Tue, ",
            Weekday::Wednesday => "Wed, ",
            Weekday::Thursday => "Thu, ",
            Weekday::Friday => "Fri, ",
            Weekday::Saturday => "Sat, ",
            Weekday::Sunday => "Sun, ",
        };
        let month = usize::try_from(self.local.month() - 1)
            .ok()
            .and_then(|month| MONTHS.get(month))
            .unwrap_or(&"Jan");
        let negative = self.offset_minutes < 0 || self.offset_unknown;
        let offset = self.offset_minutes.unsigned_abs();

        // Put together by hand: `format!` takes longer than all else about a small message.
        let mut text = String::with_capacity(31);
        text.push_str(day);
        let day = two_digits(self.local.day().unsigned_abs().into());
        text.push_str(day.strip_prefix('0').unwrap_or(day));
        text.push(' ');
        text.push_str(month);
        text.push(' ');
        let year = u32::from(self.local.year().unsigned_abs());
        text.push_str(two_digits(year / 100));
        text.push_str(two_digits(year % 100));
        for (separator, number) in [
            (" ", self.local.hour()),
            (":", self.local.minute()),
            (":", self.local.second()),
        ] {
            text.push_str(separator);
            text.push_str(two_digits(number.unsigned_abs().into()));
        }
        text.push_str(if negative { " -" } else { " +" });
        text.push_str(two_digits(offset / 60));
        text.push_str(two_digits(offset % 60));
        text
    }
}

/// The last two decimal digits of a number.
fn two_digits(number: u32) -> &'static str {
    const PAIRS: &str = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
                         5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    let at = (number % 100) as usize * 2;
    PAIRS.get(at..at + 2).unwrap_or("00")
}

/// `date "T" time offset` of RFC 3339 section 5.6; jiff reads more forms than this one.
fn has_rfc3339_form(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let octets = text.as_bytes();
    let Some((head, mut rest)) = octets.split_at_checked(SHAPE.len()) else {
        return false;
    };
    if !has_shape(head, SHAPE) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = fraction.iter().take_while(|o| o.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return false;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    match rest {
        b"Z" | b"z" => true,
        [b'+' | b'-', offset @ ..] => has_shape(offset, b"dd:dd"),
        _ => false,
    }
}

fn has_shape(octets: &[u8], shape: &[u8]) -> bool {
    octets.len() == shape.len()
        && octets.iter().zip(shape).all(|(octet, shape)| match shape {
            b'd' => octet.is_ascii_digit(),
            b'T' => matches!(octet, b'T' | b't' | b' '),
            literal => octet == literal,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_offset() {
        for (rfc3339, rfc5322) in [
            ("2026-11-23T05:33:54Z", "Mon, 23 Nov 2026 05:33:54 +0000"),
            (
                "2026-01-01 00:00:00.5+05:30",
                "Thu, 1 Jan 2026 00:00:00 +0530",
            ),
            (
                "2024-02-29T23:59:59-03:30",
                "Thu, 29 Feb 2024 23:59:59 -0330",
            ),
            (
                "2026-11-23T05:33:54-00:00",
                "Mon, 23 Nov 2026 05:33:54 -0000",
            ),
        ] {
            assert_eq!(Date::from_rfc3339(rfc3339).unwrap().to_rfc5322(), rfc5322);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T05:33:54",
            "2026-02-30T00:00:00Z",
            "2026-11-23T25:00:00Z",
            "2026-11-23T05:33Z",
            "20261123T053354Z",
            "2026-11-23T05:33:54+01:00[Europe/Vienna]",
            "2026-11-23T05:33:54Z\r\n",
            "1899-12-31T00:00:00Z",
            "2026-11-23T05:33:54.Z",
            "２026-11-23T05:33:54Z",
        ] {
            assert!(Date::from_rfc3339(text).is_err(), "{text}");
        }
    }
}
