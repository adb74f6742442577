//! How deep the values lie that a template gives names to.
//!
//! `{% set a = [a] %}` puts a list around what `a` was. What compares values or writes them calls itself
//! for each layer, and would overflow the stack where there are thousands of them, which ends the
//! process. So they are counted, for each variable over all tags before:
//!
//! ```text
//! {% set a = [1] %}             a: 1
//! {% set b = a|batch(2) %}      b: 2, a filter may put a list around its value
//! {% for c in [b, a] %}         c: 3
//! ```

use super::invalid;
use super::tokens::Last;
use crate::problem::Refusal;
use minijinja::machinery::Token;
use std::collections::HashMap;

/// Lists, objects, calls and filters around one another.
const MOST_LAYERS: usize = 200;

pub(super) const TOO_NESTED: Refusal = invalid(
    "What a template sets may be nested at most 200 lists, objects, calls and filters deep, \
     including those of the variables it is made from.",
);

/// The layers that the values of variables may have.
#[derive(Default)]
pub(super) struct Layers<'s> {
    known: HashMap<&'s str, usize>,
    assignment: Option<Assignment<'s>>,
}

/// A tag that gives names to values: `set a = [b]`, `for a in b`, `with a = b, c = d`.
#[derive(Default)]
struct Assignment<'s> {
    is_with: bool,
    targets: Vec<&'s str>,
    /// Whether the `=` or `in` after the targets has come.
    reads: bool,
    /// The layers of the variables that the value is made of.
    inner: usize,
    /// Those that the tag puts around them.
    outer: usize,
}

impl<'s> Layers<'s> {
    /// A block begins, with this word.
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

    /// Takes a token of a tag after its first word, with what the token before was, and how many
    /// brackets are open there.
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
