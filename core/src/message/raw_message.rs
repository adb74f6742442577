//! A finished message that passed all checks, with the fields that have to be added.

use crate::header::{Date, HeaderSection, MessageId};
use crate::identity::Identity;
use crate::mime::Rendered;
use std::borrow::Cow;

/// A message that passed all checks, and what its header says.
#[derive(Debug)]
pub(super) struct RawMessage<'a> {
    /// Without Bcc, and without an empty Date or Message-ID.
    pub bytes: Cow<'a, [u8]>,
    pub has_date: bool,
    pub message_id: RawMessageId,
    /// Whether its header is UTF-8, which requires SMTPUTF8 (RFC 6532).
    pub is_internationalized: bool,
}

/// Where the Message-ID comes from.
#[derive(Debug)]
pub(super) enum RawMessageId {
    /// The header has it; here it is without angle brackets.
    Given(String),
    /// It is generated, with this domain on its right side.
    Made { domain: String },
}

impl RawMessage<'_> {
    /// The Message-ID without angle brackets.
    pub fn message_id(&self, identity: &Identity) -> String {
        match &self.message_id {
            RawMessageId::Given(id) => id.clone(),
            RawMessageId::Made { domain } => [identity.id.as_str(), "@", domain].concat(),
        }
    }

    /// The message as it came, preceded by the Date and the Message-ID if it lacks them: every message has them (RFC
    /// 5322 section 3.6), and the next server would add them (RFC 6409 section 8).
    pub fn render(&self, identity: &Identity) -> Rendered<'_> {
        /// Enough for both fields, except the longest domains.
        const ADDED: usize = 128;

        if self.has_date && matches!(self.message_id, RawMessageId::Given(_)) {
            return Cow::Borrowed(self.bytes.as_ref()).into();
        }
        let mut out = Vec::with_capacity(self.bytes.len() + ADDED);
        let mut header = HeaderSection::new(&mut out);
        if !self.has_date {
            header.date("Date", &Date::from_timestamp(identity.time));
        }
        if matches!(self.message_id, RawMessageId::Made { .. }) {
            header.message_ids("Message-ID", [&MessageId::made(self.message_id(identity))]);
        }
        out.extend_from_slice(&self.bytes);
        Cow::<[u8]>::Owned(out).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Code, HeaderAddresses, Identity, Message, Submission};
    use std::time::{Duration, SystemTime};

    const ID: &str = "1ng7qwf4c52q7bj9v8dsqnkxqv";
    const DATE: &str = "Date: Fri, 2 Jan 1970 00:00:00 +0000\r\n";
    const REST: &str = "From: Ann <ann@mail.example.com>\r\nTo: bo@example.org\r\n\r\nDate: x\r\n";

    fn submitted(mail: &str) -> Submission {
        let time = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        let identity = Identity::new(ID.parse().unwrap(), time).unwrap();
        let message = Message::from_rfc822::<&str>(mail.as_bytes(), &[]).unwrap();
        Submission::with_identity(&message, identity)
    }

    #[test]
    fn date_and_message_id_are_made_where_they_are_missing() {
        let made = format!("{ID}@mail.example.com");
        let made_field = format!("Message-ID: <{made}>\r\n");
        let (date, id) = ("DATE: x\r\n", "message-id:\r\n <1@example.com>\r\n");
        for (fields, added, kept, message_id) in [
            ("", format!("{DATE}{made_field}"), "", made.as_str()),
            (date, made_field.clone(), date, &made),
            (id, DATE.to_owned(), id, "1@example.com"),
            (
                "Date: \r\nMessage-ID: <>\r\n",
                format!("{DATE}{made_field}"),
                "",
                &made,
            ),
            (
                "Message-ID: 1@b\r\nDate:\r\n\t\r\n",
                DATE.to_owned(),
                "Message-ID: 1@b\r\n",
                "1@b",
            ),
            (
                "X-Date: x\r\n",
                format!("{DATE}{made_field}"),
                "X-Date: x\r\n",
                &made,
            ),
            (
                "Resent-Date: x\r\n",
                format!("{DATE}{made_field}"),
                "Resent-Date: x\r\n",
                &made,
            ),
        ] {
            let submission = submitted(&format!("{fields}{REST}"));
            let [_, bytes] = submission.files()[0].chunks();
            let expected = format!("{added}{kept}{REST}");
            assert_eq!(String::from_utf8_lossy(bytes), expected);
            assert_eq!(submission.message_id(), Some(message_id), "{fields:?}");
        }
        let whole = format!("{date}{id}{REST}");
        assert_eq!(submitted(&whole).files()[0].chunks()[1], whole.as_bytes());
    }

    #[test]
    fn the_receipt_has_the_identifier_that_the_header_has() {
        for (body, id) in [
            ("<1@b>", "1@b"),
            ("<1@b> (added by a@c)", "1@b"),
            ("(<x>) <1@b>", "1@b"),
            ("\r\n < 1@b >\r\n ", "1@b"),
            ("1@b (x)", "1@b"),
            ("<1@b> <2@b>", "1@b"),
            ("<<1@b>>", "1@b"),
            ("<\"(x)\"@b>", "\"(x)\"@b"),
            ("<1@b> (not closed", "1@b"),
            ("<1@b", "1@b"),
            ("<> <1@b", "1@b"),
        ] {
            let submission = submitted(&format!("Message-ID: {body}\r\n{REST}"));
            assert_eq!(submission.message_id(), Some(id), "{body}");
            let kept = submission.files()[0].chunks()[1];
            let kept = String::from_utf8_lossy(kept);
            assert!(kept.contains(&format!("Message-ID: {body}\r\n")), "{kept}");
        }
        for nothing in ["<>", "(x)", "< >", "<> (x)"] {
            let submission = submitted(&format!("Message-ID: {nothing}\r\n{REST}"));
            let made = format!("{ID}@mail.example.com");
            assert_eq!(submission.message_id(), Some(made.as_str()), "{nothing}");
        }
    }

    #[test]
    fn nothing_is_added_to_a_signed_message() {
        let (date, id) = ("Date: x\r\n", "Message-ID: <1@example.com>\r\n");
        for signature in [
            "DKIM-Signature: v=1\r\n",
            "dkim-signature: v=1\r\n",
            "ARC-Seal: i=1\r\n",
            "ARC-Message-Signature: i=1\r\n",
            "Arc-Authentication-Results: i=1\r\n",
        ] {
            for (fields, count) in [
                (String::new(), 2),
                (date.to_owned(), 1),
                (id.to_owned(), 1),
                (format!("{date}Message-ID:\r\n"), 1),
                (format!("{date}{id}"), 0),
            ] {
                let mail = format!("{signature}{fields}{REST}");
                let envelope = [("to", "bo@example.org")];
                for addresses in [HeaderAddresses::CompleteEnvelope, HeaderAddresses::Ignore] {
                    let message = Message::from_rfc822_with(mail.as_bytes(), &envelope, addresses);
                    let problems = message.err();
                    let found = problems.iter().flatten();
                    let found: Vec<_> = found
                        .map(|problem| (problem.pointer(), problem.code()))
                        .collect();
                    assert_eq!(found, vec![("/raw", Code::InvalidContent); count], "{mail}");
                }
            }
        }
        // What is of another name, or in the text, is no signature.
        submitted(&format!(
            "X-DKIM-Signature: v=1\r\n{REST}DKIM-Signature: v=1\r\n"
        ));
    }

    #[test]
    fn the_domain_is_that_of_from_or_of_the_sender() {
        for (from, sender, domain) in [
            ("ann@example.com", "bo@example.org", "example.com"),
            ("ann@EXAMPLE.com, bo@example.net", "<>", "EXAMPLE.com"),
            ("nobody", "bo@example.org", "example.org"),
            ("nobody", "<>", "localhost.localdomain"),
        ] {
            let mail = format!("From: {from}\r\n\r\nHello\r\n");
            let envelope = [("sender", sender), ("to", "cy@example.org")];
            let ignore = HeaderAddresses::Ignore;
            let message = Message::from_rfc822_with(mail.as_bytes(), &envelope, ignore).unwrap();
            let submission = Submission::new(&message);
            let expected = format!("{}@{domain}", submission.id());
            assert_eq!(submission.message_id(), Some(expected.as_str()), "{from}");
        }
    }
}
