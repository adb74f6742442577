//! Address lists as programs have written them into messages for forty years (RFC 5322 section 3.4, with the obsolete
//! forms of section 4.4), and as they pass them to sendmail.

use crate::problem::{Code, Refusal};
use crate::syntax::{Cursor, Unclosed, without_comments};
use std::borrow::Cow;
use std::ops::Range;

/// The addresses in the body of an address field: comments count as blanks; names and the outlines of groups are
/// dropped. The result is not checked yet, so nothing becomes an address here that is not in the field.
pub(crate) fn addresses(body: &str) -> Result<Vec<Cow<'_, str>>, Refusal> {
    listed(body)
        .map(|listed| match listed.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(listed.address),
        })
        .collect()
}

/// The same, one by one: an invalid entry does not affect the others.
pub(crate) fn listed(body: &str) -> impl Iterator<Item = Listed<'_>> {
    entries(body.as_bytes()).filter_map(|entry| {
        let address = body[entry.address].trim();
        // What is not closed was refused, and stays as it is.
        let address = without_comments(address).unwrap_or(Cow::Borrowed(address));
        // Empty elements of a list are obsolete, and harmless.
        let is_one = entry.refusal.is_some() || entry.has_brackets || !address.is_empty();
        is_one.then(|| Listed {
            text: body[entry.whole].trim(),
            address,
            refusal: entry.refusal,
        })
    })
}

/// One entry of a list of addresses.
#[derive(Debug)]
pub(crate) struct Listed<'t> {
    /// All of it.
    pub text: &'t str,
    pub address: Cow<'t, str>,
    /// Why it contains no recognizable address.
    pub refusal: Option<Refusal>,
}

/// The entries of a list, separated by commas and by the colons and semicolons of groups. White space may be folded.
pub(crate) fn entries(list: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    let mut cursor = Some(Cursor::new(list));
    std::iter::from_fn(move || {
        let mut rest = cursor.take()?;
        let (entry, has_next) = Reader::new(rest.position()).read(list, &mut rest);
        cursor = has_next.then_some(rest);
        Some(entry)
    })
}

/// The outline of a mailbox in a list, well formed or not:
///
/// ```text
///  "Lee, Ann" (x) <ann (y)>        ann (y)
///                  └─────┘         └─────┘   address, with the comments in it
///                     ↑               ↑      where a domain is missing
/// ```
#[derive(Debug)]
pub(crate) struct Entry {
    /// Why the list is refused because of it.
    pub refusal: Option<Refusal>,
    /// The complete entry.
    pub whole: Range<usize>,
    /// What is before its angle brackets and after the colon of a group; empty if there is none.
    #[cfg_attr(
        not(any(feature = "outbox", test)),
        expect(dead_code, reason = "nothing is shown")
    )]
    pub name: Range<usize>,
    /// What is between its angle brackets, or the complete entry if it has none.
    pub address: Range<usize>,
    pub has_brackets: bool,
    /// End of the last word of an address without a domain. A mailbox of several words without brackets, or one that is
    /// refused, is not an address, so nothing is missing from it.
    pub domain_is_missing_at: Option<usize>,
}

/// Reads one entry.
struct Reader {
    refusal: Option<Refusal>,
    /// Where the entry begins.
    first: usize,
    brackets: Brackets,
    name: Range<usize>,
    /// Where the address begins.
    start: usize,
    /// How many words the address has, and the end of the last of them.
    words: usize,
    end: usize,
    has_at: bool,
    /// Whether the name contains an `@`, quoted or not.
    name_has_at: bool,
    /// After a square bracket that is still open; a colon there does not start a group.
    in_literal: bool,
}

/// State of the angle brackets of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Brackets {
    None,
    Open,
    Closed {
        address: Range<usize>,
        /// More than blanks and comments follows.
        has_more: bool,
    },
}

impl Reader {
    fn new(start: usize) -> Self {
        Self {
            refusal: None,
            first: start,
            brackets: Brackets::None,
            name: start..start,
            start,
            words: 0,
            end: start,
            has_at: false,
            name_has_at: false,
            in_literal: false,
        }
    }

    /// Reads up to the end of the entry; returns whether another one follows.
    fn read(mut self, list: &[u8], cursor: &mut Cursor<'_>) -> (Entry, bool) {
        while let Some(byte) = cursor.peek() {
            let start = cursor.position();
            let in_brackets = self.brackets == Brackets::Open;
            match byte {
                b'(' => {
                    if cursor.comment() == Err(Unclosed) {
                        self.refuse("An address field of the message contains a comment that is not closed.");
                    }
                    continue;
                }
                b'"' => {
                    if cursor.quoted_string() == Err(Unclosed) {
                        self.refuse("An address field of the message contains a quoted string that is not closed.");
                    }
                    let quoted = start..cursor.position();
                    self.name_has_at |= list[quoted.clone()].contains(&b'@');
                    self.word(quoted);
                    continue;
                }
                _ => cursor.bump(),
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b',' | b';' if !in_brackets => return (self.finish(start), true),
                b':' if !in_brackets && !self.in_literal => self.begin_group(cursor.position()),
                b'<' if self.brackets == Brackets::None => self.open_brackets(cursor.position()),
                b'>' if in_brackets => self.close_brackets(start),
                _ => {
                    self.in_literal = byte == b'[' || (self.in_literal && byte != b']');
                    self.has_at |= byte == b'@';
                    self.word(start..cursor.position());
                }
            }
        }
        (self.finish(cursor.position()), false)
    }

