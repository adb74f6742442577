//! Reads what is between the braces.

use super::super::filters::{Argument, Arguments, Filter, Operand, ValueFault, Work, filter_of};
use super::Reference;
use super::fault::Fault;
use crate::syntax::to_lf;
use crate::text::part;
use std::borrow::Cow;

/// What is inserted.
pub(super) enum Expression<'a> {
    /// Known without any variable.
    Literal(Cow<'a, str>),
    Value(Reference<'a>),
}

pub(super) struct Parser<'t, 'a> {
    text: &'t Cow<'a, str>,
    /// The end of what was read.
    pub at: usize,
    /// The start of the last filter's name.
    pub filter_at: usize,
    /// The work that the filters of the text may still do.
    pub work: Work,
}

impl<'t, 'a> Parser<'t, 'a> {
    /// Reads from there.
    pub fn new(text: &'t Cow<'a, str>, at: usize, work: Work) -> Self {
        Self {
            text,
            at,
            filter_at: at,
            work,
        }
    }

    /// An expression, and what ends it.
    pub fn placeholder(&mut self, closing: &str) -> Result<Expression<'a>, Fault<'t>> {
        let expression = self.expression()?;
        self.skip_blanks();
        self.word(closing)?;
        Ok(expression)
    }

    /// A name or a literal, and filters.
    fn expression(&mut self) -> Result<Expression<'a>, Fault<'t>> {
        self.skip_blanks();
        let mut value = match self.peek() {
            Some('"' | '\'') => Operand::Text(to_lf(self.string()?)),
            Some(c) if c == '-' || c.is_ascii_digit() => Operand::Number(self.number()?),
            _ => {
                let path = self.path()?;
                return self.reference(path).map(Expression::Value);
            }
        };
        while let Some((name, filter)) = self.filter()? {
            value = apply(&mut self.work, &filter, name, value)?;
        }
        // `default: nil` in place of an empty text.
        let text = value.into_text().unwrap_or_default();
        Ok(Expression::Literal(text))
    }

    fn reference(&mut self, path: Cow<'a, str>) -> Result<Reference<'a>, Fault<'t>> {
        let mut filters = Vec::new();
        // What is put in where the variable is absent is known already.
        let mut absent = Operand::Absent;
        while let Some((name, filter)) = self.filter()? {
            absent = apply(&mut self.work, &filter, name, absent)?;
            filters.push((name, filter));
        }
        Ok(Reference { path, filters })
    }

    /// `| name: argument, name: argument`
    fn filter(&mut self) -> Result<Option<(&'static str, Filter)>, Fault<'t>> {
        self.skip_blanks();
        if self.peek() != Some('|') {
            return Ok(None);
        }
        self.at += 1;
        self.skip_blanks();
        let name = self.name();
        if name.is_empty() {
            return Err(Fault::Form);
        }
        self.filter_at = self.at;
        let (name, row) = filter_of(name).ok_or(Fault::Filter(name))?;
        self.at += name.len();
        let filter = self
            .arguments()
            .and_then(|arguments| row.prepare(arguments).ok());
        Ok(Some((name, filter.ok_or(Fault::Arguments(row))?)))
    }

    /// `: argument, name: argument`; none where there is no colon.
    fn arguments(&mut self) -> Option<Arguments> {
        let mut arguments = Arguments::default();
        self.skip_blanks();
        if self.peek() != Some(':') {
            // Where brackets follow, as in Jinja, the filter is told how it is written here.
            return (self.peek() != Some('(')).then_some(arguments);
        }
        loop {
            self.at += 1;
            self.skip_blanks();
            let name = self.name();
            let behind = self.at + name.len();
            let rest = self.rest(behind);
            if !name.is_empty() && rest.trim_start().starts_with(':') {
                self.at = behind + (rest.len() - rest.trim_start().len()) + 1;
                self.skip_blanks();
                let argument = self.argument()?;
                arguments.named.push((name.to_owned(), argument));
            } else {
                arguments.positional.push_back(self.argument()?);
            }
            self.skip_blanks();
            if self.peek() != Some(',') {
                return Some(arguments);
            }
        }
    }

    fn argument(&mut self) -> Option<Argument> {
        Some(match self.peek()? {
            '"' | '\'' => Argument::Text(to_lf(self.string().ok()?).into_owned()),
            c if c == '-' || c.is_ascii_digit() => {
                Argument::Number(self.number().ok()?.into_owned())
            }
            _ => {
                let name = self.name();
                self.at += name.len();
                match name {
                    "true" => Argument::Boolean(true),
                    "false" => Argument::Boolean(false),
                    "nil" | "null" => Argument::Nil,
                    _ => return None,
                }
            }
        })
    }

    /// The letters, digits and `_` that follow.
    fn name(&self) -> &'t str {
        let rest = self.rest(self.at);
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        &rest[..end.unwrap_or(rest.len())]
    }

    /// `-12.50`, as written.
    fn number(&mut self) -> Result<Cow<'a, str>, Fault<'t>> {
        let rest = self.rest(self.at).as_bytes();
        let digits = |from: usize| {
            let digits = rest[from..].iter().take_while(|byte| byte.is_ascii_digit());
            digits.count()
        };
        let sign = usize::from(rest.first() == Some(&b'-'));
        let mut length = sign + digits(sign);
        if length == sign {
            return Err(Fault::Form);
        }
        if rest.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
        }
        let start = self.at;
        self.at += length;
        Ok(part(self.text, start..self.at))
    }

    /// A letter or `_`, then letters, digits and `_`; dots between names.
    fn path(&mut self) -> Result<Cow<'a, str>, Fault<'t>> {
        let start = self.at;
        let mut is_first = true;
        while let Some(c) = self.peek() {
            match c {
                '_' => is_first = false,
                c if c.is_alphabetic() || (!is_first && c.is_alphanumeric()) => is_first = false,
                '.' if !is_first => is_first = true,
                _ => break,
            }
            self.at += c.len_utf8();
        }
        if is_first {
            return Err(Fault::Form);
        }
        Ok(part(self.text, start..self.at))
    }

    /// A string in single or double quotes; there are no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault<'t>> {
        let quote = self
            .peek()
            .filter(|c| matches!(c, '"' | '\''))
            .ok_or(Fault::Form)?;
        let start = self.at + 1;
        let length = self.rest(start).find(quote).ok_or(Fault::Form)?;
        self.at = start + length + 1;
        Ok(part(self.text, start..start + length))
    }

    fn word(&mut self, word: &str) -> Result<(), Fault<'t>> {
        if !self.rest(self.at).starts_with(word) {
            return Err(Fault::Form);
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest(self.at);
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.rest(self.at).chars().next()
    }

    fn rest(&self, at: usize) -> &'t str {
        &self.text[at..]
    }
}

fn apply<'v>(
    work: &mut Work,
    filter: &Filter,
    name: &'static str,
    value: Operand<'v>,
) -> Result<Operand<'v>, Fault<'static>> {
    let told = |fault: ValueFault| Fault::Value {
        filter: name,
        fault,
    };
    work.apply(filter, value).map_err(told)
}
