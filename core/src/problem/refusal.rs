//! Why a value is refused, before its location is known.

use super::Code;
use std::{borrow::Cow, fmt};

/// What is wrong with a value: the code and the sentence of the rule that it breaks. It becomes a
/// [`Problem`](super::Problem) where the location of the value is known:
///
/// ```text
/// AddrSpec::read(text)          Result<AddrSpec, Refusal>      the rule, which knows no location
///     .or_refuse(location, …)   Option<AddrSpec>               and a problem in the report
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: Code,
    /// One sentence, which never repeats the value.
    pub detail: Cow<'static, str>,
}

impl Refusal {
    /// With a constant sentence.
    pub const fn new(code: Code, detail: &'static str) -> Self {
        Self {
            code,
            detail: Cow::Borrowed(detail),
        }
    }

    /// With a composed sentence.
    pub const fn with_detail(code: Code, detail: String) -> Self {
        Self {
            code,
            detail: Cow::Owned(detail),
        }
    }

    /// The same refusal, naming a field: for values that break a rule only in the place where they are inserted.
    pub fn in_field(self, field: impl fmt::Display) -> Self {
        Self::with_detail(self.code, format!("In `{field}`: {}", self.detail))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}
