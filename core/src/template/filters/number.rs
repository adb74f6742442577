//! Numbers for people, digit by digit: no floating point is involved.

use super::arguments::{Arguments, BadArguments};
use super::operand::Operand;
use super::{Filter, ValueFault};
use crate::problem::Code;
use std::borrow::Cow;

/// How a number is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NumberFormat {
    /// How many digits follow the decimal mark; by default as many as the number has.
    decimals: Option<usize>,
    decimal_mark: String,
    /// Separates groups of three digits.
    thousands_mark: String,
}

/// The maximum number of digits after the decimal mark.
const MOST_DECIMALS: usize = 100;
/// The maximum number of characters of a mark.
const LONGEST_MARK: usize = 8;
/// The most places by which `e` moves the decimal mark.
const MOST_PLACES: i32 = 1_000;

const NO_NUMBER: ValueFault = ValueFault {
    code: Code::WrongType,
    takes: "takes a number, or a string that is one, such as 1234.5",
};

/// `number: 2, ",", "."`, `number(2, ",", ".")`: the order in which PHP and Twig have them.
pub(super) fn prepare(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    let format = NumberFormat {
        decimals: arguments.count("decimals")?,
        decimal_mark: arguments.text("decimal")?.unwrap_or_else(|| ".".to_owned()),
        thousands_mark: arguments
            .text("thousands")?
            .unwrap_or_else(|| ",".to_owned()),
    };
    let is_long = |mark: &str| mark.chars().count() > LONGEST_MARK;
    if format.decimals.is_some_and(|count| count > MOST_DECIMALS)
        || is_long(&format.decimal_mark)
        || is_long(&format.thousands_mark)
    {
        return Err(BadArguments);
    }
    Ok(Filter::Number(format))
}

impl NumberFormat {
    /// The number as text. An empty text stays empty.
    pub fn apply<'v>(&self, value: Operand<'v>) -> Result<Cow<'v, str>, ValueFault> {
        let (Operand::Number(text) | Operand::Text(text)) = value else {
            return Err(NO_NUMBER);
        };
        if text.is_empty() {
            return Ok(text);
        }
        let mut decimal = Decimal::parse(&text).ok_or(NO_NUMBER)?;
        if let Some(decimals) = self.decimals {
            decimal.round(decimals);
        }
        Ok(self.write(&decimal).into())
    }

    fn write(&self, decimal: &Decimal) -> String {
        let (whole, fraction) = decimal.digits.split_at(decimal.whole);
        let mut out = String::with_capacity(2 * decimal.digits.len() + 4);
        if decimal.is_negative && decimal.digits.iter().any(|digit| *digit != b'0') {
            out.push('-');
        }
        for (index, digit) in whole.iter().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                out.push_str(&self.thousands_mark);
            }
            out.push(char::from(*digit));
        }
        if !fraction.is_empty() {
            out.push_str(&self.decimal_mark);
            out.extend(fraction.iter().copied().map(char::from));
        }
        out
    }
}

/// A decimal number.
struct Decimal {
    is_negative: bool,
    /// The digits before and after the decimal mark: at least one before it, without leading zeros.
    digits: Vec<u8>,
    /// How many of them are before it.
    whole: usize,
}

impl Decimal {
    /// Parses `-1234.5`, `1e3`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, places(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = [whole.as_bytes(), fraction.as_bytes()].concat();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut whole = whole.len();
        let moved = usize::try_from(exponent.unsigned_abs()).ok()?;
        if exponent >= 0 {
            whole += moved;
            digits.resize(digits.len().max(whole), b'0');
        } else {
            let zeros = moved.saturating_sub(whole);
            digits.splice(..0, std::iter::repeat_n(b'0', zeros));
            whole = (whole + zeros) - moved;
        }
        if whole == 0 {
            digits.insert(0, b'0');
            whole = 1;
        }
        let leading = digits[..whole - 1].iter().take_while(|d| **d == b'0');
        let leading = leading.count();
        digits.drain(..leading);
        Some(Self {
            is_negative,
            digits,
            whole: whole - leading,
        })
    }

    /// Rounds to this many digits after the decimal mark, half away from zero.
    fn round(&mut self, decimals: usize) {
        let length = self.whole + decimals;
        let rounds_up = self.digits.get(length).is_some_and(|digit| *digit >= b'5');
        self.digits.resize(length, b'0');
        if !rounds_up {
            return;
        }
        for digit in self.digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.digits.insert(0, b'1');
        self.whole += 1;
    }
}

/// How far an exponent moves the decimal mark.
fn places(exponent: &str) -> Option<i32> {
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let places = exponent.parse().ok()?;
    (-MOST_PLACES..=MOST_PLACES)
        .contains(&places)
        .then_some(places)
}
