//! The mailboxes in a header field.

use super::text::decoded;
use crate::address::entries;
use crate::syntax::{Cursor, unquote, without_comments};
use serde::Serialize;
use std::borrow::Cow;

/// A mailbox in an address field.
///
/// ```
/// use pmtaemail::outbox::Mail;
///
/// let mail = Mail::read(b"To: \"Lee, Ann\" <ann@example.org>, bo@example.org\r\n\r\n").unwrap();
/// let to = mail.mailboxes("To");
/// assert_eq!((to[0].name.as_str(), to[0].address.as_str()), ("Lee, Ann", "ann@example.org"));
/// assert_eq!((to[1].name.as_str(), to[1].address.as_str()), ("", "bo@example.org"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Hash)]
#[non_exhaustive]
pub struct MailMailbox {
    /// Empty if there is none.
    pub name: String,
    /// The bare address, or the whole entry if it contains none that could be recognized.
    pub address: String,
}

/// The mailboxes in the body of an address field, including those in groups. They are read by the lexer for the
/// addresses of finished messages: mail-parser loses quotes and address literals.
pub(super) fn mailboxes(body: &str) -> Vec<MailMailbox> {
    let body = &body.replace(['\r', '\n'], "");
    let found = entries(body.as_bytes()).map(|entry| {
        let address = body[entry.address].trim();
        if entry.refusal.is_some() {
            return MailMailbox {
                name: String::new(),
                address: body[entry.whole].trim().to_owned(),
            };
        }
        let name = if entry.has_brackets {
            phrase(body[entry.name].trim())
        } else {
            comment(address)
        };
        MailMailbox {
            name,
            address: without_comments(address)
                .unwrap_or(Cow::Borrowed(address))
                .trim()
                .to_owned(),
        }
    });
    found
        .filter(|mailbox| !mailbox.address.is_empty() || !mailbox.name.is_empty())
        .collect()
}

/// The last comment next to an address without angle brackets: programs of the eighties put names there (RFC 822
/// section A.1.1), and some still do.
fn comment(address: &str) -> String {
    let mut cursor = Cursor::new(address);
    let mut found = None;
    while let Some(byte) = cursor.peek() {
        match byte {
            b'"' => {
                let _ = cursor.quoted_string();
            }
            b'(' => found = cursor.comment().ok(),
            _ => cursor.bump(),
        }
    }
    let content = found.map(|range| unquote(address[range.start + 1..range.end - 1].into()));
    content.map_or_else(String::new, |content| decoded(content.as_bytes()))
}

/// The text of a phrase (RFC 5322 section 3.2.5). What looks like an encoded word within quotes is none (RFC 2047
/// section 5).
fn phrase(text: &str) -> String {
    let mut words = Words::default();
    let mut cursor = Cursor::new(text);
    let mut begins = 0;
    while let Some(byte) = cursor.peek() {
        let start = cursor.position();
        let word = match byte {
            b'"' => cursor.quoted_string(),
            b'(' => cursor.comment(),
            _ => {
                cursor.bump();
                continue;
            }
        };
        words.plain(&text[begins..start]);
        begins = cursor.position();
        match word {
            Ok(range) if byte == b'"' => {
                words.push(&unquote(text[range.start + 1..range.end - 1].into()));
            }
            Ok(_) => words.is_apart = true,
            // It would have been refused.
            Err(_) => words.push(&text[start..]),
        }
    }
    words.plain(&text[begins..]);
    words.text
}

/// Joins words, with a blank where there was one.
#[derive(Default)]
struct Words {
    text: String,
    is_apart: bool,
}

impl Words {
    /// Atoms and encoded words.
    fn plain(&mut self, text: &str) {
        let words = text.trim();
        self.is_apart |= words.len() < text.len() && text.starts_with(char::is_whitespace);
        if !words.is_empty() {
            self.push(&decoded(words.as_bytes()));
        }
        self.is_apart |= text.ends_with(char::is_whitespace);
    }

    fn push(&mut self, word: &str) {
        if self.is_apart && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.is_apart = false;
        self.text.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_mailboxes_are_read() {
        for (body, expected) in [
            ("a@b.c", &[("", "a@b.c")] as &[_]),
            (
                "Ann Lee <a@b.c>,\r\n d@e.f",
                &[("Ann Lee", "a@b.c"), ("", "d@e.f")],
            ),
            ("\"Lee,\r\n Ann\" <a@b.c>\r\n", &[("Lee, Ann", "a@b.c")]),
            (
                " \"Lee, \\\"Ann\\\"\" <a@b.c>",
                &[("Lee, \"Ann\"", "a@b.c")],
            ),
            ("\"  \" <a@b.c>", &[("  ", "a@b.c")]),
            (
                "=?utf-8?Q?Gr=C3=BC?= =?utf-8?B?w59l?= <a@b.c>",
                &[("Grüße", "a@b.c")],
            ),
            ("\"=?utf-8?Q?Gr?=\" <a@b.c>", &[("=?utf-8?Q?Gr?=", "a@b.c")]),
            (
                "J. \"R.\" (x) Ewing\"s\" <a@b.c> (y)",
                &[("J. R. Ewings", "a@b.c")],
            ),
            (
                "\"b o\"@x.org, Cy <\"c\\\"y\"@x.org>",
                &[("", "\"b o\"@x.org"), ("Cy", "\"c\\\"y\"@x.org")],
            ),
            (
                "bo@[IPv6:2001:db8::1], c@[192.0.2.1]",
                &[("", "bo@[IPv6:2001:db8::1]"), ("", "c@[192.0.2.1]")],
            ),
            (
                "Friends: a@b.c, B <d@e.f>;, g@h.i",
                &[("", "a@b.c"), ("B", "d@e.f"), ("", "g@h.i")],
            ),
            ("Friends: B <d@e.f>;", &[("B", "d@e.f")]),
            ("undisclosed-recipients:;", &[]),
            (
                "jörg@b.c (J\\), =?utf-8?Q?=C3=B6?=)",
                &[("J), ö", "jörg@b.c")],
            ),
            ("\"(\"@b.c", &[("", "\"(\"@b.c")]),
            ("Ann <a@b.c", &[("", "Ann <a@b.c")]),
            ("", &[]),
        ] {
            let found = mailboxes(body);
            let found: Vec<_> = found
                .iter()
                .map(|found| (&*found.name, &*found.address))
                .collect();
            assert_eq!(found, expected, "{body}");
        }
    }
}
