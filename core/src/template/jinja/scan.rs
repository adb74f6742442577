//! Finds the parts of a template outside of all its tags, and refuses what is nested too deeply.
//!
//! The pieces are minijinja's own tokens, so that there is only one opinion on where a tag ends. Its parser and
//! compiler recurse for each operator of an expression: a long chain of them would overflow the stack, which ends the
//! process. So their number is limited before either is called. And its fuel does not account for lists made from
//! lists: what could make them without end (`*` of lists, recursive loops; macros and namespaces do not exist at all)
//! is refused, and the rest is limited. `docs/minijinja.md` has the smallest template of each kind, and what was
//! measured.

use super::invalid;
use super::layers::Layers;
use super::operands::{self, Insertion, UNBOUNDED};
use super::refusals::no_template;
use super::source::Source;
use super::tokens::{Last, is_operator};
use crate::problem::Refusal;
use minijinja::machinery::{Span, Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use std::ops::Range;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Section {
    /// Text that is written literally, once.
    Text(Range<usize>),
    /// One or more tags, and what is within a block.
    Tags {
        range: Range<usize>,
        /// It is a single `{{ … }}`, in a template without assignments.
        is_pure: bool,
    },
}

/// Operators, calls and subscripts in one tag.
const MOST_OPERATORS: usize = 200;
/// `elif` and `else` in one template.
const MOST_BRANCHES: usize = 200;
/// How many values lists that are made from each other can have: each `+` can double a list, and each list literal can
/// contain another one as often as it has elements.
const MOST_GROWTH: u64 = 1 << 20;

const TOO_DEEP: Refusal = invalid(
    "A tag of a template may have at most 200 operators, and a template at most 200 branches and \
     lists of a million values.",
);

/// Tags that open a block, which is closed by `end` and the same name.
const BLOCKS: [&str; 8] = [
    "if",
    "for",
    "with",
    "filter",
    "autoescape",
    "macro",
    "call",
    "set",
];

/// The result for a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// The pieces.
    pub sections: Vec<Section>,
    /// Insertions for operands.
    pub insertions: Vec<Insertion>,
    /// Parts that can be evaluated separately, if they have no variables.
    pub units: Vec<Unit>,
}

/// A `{{ … }}`, a block with everything in it, or a whole template in which variables are reassigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub range: Range<usize>,
    /// It is not within a block.
    pub is_whole: bool,
}

/// Examines a template.
pub(super) fn scan(source: &str, syntax: &SyntaxConfig) -> Result<Scan, Refusal> {
    let mut scanner = Scanner {
        growth: 1,
        ..Scanner::default()
    };
    let mut insertions = Vec::new();
    // Those of the tag that is being read.
    let mut tokens = Vec::new();
    for token in tokenize(source, false, syntax.clone()) {
        let unread = |error| no_template(&error, &Source::new(source, &[]));
        let (token, span) = token.map_err(unread)?;
        scanner.take(&token, span)?;
        if matches!(token, Token::TemplateData(_)) {
            continue;
        }
        let is_end = matches!(token, Token::VariableEnd | Token::BlockEnd);
        tokens.push((token, span));
        if is_end {
            operands::insertions(&tokens, &mut insertions)?;
            tokens.clear();
        }
    }
    let mut sections = scanner.sections;
    if scanner.sets {
        scanner.units.retain(|unit| !unit.is_whole);
        scanner.units.push(Unit {
            range: 0..source.len(),
            is_whole: true,
        });
        for section in &mut sections {
            if let Section::Tags { is_pure, .. } = section {
                *is_pure = false;
            }
        }
    }
    Ok(Scan {
        sections,
        insertions,
        units: scanner.units,
    })
}

#[derive(Default)]
struct Scanner<'s> {
    sections: Vec<Section>,
    units: Vec<Unit>,
    /// The start of the open block among them.
    block: usize,
    /// How many blocks are open.
    depth: usize,
    branches: usize,
    growth: u64,
    /// Variables are reassigned.
    sets: bool,
    layers: Layers<'s>,
    tag: Tag,
}

/// The current tag.
#[derive(Default)]
struct Tag {
    start: usize,
    is_block: bool,
    /// Its first word.
    word: Option<Word>,
    operators: usize,
    assigns: bool,
    /// For each open bracket, whether it is a list or an object literal, and its commas.
    brackets: Vec<(bool, u64)>,
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Set,
    Opens,
    Closes,
    Branch,
    Other,
}

