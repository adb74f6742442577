//! A finished message (RFC 5322) that is sent as it is, after checks.

use super::raw_message::{RawMessage, RawMessageId};
use super::values::choice;
use crate::address::{AddrSpec, Mailbox, ReversePath, addresses};
use crate::header::{KnownField, Occurs, Owner, has_long_line};
use crate::json::{Encoding, JsonContent, JsonRaw, Located};
use crate::mime::{Base64, sendable};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use crate::syntax::{
    FieldForm, LineEnds, WrittenField, fields, has_bare_cr, header_end, holds_bare_cr, to_crlf,
    without_comments,
};
use crate::text::into_bytes;
use std::borrow::Cow;

/// What the addresses in the header of a finished message mean.
///
/// ```
/// use pmtaemail::{HeaderAddresses, Message};
///
/// let mail = b"From: shop@example.com\r\nTo: ann@example.org\r\n\r\nHello\r\n";
/// let no_envelope: &[(&str, &str)] = &[];
/// assert_eq!(Message::from_rfc822(mail, no_envelope)?.addressee_count(), 1);
/// assert!(Message::from_rfc822_with(mail, no_envelope, HeaderAddresses::Ignore).is_err());
///
/// let envelope = [("sender", "bounces@example.com"), ("to", "bo@example.org")];
/// assert!(Message::from_rfc822_with(mail, &envelope, HeaderAddresses::Ignore).is_ok());
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderAddresses {
    /// They are used where the envelope names no sender or no recipients. A Bcc field is refused if the envelope names
    /// recipients.
    CompleteEnvelope,
    /// They are only displayed and need not even be valid; the envelope must say everything. Bcc is still removed.
    Ignore,
}

/// The fields that are generated if the header does not give them.
const MADE: [&str; 2] = ["Date", "Message-ID"];

/// A message with its sender and the recipients that its own header names.
pub(super) struct RawReading<'a> {
    pub message: RawMessage<'a>,
    /// That of the envelope, or the address of From.
    pub reverse_path: ReversePath<'a>,
    pub recipients: Vec<Mailbox<'static>>,
}

/// The same limit as for `headers`: a message that passed through very many servers has some hundred.
const MOST_FIELDS: usize = 1_000;

const TOO_MANY_FIELDS: Refusal = Refusal::new(
    Code::TooLong,
    "The header of a message may have at most 1,000 fields.",
);

/// Interprets `raw`. `has_recipients`: whether the envelope names some. Bcc is removed.
pub(super) fn read_raw<'a>(
    raw: Located<JsonRaw<'a>>,
    header_addresses: HeaderAddresses,
    sender: Option<ReversePath<'a>>,
    has_recipients: bool,
    report: &mut ProblemReport<'a>,
) -> Option<RawReading<'a>> {
    let completes_envelope = header_addresses == HeaderAddresses::CompleteEnvelope;
    let takes_recipients = completes_envelope && !has_recipients;
    let shows_bcc = completes_envelope && has_recipients;
    let location = raw.location;
    let content = read_content(raw.value, location, report)?;
    if content.trim_ascii_start().starts_with(b"{") {
        let detail = "This looks like JSON; `raw` must be a finished message (RFC 5322), which starts with its header.";
        report.problem(location, Code::InvalidContent, detail);
        return None;
    }
    let known = report.len();
    if has_bare_cr(&content, |_| false) {
        report.refuse(location, BARE_CR);
    } else {
        check_bodies(&content, location, report);
    }
    let mut bytes = mended(content);
    check_lines(&bytes, location, report);
    let end = header_end(&bytes);
    let fields: Vec<_> = read_fields(&bytes[..end], FieldForm::Strict)
        .take(MOST_FIELDS + 1)
        .collect();
    if fields.len() > MOST_FIELDS {
        report.refuse(location, TOO_MANY_FIELDS);
        return None;
    }
    check_header(&bytes[..end], &fields, location, report);
    check_fields(&fields, shows_bcc, location, report);
    if report.len() > known {
        return None;
    }
    let sender = match sender {
        Some(sender) if !completes_envelope => Some(sender),
        sender => {
            let from = from_address(&fields, location, report);
            sender.or(from.map(ReversePath::Address))
        }
    };
    let recipients = if takes_recipients {
        mailboxes(recipient_fields(&fields), location, report)
    } else {
        Vec::new()
    };
    if report.len() > known {
        return None;
    }
    let reverse_path = sender?;
    let [date, message_id] = MADE.map(|name| says(&fields, name));
    let message_id = match message_id {
        Some(id) => RawMessageId::Given(id),
        None => RawMessageId::Made {
            domain: domain_of_message_id(&fields, &reverse_path),
        },
    };
    let is_internationalized = !bytes[..end].is_ascii();
    let is_left_out = |field: &ReadField<'_>| field.is_blind() || field.is_made();
    if fields.iter().any(is_left_out) {
        bytes = Cow::Owned(without(&bytes, end, &fields, is_left_out));
    }
    Some(RawReading {
        message: RawMessage {
            bytes,
            has_date: date.is_some(),
            message_id,
            is_internationalized,
        },
        reverse_path,
        recipients,
    })
}

