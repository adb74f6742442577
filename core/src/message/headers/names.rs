//! What becomes of a header field depends on its name.

use super::own::OwnHeader;
use crate::header::{KnownField, Owner};
use crate::json::field_of_header;
use crate::problem::{Code, Refusal};

/// Where a field in `headers` belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the sender's own.
    Extra,
    /// It is read as the field of the message with this name.
    Own(OwnHeader, &'static str),
}

/// Whose header fields they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderScope {
    /// Those of one message for all of its recipients.
    Single,
    /// Those of a mail merge. Its recipients are not a list that `cc` could name, so Cc is only displayed.
    Merge,
    /// Those of one recipient of a mail merge, who may see a To other than their own mailbox.
    Recipient,
}

impl HeaderScope {
    /// Whether a field that lists recipients is only displayed and delivers nothing.
    fn shows(self, known: &KnownField) -> bool {
        match known.name {
            "cc" => self != Self::Single,
            "to" => self == Self::Recipient,
            _ => false,
        }
    }
}

/// The longest name: with it and the colon, a word of the value still fits in 998 bytes.
const LONGEST_NAME: usize = 76;

/// Where the header field with this name belongs. Message-ID was taken out before.
pub(super) fn place_of(name: &str, scope: HeaderScope) -> Result<Place, Refusal> {
    // ftext of RFC 5322 section 3.6.8.
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':');
    if !is_name || name.len() > LONGEST_NAME {
        let detail = "The name of a header field must be at most 76 printable ASCII characters, \
                      without spaces and colons.";
        return Err(Refusal::new(Code::InvalidHeaderName, detail));
    }
    let Some(known) = KnownField::named_loosely(name) else {
        return Ok(Place::Extra);
    };
    // `List_Id` is another name, which means nothing to most and may be taken for `List-Id` by some.
    let is_exact = !name.contains('_');
    if is_exact && scope.shows(known) {
        return Ok(Place::Extra);
    }
    match (
        known.owner,
        OwnHeader::of(known),
        field_of_header(known.name),
    ) {
        (Owner::Sender, ..) if is_exact => Ok(Place::Extra),
        (Owner::Field, Some(own), Some(field)) if is_exact => Ok(Place::Own(own, field)),
        (Owner::Sender | Owner::Field, ..) if !is_exact => {
            let detail = format!(
                "The name of this header field is written with hyphens: `{}`.",
                known.name
            );
            Err(Refusal::with_detail(Code::InvalidHeaderName, detail))
        }
        (owner, _, field) => Err(reserved(owner, field)),
    }
}

