//! Positions in files written by people.

use serde::Serialize;

/// A position in a text, counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[cfg(feature = "preview")]
impl Place {
    /// The place of a byte.
    pub fn of(text: &str, at: usize) -> Self {
        let (line, column) = position(text, at);
        Self { line, column }
    }

    /// The place after a character that is here.
    pub fn behind(self, character: char) -> Self {
        match character {
            '\n' => Self {
                line: self.line + 1,
                column: 1,
            },
            _ => Self {
                column: self.column + 1,
                ..self
            },
        }
    }
}

/// Line and column of a position in a text, counted from 1; columns are characters.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}