fn read_content<'a>(
    raw: JsonRaw<'a>,
    location: Location,
    report: &mut ProblemReport<'a>,
) -> Option<Cow<'a, [u8]>> {
    let encoding = raw.0.encoding.and_then(|word| choice(&word, report));
    let Some(content) = raw.0.content else {
        let detail = "A raw message must have `content`.";
        report.missing(location, &["content"], Code::MissingField, detail);
        return None;
    };
    match (content.value, encoding.unwrap_or(Encoding::Utf8)) {
        (JsonContent::Bytes(bytes), _) => Some(bytes),
        (JsonContent::Text(text), Encoding::Utf8) => Some(into_bytes(text)),
        (JsonContent::Text(text), Encoding::Base64) => Base64::parse(text)
            .map(|base64| base64.decode())
            .and_then(|bytes| match header_size(&bytes) {
                ..=MOST_IN_BASE64 => Ok(Cow::Owned(bytes)),
                _ => Err(LONG_HEADER),
            })
            .or_refuse(location, report),
    }
}

/// Base64 hides from programs that limit their memory how many addresses a header contains. Each takes many times its
/// size once it is parsed.
const MOST_IN_BASE64: usize = 1 << 20;

const LONG_HEADER: Refusal = Refusal::new(
    Code::TooLong,
    "The header of a message in base64 may be at most 1 MiB. Give its recipients in `to`, or submit it as message/rfc822.",
);

/// The size of the header, whatever its line ends are.
fn header_size(content: &[u8]) -> usize {
    let before = |end: &[u8], text: &[u8]| memchr::memmem::find(text, end).unwrap_or(text.len());
    before(b"\n\n", &content[..before(b"\n\r\n", content)])
}

/// The refusal of a header that different readers would read differently.
pub(super) const BARE_CR: Refusal = Refusal::new(
    Code::ControlCharacter,
    "The header contains a CR that is not part of a line ending; lines must end with CRLF or LF.",
);

/// The message with CRLF at the end of every line; borrowed if it has them already.
fn mended(bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let mut bytes = to_crlf(bytes, LineEnds::Any);
    if !bytes.ends_with(b"\r\n") {
        bytes.to_mut().extend_from_slice(b"\r\n");
    }
    if header_end(&bytes) == bytes.len() {
        // A header alone: without the empty line a reader could take what follows for more of it.
        bytes.to_mut().extend_from_slice(b"\r\n");
    }
    bytes
}

/// A bare CR in a body becomes a line end, unless that would break a signature or create a field in the header of a
/// part.
fn check_bodies(content: &[u8], location: Location, report: &mut ProblemReport<'_>) {
    if holds_bare_cr(content) {
        let message = to_crlf(Cow::Borrowed(content), LineEnds::Lf);
        sendable(message.into_owned()).or_refuse(location, report);
    }
}

fn check_lines(bytes: &[u8], location: Location, report: &mut ProblemReport<'_>) {
    if memchr::memchr(0, bytes).is_some() {
        let detail = "A message may not contain NUL (RFC 5322 section 2).";
        report.problem(location, Code::InvalidContent, detail);
    }
    if has_long_line(bytes) {
        let detail = "A line of the message is longer than 998 bytes (RFC 5322 section 2.1.1).";
        report.problem(location, Code::TooLong, detail);
    }
}

/// A parsed header field, and its row in the table of known fields.
pub(super) struct ReadField<'m> {
    pub known: Option<&'static KnownField>,
    pub written: WrittenField<'m>,
}

