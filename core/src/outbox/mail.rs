//! A decoded message.

use super::mailbox::{MailMailbox, mailboxes};
use super::part::Part;
use super::text::decoded;
use mail_parser::{Header, MessageParser};
use serde::Serialize;

/// A message as a reader sees it: header fields as plain text, and parts without their encodings.
///
/// ```
/// use pmtaemail::outbox::Mail;
///
/// let json = br#"{"from": "Shop <shop@example.com>", "to": "ann@example.org", "subject": "Gr\u00fc\u00dfe",
///     "text": "Hello", "attachments": [{"filename": "a.txt", "content": "SGk="}]}"#;
/// let mail = Mail::read(&pmtaemail::render(json)?).unwrap();
/// assert_eq!(mail.header("subject"), Some("Grüße"));
/// assert_eq!(mail.mailboxes("From")[0].name, "Shop");
/// assert_eq!(mail.text().as_deref(), Some("Hello"));
/// assert_eq!(mail.attachments().next().unwrap().content, b"Hi");
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The fields of its header section, in order.
    pub headers: Vec<MailField>,
    /// The message as a tree.
    pub root: Part,
}

/// A message in JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MailSummary<'m> {
    headers: &'m [MailField],
    subject: Option<&'m str>,
    from: Vec<MailMailbox>,
    to: Vec<MailMailbox>,
    cc: Vec<MailMailbox>,
    reply_to: Vec<MailMailbox>,
    message_id: Option<&'m str>,
    text: Option<String>,
    html: Option<String>,
    amp: Option<String>,
    calendar: Option<String>,
    attachments: Vec<&'m Part>,
}

/// A field of a header section.
///
/// ```
/// use pmtaemail::outbox::Mail;
///
/// let mail = Mail::read(b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\n").unwrap();
/// let field = &mail.headers[0];
/// assert_eq!((field.name.as_str(), field.value.as_str()), ("Subject", "Grüße"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Hash)]
#[non_exhaustive]
pub struct MailField {
    /// As written.
    pub name: String,
    /// Unfolded and decoded (RFC 2047).
    pub value: String,
    /// As written.
    #[serde(skip)]
    body: String,
}

/// How many messages may be enclosed in a message, nested or side by side.
const MOST_ENCLOSED: usize = 100;
/// How many parts a message may have: each takes a hundred times the memory of the bytes that it is written with.
const MOST_PARTS: usize = 25_000;
/// The maximum length of a `Content-…` field, in bytes.
const LONGEST_FIELD: usize = 64 << 10;
/// These fields have names that begin like this.
const CONTENT: &[u8] = b"content-";

