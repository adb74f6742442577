//! Parses what is between the braces.

use super::expression::{Comparison, Expression, Root, Step};
use super::fault::{DEEPEST, Fault};
use super::names::Names;
use crate::number::Number;
use crate::text::part;
use std::borrow::Cow;
use std::ops::Range;

/// The content of a pair of braces.
#[derive(Debug)]
pub(super) enum Tag<'a> {
    Value(Expression<'a>),
    If(Expression<'a>),
    ElseIf(Expression<'a>),
    Else,
    Each(Expression<'a>),
    End,
}

/// The first words of statements.
const STATEMENTS: [&str; 5] = ["if", "elseif", "else", "each", "end"];

/// Words that may not be names according to SparkPost's documentation.
const RESERVED: [&str; 19] = [
    "and", "break", "do", "each", "else", "elseif", "end", "for", "function", "if", "in", "local",
    "not", "or", "repeat", "return", "then", "until", "while",
];

/// Whether the content of the braces is a statement.
pub(super) fn is_statement(inner: &str) -> bool {
    statement_of(inner).is_some()
}

/// The first word of the content of the braces, if it is that of a statement.
pub(super) fn statement_of(inner: &str) -> Option<&str> {
    let word = name_of(inner.trim_start());
    STATEMENTS.contains(&word).then_some(word)
}

/// The letters, digits and `_` at the start of a text.
fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

pub(super) struct Parser<'t, 'a> {
    text: &'t Cow<'a, str>,
    at: usize,
    end: usize,
    depth: usize,
    /// The names of the lists of the surrounding loops.
    loops: &'t [Option<Cow<'a, str>>],
    names: &'t mut Names<'a>,
    /// The numbers of the variables that are used.
    asked: &'t mut Vec<usize>,
}

type Parsed<'t, 'a> = Result<Expression<'a>, Fault<'t>>;

impl<'t, 'a> Parser<'t, 'a> {
    /// Reads what is in this range of the text.
    pub fn new(
        text: &'t Cow<'a, str>,
        range: Range<usize>,
        loops: &'t [Option<Cow<'a, str>>],
        names: &'t mut Names<'a>,
        asked: &'t mut Vec<usize>,
    ) -> Self {
        Self {
            text,
            at: range.start,
            end: range.end,
            depth: 0,
            loops,
            names,
            asked,
        }
    }

    /// All of it.
    pub fn tag(mut self) -> Result<Tag<'a>, Fault<'t>> {
        self.skip_blanks();
        let word = name_of(self.rest());
        let tag = match word {
            "if" | "elseif" => {
                self.at += word.len();
                let condition = self.expression()?;
                self.take_word("then");
                if word == "if" {
                    Tag::If(condition)
                } else {
                    Tag::ElseIf(condition)
                }
            }
            "else" | "end" => {
                self.at += word.len();
                if word == "else" { Tag::Else } else { Tag::End }
            }
            "each" => {
                self.at += word.len();
                Tag::Each(self.expression()?)
            }
            _ => Tag::Value(self.expression()?),
        };
        self.finish()?;
        Ok(tag)
    }

    /// Nothing more follows.
    fn finish(&mut self) -> Result<(), Fault<'t>> {
        self.skip_blanks();
        if self.at == self.end {
            return Ok(());
        }
        let word = name_of(self.rest());
        if RESERVED.contains(&word) {
            return Err(Fault::Reserved(word));
        }
        let signs = ["..", "+", "-", "*", "/", "%", "^", "|"];
        let sign = signs.into_iter().find(|sign| self.rest().starts_with(sign));
        Err(sign.map_or(Fault::Form, Fault::Operator))
    }

    /// Values with `or` between them.
    fn expression(&mut self) -> Parsed<'t, 'a> {
        self.nested(|parser| parser.chain("or", Self::conjunction, Expression::Any))
    }

    fn conjunction(&mut self) -> Parsed<'t, 'a> {
        self.chain("and", Self::comparison, Expression::All)
    }

    fn chain(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Parsed<'t, 'a>,
        made: fn(Vec<Expression<'a>>) -> Expression<'a>,
    ) -> Parsed<'t, 'a> {
        let first = operand(self)?;
        if !self.take_word(word) {
            return Ok(first);
        }
        let mut operands = vec![first, operand(self)?];
        while self.take_word(word) {
            operands.push(operand(self)?);
        }
        Ok(made(operands))
    }

    fn comparison(&mut self) -> Parsed<'t, 'a> {
        let left = self.operand()?;
        let Some(comparison) = self.take_comparison() else {
            return Ok(left);
        };
        let right = self.operand()?;
        if self.take_comparison().is_some() {
            return Err(Fault::Form);
        }
        Ok(Expression::Compare(Box::new([left, right]), comparison))
    }

    /// `not x`, `#x`, or a value. `not` binds more tightly than a comparison.
    fn operand(&mut self) -> Parsed<'t, 'a> {
        self.nested(|parser| {
            if parser.take_word("not") {
                return Ok(Expression::Not(Box::new(parser.operand()?)));
            }
            if parser.take_sign("#") {
                return Ok(Expression::Length(Box::new(parser.operand()?)));
            }
            parser.value()
        })
    }

    fn value(&mut self) -> Parsed<'t, 'a> {
        self.skip_blanks();
        match self.peek() {
            Some('(') => {
                let inner = self.parenthesis()?;
                let steps = self.steps()?;
                Ok(if steps.is_empty() {
                    inner
                } else {
                    Expression::Within(Box::new(inner), steps)
                })
            }
            Some('"' | '\'') => Ok(Expression::Text(self.string()?)),
            Some(c) if c == '-' || c.is_ascii_digit() => Ok(Expression::Number(self.number()?)),
            Some(c) if c == '_' || c.is_alphabetic() => self.named(),
            _ => Err(Fault::Form),
        }
    }

    /// `( expression )`
    fn parenthesis(&mut self) -> Parsed<'t, 'a> {
        if !self.take_sign("(") {
            return Err(Fault::Form);
        }
        let inner = self.expression()?;
        if self.take_sign(")") {
            Ok(inner)
        } else {
            Err(Fault::Form)
        }
    }

    /// A word of the language, a macro or a variable.
    fn named(&mut self) -> Parsed<'t, 'a> {
        let start = self.at;
        let word = name_of(self.rest());
        self.at += word.len();
        match word {
            "nil" => return Ok(Expression::Nil),
            "true" | "false" => return Ok(Expression::Boolean(word == "true")),
            _ if RESERVED.contains(&word) => return Err(Fault::Reserved(word)),
            _ => {}
        }
        self.skip_blanks();
        if self.peek() == Some('(') {
            return self.call(word);
        }
        let root = match word {
            "loop_var" => Root::Element(self.innermost()?),
            "loop_index" => Root::Index(self.innermost()?),
            "loop_vars" => Root::Element(self.loop_of_name()?),
            _ => {
                let name = part(self.text, start..start + word.len());
                let number = self.names.number(name)?;
                self.asked.push(number);
                Root::Variable(number)
            }
        };
        Ok(Expression::Path(root, self.steps()?))
    }

    fn innermost(&self) -> Result<usize, Fault<'t>> {
        self.loops.len().checked_sub(1).ok_or(Fault::NoLoop)
    }

    /// The loop to which the name after `loop_vars` refers.
    fn loop_of_name(&mut self) -> Result<usize, Fault<'t>> {
        self.innermost()?;
        let Some(Step::Member(name) | Step::Subscript(Expression::Text(name))) = self.step()?
        else {
            return Err(Fault::NoLoopOfThisName);
        };
        let found = self
            .loops
            .iter()
            .rposition(|known| known.as_ref() == Some(&name));
        found.ok_or(Fault::NoLoopOfThisName)
    }

    /// A macro with its arguments.
    fn call(&mut self, name: &'t str) -> Parsed<'t, 'a> {
        let text = match name {
            "empty" => return Ok(Expression::IsEmpty(Box::new(self.parenthesis()?))),
            "opening_double_curly" => "{{",
            "closing_double_curly" => "}}",
            "opening_triple_curly" => "{{{",
            "closing_triple_curly" => "}}}",
            "render_dynamic_content" => return Err(Fault::NotHere("render_dynamic_content")),
            "render_snippet" => return Err(Fault::NotHere("render_snippet")),
            _ => return Err(Fault::Macro(name)),
        };
        if !(self.take_sign("(") && self.take_sign(")")) {
            return Err(Fault::Form);
        }
        Ok(Expression::Braces(text))
    }

    fn steps(&mut self) -> Result<Vec<Step<'a>>, Fault<'t>> {
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(&mut self) -> Result<Option<Step<'a>>, Fault<'t>> {
        self.skip_blanks();
        if self.rest().starts_with("..") {
            return Err(Fault::Operator(".."));
        }
        if self.take_sign("[") {
            self.names.count_part()?;
            let subscript = self.expression()?;
            return if self.take_sign("]") {
                Ok(Some(Step::Subscript(subscript)))
            } else {
                Err(Fault::Form)
            };
        }
        if !self.take_sign(".") {
            return Ok(None);
        }
        self.names.count_part()?;
        self.skip_blanks();
        let name = name_of(self.rest());
        if name.is_empty() || name.starts_with(char::is_numeric) {
            return Err(Fault::Form);
        }
        let start = self.at;
        self.at += name.len();
        Ok(Some(Step::Member(part(self.text, start..self.at))))
    }

    /// A number as JSON writes it.
    fn number(&mut self) -> Result<Number<'a>, Fault<'t>> {
        let rest = self.rest().as_bytes();
        let mut length = usize::from(rest[0] == b'-');
        while let Some(byte) = rest.get(length) {
            let is_sign = matches!(byte, b'+' | b'-') && matches!(rest[length - 1], b'e' | b'E');
            if !(byte.is_ascii_alphanumeric() || *byte == b'.' || is_sign) {
                break;
            }
            length += 1;
        }
        let start = self.at;
        self.at += length;
        Number::new(part(self.text, start..self.at)).ok_or(Fault::Form)
    }

    /// A string in single or double quotes; `\` escapes the next character, or makes it a line end or a tab.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault<'t>> {
        let quote = self.peek().ok_or(Fault::Form)?;
        self.at += 1;
        let start = self.at;
        let mut made: Option<String> = None;
        while let Some(c) = self.peek() {
            let at = self.at;
            self.at += c.len_utf8();
            if c == quote {
                return Ok(made.map_or_else(|| part(self.text, start..at), Cow::Owned));
            }
            if c != '\\' {
                if let Some(made) = &mut made {
                    made.push(c);
                }
                continue;
            }
            let meant = match self.peek() {
                Some(sign @ ('\\' | '"' | '\'')) => sign,
                Some('n') => '\n',
                Some('t') => '\t',
                _ => return Err(Fault::Form),
            };
            self.at += 1;
            made.get_or_insert_with(|| self.text[start..at].to_owned())
                .push(meant);
        }
        Err(Fault::Form)
    }

    fn take_comparison(&mut self) -> Option<Comparison> {
        const SIGNS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let mut signs = SIGNS.into_iter();
        signs.find_map(|(sign, comparison)| self.take_sign(sign).then_some(comparison))
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        let follows = self.rest().starts_with(sign);
        self.at += if follows { sign.len() } else { 0 };
        follows
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let follows = name_of(self.rest()) == word;
        self.at += if follows { word.len() } else { 0 };
        follows
    }

    /// Parses what can be nested.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Parsed<'t, 'a>) -> Parsed<'t, 'a> {
        if self.depth == DEEPEST {
            return Err(Fault::Deep);
        }
        self.names.count_part()?;
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..self.end]
    }
}
