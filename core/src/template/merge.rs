//! The language `merge`: `{{ name }}`, `{{ name | default: "friend" }}`, `{{ "literal" }}`, and with
//! three braces a value that is HTML already.

use super::{Slot, TemplateText, TextKind, html};
use crate::problem::{Code, Refusal};
use crate::syntax::to_lf;
use crate::text::part;
use std::borrow::Cow;

/// A variable that a text refers to, with the default that it gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reference<'a> {
    /// The variable's name; dots lead into objects.
    pub path: Cow<'a, str>,
    /// What stands for it where it is absent.
    pub default: Option<Cow<'a, str>>,
}

const FORM: Refusal = Refusal::new(
    Code::InvalidTemplate,
    "A placeholder is written `{{ name }}` or `{{ name | default: \"text\" }}`, with three braces \
     for a value that is HTML; `{{ \"{{\" }}` writes two braces.",
);

/// Takes a text apart. `number` gives the number of a value. An error says what a placeholder looks
/// like.
pub(super) fn parse<'a>(
    text: &Cow<'a, str>,
    kind: TextKind,
    mut number: impl FnMut(Reference<'a>) -> usize,
) -> Result<TemplateText<'a>, Refusal> {
    let mut template = TemplateText::default();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        template.push_literal(part(text, at..open));
        let is_html = text[open..].starts_with("{{{");
        let closing = if is_html { "}}}" } else { "}}" };
        let mut parser = Parser {
            text,
            at: open + closing.len(),
        };
        let escaped = kind == TextKind::Html && !is_html;
        match parser.expression()? {
            Expression::Literal(literal) if escaped => {
                template.push_literal(html::escaped(&literal).into());
            }
            Expression::Literal(literal) => template.push_literal(literal),
            Expression::Value(reference) => template.push_slot(Slot {
                value: number(reference),
                escaped,
            }),
        }
        parser.skip_blanks();
        parser.word(closing)?;
        at = parser.at;
    }
    template.push_literal(part(text, at..text.len()));
    Ok(template)
}

enum Expression<'a> {
    Literal(Cow<'a, str>),
    Value(Reference<'a>),
}

struct Parser<'t, 'a> {
    text: &'t Cow<'a, str>,
    at: usize,
}

impl<'a> Parser<'_, 'a> {
    fn expression(&mut self) -> Result<Expression<'a>, Refusal> {
        self.skip_blanks();
        if matches!(self.peek(), Some('"' | '\'')) {
            return self.string().map(Expression::Literal);
        }
        let path = self.path()?;
        self.skip_blanks();
        let mut default = None;
        if self.peek() == Some('|') {
            self.at += 1;
            self.skip_blanks();
            self.word("default")?;
            self.skip_blanks();
            self.word(":")?;
            self.skip_blanks();
            default = Some(to_lf(self.string()?));
        }
        Ok(Expression::Value(Reference { path, default }))
    }

    /// A letter or `_`, then letters, digits and `_`; dots between names.
    fn path(&mut self) -> Result<Cow<'a, str>, Refusal> {
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
            return Err(FORM);
        }
        Ok(part(self.text, start..self.at))
    }

    /// A text in quotes of either kind; there are no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Refusal> {
        let quote = self
            .peek()
            .filter(|c| matches!(c, '"' | '\''))
            .ok_or(FORM)?;
        let start = self.at + 1;
        let length = self.rest(start).find(quote).ok_or(FORM)?;
        self.at = start + length + 1;
        Ok(part(self.text, start..start + length))
    }

    fn word(&mut self, word: &str) -> Result<(), Refusal> {
        if !self.rest(self.at).starts_with(word) {
            return Err(FORM);
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

    fn rest(&self, at: usize) -> &str {
        &self.text[at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, kind: TextKind) -> Result<(String, Vec<String>), Refusal> {
        let mut names = Vec::new();
        let text = Cow::Borrowed(text);
        let template = parse(&text, kind, |reference| {
            names.push(match reference.default {
                Some(default) => format!("{}={default}", reference.path),
                None => reference.path.into_owned(),
            });
            names.len() - 1
        })?;
        Ok((template.fill(|_| "<v>"), names))
    }

    #[test]
    fn placeholders_are_found_and_nothing_else() {
        for (text, filled, names) in [
            ("", "", &[] as &[_]),
            ("a } }} { {% {# b", "a } }} { {% {# b", &[]),
            ("Hi {{ name }}!", "Hi &lt;v&gt;!", &["name"]),
            ("{{a}}{{ b1_c.d }}", "&lt;v&gt;&lt;v&gt;", &["a", "b1_c.d"]),
            (
                "{{{ a }}} {{{b|default:'<i>'}}}",
                "<v> <v>",
                &["a", "b=<i>"],
            ),
            (
                "{{ größe | default : \"x }}\" }}",
                "&lt;v&gt;",
                &["größe=x }}"],
            ),
            ("{{ \"{{\" }}x{{ '<' }}{{{ '<' }}}", "{{x&lt;<", &[]),
            ("{{\n a\t}}}", "&lt;v&gt;}", &["a"]),
        ] {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let expected = (filled.to_owned(), names);
            assert_eq!(parsed(text, TextKind::Html), Ok(expected), "{text}");
        }
        assert_eq!(parsed("{{ a }}", TextKind::Text).unwrap().0, "<v>");
    }

    #[test]
    fn what_is_no_placeholder_is_refused() {
        for text in [
            "{{",
            "{{ }}",
            "{{ a",
            "{{ a }",
            "{{ a b }}",
            "{{ 1a }}",
            "{{ a. }}",
            "{{ a..b }}",
            "{{ .a }}",
            "{{ a | upper }}",
            "{{ a | default }}",
            "{{ a | default: x }}",
            "{{ \"a }}",
            "{{{ a }}",
            "{{ a-b }}",
            "{{{{ a }}}}",
            "{{ a | default: \"x\" | default: \"y\" }}",
        ] {
            assert_eq!(parsed(text, TextKind::Text), Err(FORM), "{text}");
        }
    }
}