impl Word {
    fn of(word: &str) -> Self {
        match word {
            "set" => Self::Set,
            "elif" | "else" => Self::Branch,
            word if BLOCKS.contains(&word) => Self::Opens,
            word if word
                .strip_prefix("end")
                .is_some_and(|of| BLOCKS.contains(&of)) =>
            {
                Self::Closes
            }
            _ => Self::Other,
        }
    }
}

impl<'s> Scanner<'s> {
    fn take(&mut self, token: &Token<'s>, span: Span) -> Result<(), Refusal> {
        let range = span.start_offset as usize..span.end_offset as usize;
        match token {
            Token::TemplateData(_) if self.depth > 0 || range.is_empty() => {}
            Token::TemplateData(_) => self.sections.push(Section::Text(range)),
            Token::VariableStart | Token::BlockStart => {
                self.tag = Tag {
                    start: range.start,
                    is_block: matches!(token, Token::BlockStart),
                    ..Tag::default()
                };
            }
            Token::VariableEnd | Token::BlockEnd => self.end_tag(range.end)?,
            Token::Ident(word) if self.tag.is_block && self.tag.word.is_none() => {
                self.tag.word = Some(Word::of(word));
                self.layers.begin(word);
            }
            token => {
                let Tag { last, brackets, .. } = &self.tag;
                self.layers.take(token, *last, brackets.len())?;
                self.take_of_tag(token)?;
            }
        }
        Ok(())
    }

    fn take_of_tag(&mut self, token: &Token<'_>) -> Result<(), Refusal> {
        let tag = &mut self.tag;
        tag.assigns |= matches!(token, Token::Assign);
        tag.operators += usize::from(is_operator(token));
        match token {
            Token::Pow | Token::Ident("recursive") => return Err(UNBOUNDED),
            Token::Plus => self.growth = self.growth.saturating_mul(2),
            Token::BracketOpen => tag.brackets.push((tag.last != Last::Value, 0)),
            Token::ParenOpen => tag.brackets.push((tag.last != Last::Filter, 0)),
            Token::BraceOpen => tag.brackets.push((true, 0)),
            Token::BracketClose | Token::BraceClose | Token::ParenClose => {
                if let Some((true, commas)) = tag.brackets.pop() {
                    self.growth = self.growth.saturating_mul(commas + 1);
                }
            }
            Token::Comma => {
                if let Some((_, commas)) = tag.brackets.last_mut() {
                    *commas += 1;
                }
            }
            _ => {}
        }
        tag.last = Last::of(token, tag.last);
        if tag.operators > MOST_OPERATORS || self.growth > MOST_GROWTH {
            return Err(TOO_DEEP);
        }
        Ok(())
    }

    fn end_tag(&mut self, end: usize) -> Result<(), Refusal> {
        self.layers.end()?;
        let Tag {
            start,
            is_block,
            word,
            assigns,
            ..
        } = std::mem::take(&mut self.tag);
        // `{% set x = 1 %}` has no body.
        let opens = word == Some(Word::Opens) || (word == Some(Word::Set) && !assigns);
        self.sets |= is_block && matches!(word, Some(Word::Set | Word::Other));
        self.add_unit(start..end, is_block);
        if self.depth == 0 || self.sections.is_empty() {
            self.add_tags(start..end, !is_block);
        } else if let Some(Section::Tags { range, .. }) = self.sections.last_mut() {
            range.end = end;
        }
        if opens {
            self.depth += 1;
        } else if word == Some(Word::Closes) {
            self.depth = self.depth.saturating_sub(1);
        } else if word == Some(Word::Branch) {
            self.branches += 1;
        }
        if self.branches > MOST_BRANCHES {
            return Err(TOO_DEEP);
        }
        Ok(())
    }

    fn add_unit(&mut self, range: Range<usize>, is_block: bool) {
        let is_whole = self.depth == 0;
        if is_whole {
            self.block = self.units.len();
        } else if let Some(block) = self.units.get_mut(self.block) {
            block.range.end = range.end;
        }
        if is_whole || !is_block {
            self.units.push(Unit { range, is_whole });
        }
    }

