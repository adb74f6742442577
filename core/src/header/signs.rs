//! Signs that mean something where a header is only the template of one.

/// Which signs are in header fields as they are. Texts, names and parameters with others are encoded;
/// what cannot be encoded, such as an address, is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    /// All of them.
    All,
    /// No brackets: in a template of PowerMTA they mean a variable.
    NoBrackets,
    /// Those that the value of a variable may hold: no quotes and backslashes either.
    Definable,
}

impl Signs {
    /// Whether this one may not stand as it is.
    pub fn exclude(self, sign: char) -> bool {
        match self {
            Self::All => false,
            Self::NoBrackets => matches!(sign, '[' | ']'),
            Self::Definable => matches!(sign, '[' | ']' | '"' | '\\'),
        }
    }

    /// Whether a text holds one that may not stand as it is.
    pub fn exclude_any_of(self, text: &str) -> bool {
        self != Self::All && text.contains(|sign| self.exclude(sign))
    }
}
