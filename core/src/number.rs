//! Numbers, by their digits.

use std::borrow::Cow;

/// A number as written in JSON (RFC 8259, section 6), of any size. Only the digits show that 19.90 is a price, and they
/// keep 12345678901234567890123 from being rounded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Number<'a>(Form<'a>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form<'a> {
    Literal(Cow<'a, str>),
    /// An integer of a language that has them.
    Integer(i128),
}

impl<'a> Number<'a> {
    /// The number written like this; `None` if it is not one.
    pub fn new(literal: Cow<'a, str>) -> Option<Self> {
        is_number(&literal).then_some(Self(Form::Literal(literal)))
    }

    /// A number that a JSON reader has recognized.
    pub fn of_reader(literal: &'a str) -> Self {
        debug_assert!(is_number(literal), "{literal}");
        Self(Form::Literal(Cow::Borrowed(literal)))
    }

    /// A floating-point number as JSON writes it: `1.0`, `1e-7`. `None` if it is not finite.
    pub fn of_float(number: impl Into<f64> + Copy + serde::Serialize) -> Option<Self> {
        if !number.into().is_finite() {
            return None;
        }
        let text = serde_json::to_string(&number).expect("a finite number has a text");
        Some(Self(Form::Literal(Cow::Owned(text))))
    }

    /// The number with the digits that it was written with.
    pub fn into_text(self) -> Cow<'a, str> {
        match self.0 {
            Form::Literal(literal) => literal,
            Form::Integer(number) => number.to_string().into(),
        }
    }

    /// Its length when written out; reading it takes time in proportion.
    pub fn written_length(&self) -> usize {
        match &self.0 {
            Form::Literal(literal) => literal.len(),
            Form::Integer(_) => 0,
        }
    }

    /// The number as an integer, if it is written without a fraction and fits in 128 bits: `None` for `1.0`, `1e3` and
    /// `-0`, which an integer would print differently.
    pub fn to_integer(&self) -> Option<i128> {
        match &self.0 {
            Form::Literal(literal) if literal == "-0" => None,
            Form::Literal(literal) => literal.parse().ok(),
            Form::Integer(number) => Some(*number),
        }
    }

    /// The nearest floating-point number; infinite if it is too large.
    pub fn to_float(&self) -> f64 {
        match &self.0 {
            Form::Literal(literal) => literal.parse().expect("Rust reads the numbers of JSON"),
            #[expect(clippy::cast_precision_loss, reason = "it is the nearest")]
            Form::Integer(number) => *number as f64,
        }
    }

    /// The number as an 8-bit integer, however it is written: not every language can tell 1.0 from 1.
    pub fn to_small_integer(&self) -> Option<u8> {
        if let Some(integer) = self.to_integer() {
            return u8::try_from(integer).ok();
        }
        let float = self.to_float();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is an integer from 0 to 255"
        )]
        let integer =
            (float.fract() == 0.0 && (0.0..256.0).contains(&float)).then_some(float as u8);
        integer
    }
}

impl<I: Into<i128>> From<I> for Number<'_> {
    fn from(number: I) -> Self {
        Self(Form::Integer(number.into()))
    }
}

/// Whether a string is exactly a JSON number.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let text = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.starts_with('0')) {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else {
        return rest.is_empty();
    };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_other_texts() {
        for text in [
            "0", "-0", "1", "10", "-19.90", "0.0", "1e3", "1E+3", "1.5e-07", "0e00", "1E400",
        ] {
            assert!(is_number(text), "{text}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
        }
        for text in [
            "", "-", "+1", "01", "00", ".5", "1.", "1.e3", "1e", "1e+", "1e3.5", "--1", "1 ", " 1",
            "0x1", "NaN", "inf", "1_000", "١",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn small_integers_are_known_however_they_are_written() {
        for (text, integer) in [
            ("50", Some(50)),
            ("50.0", Some(50)),
            ("5e1", Some(50)),
            ("-0", Some(0)),
            ("255", Some(255)),
            ("256", None),
            ("-1", None),
            ("0.5", None),
            ("1E400", None),
        ] {
            let number = Number::new(Cow::Borrowed(text)).unwrap();
            assert_eq!(number.to_small_integer(), integer, "{text}");
        }
    }
}