impl Mail {
    /// Decodes a message. `None` if it has no header section, more than 25,000 parts, more than a hundred enclosed
    /// messages, or a `Content-…` field over 64 KiB.
    pub fn read(message: &[u8]) -> Option<Self> {
        if !is_simple_enough(message) {
            return None;
        }
        let parsed = MessageParser::default().parse(message)?;
        if parsed.parts.len() > MOST_PARTS {
            return None;
        }
        let header = |field: &Header<'_>| {
            let part = |start, end| {
                message
                    .get(start as usize..end as usize)
                    .unwrap_or_default()
            };
            let name = part(field.offset_field, field.offset_start);
            let name = String::from_utf8_lossy(name);
            let body = part(field.offset_start, field.offset_end);
            MailField {
                name: name.trim_end_matches([':', ' ', '\t']).to_owned(),
                value: decoded(body),
                body: String::from_utf8_lossy(body).into_owned(),
            }
        };
        Some(Self {
            headers: parsed.headers().iter().map(header).collect(),
            root: Part::of(&parsed),
        })
    }

    /// The value of the first field with this name, ignoring letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|field| is_called(field, name))?;
        Some(&found.value)
    }

    /// The mailboxes in all fields with this name, such as `To`.
    pub fn mailboxes(&self, name: &str) -> Vec<MailMailbox> {
        let fields = self.headers.iter();
        let fields = fields.filter(|field| is_called(field, name));
        fields.flat_map(|field| mailboxes(&field.body)).collect()
    }

    /// The text, with `\n` as line ends and none after the last line.
    pub fn text(&self) -> Option<String> {
        self.body("text/plain")
    }

    /// The HTML, with line ends as in [`text`](Self::text).
    pub fn html(&self) -> Option<String> {
        self.body("text/html")
    }

    /// The AMP source, with line ends as in [`text`](Self::text).
    ///
    /// ```
    /// use pmtaemail::outbox::Mail;
    ///
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello",
    ///                 "amp": "<!doctype html><html amp4email></html>"}"#;
    /// let mail = Mail::read(&pmtaemail::render(json)?).unwrap();
    /// assert!(mail.amp().unwrap().contains("amp4email"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn amp(&self) -> Option<String> {
        self.body("text/x-amp-html")
    }

    /// The invitation (RFC 5546), with line ends as in [`text`](Self::text).
    pub fn calendar(&self) -> Option<String> {
        self.body("text/calendar")
    }

    /// All other parts, including inline images.
    pub fn attachments(&self) -> impl Iterator<Item = &Part> {
        let bodies = BODIES.map(|kind| self.body_part(kind).map(|part| part.number));
        let leaves = leaves(&self.root);
        leaves.filter(move |part| !bodies.contains(&Some(part.number)))
    }

    /// Its fields and bodies as in JSON, without the contents of other parts.
    pub(super) fn summary(&self) -> MailSummary<'_> {
        MailSummary {
            headers: &self.headers,
            subject: self.header("Subject"),
            from: self.mailboxes("From"),
            to: self.mailboxes("To"),
            cc: self.mailboxes("Cc"),
            reply_to: self.mailboxes("Reply-To"),
            message_id: self.message_id(),
            text: self.text(),
            html: self.html(),
            amp: self.amp(),
            calendar: self.calendar(),
            attachments: self.attachments().collect(),
        }
    }

    /// The Message-ID without angle brackets.
    ///
    /// ```
    /// let mail = pmtaemail::outbox::Mail::read(b"Message-ID: <4711@example.com>\r\n\r\n").unwrap();
    /// assert_eq!(mail.message_id(), Some("4711@example.com"));
    /// ```
    pub fn message_id(&self) -> Option<&str> {
        let field = self.header("Message-ID")?;
        Some(field.trim_matches(['<', '>']))
    }

    /// A part by its [number](Part::number).
    pub fn part(&self, number: usize) -> Option<&Part> {
        self.root.walk().find(|part| part.number == number)
    }

    fn body(&self, media_type: &str) -> Option<String> {
        let text = self.body_part(media_type)?.text()?.replace("\r\n", "\n");
        Some(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
    }

    /// The first part of this type that is not an attachment.
    fn body_part(&self, media_type: &str) -> Option<&Part> {
        leaves(&self.root).find(|part| {
            let is_attached = part.disposition.as_deref() == Some("attachment");
            part.media_type == media_type && !is_attached && part.filename.is_none()
        })
    }
}

const BODIES: [&str; 4] = [
    "text/plain",
    "text/html",
    "text/x-amp-html",
    "text/calendar",
];

fn is_called(field: &MailField, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// The parts with content of their own. Parts of an enclosed message belong to that message.
fn leaves(root: &Part) -> impl Iterator<Item = &Part> {
    let mut waiting = vec![root];
    std::iter::from_fn(move || {
        loop {
            let next = waiting.pop()?;
            if !next.media_type.starts_with("multipart/") || next.parts.is_empty() {
                return Some(next);
            }
            waiting.extend(next.parts.iter().rev());
        }
    })
}

/// Whether a message can be parsed safely: mail-parser recurses into enclosed messages, and takes quadratic time for
/// the parameters of a field.
fn is_simple_enough(message: &[u8]) -> bool {
    let (mut enclosed, mut length) = (0, None);
    for line in message.split(|byte| *byte == b'\n') {
        let is_continued = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        let begins = line.get(..CONTENT.len());
        let begins = begins.is_some_and(|name| name.eq_ignore_ascii_case(CONTENT));
        length = match length {
            Some(length) if is_continued => Some(length + line.len()),
            _ => begins.then_some(line.len()),
        };
        let Some(length) = length else { continue };
        if [&b"message"[..], b"digest"]
            .iter()
            .any(|word| holds(line, word))
        {
            enclosed += 1;
        }
        if enclosed > MOST_ENCLOSED || length > LONGEST_FIELD {
            return false;
        }
    }
    true
}

/// Whether a line contains this word, ignoring letter case.
fn holds(line: &[u8], word: &[u8]) -> bool {
    let mut places = line.windows(word.len());
    places.any(|place| place.eq_ignore_ascii_case(word))
}
