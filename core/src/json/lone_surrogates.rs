//! Finds half surrogate pairs (`\ud800` without its other half), which JSON's grammar allows and no string can contain.

/// A JSON text with a mark in place of each half surrogate pair.
pub(crate) struct MarkedText {
    pub(super) text: String,
    pub(super) mark: String,
}

impl MarkedText {
    /// `None` when the text has no lone surrogate.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mark = unused_mark(text)?;
        let mut marked = String::with_capacity(text.len());
        let mut rest = text;
        let mut found = false;
        while let Some(at) = rest.find('\\') {
            let (before, escape) = rest.split_at(at);
            marked.push_str(before);
            let taken = match (unit(escape), escape.get(6..).and_then(unit)) {
                (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
                (Some(0xD800..=0xDFFF), _) => {
                    found = true;
                    marked.push_str(&mark);
                    rest = &escape[6..];
                    continue;
                }
                _ => 2,
            };
            // An escape at the very end, or before a character of several bytes, is no JSON; taking
            // the backslash alone leaves that for the parser to say.
            let taken = if escape.is_char_boundary(taken) {
                taken
            } else {
                1
            };
            let (kept, next) = escape.split_at(taken);
            marked.push_str(kept);
            rest = next;
        }
        marked.push_str(rest);
        found.then_some(Self { text: marked, mark })
    }
}

/// The UTF-16 code unit of the `\uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

/// A noncharacter (U+FDD0 to U+FDEF) that the text does not contain, neither literally nor escaped. Nobody sends a text
/// that contains all of them.
fn unused_mark(text: &str) -> Option<String> {
    let lower_case = text.to_ascii_lowercase();
    ('\u{fdd0}'..='\u{fdef}')
        .find(|mark| {
            let escaped = format!("\\u{:04x}", u32::from(*mark));
            !text.contains(*mark) && !lower_case.contains(&escaped)
        })
        .map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_escaped_backslashes_are_left_alone() {
        for text in [
            r#""\ud83d\ude00""#,
            r#""\\ud800""#,
            r#""abc""#,
            r#""\"#,
            r#""\é""#,
        ] {
            assert!(MarkedText::new(text).is_none(), "{text}");
        }
    }

    #[test]
    fn halves_are_marked() {
        for text in [
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            r#""x\uD83Dy""#,
            r#""\ud800\u0041""#,
        ] {
            let marked = MarkedText::new(text).unwrap();
            assert!(marked.text.contains(&marked.mark), "{text}");
            assert!(!marked.text.to_lowercase().contains("\\ud"), "{text}");
        }
    }
}
