//! The language `merge`: `{{ name }}`, `{{ name | default: "friend" }}`, `{{ "literal" }}`, and with
//! three braces a value that is HTML already.

use super::place::{Place, sayable};
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

/// Why something is no placeholder.
#[derive(Debug, PartialEq, Eq)]
enum Fault<'t> {
    /// It is not written like one.
    Form,
    /// It has this filter, which the language does not know.
    Filter(&'t str),
    /// It is a tag of another language.
    Tag,
}

impl Fault<'_> {
    fn at(&self, place: Place) -> Refusal {
        let detail = match self {
            Self::Form => format!(
                "In {place} a placeholder is not written `{{{{ name }}}}` or `{{{{ name | default: \
                 \"text\" }}}}`, with three braces for a value that is HTML; `{{{{ \"{{{{\" }}}}` \
                 writes two braces."
            ),
            Self::Filter(name) => {
                let name = sayable(name).map_or_else(String::new, |name| format!(" `{name}`"));
                format!(
                    "In {place} there is a filter{name}, and this language has `default: \"text\"` \
                     alone; `\"template\": \"jinja\"` has many."
                )
            }
            Self::Tag => format!(
                "In {place} there is a tag of another language, which readers would see; \
                 `\"template\": \"jinja\"` has conditions and loops, and `{{{{ \"{{%\" }}}}` writes \
                 the signs themselves."
            ),
        };
        Refusal::with_detail(Code::InvalidTemplate, detail)
    }
}

/// Takes a text apart. `number` gives the number of a value. An error says what is no placeholder,
/// and where.
pub(super) fn parse<'a>(
    text: &Cow<'a, str>,
    kind: TextKind,
    mut number: impl FnMut(Reference<'a>, Place) -> usize,
) -> Result<TemplateText<'a>, Refusal> {
    let mut template = TemplateText::default();
    let mut place = Place::START;
    let mut at = 0;
    while let Some(open) = tag_start(text, at) {
        place.advance(&text[at..open]);
        template.push_literal(part(text, at..open));
        let fault = |fault: Fault<'_>| fault.at(place);
        if ["{%", "{{#", "{{/"]
            .iter()
            .any(|tag| text[open..].starts_with(tag))
        {
            return Err(Fault::Tag.at(place));
        }
        let is_html = text[open..].starts_with("{{{");
        let closing = if is_html { "}}}" } else { "}}" };
        let mut parser = Parser {
            text,
            at: open + closing.len(),
        };
        let escaped = kind == TextKind::Html && !is_html;
        match parser.expression().map_err(fault)? {
            Expression::Literal(literal) if escaped => {
                template.push_literal(html::escaped(&literal).into());
            }
            Expression::Literal(literal) => template.push_literal(literal),
            Expression::Value(reference) => template.push_slot(Slot {
                value: number(reference, place),
                escaped,
            }),
        }
        parser.skip_blanks();
        parser.word(closing).map_err(fault)?;
        place.advance(&text[open..parser.at]);
        at = parser.at;
    }
    template.push_literal(part(text, at..text.len()));
    Ok(template)
}

/// Where the next placeholder begins, or what could be a tag of another language.
fn tag_start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'{', &bytes[from..])
        .map(|at| from + at)
        .find(|at| matches!(bytes.get(at + 1), Some(b'{' | b'%')))
}

enum Expression<'a> {
    Literal(Cow<'a, str>),
    Value(Reference<'a>),
}

struct Parser<'t, 'a> {
    text: &'t Cow<'a, str>,
    at: usize,
}

impl<'t, 'a> Parser<'t, 'a> {
    fn expression(&mut self) -> Result<Expression<'a>, Fault<'t>> {
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
            self.filter()?;
            self.skip_blanks();
            self.word(":")?;
            self.skip_blanks();
            default = Some(to_lf(self.string()?));
        }
        Ok(Expression::Value(Reference { path, default }))
    }

    /// The name of the only filter.
    fn filter(&mut self) -> Result<(), Fault<'t>> {
        let rest = self.rest(self.at);
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        match &rest[..end.unwrap_or(rest.len())] {
            "default" => self.word("default"),
            "" => Err(Fault::Form),
            other => Err(Fault::Filter(other)),
        }
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

    /// A text in quotes of either kind; there are no escapes.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, kind: TextKind) -> Result<(String, Vec<String>), Refusal> {
        let mut names = Vec::new();
        let text = Cow::Borrowed(text);
        let template = parse(&text, kind, |reference, _| {
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
            ("a } }} { { { %} {# b", "a } }} { { { %} {# b", &[]),
            ("{{ '{%' }} {", "{% {", &[]),
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
            "{{ a | default }}",
            "{{ a | default: x }}",
            "{{ a | }}",
            "{{ \"a }}",
            "{{{ a }}",
            "{{ a-b }}",
            "{{{{ a }}}}",
            "{{ a | default: \"x\" | default: \"y\" }}",
        ] {
            let refused = Err(Fault::Form.at(Place::START));
            assert_eq!(parsed(text, TextKind::Text), refused, "{text}");
        }
    }

    #[test]
    fn the_place_is_told_and_what_is_wrong_there() {
        for (text, place, part) in [
            (
                "é {{ a | upper }}",
                "line 1, column 3",
                "a filter `upper`, and",
            ),
            (
                "{{ a }}\n{{ a | größer: 1 }}",
                "line 2, column 1",
                "`größer`",
            ),
            (
                "{{ a }}{{ b b }}",
                "line 1, column 8",
                "a placeholder is not",
            ),
            ("a\n\n {% if a %}", "line 3, column 2", "tag of another"),
            ("{{ a }}{{#if a}}", "line 1, column 8", "tag of another"),
            ("{{/if}}", "line 1, column 1", "tag of another"),
            ("{%", "line 1, column 1", "tag of another"),
        ] {
            let refusal = parsed(text, TextKind::Text).unwrap_err();
            let start = format!("In {place} ");
            assert!(refusal.detail.starts_with(&start), "{}", refusal.detail);
            assert!(refusal.detail.contains(part), "{}", refusal.detail);
        }
        let long = parsed(&format!("{{{{ a | {} }}}}", "x".repeat(81)), TextKind::Text);
        assert!(long.unwrap_err().detail.contains("a filter, and"));
    }
}
