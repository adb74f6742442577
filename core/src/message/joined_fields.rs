//! Header fields that may occur only once (RFC 5322 section 3.6) and that programs write twice: PHP's `mail()` writes
//! To and Subject, and its callers add them to their own fields as well.

use super::raw::ReadField;
use crate::address::entries;
use crate::header::Occurs;

/// A field, together with what another field with its name said.
pub(super) struct Joined<'f, 'm> {
    pub field: &'f ReadField<'m>,
    others: Vec<&'f ReadField<'m>>,
}

/// The fields in their order. One that repeats what an earlier field with its name said is dropped; lists of addresses
/// are joined. What cannot be joined is kept, and refused by whoever reads it; so is everything that a signature may
/// cover.
pub(super) fn joined<'f, 'm>(fields: &'f [ReadField<'m>]) -> Vec<Joined<'f, 'm>> {
    let is_signed = fields.iter().any(ReadField::is_signature);
    let mut joined: Vec<Joined<'f, 'm>> = Vec::with_capacity(fields.len());
    for field in fields {
        let twin = field
            .known
            .filter(|known| known.occurs == Occurs::Once && !is_signed);
        let twin = twin.and_then(|known| joined.iter_mut().find(|one| one.field.is(known.name)));
        let is_told = twin.is_some_and(|twin| twin.takes(field));
        if !is_told {
            joined.push(Joined {
                field,
                others: Vec::new(),
            });
        }
    }
    joined
}

impl<'f, 'm> Joined<'f, 'm> {
    /// The bodies of the fields, as written; only the first keeps its leading blanks.
    pub fn bodies(&self) -> impl Iterator<Item = &'m [u8]> {
        // An empty list adds nothing to others.
        let is_list =
            |field: &&ReadField<'m>| self.others.is_empty() || !body(field).trim_ascii().is_empty();
        let fields = [self.field].into_iter().chain(self.others.iter().copied());
        fields
            .filter(is_list)
            .enumerate()
            .map(|(index, field)| match index {
                0 => body(field),
                _ => body(field).trim_ascii(),
            })
    }

    /// Whether the other field adds nothing, or has been joined.
    fn takes(&mut self, other: &'f ReadField<'m>) -> bool {
        let text = other.written.body();
        let says_it = |known: &ReadField<'_>| known.written.body() == text;
        if text.is_empty() || says_it(self.field) || self.others.iter().any(|known| says_it(known))
        {
            return true;
        }
        let is_list = ["to", "cc", "reply-to"].iter().any(|name| other.is(name));
        let is_joined = is_list && is_well_formed(self.field) && is_well_formed(other);
        if is_joined {
            self.others.push(other);
        }
        is_joined
    }
}

/// Whether no quote, comment or bracket is open at its end, which would swallow what comes next.
fn is_well_formed(field: &ReadField<'_>) -> bool {
    entries(body(field)).all(|entry| entry.refusal.is_none())
}

fn body<'m>(field: &ReadField<'m>) -> &'m [u8] {
    let body = &field.written.bytes[field.written.body_start..];
    body.strip_suffix(b"\r\n").unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::super::raw::read_fields;
    use super::*;
    use crate::syntax::FieldForm;

    fn joined_text(header: &str) -> String {
        let fields: Vec<_> = read_fields(header.as_bytes(), FieldForm::Obsolete).collect();
        let texts = joined(&fields).into_iter().map(|joined| {
            let bodies: Vec<_> = joined.bodies().map(String::from_utf8_lossy).collect();
            format!("{}:{}\n", joined.field.written.name, bodies.join("|"))
        });
        texts.collect()
    }

    #[test]
    fn lists_of_addresses_become_one() {
        for (header, expected) in [
            (
                "To: a@b\r\nX: y\r\nTO : c@d,\r\n e@f\r\n",
                "To: a@b|c@d,\r\n e@f\nX: y\n",
            ),
            ("Cc: a\r\nCc: b\r\nCc: a\r\n", "Cc: a|b\n"),
            ("Reply-To: a\r\nReply-To: b\r\n", "Reply-To: a|b\n"),
            ("To: a\r\nTo: a\r\n", "To: a\n"),
            ("To:\r\nTo: a\r\n", "To: a\n"),
            ("To: a\r\nTo:\r\n", "To: a\n"),
            ("Subject: a\r\n b\r\nSubject:a b\r\n", "Subject: a\r\n b\n"),
        ] {
            assert_eq!(joined_text(header), expected, "{header}");
        }
    }

    #[test]
    fn fields_that_cannot_be_joined_are_left_alone() {
        for header in [
            "Subject: a\r\nSubject: b\r\n",
            "From: a\r\nFrom: b\r\n",
            "To: \"a\r\nTo: b\r\n",
            "To: a\r\nTo: b (c\r\n",
            "Bcc: a\r\nBcc: a\r\n",
            "X: a\r\nX: a\r\n",
            "Received: a\r\nReceived: a\r\n",
            "To: a\r\nTo: b\r\nDKIM-Signature: c\r\n",
            "ARC-Seal: c\r\nTo: a\r\nTo: a\r\n",
        ] {
            assert_eq!(joined_text(header), header.replace("\r\n", "\n"));
        }
    }
}
