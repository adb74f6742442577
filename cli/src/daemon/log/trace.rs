//! The trace that a request belongs to (W3C Trace Context).

use axum::http::{HeaderMap, HeaderValue};
use std::hash::{BuildHasher, RandomState};
use std::str;

/// The header field that joins a request to a trace.
pub const TRACEPARENT: &str = "traceparent";

/// A request's place in its client's trace. Requests without one have none: nothing here follows traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    id: [u8; Self::ID],
    span: [u8; Self::SPAN],
    flags: [u8; 2],
}

impl Trace {
    const ID: usize = 32;
    const SPAN: usize = 16;

    /// The trace that a request's head names according to the grammar (section 3.2.2); anything else is ignored
    /// (section 3.2.2.3). The span is new: it is the daemon's part of the trace.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let value = values.next()?.as_bytes();
        if values.next().is_some() {
            return None;
        }
        let (version, rest) = field(value, 2)?;
        let (id, rest) = field(rest.strip_prefix(b"-")?, Self::ID)?;
        let (parent, rest) = field(rest.strip_prefix(b"-")?, Self::SPAN)?;
        let (flags, rest) = field(rest.strip_prefix(b"-")?, 2)?;
        // Later versions may add more after a dash.
        let is_whole = rest.is_empty() || (version != b"00" && rest[0] == b'-');
        let is_nothing = |field: &[u8]| field.iter().all(|c| *c == b'0');
        if version == b"ff" || !is_whole || is_nothing(id) || is_nothing(parent) {
            return None;
        }
        Some(Self {
            id: id.try_into().ok()?,
            span: new_span(),
            flags: flags.try_into().ok()?,
        })
    }

    pub fn id(&self) -> &str {
        text(&self.id)
    }

    pub fn span(&self) -> &str {
        text(&self.span)
    }

    /// The value of `traceparent` in the answer: the same trace, and the daemon's span.
    pub fn answer(&self) -> HeaderValue {
        let value = format!("00-{}-{}-{}", self.id(), self.span(), text(&self.flags));
        HeaderValue::from_str(&value).expect("hexadecimal digits are a value")
    }
}

/// Splits off this many lower case hexadecimal digits.
fn field(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (field, rest) = bytes.split_at_checked(length)?;
    let is_digit = |c: &u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    field.iter().all(is_digit).then_some((field, rest))
}

fn text(digits: &[u8]) -> &str {
    str::from_utf8(digits).expect("they are digits")
}

/// A span that nobody can guess, and that is not zero.
fn new_span() -> [u8; Trace::SPAN] {
    let random = RandomState::new().hash_one(()).max(1);
    let digits = format!("{random:016x}").into_bytes();
    digits.try_into().expect("there are 16 digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(values: &[&str]) -> Option<Trace> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        Trace::of(&headers)
    }

    #[test]
    fn a_trace_is_taken_by_its_grammar() {
        let good = format!("00-{ID}-00f067aa0ba902b7-01");
        for (value, is_taken) in [
            (good.clone(), true),
            (good.replace("-01", "-00"), true),
            (good.replacen("00", "cc", 1), true),
            (good.replacen("00", "cc", 1) + "-more", true),
            (good.replacen("00", "cc", 1) + "more", false),
            (good.replacen("00", "ff", 1), false),
            (good.clone() + "-more", false),
            (good.clone() + "-", false),
            (good.to_uppercase(), false),
            (good.replace(ID, &"0".repeat(32)), false),
            (good.replace("00f067aa0ba902b7", &"0".repeat(16)), false),
            (good.replace('-', "_"), false),
            (good[..54].to_owned(), false),
            (good[..2].to_owned(), false),
            (String::new(), false),
        ] {
            let trace = of(&[&value]);
            assert_eq!(
                trace.map(|trace| trace.id() == ID),
                is_taken.then_some(true),
                "{value}"
            );
        }
        assert_eq!(of(&[&good, &good]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn an_answer_is_of_the_same_trace_and_a_new_span() {
        let value = format!("cc-{ID}-00f067aa0ba902b7-03-more");
        let (one, other) = (of(&[&value]).unwrap(), of(&[&value]).unwrap());
        assert_ne!(one.span(), other.span());
        let answer = one.answer();
        let expected = format!("00-{ID}-{}-03", one.span());
        assert_eq!(answer.to_str().unwrap(), expected);
        assert!(of(&[&expected]).is_some());
    }
}
