//! Upper and lower case by Unicode, independent of any language.

/// Which letters become upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Case {
    Upper,
    Lower,
    /// The first of the text.
    Capitalized,
    /// The first of each word.
    Title,
}

impl Case {
    pub fn apply(self, text: &str) -> String {
        match self {
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Capitalized => capitalized(text),
            Self::Title => titled(text),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.collect::<String>() + &characters.as_str().to_lowercase()
}

/// Words start where they do in Jinja: after white space, `-` and opening brackets.
fn titled(text: &str) -> String {
    let begins = |c: char| c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(begins) {
        out.push_str(&capitalized(word));
    }
    out
}
