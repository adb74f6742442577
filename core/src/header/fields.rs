//! The one table of header fields that are more than text of the caller.
//!
//! Each rule about a field that depends on its name is a column here:
//!
//! ```text
//!                         headers             a finished message (raw, sendmail)
//! Owner::Sender           may contain it      may contain it
//! Owner::Field            read as the field   may contain it
//!                         of the message
//! Owner::Message          refused, and the    may contain it
//! Owner::Mime             sentence names      may contain it: it is MIME already
//! Owner::Carriers         what to use         may contain it: it may have travelled
//! Owner::PowerMta                             refused: the pickup file's own lines say it
//! Occurs::Once            refused twice       refused twice
//! Body::Structured        read by its grammar     recipients are read from addresses, bare ones get a domain
//! ```
//!
//! The table of the message's fields says which header field is made from which of them
//! ([`field_of_header`](crate::json::field_of_header)).
//!
//! A field that is not in the table belongs to the sender, may be repeated and is unstructured.

use std::cmp::Ordering;

/// A header field, or all fields whose names start with the same prefix.
#[derive(Debug)]
pub(crate) struct KnownField {
    /// In lower case. In [`PREFIXES`], the start of the name.
    pub name: &'static str,
    pub owner: Owner,
    pub occurs: Occurs,
    pub body: Body,
}

/// Who writes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Anybody.
    Sender,
    /// This library, from a field of the message; it cannot be given in any other way.
    Message,
    /// This library, from a field of the message. In `headers` it is read as that field.
    Field,
    /// This library, for the message's parts (RFC 2045).
    Mime,
    /// PowerMTA, which acts on it.
    PowerMta,
    /// Those who carry, sign, check or resend the message. A sender who writes it commits forgery, but a finished
    /// message may have come a long way.
    Carriers,
}

/// How often a message may hold a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurs {
    /// At most once (RFC 5322 section 3.6).
    Once,
    /// Any number of times. That includes Bcc, since none of them stays in the message.
    Often,
}

/// What the body of a field is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Text that may contain encoded words (RFC 5322 section 2.2.1).
    Text,
    /// A grammar in which white space is meaningless and letters beyond ASCII are allowed only in some places.
    Structured(Grammar),
}

/// The grammar of a structured body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Mailboxes or addresses (RFC 5322 section 3.4).
    Addresses(Party),
    /// One mailbox.
    Mailbox,
    /// A date (RFC 5322 section 3.3).
    Date,
    /// Message identifiers (RFC 5322 section 3.6.4).
    MessageIds,
    /// URIs in angle brackets (RFC 2369 section 2, RFC 5064 section 2.2).
    Uris,
    /// The same, or the word `NO` (RFC 2369 section 3.4).
    UrisOrNo,
    /// A phrase and an identifier in angle brackets (RFC 2919 section 3).
    PhraseAndId,
    /// Phrases with commas between them (RFC 5322 section 3.6.5).
    Phrases,
    /// Words and parameters of some other grammar, in which nothing may be an encoded word (RFC 2047 section 5).
    Tokens,
    /// Attributes, the last of which is a key in base64 that may be folded (Autocrypt level 1).
    KeyData,
}

/// Who the addresses of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    /// Those who get the message.
    Recipients,
    /// Those who get it without the others knowing: the field is removed.
    BlindRecipients,
    /// Those who wrote or sent it, or who get replies and reports.
    Others,
}

const TEXT: Body = Body::Text;
const TO: Body = Body::Structured(Grammar::Addresses(Party::Recipients));
const BCC: Body = Body::Structured(Grammar::Addresses(Party::BlindRecipients));
const PARTY: Body = Body::Structured(Grammar::Addresses(Party::Others));
const MAILBOX: Body = Body::Structured(Grammar::Mailbox);
const DATE: Body = Body::Structured(Grammar::Date);
const IDS: Body = Body::Structured(Grammar::MessageIds);
const URIS: Body = Body::Structured(Grammar::Uris);
const URIS_OR_NO: Body = Body::Structured(Grammar::UrisOrNo);
const PHRASE_AND_ID: Body = Body::Structured(Grammar::PhraseAndId);
const PHRASES: Body = Body::Structured(Grammar::Phrases);
const TOKENS: Body = Body::Structured(Grammar::Tokens);
const KEY: Body = Body::Structured(Grammar::KeyData);

