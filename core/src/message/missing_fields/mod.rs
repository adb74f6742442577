//! What a submission agent adds to the mail of local programs (RFC 6409 section 8): who wrote it, and the domains of
//! addresses.
//!
//! ```text
//! To: root                  From: cron@example.com
//!                           To: root@example.com
//! All is well.       →
//!                           All is well.
//! ```
//!
//! Date and Message-ID are generated for every finished message that lacks them.

use super::joined_fields::{Joined, joined};
use super::local_header::with_sound_header;
use super::raw::{BARE_CR, leading_fields};
use crate::address::{AddrSpec, Mailbox, entries};
use crate::header::{HeaderSection, KnownField};
use crate::mime::sendable;
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::syntax::{
    LineEnds, has_bare_cr, has_control_except_tab, header_end, is_no_field, lines, to_crlf,
};
use std::borrow::Cow;

/// What is added to mail that does not say, or only partly says, where it comes from.
///
/// ```
/// use pmtaemail::{SenderDefaults, add_missing_fields};
///
/// let defaults = SenderDefaults { name: Some("Cron"), address: "cron@example.com", domain: "example.com" };
/// let mail = add_missing_fields(b"To: root\nSubject: Backup\n\nDone.\n", &defaults)?;
/// assert!(mail.starts_with(b"From: Cron <cron@example.com>\r\nTo: root@example.com\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SenderDefaults<'a> {
    /// The display name in From.
    pub name: Option<&'a str>,
    /// The address in From.
    pub address: &'a str,
    /// The domain of addresses that have none, such as `root`.
    pub domain: &'a str,
}

impl SenderDefaults<'_> {
    /// Adds the domain to each address in a list of mailboxes that has none.
    ///
    /// ```
    /// # use pmtaemail::SenderDefaults;
    /// let defaults = SenderDefaults { name: None, address: "root@example.com", domain: "example.com" };
    /// assert_eq!(defaults.qualified("root"), "root@example.com");
    /// assert_eq!(defaults.qualified("Ann <ann>, b@c.example"), "Ann <ann@example.com>, b@c.example");
    /// ```
    pub fn qualified(&self, mailboxes: &str) -> String {
        let mut text = String::with_capacity(mailboxes.len() + 64);
        let mut done = 0;
        for at in ends_without_domain(mailboxes.as_bytes()) {
            text.push_str(&mailboxes[done..at]);
            text.push('@');
            text.push_str(self.domain);
            done = at;
        }
        text.push_str(&mailboxes[done..]);
        text
    }

    /// The envelope sender that a program names, as an address or as a mailbox. It gets the default domain if it has
    /// none. `<>` and the empty string are the null reverse-path.
    ///
    /// ```
    /// # use pmtaemail::SenderDefaults;
    /// let defaults = SenderDefaults { name: None, address: "root@example.com", domain: "example.com" };
    /// assert_eq!(defaults.reverse_path("Ann <ann>"), "ann@example.com");
    /// assert_eq!(defaults.reverse_path(""), "<>");
    /// ```
    pub fn reverse_path(&self, text: &str) -> String {
        let text = text.trim();
        let mut mailboxes = entries(text.as_bytes());
        let bare = match (mailboxes.next(), mailboxes.next()) {
            (Some(one), None)
                if one.has_brackets && one.refusal.is_none() && text.ends_with('>') =>
            {
                &text[one.address]
            }
            _ => text,
        };
        if bare.is_empty() {
            "<>".to_owned()
        } else {
            self.qualified(bare)
        }
    }
}