/// The fields of a header section.
pub(super) fn read_fields(header: &[u8], form: FieldForm) -> impl Iterator<Item = ReadField<'_>> {
    fields(header, form).map(|written| ReadField {
        known: KnownField::named(written.name),
        written,
    })
}

/// The fields up to the first line that is not one, where the text begins, and their size.
pub(super) fn leading_fields(header: &[u8]) -> (Vec<ReadField<'_>>, usize) {
    let fields: Vec<_> = read_fields(header, FieldForm::Obsolete)
        .take_while(|field| field.written.is_field())
        .collect();
    let length = fields.iter().map(|field| field.written.bytes.len()).sum();
    (fields, length)
}

impl ReadField<'_> {
    /// Whether it names recipients that the others must not see.
    fn is_blind(&self) -> bool {
        self.known.is_some_and(KnownField::is_blind)
    }

    /// Whether PowerMTA might take it for one of its own.
    fn is_powermtas(&self) -> bool {
        let known = if self.written.name.contains('_') {
            KnownField::named_loosely(self.written.name)
        } else {
            self.known
        };
        known.is_some_and(|known| known.owner == Owner::PowerMta)
    }

    /// Whether it signs the header, so that nothing may be added.
    pub(super) fn is_signature(&self) -> bool {
        self.known.is_some_and(KnownField::signs_header)
    }

    /// Whether it is empty and has to be generated.
    fn is_made(&self) -> bool {
        MADE.iter().any(|name| self.is(name)) && self.text().is_empty()
    }

    /// The body without comments; empty if it consists only of angle brackets.
    fn text(&self) -> String {
        let body = self.written.body();
        let text = without_comments(&body).unwrap_or(Cow::Borrowed(&body));
        let says_nothing = text.trim_matches(['<', '>', ' ', '\t']).is_empty();
        if says_nothing {
            String::new()
        } else {
            text.into_owned()
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.written.name.eq_ignore_ascii_case(name)
    }
}

fn check_header(
    header: &[u8],
    fields: &[ReadField<'_>],
    location: Location,
    report: &mut ProblemReport<'_>,
) {
    if !fields.iter().all(|field| field.written.is_field()) {
        let detail = "The header contains a line that is neither a field, `Name: body`, nor a continuation line, which \
                      starts with a space or tab.";
        report.problem(location, Code::InvalidContent, detail);
    }
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\r\n\t".contains(byte);
    if header.iter().any(is_control) {
        let detail = "The header may not contain control characters.";
        report.problem(location, Code::ControlCharacter, detail);
    }
    if simdutf8::basic::from_utf8(header).is_err() {
        let detail = "The header is not valid UTF-8.";
        report.problem(location, Code::InvalidContent, detail);
    }
}

fn check_fields(
    fields: &[ReadField<'_>],
    shows_bcc: bool,
    location: Location,
    report: &mut ProblemReport<'_>,
) {
    let count = |name: &str| fields.iter().filter(|field| field.is(name)).count();
    if count("from") == 0 {
        let detail = "The message has no From field (RFC 5322 section 3.6).";
        report.problem(location, Code::InvalidContent, detail);
    }
    if fields.iter().any(ReadField::is_signature) {
        for name in MADE.into_iter().filter(|name| says(fields, name).is_none()) {
            let detail = format!(
                "The message has no {name} (RFC 5322 section 3.6), and adding one would break its \
                 signature (DKIM-Signature, ARC); add the field before signing."
            );
            report.problem(location, Code::InvalidContent, detail);
        }
    }
    for name in KnownField::all()
        .filter(|known| known.occurs == Occurs::Once)
        .map(|known| known.name)
    {
        if count(name) > 1 {
            let detail = format!("The message has several {name} fields (RFC 5322 section 3.6).");
            report.problem(location, Code::InvalidContent, detail);
        }
    }
    if fields.iter().any(ReadField::is_powermtas) {
        let detail = "The message contains a header field that is reserved for PowerMTA's options.";
        report.problem(location, Code::ReservedHeader, detail);
    }
    if shows_bcc && fields.iter().any(ReadField::is_blind) {
        let detail = "The message's Bcc would show blind recipients to everyone; remove it, or leave \
                      out `to`, `cc` and `bcc` so that the recipients are read from the header.";
        report.problem(location, Code::ReservedHeader, detail);
    }
}

/// The fields that name the recipients; in a resent message (RFC 5322 section 3.6.6), the new ones.
pub(super) fn recipient_fields<'f, 'o>(
    fields: &'f [ReadField<'o>],
) -> impl Iterator<Item = &'f ReadField<'o>> {
    let names_some = |field: &ReadField<'_>, resent: bool| {
        field
            .known
            .is_some_and(|known| known.has_recipients() && known.is_resent() == resent)
    };
    let resent = fields.iter().any(|field| names_some(field, true));
    fields.iter().filter(move |field| names_some(field, resent))
}