/// A row, with the values that most rows have.
const fn row(name: &'static str, owner: Owner, body: Body) -> KnownField {
    KnownField {
        name,
        owner,
        occurs: Occurs::Often,
        body,
    }
}

impl KnownField {
    const fn once(self) -> Self {
        Self {
            occurs: Occurs::Once,
            ..self
        }
    }
}

use Owner::{Carriers, Field, Message, Mime, PowerMta, Sender};

/// The fields by their names, in the order of the names.
#[rustfmt::skip]
static FIELDS: &[KnownField] = &[
    row("accept-language", Sender, TOKENS),
    row("apparently-to", Carriers, PARTY),
    row("archived-at", Sender, URIS),
    row("authentication-results", Carriers, TOKENS),
    row("auto-submitted", Sender, TOKENS),
    row("autocrypt", Sender, KEY),
    row("autocrypt-gossip", Sender, KEY),
    row("autocrypt-setup-message", Sender, TOKENS),
    row("bcc", Message, BCC),
    row("bimi-selector", Sender, TOKENS),
    row("cc", Message, TO).once(),
    row("date", Field, DATE).once(),
    row("delivered-to", Carriers, TOKENS),
    row("disposition-notification-options", Sender, TOKENS),
    row("disposition-notification-to", Sender, PARTY),
    row("dkim-signature", Carriers, TOKENS),
    row("domainkey-signature", Carriers, TOKENS),
    // Some mail servers send bounces there instead of to the envelope's sender.
    row("errors-to", Carriers, PARTY),
    row("expires", Sender, DATE),
    row("expiry-date", Sender, DATE),
    row("feedback-id", Sender, TOKENS),
    row("from", Message, PARTY).once(),
    row("importance", Field, TOKENS),
    row("in-reply-to", Field, IDS).once(),
    row("jabber-id", Sender, TOKENS),
    row("keywords", Sender, PHRASES),
    row("list-archive", Sender, URIS),
    row("list-help", Sender, URIS),
    row("list-id", Sender, PHRASE_AND_ID),
    row("list-owner", Sender, URIS),
    row("list-post", Sender, URIS_OR_NO),
    row("list-subscribe", Sender, URIS),
    row("list-unsubscribe", Field, URIS),
    row("list-unsubscribe-post", Field, TOKENS),
    row("mail-followup-to", Sender, PARTY),
    row("mail-reply-to", Sender, PARTY),
    row("message-id", Field, IDS).once(),
    row("mime-version", Mime, TOKENS),
    row("mt-priority", Sender, TOKENS),
    row("obsoletes", Sender, IDS),
    row("openpgp", Sender, TOKENS),
    row("precedence", Sender, TOKENS),
    row("priority", Sender, TOKENS),
    row("received", Carriers, TOKENS),
    row("received-spf", Carriers, TOKENS),
    row("references", Field, IDS).once(),
    row("reply-by", Sender, DATE),
    row("reply-to", Field, PARTY).once(),
    row("require-recipient-valid-since", Sender, TOKENS),
    row("resent-bcc", Carriers, BCC),
    row("resent-cc", Carriers, TO),
    row("resent-date", Carriers, DATE),
    row("resent-from", Carriers, PARTY),
    row("resent-message-id", Carriers, IDS),
    row("resent-sender", Carriers, MAILBOX),
    row("resent-to", Carriers, TO),
    row("return-path", Carriers, TOKENS),
    row("return-receipt-to", Sender, PARTY),
    row("sender", Sender, MAILBOX).once(),
    row("sensitivity", Sender, TOKENS),
    row("subject", Message, TEXT).once(),
    row("supersedes", Sender, IDS),
    row("tls-required", Sender, TOKENS),
    row("to", Message, TO).once(),
    row("vbr-info", Sender, TOKENS),
    row("x-auto-response-suppress", Sender, TOKENS),
    row("x-confirm-reading-to", Sender, PARTY),
    row("x-dkim-options", PowerMta, TOKENS),
    row("x-envid", PowerMta, TOKENS),
    row("x-job", PowerMta, TOKENS),
    row("x-msmail-priority", Sender, TOKENS),
    row("x-priority", Field, TOKENS),
    row("x-receiver", PowerMta, TOKENS),
    row("x-schedule", PowerMta, TOKENS),
    row("x-sender", PowerMta, TOKENS),
    row("x-sender-override", PowerMta, TOKENS),
    row("x-virtual-mta", PowerMta, TOKENS),
];

