//! Characters that have a meaning in a header that is a template.

/// The characters that header fields contain as they are. Texts, names and parameters with others are encoded; what
/// cannot be encoded, such as an address, is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    /// All of them.
    All,
    /// No brackets: in a template of PowerMTA they start and end a variable.
    NoBrackets,
    /// Those that the value of a variable may contain: no quotes and backslashes either.
    Definable,
}

impl Signs {
    /// Whether this character must be encoded.
    pub fn exclude(self, sign: char) -> bool {
        match self {
            Self::All => false,
            Self::NoBrackets => matches!(sign, '[' | ']'),
            Self::Definable => matches!(sign, '[' | ']' | '"' | '\\'),
        }
    }

    /// Whether a text contains a character that must be encoded.
    pub fn exclude_any_of(self, text: &str) -> bool {
        self != Self::All && text.contains(|sign| self.exclude(sign))
    }
}
