//! Content identifiers (RFC 2045 section 7, RFC 2392).

use crate::problem::{Code, Refusal};
use crate::syntax::{holds_encoded_word, is_atext};
use crate::text::without_angle_brackets;
use std::borrow::Cow;

const LONGEST: usize = 200;

/// The name by which HTML refers to a part: `cid:logo` for `logo`. Without angle brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ContentId<'a>(Cow<'a, str>);

impl<'a> ContentId<'a> {
    /// Parses what `cid:` URLs contain in practice: the characters of an address, with or without an `@`, in angle
    /// brackets or not.
    pub fn parse(text: &Cow<'a, str>) -> Result<Self, Refusal> {
        const SYNTAX: Refusal = Refusal::new(
            Code::InvalidContentId,
            "A content id must be at most 200 letters, digits, dots and a few other characters.",
        );
        let bare = without_angle_brackets(text).ok_or(SYNTAX)?;
        let fits = |c: char| c.is_ascii() && (is_atext(c) || ".@:".contains(c));
        if bare.is_empty()
            || bare.len() > LONGEST
            || !bare.chars().all(fits)
            || holds_encoded_word(&bare)
        {
            return Err(SYNTAX);
        }
        Ok(Self(bare))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