    /// Records a word, or a piece of one.
    fn word(&mut self, word: Range<usize>) {
        if let Brackets::Closed { has_more, .. } = &mut self.brackets {
            *has_more = true;
            return;
        }
        if self.words == 0 || self.end != word.start {
            self.words += 1;
        }
        self.end = word.end;
    }

    /// What came before was a name.
    fn open_brackets(&mut self, start: usize) {
        self.brackets = Brackets::Open;
        self.name = self.start..start - 1;
        self.begin_address(start);
    }

    fn close_brackets(&mut self, end: usize) {
        self.brackets = Brackets::Closed {
            address: self.start..end,
            has_more: false,
        };
    }

    /// What came before was the name of the group.
    fn begin_group(&mut self, start: usize) {
        if self.brackets != Brackets::None || self.has_at || self.name_has_at {
            self.refuse("An address field of the message contains a group without a valid name.");
        }
        self.brackets = Brackets::None;
        self.name_has_at = false;
        self.begin_address(start);
    }

    fn begin_address(&mut self, start: usize) {
        self.start = start;
        self.words = 0;
        self.has_at = false;
    }

    /// Keeps the first refusal.
    fn refuse(&mut self, detail: &'static str) {
        self.refusal
            .get_or_insert(Refusal::new(Code::InvalidMailbox, detail));
    }

    fn finish(mut self, end: usize) -> Entry {
        let (address, has_address, is_well_formed) = match &self.brackets {
            Brackets::None => (self.start..end, self.words == 1, true),
            Brackets::Open => (self.start..end, false, false),
            Brackets::Closed { address, has_more } => (address.clone(), self.words > 0, !has_more),
        };
        if !is_well_formed {
            self.refuse("An address field of the message is not well formed.");
        }
        let is_address = has_address && self.refusal.is_none();
        Entry {
            refusal: self.refusal,
            whole: self.first..end,
            name: self.name,
            address,
            has_brackets: self.brackets != Brackets::None,
            domain_is_missing_at: (is_address && !self.has_at).then_some(self.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AddrSpec, Mailbox};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_come_out_as_they_stand() {
        for (body, expected) in [
            ("a@b.c", &["a@b.c"] as &[_]),
            ("Ann <a@b.c>, [JIRA] x <d@e.f> (x)", &["a@b.c", "d@e.f"]),
            ("\"Lee, Ann\" <a@b.c>,, d@e.f", &["a@b.c", "d@e.f"]),
            ("undisclosed-recipients:;", &[]),
            (
                "Friends: a@b.c, B <d@e.f>;, g@h.i",
                &["a@b.c", "d@e.f", "g@h.i"],
            ),
            ("bo@[IPv6:2001:db8::1]", &["bo@[IPv6:2001:db8::1]"]),
            ("\"b d\"@x.org (x)", &["\"b d\"@x.org"]),
            ("pete.(x)smith@x.org", &["pete. smith@x.org"]),
            (
                "\"evil@o.org\" (x), b@x.org",
                &["\"evil@o.org\"", "b@x.org"],
            ),
            ("", &[]),
        ] {
            assert_eq!(addresses(body).unwrap(), expected, "{body}");
        }
        for body in [
            "Ann <a@b.c",
            "a@b.c (x",
            "\"a@b.c",
            "<a@b.c> x",
            "<a@b.c><d@e.f>",
            "b@x.org:c@x.org;",
        ] {
            assert!(addresses(body).is_err(), "{body}");
        }
    }

    /// Texts near the grammar, of which about half are in it.
    fn lists() -> impl Strategy<Value = String> {
        let near = "(ann|@|b\\.c|<|>|, ?|;|:| |\"|\\\\|\\(|\\)|\\[|\\]|\\.|é|\u{3000}|\r\n ){0,12}";
        let name = "(Ann |\"Lee, \\\\\"A\\\\\" (x)\" ?|é\\. |)";
        let address = "(a\\.b|\"x>,y\"|é)@(b\\.c|é\\.c|\\[1\\.2\\.3\\.4\\]|\\[IPv6:::1\\])";
        let list = format!("({name}<{address}>(, ?)|{address}, ?){{0,3}}{name}<{address}>");
        prop_oneof![near, proptest::string::string_regex(&list).unwrap()]
    }

    proptest! {
        /// What a caller may write means the same in a finished message, with the same addresses.
        #[test]
        fn strict_lists_are_lenient_ones(text in lists()) {
            if let Ok(mailboxes) = Mailbox::parse_list(&text.as_str().into()) {
                let strict: Vec<_> = mailboxes.into_iter().map(|mailbox| mailbox.address).collect();
                let found = addresses(&text).unwrap();
                let lenient: Vec<_> = found
                    .into_iter()
                    .map(|address| AddrSpec::read(address).unwrap())
                    .collect();
                prop_assert_eq!(strict, lenient);
            }
        }

        /// No text is too strange to be read, and all that is found is in it.
        #[test]
        fn any_list_can_be_read(text in "([ -~]|\\PC|[\r\n\t\0\"\\\\()<>,:;@]){0,60}") {
            let mut last = 0;
            for entry in entries(text.as_bytes()) {
                prop_assert!(text.get(entry.address).is_some() && text.get(entry.name).is_some());
                if let Some(at) = entry.domain_is_missing_at {
                    prop_assert!(at >= last && text.is_char_boundary(at));
                    last = at;
                }
            }
            let _ = addresses(&text);
            let _ = Mailbox::parse_list(&text.into());
        }
    }
}
