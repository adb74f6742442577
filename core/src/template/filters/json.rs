//! Values as JSON (RFC 8259).

use super::Filter;
use super::arguments::{Arguments, BadArguments};
use super::operand::Operand;
use super::work::LONGEST;
use std::fmt::Write;

/// The layout of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct JsonStyle {
    /// A blank after commas and colons.
    is_spaced: bool,
    /// Each value on a separate line, with this many blanks per level.
    indent: Option<usize>,
}

/// Liquid's, as Ruby writes it.
pub(super) const LIQUID: JsonStyle = JsonStyle {
    is_spaced: false,
    indent: None,
};

/// Jinja's, as Python writes it: `tojson(indent=none)`.
pub(super) fn jinja(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    const WIDEST: usize = 16;
    let indent = arguments.count("indent")?;
    if indent.is_some_and(|indent| indent > WIDEST) {
        return Err(BadArguments);
    }
    Ok(Filter::Json(JsonStyle {
        is_spaced: true,
        indent,
    }))
}

impl JsonStyle {
    /// The value as JSON. It is safe in HTML, also within a script: `<`, `>`, `&` and `'` are escaped, as in both
    /// languages. `None` if that gets too long: each line of an indented list can start with many blanks.
    pub fn write(self, value: &Operand<'_>) -> Option<String> {
        let mut out = String::new();
        self.push(&mut out, value, 1);
        (out.len() <= LONGEST).then_some(out)
    }

    fn push(self, out: &mut String, value: &Operand<'_>, layer: usize) {
        match value {
            Operand::Absent => out.push_str("null"),
            Operand::Boolean(true) => out.push_str("true"),
            Operand::Boolean(false) => out.push_str("false"),
            Operand::Number(number) => out.push_str(number),
            Operand::Text(text) => push_string(out, text),
            Operand::List(list) => {
                self.push_all(out, "[]", list, layer, |out, value| {
                    self.push(out, value, layer + 1);
                });
            }
            Operand::Object(members) => {
                self.push_all(out, "{}", members, layer, |out, (name, value)| {
                    push_string(out, name);
                    let colon = if self.is_spaced { ": " } else { ":" };
                    out.push_str(colon);
                    self.push(out, value, layer + 1);
                });
            }
        }
    }

    fn push_all<T>(
        self,
        out: &mut String,
        brackets: &str,
        items: &[T],
        layer: usize,
        mut push: impl FnMut(&mut String, &T),
    ) {
        out.push_str(&brackets[..1]);
        for (index, item) in items.iter().enumerate() {
            if out.len() > LONGEST {
                return;
            }
            let is_first = index == 0;
            if !is_first {
                out.push(',');
            }
            if self.indent.is_some() {
                self.begin_line(out, layer);
            } else if self.is_spaced && !is_first {
                out.push(' ');
            }
            push(out, item);
        }
        if !items.is_empty() && self.indent.is_some() {
            self.begin_line(out, layer - 1);
        }
        out.push_str(&brackets[1..]);
    }

    fn begin_line(self, out: &mut String, layer: usize) {
        out.push('\n');
        let width = self.indent.unwrap_or(0) * layer;
        out.extend(std::iter::repeat_n(' ', width));
    }
}

fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // JavaScript once ended a line at the last two.
            c if c.is_control()
                || matches!(c, '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}') =>
            {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes all");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