/// The first address of From. `None` only if the report says why.
fn from_address(
    fields: &[ReadField<'_>],
    location: Location,
    report: &mut ProblemReport<'_>,
) -> Option<AddrSpec<'static>> {
    let known = report.len();
    let from = fields.iter().filter(|field| field.is("from"));
    let first = mailboxes(from, location, report).into_iter().next();
    if first.is_none() && report.len() == known {
        let detail = "The message's From contains no address.";
        report.problem(location, Code::InvalidContent, detail);
    }
    first.map(|mailbox| mailbox.address)
}

/// The addresses of the header fields.
fn mailboxes<'f>(
    fields: impl Iterator<Item = &'f ReadField<'f>>,
    location: Location,
    report: &mut ProblemReport<'_>,
) -> Vec<Mailbox<'static>> {
    let mut mailboxes = Vec::new();
    for field in fields {
        let found = field_addresses(&field.written.body()).or_refuse(location, report);
        mailboxes.extend(found.into_iter().flatten());
    }
    mailboxes
}

/// All addresses of From and Sender, including those of a resent message (RFC 5322 section 3.6.6).
pub(super) fn sender_addresses(message: &[u8]) -> Result<Vec<Mailbox<'static>>, Refusal> {
    const NAMES: [&str; 4] = ["from", "sender", "resent-from", "resent-sender"];

    let mut all = Vec::new();
    for field in read_fields(&message[..header_end(message)], FieldForm::Strict) {
        if NAMES.iter().any(|name| field.is(name)) {
            all.extend(field_addresses(&field.written.body())?);
        }
    }
    Ok(all)
}

/// The addresses in the body of a field. Display names do not matter here, so they may have any form.
pub(super) fn field_addresses(body: &str) -> Result<Vec<Mailbox<'static>>, Refusal> {
    addresses(body)?
        .into_iter()
        .map(|address| {
            Ok(Mailbox {
                name: None,
                address: AddrSpec::read(Cow::Owned(address.into_owned()))?,
            })
        })
        .collect()
}

/// The right side of a generated Message-ID. If From contains no address, and need not, it is the domain of the
/// envelope sender.
fn domain_of_message_id(fields: &[ReadField<'_>], reverse_path: &ReversePath<'_>) -> String {
    let from = fields.iter().find(|field| field.is("from"));
    let from = from.and_then(|from| {
        let found = field_addresses(&from.written.body()).ok()?;
        found.into_iter().next()
    });
    match (&from, reverse_path.address()) {
        (Some(mailbox), _) => mailbox.address.domain(),
        (None, Some(sender)) => sender.domain(),
        (None, None) => "localhost.localdomain",
    }
    .to_owned()
}

/// The content of a field, unless it is missing or empty.
fn says(fields: &[ReadField<'_>], name: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.is(name))?;
    let text = field.text();
    (!text.is_empty()).then(|| identifier(&text).to_owned())
}

/// What is in the first angle brackets; the complete text if there are none.
fn identifier(text: &str) -> &str {
    let bracketed = text.split_once('>').map(|(before, _)| before);
    let bracketed = bracketed.and_then(|before| Some(before.rsplit_once('<')?.1.trim()));
    let bare = || text.trim_matches(['<', '>', ' ', '\t']);
    bracketed.filter(|id| !id.is_empty()).unwrap_or_else(bare)
}

fn without(
    bytes: &[u8],
    end: usize,
    fields: &[ReadField<'_>],
    is_left_out: impl Fn(&ReadField<'_>) -> bool,
) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    for field in fields.iter().filter(|field| !is_left_out(field)) {
        kept.extend_from_slice(field.written.bytes);
    }
    kept.extend_from_slice(&bytes[end..]);
    kept
}
