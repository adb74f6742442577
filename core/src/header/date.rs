//! Date and time as mail writes them (RFC 5322 section 3.3).

use crate::problem::{Code, Refusal};
use crate::syntax::without_comments;
use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::{Offset, TimeZone};

/// A point in time, and the UTC offset in which it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    local: DateTime,
    offset_minutes: i16,
    /// `-00:00`: the local offset is unknown (RFC 3339 section 4.3).
    offset_unknown: bool,
}

impl Date {
    /// Parses RFC 3339. Fractions of a second are dropped: mail has none.
    pub fn from_rfc3339(text: &str) -> Result<Self, Refusal> {
        const SYNTAX: Refusal = invalid(
            "A date must have the format of RFC 3339, with an offset: 2026-01-31T12:00:00Z.",
        );
        const NO_OFFSET: Refusal = invalid(
            "A date needs an offset from UTC: Z as in 2026-01-31T12:00:00Z, or one such as +01:00 \
             instead of Z; a Python datetime needs its `tzinfo`.",
        );
        if !has_rfc3339_form(text) {
            let has_no_offset = has_rfc3339_form(&[text, "Z"].concat());
            return Err(if has_no_offset { NO_OFFSET } else { SYNTAX });
        }
        // jiff takes it for the second before.
        if text.get(17..19) == Some("60") {
            return Err(LEAP_SECOND);
        }
        let pieces =
            Pieces::parse(text).map_err(|_| invalid("This date or time of day does not exist."))?;
        let (Some(time), Some(offset)) = (pieces.time(), pieces.offset()) else {
            return Err(SYNTAX);
        };
        let local = pieces.date().to_datetime(time);
        let (offset, offset_unknown) = match offset {
            PiecesOffset::Zulu => (Offset::UTC, false),
            PiecesOffset::Numeric(numeric) => (
                numeric.offset(),
                numeric.is_negative() && numeric.offset().is_zero(),
            ),
            _ => return Err(SYNTAX),
        };
        if local.year() < 1900 {
            return Err(TOO_EARLY);
        }
        Ok(Self {
            local,
            offset_minutes: i16::try_from(offset.seconds() / 60)
                .expect("RFC 3339 has offsets of less than a day"),
            offset_unknown,
        })
    }

    /// Parses the form used in mail (RFC 5322 section 3.3), with comments and the zones and years of section 4.3. A
    /// zone with an unknown offset is refused: it would become a different time.
    pub fn from_rfc5322(text: &str) -> Result<Self, Refusal> {
        const SYNTAX: Refusal = invalid(
            "A date in a header field must have the format of RFC 5322: Mon, 23 Nov 2026 05:33:54 +0100.",
        );
        let text = without_comments(text).or(Err(SYNTAX))?;
        let (time, zone) = text.rsplit_once([' ', '\t']).ok_or(SYNTAX)?;
        let is_name = |known: &&str| known.eq_ignore_ascii_case(zone);
        let is_letter = matches!(zone.as_bytes(), [letter] if letter.is_ascii_alphabetic());
        let is_numeric =
            matches!(zone.as_bytes(), [b'+' | b'-', digits @ ..] if has_shape(digits, b"dddd"));
        if !is_numeric && !is_letter && !ZONE_NAMES.iter().any(is_name) {
            return Err(invalid(
                "The date has no unambiguous offset; write one such as +0100.",
            ));
        }
        // White space and comments may stand around the colon (RFC 5322 section 4.3).
        let minute = time.trim_end().strip_suffix("60");
        if minute.is_some_and(|minute| minute.trim_end().ends_with(':')) {
            return Err(LEAP_SECOND);
        }
        let parser = DateTimeParser::new();
        let zoned = parser.parse_zoned(text.as_ref()).map_err(|_| {
            let is_without_day = parser.relaxed_weekday(true).parse_zoned(text.as_ref());
            match is_without_day {
                Ok(_) => invalid(
                    "The day of the week does not match the date; correct it or leave it out.",
                ),
                Err(_) => SYNTAX,
            }
        })?;
        if zoned.year() < 1900 {
            return Err(TOO_EARLY);
        }
        Ok(Self {
            local: zoned.datetime(),
            offset_minutes: i16::try_from(zoned.offset().seconds() / 60)
                .expect("an offset is of less than a day"),
            offset_unknown: zone == "-0000" || is_letter,
        })
    }

