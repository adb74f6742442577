//! The envelope sender.

use super::AddrSpec;
use crate::problem::{Code, Refusal};
use crate::text::without_angle_brackets;
use std::borrow::Cow;

/// Where bounces go (RFC 5321 section 4.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReversePath<'a> {
    /// `<>`: nobody is told about failures.
    Null,
    /// Bounces go to this address.
    Address(AddrSpec<'a>),
}

impl<'a> ReversePath<'a> {
    /// Parses an address with or without angle brackets.
    pub fn read(text: &Cow<'a, str>) -> Result<Self, Refusal> {
        let Some(bare) = without_angle_brackets(text) else {
            return Err(Refusal::new(
                Code::InvalidAddress,
                "The angle bracket is not closed.",
            ));
        };
        if bare.is_empty() && !text.is_empty() {
            return Ok(Self::Null);
        }
        AddrSpec::read(bare).map(Self::Address)
    }

    /// `None` for the null reverse-path.
    pub fn address(&self) -> Option<&AddrSpec<'a>> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_be_in_angle_brackets() {
        assert_eq!(ReversePath::read(&"<>".into()), Ok(ReversePath::Null));
        for text in ["<ann@example.com>", "ann@example.com"] {
            let path = ReversePath::read(&text.into()).unwrap();
            let address = AddrSpec::parse("ann@example.com").unwrap();
            assert_eq!(path, ReversePath::Address(address));
        }
        for text in ["<", "<ann@example.com", "<<>>", "ann@example.com>", "<> "] {
            assert!(ReversePath::read(&text.into()).is_err(), "{text}");
        }
    }
}
