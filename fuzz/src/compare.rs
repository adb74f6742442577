//! A reading beside what is expected.
//!
//! What a reader cannot read for a fault of its own stands here, as narrow as it can be said, with the reason.

use crate::expected::Expected;
use crate::foreign::Reader;
use crate::reading::{ADDRESS_FIELDS, File, Mailbox, Reading};

/// Judges what a reader shows of a message.
pub fn judge(reader: Reader, expected: &Expected, got: &Reading) {
    for name in &got.names {
        let count = got.names.iter().filter(|other| *other == name).count();
        let most = expected.most.get(name).copied().unwrap_or_default();
        assert!(
            count <= most,
            "{reader:?}: a header field more than was asked for: {name}"
        );
    }
    let wanted = &expected.reading;
    for (at, name) in ADDRESS_FIELDS.into_iter().enumerate() {
        let (wanted, got) = (&wanted.addresses[at], &got.addresses[at]);
        let is_right = if expected.texts_stay {
            wanted == got
        } else {
            addresses(wanted) == addresses(got)
        };
        assert!(
            is_right || is_excused(reader, wanted, got),
            "{reader:?}: {name}: {got:?}, not {wanted:?}"
        );
    }
    if !expected.texts_stay {
        return;
    }
    assert_eq!(got.subject, wanted.subject, "{reader:?}: subject");
    for (got, wanted) in [(&got.text, &wanted.text), (&got.html, &wanted.html)] {
        // It takes U+FEFF at the start of a text for a byte order mark, and drops it.
        let is_mark_lost =
            reader == Reader::Mailparse && wanted.strip_prefix('\u{feff}') == Some(got);
        assert!(
            got == wanted || is_mark_lost,
            "{reader:?}: {got:?}, not {wanted:?}"
        );
    }
    let own = got.own.iter();
    let mut own: Vec<_> = own
        .filter(|pair| wanted.own.iter().any(|(name, _)| *name == pair.0))
        .cloned()
        .collect();
    // Behind a long name, the first encoded word is on the next line. It takes the fold for a blank.
    for (name, text) in &mut own {
        if reader == Reader::Mailparse && name.len() >= 50 && text.starts_with(' ') {
            text.remove(0);
        }
    }
    assert_eq!(own, wanted.own, "{reader:?}: header fields");
    let is_lost = reader == Reader::MailParser && wanted.files.iter().any(nests_parts);
    if expected.files_are_known && !is_lost {
        judge_files(reader, &wanted.files, &got.files);
    }
}

fn judge_files(reader: Reader, wanted: &[File], got: &[File]) {
    assert_eq!(got.len(), wanted.len(), "{reader:?}: number of files");
    let mut left: Vec<&File> = got.iter().collect();
    for file in wanted {
        let place = left.iter().position(|got| file.is(got));
        let place = place.unwrap_or_else(|| panic!("{reader:?}: file {file:?} is not in {left:?}"));
        left.swap_remove(place);
    }
}

/// Whether the content may be a message with parts of its own. Where one of these does not end, `mail-parser` reads on
/// behind the delimiter of the outer multipart, which ends all that is in it (RFC 2046 section 5.1.2).
fn nests_parts(file: &File) -> bool {
    let content = file.content.to_ascii_lowercase();
    let holds = |text: &[u8]| content.windows(text.len()).any(|window| window == text);
    holds(b"content-type") && (holds(b"multipart/") || holds(b"message/"))
}

fn addresses(list: &[Mailbox]) -> Vec<&str> {
    list.iter().map(|(_, address)| address.as_str()).collect()
}

/// Whether a known fault of the reader explains what it shows.
fn is_excused(reader: Reader, wanted: &[Mailbox], got: &[Mailbox]) -> bool {
    let any = |is: fn(&str) -> bool| wanted.iter().any(|(_, address)| is(address));
    match reader {
        // It has no address literals, and takes a quoted local part for a name or drops its escapes.
        Reader::MailParser => any(|address| address.contains("@[") || address.starts_with('"')),
        // It cannot read some quoted local parts, cuts white space from the ends of names, encoded or not, and does not
        // decode an encoded word that stands behind an address beyond ASCII.
        Reader::Mailparse => {
            any(|address| address.starts_with('"'))
                || trimmed(wanted) == trimmed(got)
                || any(|address| !address.is_ascii()) && addresses(wanted) == addresses(got)
        }
    }
}

fn trimmed(list: &[Mailbox]) -> Vec<(&str, &str)> {
    list.iter()
        .map(|(name, address)| (name.trim(), address.as_str()))
        .collect()
}
