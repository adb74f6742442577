//! How deeply the values are nested to which a template gives names.
//!
//! `{% set a = [a] %}` wraps the old value of `a` in a list. Code that compares or writes values recurses into each
//! level, and would overflow the stack with thousands of them, which ends the process. So levels are counted, for each
//! variable over all preceding tags:
//!
//! ```text
//! {% set a = [1] %}             a: 1
//! {% set b = a|batch(2) %}      b: 2, a filter may wrap its value in a list
//! {% for c in [b, a] %}         c: 3
//! ```

use super::invalid;
use super::tokens::Last;
use crate::problem::Refusal;
use minijinja::machinery::Token;
use std::collections::HashMap;

/// Nested lists, objects, calls and filters.
const MOST_LAYERS: usize = 200;

pub(super) const TOO_NESTED: Refusal = invalid(
    "What a template sets may be nested at most 200 lists, objects, calls and filters deep, \
     including those of the variables it is made from.",
);

/// The levels that the values of variables can have.
#[derive(Default)]
pub(super) struct Layers<'s> {
    known: HashMap<&'s str, usize>,
    assignment: Option<Assignment<'s>>,
}

/// A tag that assigns values to names: `set a = [b]`, `for a in b`, `with a = b, c = d`.
#[derive(Default)]
struct Assignment<'s> {
    is_with: bool,
    targets: Vec<&'s str>,
    /// Whether the `=` or `in` after the targets has come.
    reads: bool,
    /// The levels of the variables in the value.
    inner: usize,
    /// The levels that the tag adds.
    outer: usize,
}

impl<'s> Layers<'s> {
    /// A block starts with this word.
    pub fn begin(&mut self, word: &str) {
        self.assignment = matches!(word, "set" | "for" | "with").then(|| Assignment {
            is_with: word == "with",
            // `loop.previtem` and its like are values of the list.
            targets: if word == "for" {
                vec!["loop"]
            } else {
                Vec::new()
            },
            ..Assignment::default()
        });
    }

    /// Takes a token of a tag after its first word, with the previous token, and how many brackets are open there.
    pub fn take(
        &mut self,
        token: &Token<'s>,
        before: Last,
        open_brackets: usize,
    ) -> Result<(), Refusal> {
        let Some(assignment) = &mut self.assignment else {
            return Ok(());
        };
        match token {
            Token::Assign | Token::Ident("in") => assignment.reads = true,
            Token::Ident(name) if !assignment.reads => assignment.targets.push(name),
            Token::Ident(name) if before != Last::Pipe => {
                let layers = self.known.get(name).copied().unwrap_or(0);
                assignment.inner = assignment.inner.max(layers);
            }
            Token::Pipe => assignment.outer += 1,
            Token::BracketOpen | Token::BraceOpen | Token::ParenOpen => {
                assignment.outer += usize::from(before != Last::Filter);
            }
            Token::Comma if assignment.is_with && open_brackets == 0 => {
                assignment.reads = false;
                return self.assign();
            }
            _ => {}
        }
        Ok(())
    }

    /// The tag ends.
    pub fn end(&mut self) -> Result<(), Refusal> {
        let assigned = self.assign();
        self.assignment = None;
        assigned
    }

    fn assign(&mut self) -> Result<(), Refusal> {
        let Some(assignment) = &mut self.assignment else {
            return Ok(());
        };
        let layers = assignment.inner + assignment.outer;
        for target in assignment.targets.drain(..) {
            let known = self.known.entry(target).or_default();
            // Another branch or block may have given it more.
            *known = layers.max(*known);
        }
        if layers > MOST_LAYERS {
            return Err(TOO_NESTED);
        }
        Ok(())
    }
}