    /// The instant; `None` in the last hours of the year 9999, which are out of range.
    pub fn to_timestamp(self) -> Result<Timestamp, Refusal> {
        let offset = Offset::from_seconds(i32::from(self.offset_minutes) * 60)
            .expect("RFC 3339 has offsets of less than a day");
        offset
            .to_timestamp(self.local)
            .map_err(|_| invalid("This date is too close to the end of the year 9999."))
    }

    /// In UTC.
    pub fn from_timestamp(timestamp: Timestamp) -> Self {
        Self {
            local: Offset::UTC.to_datetime(timestamp),
            offset_minutes: 0,
            offset_unknown: false,
        }
    }

    /// `Mon, 23 Nov 2026 05:33:54 +0000`, in two pieces, because a day below ten has only one digit.
    pub fn to_rfc5322(self) -> DateText {
        // Put together by hand: `format!` takes longer than all else about a small message.
        let mut text = *b"day, 00 mon 0000 00:00:00 +0000";
        let day = match self.local.weekday() {
            Weekday::Monday => b"Mon",
            Weekday::Tuesday => b"Tue",
            Weekday::Wednesday => b"Wed",
            Weekday::Thursday => b"Thu",
            Weekday::Friday => b"Fri",
            Weekday::Saturday => b"Sat",
            Weekday::Sunday => b"Sun",
        };
        text[..3].copy_from_slice(day);
        let month = usize::from(self.local.month().unsigned_abs());
        text[8..11].copy_from_slice(MONTHS[(month + 11) % 12]);
        if self.offset_minutes < 0 || self.offset_unknown {
            text[26] = b'-';
        }
        let year = self.local.year().unsigned_abs();
        let offset = self.offset_minutes.unsigned_abs();
        for (at, number) in [
            (5, u16::from(self.local.day().unsigned_abs())),
            (12, year / 100),
            (14, year % 100),
            (17, self.local.hour().unsigned_abs().into()),
            (20, self.local.minute().unsigned_abs().into()),
            (23, self.local.second().unsigned_abs().into()),
            (27, offset / 60),
            (29, offset % 60),
        ] {
            [text[at], text[at + 1]] = TWO_DIGITS[usize::from(number) % 100];
        }
        DateText(text)
    }
}

const LEAP_SECOND: Refusal =
    invalid("Leap seconds are not supported; give the second before or after.");
const TOO_EARLY: Refusal = invalid("The date of a message cannot be before the year 1900.");

/// obs-zone of RFC 5322 section 4.3 without the military letters, plus what Go and Java write.
const ZONE_NAMES: [&str; 11] = [
    "UT", "UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT",
];

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidDate, detail)
}

