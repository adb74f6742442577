//! What is text and what is markup.

use serde_json::Value;
use std::fmt::{self, Display, Write};

/// A page under construction. Only intended markup is added to it unescaped.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Appends markup.
    pub fn put(&mut self, markup: impl Display) {
        write!(self.0, "{markup}").expect("a String takes all that is written");
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// Text as markup.
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let end = piece.len() - usize::from(piece.ends_with(['&', '<', '>', '"', '\'']));
            f.write_str(&piece[..end])?;
            f.write_str(match &piece[end..] {
                "&" => "&amp;",
                "<" => "&lt;",
                ">" => "&gt;",
                "\"" => "&quot;",
                "'" => "&#39;",
                _ => "",
            })?;
        }
        Ok(())
    }
}

/// Text as markup, with code between backticks.
pub struct Prose<'a>(pub &'a str);

impl Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.split('`').enumerate() {
            match index % 2 {
                0 => write!(f, "{}", Text(piece))?,
                _ => write!(f, "<code>{}</code>", Text(piece))?,
            }
        }
        Ok(())
    }
}

/// The text of a value; empty if it has none.
pub fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The last name of a reference.
pub fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.rsplit('/').next()
}

/// A table that scrolls by itself if it is wider than the page. `tabindex` makes that possible with the keyboard.
pub fn table(page: &mut Page, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    page.put("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
    for head in heads {
        page.put(format_args!("<th scope=\"col\">{head}"));
    }
    page.put("</thead><tbody>\n");
    for row in rows {
        page.put("<tr>");
        for cell in row {
            page.put(format_args!("<td>{cell}"));
        }
        page.put("\n");
    }
    page.put("</tbody></table></div>\n");
}

/// Something to copy.
pub fn code(page: &mut Page, code: &str) {
    page.put(format_args!(
        "<pre tabindex=\"0\"><code>{}</code></pre>\n",
        Text(code)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("<b>&amp;'\"", "&lt;b&gt;&amp;amp;&#39;&quot;"),
            ("å<ä", "å&lt;ä"),
        ] {
            assert_eq!(Text(text).to_string(), expected);
        }
        let prose = Prose("Take `<a>`, or `b`.").to_string();
        assert_eq!(prose, "Take <code>&lt;a&gt;</code>, or <code>b</code>.");
    }
}
