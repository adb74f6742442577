//! Dates for people, by the directives of strftime, in English. There is no clock: the same message yields the same
//! bytes.

use super::arguments::{Arguments, BadArguments};
use super::operand::Operand;
use super::{Filter, ValueFault};
use crate::problem::Code;
use jiff::Zoned;
use jiff::civil::{self, DateTime};
use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// The directives for a date, which are known to be valid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DateFormat(String);

/// A directive writes at most some twenty characters, so this bounds the length of a date.
const LONGEST: usize = 255;

const NO_DATE: ValueFault = ValueFault {
    code: Code::InvalidDate,
    takes: "takes a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or the seconds since 1970",
};
const NOW: ValueFault = ValueFault {
    code: Code::InvalidDate,
    takes: "does not know the current time, so that a message is always the same: pass the date as a \
            variable",
};
/// `date: "%B %d, %Y"`, `date("%B %d, %Y")`.
pub(super) fn prepare(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    let format = arguments.text("format")?.ok_or(BadArguments)?;
    if format.len() > LONGEST {
        return Err(BadArguments);
    }
    let format = DateFormat(format);
    let sample = civil::date(2026, 1, 31).at(12, 0, 0, 0);
    let sample = sample.to_zoned(TimeZone::UTC).map_err(|_| BadArguments)?;
    format.write(&sample).ok_or(BadArguments)?;
    Ok(Filter::Date(format))
}

impl DateFormat {
    /// The date as text. An empty text stays empty.
    pub fn apply<'v>(&self, value: Operand<'v>) -> Result<Cow<'v, str>, ValueFault> {
        let time = match value {
            Operand::Number(number) => from_seconds(&number),
            Operand::Text(text) if text.is_empty() => return Ok(text),
            Operand::Text(text) if matches!(&*text, "now" | "today") => return Err(NOW),
            Operand::Text(text) => from_text(&text),
            _ => None,
        };
        let time = time.ok_or(NO_DATE)?;
        self.write(&time).map(Cow::Owned).ok_or(NO_DATE)
    }

    fn write(&self, time: &Zoned) -> Option<String> {
        let config = Config::new().custom(PosixCustom::new());
        let mut out = String::new();
        BrokenDownTime::from(time)
            .format_with_config(&config, &self.0, &mut out)
            .ok()?;
        Some(out)
    }
}

/// Seconds since 1970, in UTC.
fn from_seconds(number: &str) -> Option<Zoned> {
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = seconds.strip_prefix('-').unwrap_or(seconds);
    if digits.is_empty() || !is_digits(digits) || !is_digits(fraction) {
        return None;
    }
    let nanoseconds: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let sign = if seconds.starts_with('-') { -1 } else { 1 };
    let since = SignedDuration::new(seconds.parse().ok()?, sign * nanoseconds);
    let time = Timestamp::from_duration(since).ok()?;
    Some(time.to_zoned(TimeZone::UTC))
}

/// `2026-01-31`, followed by a time of day and an offset, or by default midnight and UTC. Seconds since 1970 have at
/// least nine digits: fewer could be a year, or a date without hyphens.
fn from_text(text: &str) -> Option<Zoned> {
    let text = text.trim_matches([' ', '\t']);
    if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_seconds(text);
    }
    let is_date = text.bytes().zip(b"dddd-dd-dd").all(|(byte, shape)| {
        if *shape == b'd' {
            byte.is_ascii_digit()
        } else {
            byte == *shape
        }
    });
    if text.len() < 10 || !is_date {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    // A place such as `[Europe/Oslo]` has an offset that depends on the machine's knowledge.
    if pieces.time_zone_annotation().is_some() {
        return None;
    }
    let offset = match pieces.offset() {
        None | Some(PiecesOffset::Zulu) => Offset::UTC,
        Some(PiecesOffset::Numeric(numeric)) => numeric.offset(),
        Some(_) => return None,
    };
    let local: DateTime = match pieces.time() {
        Some(time) => pieces.date().to_datetime(time),
        None => pieces.date().at(0, 0, 0, 0),
    };
    local.to_zoned(TimeZone::fixed(offset)).ok()
}
