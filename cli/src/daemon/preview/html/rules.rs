//! Which parts of HTML are written, and how.

use html5gum::{HtmlString, StartTag, State};
use std::borrow::Cow;

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Text and elements.
    Elements,
    /// A style sheet.
    Style,
    /// Text, in which characters may be written as references.
    Text,
    /// Text as it is.
    Plain,
    /// What is not shown.
    Script,
    Hidden,
}

impl Content {
    /// Determined by the name of the element.
    pub fn of(name: &str) -> Self {
        match name {
            "style" => Self::Style,
            "textarea" | "title" => Self::Text,
            "xmp" | "plaintext" => Self::Plain,
            "script" => Self::Script,
            "iframe" | "noembed" | "noframes" => Self::Hidden,
            _ => Self::Elements,
        }
    }

    /// How a browser reads it.
    pub fn state(self) -> Option<State> {
        match self {
            Self::Elements => None,
            Self::Text => Some(State::RcData),
            Self::Script => Some(State::ScriptData),
            Self::Style | Self::Plain | Self::Hidden => Some(State::RawText),
        }
    }
}

/// Whether an attribute runs something, or takes the keyboard focus.
pub fn is_active(name: &str) -> bool {
    const ACTIVE: [&str; 7] = [
        "accesskey",
        "action",
        "attributionsrc",
        "autofocus",
        "formaction",
        "ping",
        "target",
    ];
    ACTIVE.contains(&name) || name.starts_with("on") || name == "srcdoc" || name == "nonce"
}

/// Whether an element is a link, in HTML or SVG.
pub fn is_link(name: &str) -> bool {
    name == "a" || name == "area"
}

/// Whether an element of SVG gives another element an attribute that is not written as it is: where a link leads, and into
/// which frame.
pub fn is_animation_of_link(name: &str, tag: &StartTag<()>) -> bool {
    const ANIMATIONS: [&str; 4] = ["animate", "animatemotion", "animatetransform", "set"];
    let animated = tag.attributes.get(b"attributename".as_slice());
    ANIMATIONS.contains(&name)
        && animated.is_some_and(|animated| {
            let animated = text_of(animated).trim().to_ascii_lowercase();
            let animated = animated.rsplit(':').next().unwrap_or_default();
            animated == "href" || is_active(animated)
        })
}

/// Whether an element and its content are not HTML.
pub fn is_foreign(name: &str) -> bool {
    name == "svg" || name == "math"
}

/// A `meta` with the width of the viewport, or the supported color schemes.
pub fn is_named_meta(tag: &StartTag<()>) -> bool {
    const KEPT: [&str; 3] = ["viewport", "color-scheme", "supported-color-schemes"];
    let is_http = tag.attributes.contains_key(b"http-equiv".as_slice());
    let name = tag.attributes.get(b"name".as_slice());
    let is_kept = |name: &str| KEPT.contains(&name.trim().to_ascii_lowercase().as_str());
    !is_http && name.is_some_and(|name| is_kept(&text_of(name)))
}

/// Names that are written as they are.
pub fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(is_plain)
}

/// A name or a value as text.
pub fn text_of(value: &HtmlString) -> Cow<'_, str> {
    String::from_utf8_lossy(value)
}

/// Letters and what identifiers of document types have.
pub fn plain(identifier: &HtmlString) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || " -_.:/+,()".contains(*c);
    text_of(identifier).chars().filter(is_plain).collect()
}

/// Text in which nothing is a tag.
pub fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

/// A style sheet in which nothing looks like a tag or a comment of HTML: its own `<` are either alone, as in
/// `(width < 600px)`, or `<!--`, which means nothing there.
pub fn push_without_tags(out: &mut String, css: &str) {
    let css = css.replace("<!--", "");
    let mut characters = css.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek();
        match character {
            '<' if next.is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(*next)) => {
                out.push_str("\\3c ");
            }
            other => out.push(other),
        }
    }
}
