//! The addresses in a style sheet (CSS Syntax Module Level 3, section 4.3): those of `url(…)` and of `@import "…"`.

/// Rewrites a style sheet with other addresses: `change` is called for each, and returns its replacement, if any.
pub fn rewrite(css: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    let mut written = String::with_capacity(css.len());
    let mut rest = css;
    let mut is_import = false;
    while !rest.is_empty() {
        let (token, behind) = rest.split_at(token_end(rest));
        rest = behind;
        match Token::of(token) {
            Token::Url(address) => push(&mut written, token, change(&address), |address| {
                format!("url(\"{address}\")")
            }),
            Token::String(address) if is_import => {
                push(&mut written, token, change(&address), |address| {
                    format!("\"{address}\"")
                });
            }
            _ => written.push_str(token),
        }
        is_import = match token {
            _ if token.eq_ignore_ascii_case("@import") => true,
            _ => is_import && (token.starts_with("/*") || token.trim().is_empty()),
        };
    }
    written
}

fn push(
    written: &mut String,
    token: &str,
    changed: Option<String>,
    write: impl FnOnce(String) -> String,
) {
    match changed {
        Some(address) => written.push_str(&write(address)),
        None => written.push_str(token),
    }
}

enum Token {
    Url(String),
    String(String),
    Other,
}

impl Token {
    fn of(token: &str) -> Self {
        if token.starts_with(['"', '\'']) {
            return Self::String(unescaped(unquoted(token)));
        }
        match url_start(token) {
            None => Self::Other,
            Some(start) => {
                let inner = token[start..].strip_suffix(')').unwrap_or(&token[start..]);
                Self::Url(unescaped(unquoted(inner.trim())))
            }
        }
    }
}

/// Where the first token ends: a comment, a string, a `url(…)`, an at-keyword or other name, or a single character.
fn token_end(css: &str) -> usize {
    let bytes = css.as_bytes();
    if let Some(comment) = css.strip_prefix("/*") {
        return comment.find("*/").map_or(css.len(), |end| end + 4);
    }
    if let Some(start) = url_start(css) {
        return url_end(css, start);
    }
    match bytes[0] {
        b'"' | b'\'' => string_end(css, 0),
        b'\\' => 1 + css[1..].chars().next().map_or(0, char::len_utf8),
        first if is_name(first) || first == b'@' => {
            let rest = bytes[1..].iter();
            1 + rest.take_while(|byte| is_name(**byte)).count()
        }
        _ => css.chars().next().map_or(1, char::len_utf8),
    }
}

/// Names may have any character that is not ASCII.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || !byte.is_ascii()
}

/// Where the address begins, if this is `url(`.
fn url_start(css: &str) -> Option<usize> {
    let name = css.get(..4)?;
    name.eq_ignore_ascii_case("url(").then_some(4)
}

/// Where a `url(` ends whose address begins at `start`.
fn url_end(css: &str, start: usize) -> usize {
    let blanks = css[start..].len() - css[start..].trim_start().len();
    let start = start + blanks;
    let behind = match css.as_bytes().get(start) {
        Some(b'"' | b'\'') => string_end(css, start),
        _ => start,
    };
    let mut is_escaped = false;
    for (at, byte) in css.bytes().enumerate().skip(behind) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b')' => return at + 1,
            _ => {}
        }
    }
    css.len()
}

/// Where a string ends that begins at `start`: with its quotation mark, or with the line.
fn string_end(css: &str, start: usize) -> usize {
    let bytes = css.as_bytes();
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' | b'\r' | b'\x0c' => return at,
            byte if *byte == bytes[start] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    css.len()
}

fn unquoted(text: &str) -> &str {
    let mut inner = text;
    if let Some(quote) = text.chars().next().filter(|first| "\"'".contains(*first)) {
        inner = text[1..].strip_suffix(quote).unwrap_or(&text[1..]);
    }
    inner
}

/// Without escapes (section 4.3.7).
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        plain.push_str(before);
        let hex = behind.bytes().take(6);
        let digits = hex.take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 {
            // A line end goes on with the string, anything else is itself.
            let mut characters = behind.chars();
            plain.extend(characters.next().filter(|next| *next != '\n'));
            rest = characters.as_str();
            continue;
        }
        let code = u32::from_str_radix(&behind[..digits], 16).ok();
        plain.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
        rest = &behind[digits..];
        rest = rest.strip_prefix([' ', '\n', '\t']).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(css: &str) -> Vec<String> {
        let mut found = Vec::new();
        let same = rewrite(css, |address| {
            found.push(address.to_owned());
            None
        });
        assert_eq!(same, css);
        found
    }

    #[test]
    fn addresses_are_found() {
        for (css, expected) in [
            ("a { background: url(a.png) }", &["a.png"][..]),
            ("url( 'a)b' ) URL(\"c\\\"d\")", &["a)b", "c\"d"]),
            (
                "@import 'a.css'; @IMPORT/* x */ \"b.css\" print;",
                &["a.css", "b.css"],
            ),
            ("@import url(a.css);", &["a.css"]),
            ("/* url(a) */ content: 'url(b)' \"\\\" url(c)\"", &[]),
            ("url(\\68\\74 tp://x/\\29)", &["http://x/)"]),
            ("src: url(a) format('b'), url(c", &["a", "c"]),
            ("curl(a) é \\url(x)", &[]),
            ("", &[]),
            ("/*", &[]),
            ("'\n url(a)", &["a"]),
            ("\\", &[]),
            ("url(", &[""]),
        ] {
            assert_eq!(addresses(css), expected, "{css}");
        }
    }

    #[test]
    fn addresses_are_changed() {
        let changed = rewrite("a{b:url(x) 'x';c:url('y')}@import 'x'", |address| {
            (address == "x").then(|| "data:z".to_owned())
        });
        assert_eq!(
            changed,
            "a{b:url(\"data:z\") 'x';c:url('y')}@import \"data:z\""
        );
    }
}