/// Completes a message as a submission agent does, so that it can be read as a finished one. It is for mail that local
/// programs pass to `sendmail`:
///
/// - From is added if it is missing, a domain to each address in the header that has none, and the empty line after the
///   header.
/// - Lines of an mbox file at the start (`From ann Mon Nov 23 …`, quoted with `>` or not) and blanks before a field's
///   colon (RFC 5322 section 4.5) are removed.
/// - Repeated To, Cc and Reply-To fields are joined. Any other field that may occur only once (RFC 5322 section 3.6)
///   and is repeated with the same body is written once.
/// - A part whose body contains a line over 998 bytes, NUL or a bare CR is encoded as quoted-printable, unless it is
///   already encoded.
/// - Header fields with such lines are folded. Header bytes that are not UTF-8 are read as windows-1252 (Latin-1) and
///   become encoded words, unless the message is signed.
///
/// ```
/// use pmtaemail::{SenderDefaults, add_missing_fields};
///
/// let defaults = SenderDefaults { name: None, address: "cron@example.com", domain: "example.com" };
/// let mail = add_missing_fields(b"To: root\n\nAll is well.\n", &defaults)?;
/// assert_eq!(mail, b"From: cron@example.com\r\nTo: root@example.com\r\n\r\nAll is well.\r\n");
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
///
/// # Errors
/// - The message has no From field, and From cannot hold the name or address in `defaults`.
/// - There is a Bcc after the end of the header, which everybody would see.
/// - The header contains a CR that does not end a line.
/// - The body cannot be encoded, for example because it is signed.
pub fn add_missing_fields(
    message: &[u8],
    defaults: &SenderDefaults<'_>,
) -> Result<Vec<u8>, Problems> {
    let message = without_from_lines(message);
    // At the first line that is no field the text begins, though no empty line says so.
    let is_text = |line: &[u8]| is_no_field(line) && !line.starts_with(b"\r");
    if has_bare_cr(message, is_text) {
        return Err(Problems::one(Problem::new("/raw".to_owned(), BARE_CR)));
    }
    // A bare CR of the body is content.
    let mut message = to_crlf(Cow::Borrowed(message), LineEnds::Lf);
    if header_end(&message) == message.len() && !message.ends_with(b"\r\n") {
        // The last line may be a field without its end.
        message.to_mut().extend_from_slice(b"\r\n");
    }
    let message = with_sound_header(message);
    let header = &message[..header_end(&message)];
    let (fields, known) = leading_fields(header);
    refuse_stray_bcc(&header[known..])?;
    let rest = &message[known..];

    let mut out = Vec::with_capacity(message.len() + 256);
    if !fields.iter().any(|field| field.is("from")) {
        HeaderSection::new(&mut out).mailboxes("From", [&from(defaults)?]);
    }
    for field in joined(&fields) {
        write_qualified(&field, defaults.domain, &mut out);
    }
    if !rest.starts_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(rest);
    // Domains make lines longer, and so does what was joined.
    let out = with_sound_header(Cow::Owned(out)).into_owned();
    sendable(out).map_err(|refusal| Problems::one(Problem::new("/raw".to_owned(), refusal)))
}

/// The text begins after a line that is not a field; everybody would see a Bcc there.
fn refuse_stray_bcc(text: &[u8]) -> Result<(), Problems> {
    let is_blind = |line: &[u8]| {
        let line = line.to_ascii_lowercase();
        KnownField::all().any(|field| field.is_blind() && line.starts_with(field.name.as_bytes()))
    };
    if !lines(text, LineEnds::Crlf).any(is_blind) {
        return Ok(());
    }
    let detail = "The header contains a line that is not a header field, and a Bcc in or after it.";
    let pointer = "/raw".to_owned();
    Err(Problems::one(Problem::new(
        pointer,
        Refusal::new(Code::InvalidContent, detail),
    )))
}

fn from<'a>(defaults: &SenderDefaults<'a>) -> Result<Mailbox<'a>, Problems> {
    let refused = |refusal| Problems::one(Problem::new("/from".to_owned(), refusal));
    let name = defaults.name.filter(|name| !name.is_empty());
    if name.is_some_and(has_control_except_tab) {
        let detail = "A display name may not contain control characters.";
        return Err(refused(Refusal::new(Code::ControlCharacter, detail)));
    }
    Ok(Mailbox {
        name: name.map(Cow::Borrowed),
        address: AddrSpec::read(defaults.address.into()).map_err(refused)?,
    })
}

/// Removes them as Postfix's sendmail does: whole lines, however many. `From : ann` is a field, though.
fn without_from_lines(mut bytes: &[u8]) -> &[u8] {
    while let Some(end) = memchr::memchr(b'\n', bytes) {
        let quotes = bytes.iter().take_while(|byte| **byte == b'>').count();
        if !bytes[quotes..].starts_with(b"From ") || !is_no_field(&bytes[..end]) {
            break;
        }
        bytes = &bytes[end + 1..];
    }
    bytes
}

fn write_qualified(joined: &Joined<'_, '_>, domain: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(joined.field.written.name.as_bytes());
    out.push(b':');
    for (index, body) in joined.bodies().enumerate() {
        if index > 0 {
            out.extend_from_slice(b",\r\n ");
        }
        if joined.field.known.is_some_and(KnownField::has_addresses) {
            let mut done = 0;
            for at in ends_without_domain(body) {
                out.extend_from_slice(&body[done..at]);
                out.push(b'@');
                out.extend_from_slice(domain.as_bytes());
                done = at;
            }
            out.extend_from_slice(&body[done..]);
        } else {
            out.extend_from_slice(body);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The ends of addresses without a domain in a list. What is not an address is left to those who read it.
fn ends_without_domain(list: &[u8]) -> impl Iterator<Item = usize> + '_ {
    entries(list).filter_map(|entry| entry.domain_is_missing_at)
}

#[cfg(test)]
mod tests;