const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [*b"00"; 100];
    let mut number = 0;
    let (mut tens, mut ones) = (b'0', b'0');
    while number < 100 {
        table[number] = [tens, ones];
        number += 1;
        (tens, ones) = if ones == b'9' {
            (tens + 1, b'0')
        } else {
            (tens, ones + 1)
        };
    }
    table
};

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// An instant on this host's clocks: `2026-11-23 06:33:54`.
pub(crate) fn local_time(instant: Timestamp) -> String {
    let local = instant.to_zoned(TimeZone::system()).datetime();
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A date in the form of a header field.
pub(crate) struct DateText([u8; 31]);

impl DateText {
    /// The text in pieces.
    pub fn pieces(&self) -> [&[u8]; 2] {
        let digits_from = if self.0[5] == b'0' { 6 } else { 5 };
        [&self.0[..5], &self.0[digits_from..]]
    }

    /// The complete text.
    pub fn into_string(self) -> String {
        String::from_utf8(self.pieces().concat()).expect("a date is ASCII")
    }
}

/// `date "T" time offset` of RFC 3339 section 5.6; jiff accepts other forms as well.
fn has_rfc3339_form(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let bytes = text.as_bytes();
    let Some((head, mut rest)) = bytes.split_at_checked(SHAPE.len()) else {
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
        (_, rest) = fraction.split_at(digits);
    }
    match rest {
        b"Z" | b"z" => true,
        // jiff reads up to 25 hours; RFC 3339 has hours of a day.
        [b'+' | b'-', offset @ ..] => has_shape(offset, b"dd:dd") && offset < b"24".as_slice(),
        _ => false,
    }
}

fn has_shape(bytes: &[u8], shape: &[u8]) -> bool {
    bytes.len() == shape.len()
        && bytes.iter().zip(shape).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't' | b' '),
            literal => byte == literal,
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
            let text = Date::from_rfc3339(rfc3339).unwrap().to_rfc5322();
            assert_eq!(text.pieces().concat(), rfc5322.as_bytes());
        }
    }

    #[test]
    fn invalid_dates_are_refused() {
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

    #[test]
    fn dates_of_header_fields_are_read() {
        for (given, written) in [
            (
                "Mon, 23 Nov 2026 05:33:54 +0000",
                "Mon, 23 Nov 2026 05:33:54 +0000",
            ),
            ("23 Nov 2026 05:33 -0330", "Mon, 23 Nov 2026 05:33:00 -0330"),
            (
                "Mon, 23 Nov 2026 05:33:54 -0000",
                "Mon, 23 Nov 2026 05:33:54 -0000",
            ),
            (
                "Mon, 23 Nov 2026 05:33:54 GMT",
                "Mon, 23 Nov 2026 05:33:54 +0000",
            ),
            (
                "Mon, 23 Nov 2026 05:33:54 UTC",
                "Mon, 23 Nov 2026 05:33:54 +0000",
            ),
            (
                "mon, 23 nov 26 05:33:54 edt",
                "Mon, 23 Nov 2026 05:33:54 -0400",
            ),
            (
                "Mon, 23 Nov 2026 05:33:54 Z",
                "Mon, 23 Nov 2026 05:33:54 -0000",
            ),
            (
                "Mon, 23 Nov 2026 05:33:54 a",
                "Mon, 23 Nov 2026 05:33:54 -0000",
            ),
            (
                "Thu, 1 Jan 26 00:00:00 +0530 (IST)",
                "Thu, 1 Jan 2026 00:00:00 +0530",
            ),
            (
                " (a) Thu (b (c)), 01\tJan 2026  00:00:00 (d) PST (e)",
                "Thu, 1 Jan 2026 00:00:00 -0800",
            ),
        ] {
            let text = Date::from_rfc5322(given).unwrap().to_rfc5322();
            assert_eq!(text.into_string(), written, "{given}");
        }
        for text in [
            "",
            "Mon, 23 Nov 2026 05:33:54",
            "2026-11-23T05:33:54Z",
            "Tue, 23 Nov 2026 05:33:54 +0000",
            "Mon, 30 Feb 2026 05:33:54 +0000",
            "Mon, 23 Nov 2026 24:00:00 +0000",
            "Mon, 23 Nov 2026 05:33:60 +0000",
            "Mon, 23 Nov 2026 05:33: 60 +0000",
            "Mon, 23 Nov 2026 05:33:(x)\t60 (y) +0000",
            "Mon, 23 Nov 2026 05:33:54 CEST",
            "Mon, 23 Nov 2026 05:33:54 +01:00",
            "Mon, 23 Nov 2026 05:33:54 +0000 x",
            "Mon, 23 Nov 2026 05:33:54 +0000 (x",
            "Mon, 23 Nov 1826 05:33:54 +0000",
            "Mon, 23 Nov 2026 05:33:54 +9999",
        ] {
            assert!(Date::from_rfc5322(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_date_is_an_instant_but_for_the_very_last() {
        let instant = |text| Date::from_rfc3339(text).unwrap().to_timestamp();
        let noon = instant("2026-11-23T12:00:00+02:00").unwrap();
        assert_eq!(Ok(noon), instant("2026-11-23T10:00:00Z"));
        assert!(instant("1900-01-01T00:00:00+23:59").is_ok());
        assert!(instant("9999-12-30T00:00:00Z").is_ok());
        assert!(instant("9999-12-31T23:59:59Z").is_err());
    }
}
