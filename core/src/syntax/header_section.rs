//! The fields of a message's header section (RFC 5322 section 2.2), as written.

use super::lines::{Fold, LineEnds, folded_lines, unfolded};

/// The end of the header section: after the line end of its last field.
pub(crate) fn header_end(message: &[u8]) -> usize {
    if message.starts_with(b"\r\n") {
        return 0;
    }
    memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |at| at + 2)
}

/// Whether the header of a message, as it came, contains a CR that is not part of a line end. Some readers would end
/// the line there, and some even the header:
///
/// ```text
/// Subject: a␍Bcc: eve@example.org␍␊
/// X-App: 1␍␍␊                          an empty line behind it for those
/// ```
///
/// The header ends at the first empty line, and at the first that `is_text`.
pub(crate) fn has_bare_cr(message: &[u8], is_text: impl Fn(&[u8]) -> bool) -> bool {
    message
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty() && !is_text(line))
        .any(|line| line.contains(&b'\r'))
}

/// Whether a line cannot belong to a header section, including obsolete forms: it is neither a field nor the
/// continuation of one.
pub(crate) fn is_no_field(line: &[u8]) -> bool {
    !line.starts_with(b" ") && !line.starts_with(b"\t") && FieldForm::Obsolete.read(line).is_none()
}

/// Whether a line is a field in an obsolete form, which readers may not recognize.
pub(crate) fn is_obsolete_field(line: &[u8]) -> bool {
    let field = FieldForm::Obsolete.read(line);
    field.is_some_and(|(name_end, colon)| name_end < colon)
}

/// The fields of a header section. A line without an end is not a field.
pub(crate) fn fields(header: &[u8], form: FieldForm) -> impl Iterator<Item = WrittenField<'_>> {
    folded_lines(header, LineEnds::Crlf)
        .map(|range| &header[range])
        .filter(|bytes| bytes.ends_with(b"\r\n"))
        .map(move |bytes| WrittenField::new(bytes, form))
}

/// What is allowed between the name of a field and its colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldForm {
    /// Nothing.
    Strict,
    /// Blanks (RFC 5322 section 4.5), which readers interpret differently.
    Obsolete,
}

impl FieldForm {
    /// The end of the name, and the position of its colon; `None` if the line starts no field.
    fn read(self, line: &[u8]) -> Option<(usize, usize)> {
        let colon = memchr::memchr(b':', line)?;
        let before = &line[..colon];
        let name = match self {
            Self::Strict => before,
            Self::Obsolete => {
                let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
                let last = before.iter().rposition(|byte| !is_blank(byte));
                &before[..last.map_or(0, |last| last + 1)]
            }
        };
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        is_name.then_some((name.len(), colon))
    }
}

/// One header field, including its continuation lines and line ends.
#[derive(Debug)]
pub(crate) struct WrittenField<'m> {
    /// Empty if the line is not a field.
    pub name: &'m str,
    pub bytes: &'m [u8],
    /// The start of the body, after the colon.
    pub body_start: usize,
}

impl<'m> WrittenField<'m> {
    fn new(bytes: &'m [u8], form: FieldForm) -> Self {
        let (name_end, body_start) = match form.read(bytes) {
            Some((name_end, colon)) => (name_end, colon + 1),
            None => (0, 0),
        };
        let name = std::str::from_utf8(&bytes[..name_end]).expect("a name is ASCII");
        Self {
            name,
            bytes,
            body_start,
        }
    }

    /// Whether it is a field at all.
    pub fn is_field(&self) -> bool {
        !self.name.is_empty()
    }

    /// The unfolded body (RFC 5322 section 2.2.3), trimmed. What is not UTF-8 is replaced.
    pub fn body(&self) -> String {
        let body = String::from_utf8_lossy(&self.bytes[self.body_start..]);
        let body = unfolded(&body, LineEnds::Crlf, Fold::LineEnd);
        body.trim_matches([' ', '\t']).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_they_are_written() {
        let mail = b"To: a@b.c,\r\n\td@e.f \r\nSUBJECT:x\r\n \r\nno field\r\nX : y\r\n: z\r\n\r\nBody: b\r\n";
        let header = &mail[..header_end(mail)];
        let found: Vec<_> = fields(header, FieldForm::Strict)
            .map(|field| (field.name.to_owned(), field.body()))
            .collect();
        let pair = |name: &str, body: &str| (name.to_owned(), body.to_owned());
        assert_eq!(
            found[..2],
            [pair("To", "a@b.c,\td@e.f"), pair("SUBJECT", "x")]
        );
        assert!(found[2..].iter().all(|(name, _)| name.is_empty()));
        assert_eq!(found.len(), 5);
        let lengths = fields(header, FieldForm::Strict).map(|field| field.bytes.len());
        assert_eq!(lengths.sum::<usize>(), header.len());
        assert_eq!(fields(b"A: b\r\nC: d", FieldForm::Strict).count(), 1);
        assert_eq!((header_end(b"\r\nx"), header_end(b"A: b\r\n")), (0, 6));
    }

    #[test]
    fn blanks_before_the_colon_are_obsolete() {
        let header = b"X : y\r\nZ\t :\r\n a:b\r\nno field: c\r\n : d\r\n";
        let found: Vec<_> = fields(header, FieldForm::Obsolete)
            .map(|field| (field.name, field.body()))
            .collect();
        let expected = [("X", "y"), ("Z", "a:b"), ("", "no field: c\r\n : d")];
        assert_eq!(found.len(), 3);
        assert_eq!(
            found[..2],
            expected[..2]
                .iter()
                .map(|(n, b)| (*n, (*b).to_owned()))
                .collect::<Vec<_>>()
        );
        assert_eq!(found[2].0, "");
        assert!(is_obsolete_field(b"X :y") && is_obsolete_field(b"X\t : y"));
        assert!(!is_obsolete_field(b"X: y :z") && !is_obsolete_field(b"X y : z"));
        for line in [&b"X :y"[..], b"X: y", b" y", b"\ty"] {
            assert!(!is_no_field(line));
        }
        for line in [
            &b"X y: z"[..],
            b": z",
            b"X\r\n : z",
            b"\xc3\xa9: z",
            b"X\0: z",
            b"Hello",
            b">From a 12:00",
        ] {
            assert!(is_no_field(line));
        }
    }
}