/// The fields by the start of their names.
static PREFIXES: &[KnownField] = &[
    row("arc-", Carriers, TOKENS),
    row("content-", Mime, TOKENS),
    row("resent-", Carriers, TOKENS),
    row("x-pmta-", PowerMta, TOKENS),
];

impl KnownField {
    /// The row for the field with this name, ignoring letter case (RFC 5322 section 1.2.2).
    pub fn named(name: &str) -> Option<&'static Self> {
        lookup(name, |byte| byte.to_ascii_lowercase())
    }

    /// Like [`named`](Self::named), for programs that may compare names more loosely than we know, such as PowerMTA:
    /// `_` counts as `-`.
    pub fn named_loosely(name: &str) -> Option<&'static Self> {
        lookup(name, |byte| match byte {
            b'_' => b'-',
            byte => byte.to_ascii_lowercase(),
        })
    }

    /// Whether it names recipients that the others must not see.
    pub fn is_blind(&self) -> bool {
        self.body == BCC
    }

    /// Whether it names recipients.
    pub fn has_recipients(&self) -> bool {
        self.body == TO || self.is_blind()
    }

    pub fn has_addresses(&self) -> bool {
        matches!(
            self.body,
            Body::Structured(Grammar::Addresses(_) | Grammar::Mailbox)
        )
    }

    /// Whether it belongs to a resending of the message (RFC 5322 section 3.6.6).
    pub fn is_resent(&self) -> bool {
        self.name.starts_with("resent-")
    }

    /// Whether it signs the header section (RFC 6376, RFC 8617): later additions or changes may break it.
    pub fn signs_header(&self) -> bool {
        matches!(self.name, "dkim-signature" | "arc-")
    }

    /// Every row.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FIELDS.iter().chain(PREFIXES)
    }
}

/// `plain` maps a byte of the name to what it is compared as.
fn lookup(name: &str, plain: impl Fn(u8) -> u8 + Copy) -> Option<&'static KnownField> {
    let compare = |field: &KnownField| -> Ordering {
        let name = name.bytes().map(plain);
        field.name.bytes().cmp(name)
    };
    let begins = |field: &&KnownField| {
        let mut name = name.bytes().map(plain);
        field.name.bytes().all(|byte| name.next() == Some(byte))
    };
    match FIELDS.binary_search_by(compare) {
        Ok(at) => FIELDS.get(at),
        Err(_) => PREFIXES.iter().find(begins),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(name: &str) -> Option<&'static str> {
        KnownField::named(name).map(|field| field.name)
    }

    #[test]
    fn each_row_is_found_by_its_name() {
        assert!(FIELDS.is_sorted_by(|one, next| one.name < next.name));
        for KnownField { name, .. } in KnownField::all() {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(name.bytes().all(plain), "{name}");
            for spelled in [(*name).to_owned(), name.to_ascii_uppercase()] {
                assert_eq!(name_of(&spelled), Some(*name));
                let loose = spelled.replace('-', "_");
                let found = KnownField::named_loosely(&loose).map(|field| field.name);
                assert_eq!(found, Some(*name));
            }
        }
    }

    #[test]
    fn names_are_whole_unless_they_are_prefixes() {
        for name in [
            "", "t", "to-", "tos", "x-jo", "x-jobs", "reply_to", "x-pmta", "arc", "zz", "é",
        ] {
            assert_eq!(name_of(name), None, "{name}");
        }
        assert_eq!(name_of("Content-Type"), Some("content-"));
        assert_eq!(name_of("Resent-Reply-To"), Some("resent-"));
        assert_eq!(name_of("X-PMTA-Anything"), Some("x-pmta-"));
    }

    #[test]
    fn fields_have_their_owners() {
        for (names, owner) in [
            (
                "x-sender x-sender-override x-receiver x-envid x-job x-virtual-mta",
                PowerMta,
            ),
            ("x-dkim-options x-schedule x-pmta-anything", PowerMta),
            (
                "received return-path dkim-signature arc-seal resent-to errors-to",
                Carriers,
            ),
            ("mime-version content-type content-transfer-encoding", Mime),
            (
                "date reply-to message-id in-reply-to references x-priority importance",
                Field,
            ),
            ("list-unsubscribe list-unsubscribe-post", Field),
            ("from to cc bcc subject", Message),
            (
                "sender list-id feedback-id disposition-notification-to",
                Sender,
            ),
        ] {
            for name in names.split(' ') {
                assert_eq!(KnownField::named(name).unwrap().owner, owner, "{name}");
            }
        }
    }
}