/// Why a field may not be given in `headers`, and what to use instead.
fn reserved(owner: Owner, field: Option<&str>) -> Refusal {
    let detail = match (owner, field) {
        (_, Some(field)) => {
            let detail = format!("Use the message's `{field}` instead of this header field.");
            return Refusal::with_detail(Code::ReservedHeader, detail);
        }
        (Owner::Mime, None) => {
            "This header field follows from the message's `text`, `html`, `calendar` and `attachments`; leave it out."
        }
        (Owner::PowerMta, None) => {
            "This header field is reserved for PowerMTA; use the message's `sender`, `envid`, `job`, \
             `vmta`, `subaccountId`, `customMessageId`, `dkim` and `schedule` instead."
        }
        (Owner::Sender | Owner::Field | Owner::Message | Owner::Carriers, None) => {
            "This header field is not set by the sender of a message; leave it out."
        }
    };
    Refusal::new(Code::ReservedHeader, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use crate::header::{Body, Grammar, Occurs, Party};

    #[test]
    fn names_are_the_senders_own() {
        for name in [
            "X-Campaign",
            "List-Id",
            "Auto-Submitted",
            "X-Entity-Ref-ID",
            "Precedence",
        ] {
            assert!(place_of(name, HeaderScope::Single).is_ok(), "{name}");
        }
        for name in [
            "",
            "X Y",
            "X:",
            "X-é",
            "x-Sender",
            "X_Sender",
            "X-Receiver",
            "Bcc",
            "bCC",
            "Subject",
            "Content-Type",
            "Resent-To",
            "X-Virtual-MTA",
            "X-DKIM-Options",
            "a\r\nb",
            "Reply_To",
        ] {
            assert!(place_of(name, HeaderScope::Single).is_err(), "{name}");
        }
    }

    fn raw_codes(field: &str) -> Vec<&'static str> {
        let mail = format!(
            "{field}Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nMessage-ID: <a@b.c>\r\nFrom: a@b.c\r\n\r\n"
        );
        match Message::from_rfc822(mail.as_bytes(), &[("to", "d@e.f")]) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|problem| problem.code().as_str())
                .collect(),
        }
    }

    #[test]
    fn every_row_of_the_table_is_kept_in_headers_and_in_finished_messages() {
        for KnownField {
            name,
            owner,
            body,
            occurs,
            ..
        } in KnownField::all()
        {
            // A prefix is tried with one of the names that begin so.
            let name = if name.ends_with('-') {
                format!("{name}new")
            } else {
                (*name).to_owned()
            };
            for name in [
                name.clone(),
                name.to_ascii_uppercase(),
                name.replace('-', "_"),
            ] {
                let is_exact = !name.contains('_');
                // Message-ID is taken out before.
                let is_read = *owner == Owner::Field
                    && is_exact
                    && !name.ends_with("-id")
                    && !name.ends_with("-ID");
                let is_taken = (*owner == Owner::Sender && is_exact) || is_read;
                assert_eq!(
                    place_of(&name, HeaderScope::Single).is_ok(),
                    is_taken,
                    "{name}"
                );
                let field = format!("{name}: <a@example.com>\r\n");
                let mandatory = ["from", "date", "message-id"];
                let twice = is_exact && mandatory.contains(&name.to_ascii_lowercase().as_str());
                let blind = is_exact
                    && *body == Body::Structured(Grammar::Addresses(Party::BlindRecipients));
                let expected: &[_] = match owner {
                    Owner::PowerMta => &["reserved_header"],
                    _ if twice => &["invalid_content"],
                    _ if blind => &["reserved_header"],
                    _ => &[],
                };
                assert_eq!(raw_codes(&field), expected, "{name}");
                let expected: &[_] = match occurs {
                    Occurs::Once if is_exact => &["invalid_content"],
                    _ => expected,
                };
                assert_eq!(raw_codes(&field.repeat(2)), expected, "{name} twice");
            }
        }
    }

    #[test]
    fn fields_of_the_message_are_read_as_those() {
        for (name, own, field) in [
            ("Date", OwnHeader::Date, "date"),
            ("reply-to", OwnHeader::ReplyTo, "replyTo"),
            ("In-Reply-To", OwnHeader::InReplyTo, "inReplyTo"),
            ("References", OwnHeader::References, "references"),
            ("LIST-UNSUBSCRIBE", OwnHeader::Unsubscribe, "unsubscribe"),
            ("List-Unsubscribe-Post", OwnHeader::OneClick, "unsubscribe"),
            ("X-Priority", OwnHeader::XPriority, "priority"),
            ("Importance", OwnHeader::Importance, "priority"),
        ] {
            assert_eq!(
                place_of(name, HeaderScope::Single),
                Ok(Place::Own(own, field))
            );
        }
    }

    #[test]
    fn a_merge_shows_recipients_that_get_nothing_of_it() {
        for (name, merge, recipient) in [
            ("Cc", Ok(Place::Extra), Ok(Place::Extra)),
            ("CC", Ok(Place::Extra), Ok(Place::Extra)),
            ("To", Err(Code::ReservedHeader), Ok(Place::Extra)),
            ("Bcc", Err(Code::ReservedHeader), Err(Code::ReservedHeader)),
        ] {
            let place = |scope| place_of(name, scope).map_err(|refusal| refusal.code);
            assert_eq!(place(HeaderScope::Merge), merge, "{name}");
            assert_eq!(place(HeaderScope::Recipient), recipient, "{name}");
            assert_eq!(place(HeaderScope::Single), Err(Code::ReservedHeader));
        }
    }

    #[test]
    fn a_name_with_underscores_is_reported_with_hyphens() {
        for (name, right) in [
            ("List_Unsubscribe", "list-unsubscribe"),
            ("List_Unsubscribe-Post", "list-unsubscribe-post"),
            ("Reply_To", "reply-to"),
            ("message_id", "message-id"),
            ("LIST_ID", "list-id"),
            ("Disposition_Notification_To", "disposition-notification-to"),
        ] {
            let refusal = place_of(name, HeaderScope::Single).unwrap_err();
            assert_eq!(refusal.code, Code::InvalidHeaderName, "{name}");
            assert!(refusal.detail.ends_with(&format!("`{right}`.")), "{name}");
        }
        assert_eq!(
            place_of("X_Campaign_Id", HeaderScope::Single),
            Ok(Place::Extra)
        );
    }

    #[test]
    fn a_refused_header_names_the_field_to_use() {
        for (name, field) in [
            ("From", "from"),
            ("To", "to"),
            ("Cc", "cc"),
            ("BCC", "bcc"),
            ("Subject", "subject"),
            ("Return-Path", "sender"),
            ("Errors-To", "sender"),
            ("MIME-Version", "text"),
            ("X-Job", "job"),
            ("X-Sender", "sender"),
            ("x_receiver", "to"),
            ("X-DKIM-Options", "dkim"),
            ("DKIM-Signature", "dkim"),
            ("x_virtual_mta", "vmta"),
        ] {
            let detail = format!("Use the message's `{field}` instead of this header field.");
            assert_eq!(
                place_of(name, HeaderScope::Single).unwrap_err().detail,
                detail,
                "{name}"
            );
        }
        for (name, words) in [
            ("Content-Type", "the message's `text`, `html`"),
            ("X-PMTA-Pool", "`vmta`"),
            ("Received", "not set by the sender"),
        ] {
            let detail = place_of(name, HeaderScope::Single).unwrap_err().detail;
            assert!(detail.contains(words), "{name}: {detail}");
        }
    }
}