    /// Appends tags to the preceding ones.
    fn add_tags(&mut self, range: Range<usize>, is_pure: bool) {
        if let Some(Section::Tags {
            range: before,
            is_pure,
        }) = self.sections.last_mut()
        {
            before.end = range.end;
            *is_pure = false;
        } else {
            self.sections.push(Section::Tags { range, is_pure });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layers::TOO_NESTED;
    use super::*;

    fn sections(source: &str) -> Vec<&str> {
        scan(source, &SyntaxConfig::default())
            .unwrap()
            .sections
            .into_iter()
            .map(|section| match section {
                Section::Text(range) | Section::Tags { range, .. } => &source[range],
            })
            .collect()
    }

    #[test]
    fn text_and_tags_are_told_apart() {
        for (source, expected) in [
            ("a", &["a"] as &[_]),
            ("a {{ b }} c", &["a ", "{{ b }}", " c"]),
            (
                "{{ '}}' }}{{ {\"a\": {}}.b }}",
                &["{{ '}}' }}{{ {\"a\": {}}.b }}"],
            ),
            (
                "a{% if b %}c{% else %}d{% endif %}e",
                &["a", "{% if b %}c{% else %}d{% endif %}", "e"],
            ),
            ("a{# {{ #}b", &["a", "b"]),
            (
                "a \n{%- if b -%} c {%- endif -%}\n d {# #} e",
                &["a", "{%- if b -%} c {%- endif -%}", "d ", " e"],
            ),
            (
                "a{% raw %}{{ b }}{% if %}{% endraw %}c",
                &["a", "{{ b }}{% if %}", "c"],
            ),
            (
                "{% set a = 1 %}b{% set c %}d{% endset %}",
                &["{% set a = 1 %}", "b", "{% set c %}d{% endset %}"],
            ),
            ("a { b } {", &["a { b } {"]),
            (
                "{% for a in b %}{{ c }}d{% endfor %}",
                &["{% for a in b %}{{ c }}d{% endfor %}"],
            ),
        ] {
            assert_eq!(sections(source), expected, "{source}");
        }
    }

    #[test]
    fn long_chains_are_refused() {
        for link in ["not ", "-", "(", "[", "1-", "1 if 2 else ", "1 and "] {
            let source = format!("{{{{ {}x }}}}", link.repeat(201));
            let found = scan(&source, &SyntaxConfig::default());
            assert_eq!(found, Err(TOO_DEEP), "{link}");
        }
        for link in [".a", "|e", "[0]", "()", " is defined", "~x", " in x"] {
            let source = format!("{{% set y = x{} %}}", link.repeat(201));
            let found = scan(&source, &SyntaxConfig::default());
            assert_eq!(found, Err(TOO_DEEP), "{link}");
        }
        let branches = format!("{{% if x %}}{}", "{% elif x %}".repeat(201));
        assert!(scan(&branches, &SyntaxConfig::default()).is_err());
        let list = format!("{{{{ [{}] }}}}", "1, ".repeat(10_000));
        assert!(scan(&list, &SyntaxConfig::default()).is_ok());
    }

    #[test]
    fn values_wrapped_again_and_again_are_bounded() {
        for (source, times) in [
            ("{% set a = [a] %}", 200),
            ("{% set a = [[a]] %}", 100),
            ("{% set a = {'x': a} %}", 200),
            ("{% set a = a|batch(1) %}", 200),
            ("{% set a = dict(x=a) %}", 200),
            ("{% set b = [a] %}{% set a = [b] %}", 100),
            ("{% with b = 1, c = [a] %}{% set a = c %}{% endwith %}", 200),
            ("{% for b in [[a]] %}{% set a = b %}{% endfor %}", 100),
            (
                "{% for b in [[a]] %}{% set a = loop.previtem %}{% endfor %}",
                100,
            ),
        ] {
            let found = scan(&source.repeat(times), &SyntaxConfig::default());
            assert!(found.is_ok(), "{source}: {found:?}");
            let found = scan(&source.repeat(times + 1), &SyntaxConfig::default());
            assert_eq!(found, Err(TOO_NESTED), "{source}");
        }
        let flat =
            "{% set b = a|first %}{% set c = b|default('x') %}{% for d in a|sort %}{% endfor %}";
        assert!(scan(&flat.repeat(1_000), &SyntaxConfig::default()).is_ok());
    }

    #[test]
    fn lists_made_of_lists_are_bounded() {
        for (source, is_taken) in [
            ("{% set a = a + a %}".repeat(20), true),
            ("{% set a = a + a %}".repeat(21), false),
            ("{% set a = [a, a, a, a] %}".repeat(10), true),
            ("{% set a = [a, a, a, a] %}".repeat(11), false),
            ("{% set a = dict(x=a, y=a) %}".repeat(21), false),
            ("{% set a = (a, a) %}".repeat(21), false),
            (
                "{{ a[1] }}{{ a|replace('x', 'y') }}{{ (1 - b) }}".repeat(40),
                true,
            ),
            ("{{ [1] ** 2 }}".to_owned(), false),
            (
                "{% for a in b recursive %}{{ loop(a) }}{% endfor %}".to_owned(),
                false,
            ),
        ] {
            let found = scan(&source, &SyntaxConfig::default());
            assert_eq!(found.is_ok(), is_taken, "{source}");
        }
    }
}
