//! The role of minijinja's tokens in an expression.

use minijinja::machinery::Token;

/// The previous token.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    #[default]
    Other,
    /// It can be called, or have a subscript.
    Value,
    Pipe,
    /// The name of a filter, after the pipe.
    Filter,
}

impl Last {
    pub fn of(token: &Token<'_>, before: Self) -> Self {
        match token {
            Token::Pipe => Self::Pipe,
            Token::Ident(_) if before == Self::Pipe => Self::Filter,
            Token::Ident(word) if is_keyword(word) => Self::Other,
            Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::ParenClose
            | Token::BracketClose
            | Token::BraceClose => Self::Value,
            _ => Self::Other,
        }
    }
}

/// Whether this token nests an expression.
pub(super) fn is_operator(token: &Token<'_>) -> bool {
    match token {
        Token::Ident(word) => is_keyword(word),
        Token::Str(_)
        | Token::String(_)
        | Token::Int(_)
        | Token::Int128(_)
        | Token::Float(_)
        | Token::Comma
        | Token::Colon
        | Token::Assign
        | Token::ParenClose
        | Token::BracketClose
        | Token::BraceClose => false,
        _ => true,
    }
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "not" | "and" | "or" | "is" | "in" | "if" | "else")
}
