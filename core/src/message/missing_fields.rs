//! What a submission agent adds to the mail of local programs (RFC 6409 section 8): who wrote it, and
//! the domains of addresses.
//!
//! ```text
//! To: root                  From: cron@example.com
//!                           To: root@example.com
//! All is well.       →
//!                           All is well.
//! ```
//!
//! Date and Message-ID are made for every finished message that lacks them.

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

/// What is added to mail that does not say where it comes from, or only in part.
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
    /// A list of mailboxes in which each address has a domain.
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

    /// The envelope sender that a program names: an address or a mailbox that holds one, which gets
    /// a domain where it has none, or `<>`, the null reverse-path, which no text at all is too.
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

/// A message with what it must have to be read as a finished one, as a submission agent adds it: From;
/// a domain for each address of its header; an empty line after the header. For mail that local
/// programs pass to `sendmail`. Lines of an mbox file at the start (`From ann Mon Nov 23 …`, with `>`
/// before it where it came a long way) are left out, and so are blanks before a field's colon (RFC
/// 5322 section 4.5). To, Cc or Reply-To that is there twice becomes one, as does any field of those
/// that may be there once (RFC 5322 section 3.6) and twice says the same. A part whose body holds a
/// line over 998 bytes, NUL or a bare CR becomes quoted-printable, unless it has an encoding of its own. Header
/// fields with such lines are folded, and letters in them that are not UTF-8 are read as windows-1252 (Latin-1)
/// and become encoded words, unless the message is signed.
///
/// # Errors
/// A name or an address of `defaults` that From cannot hold, where the message has no From; a Bcc
/// after the end of the header, which would be shown to all; a CR in the header that ends no line; a
/// body that cannot be encoded, such as a signed one.
///
/// ```
/// use pmtaemail::{SenderDefaults, add_missing_fields};
/// let defaults = SenderDefaults { name: None, address: "cron@example.com", domain: "example.com" };
/// let mail = add_missing_fields(b"To: root\n\nAll is well.\n", &defaults)?;
/// assert_eq!(mail, b"From: cron@example.com\r\nTo: root@example.com\r\n\r\nAll is well.\r\n");
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
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
    sendable(out).map_err(|refusal| Problems::one(Problem::new("/raw".to_owned(), refusal)))
}

/// After a line that is no field the text begins; a Bcc there would be shown to all.
fn refuse_stray_bcc(text: &[u8]) -> Result<(), Problems> {
    let is_blind = |line: &[u8]| {
        let line = line.to_ascii_lowercase();
        KnownField::all().any(|field| field.is_blind() && line.starts_with(field.name.as_bytes()))
    };
    if !lines(text, LineEnds::Crlf).any(is_blind) {
        return Ok(());
    }
    let detail = "The header holds a line that is no field, and a Bcc there or behind it.";
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
        let detail = "A display name may not hold control characters.";
        return Err(refused(Refusal::new(Code::ControlCharacter, detail)));
    }
    Ok(Mailbox {
        name: name.map(Cow::Borrowed),
        address: AddrSpec::read(defaults.address.into()).map_err(refused)?,
    })
}

/// As Postfix's sendmail reads them: whole lines, however many. `From : ann` is a field, though.
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

/// Where the addresses of a list end that have no domain. What is no address is left to those who
/// read it.
fn ends_without_domain(list: &[u8]) -> impl Iterator<Item = usize> + '_ {
    entries(list).filter_map(|entry| entry.domain_is_missing_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: SenderDefaults<'static> = SenderDefaults {
        name: Some("Jörg Lee"),
        address: "joerg@host.example",
        domain: "host.example",
    };

    fn completed(bytes: &[u8]) -> String {
        String::from_utf8(add_missing_fields(bytes, &DEFAULTS).unwrap()).unwrap()
    }

    #[test]
    fn a_bare_cr_in_the_header_is_refused() {
        for mail in [
            &b"Subject: a\rBcc: b@c.example\n\nHello"[..],
            b"Subject: a\r\r\nBcc: b@c.example\r\n\r\nHello",
            b"Subject: a\r\n b\r\n\tc\rTo: d\r\n\r\nHello",
            b"Subject: a\n\rBcc: b@c.example\n\nHello",
            b"Subject: a\r\r\n",
            b"\rBcc: b@c.example",
        ] {
            let problems = add_missing_fields(mail, &DEFAULTS).unwrap_err();
            assert_eq!(
                problems.iter().next().unwrap().code(),
                Code::ControlCharacter
            );
        }
        for text in [
            "Hello\rworld\r\r\n",
            "A: b\n\nHello\rworld\r\r\n",
            "A: b\nHello\rworld\r\r\n",
        ] {
            let mail = completed(text.as_bytes());
            let expected = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                            Hello=0Dworld=0D\r\n";
            assert!(mail.ends_with(expected), "{mail}");
        }
    }

    #[test]
    fn addresses_without_a_domain_get_one() {
        for (list, qualified) in [
            ("root", "root@h"),
            ("root (Cron Daemon)", "root@h (Cron Daemon)"),
            ("\"(Cron Daemon)\" <root>", "\"(Cron Daemon)\" <root@h>"),
            ("\"john doe\", a@b", "\"john doe\"@h, a@b"),
            ("a , \"b, c\" < d >,<e@f>", "a@h , \"b, c\" < d@h >,<e@f>"),
            ("team: a, b@c;, d", "team: a@h, b@c;, d@h"),
            (
                "\"x\".y(comment (in it) \\) b)",
                "\"x\".y@h(comment (in it) \\) b)",
            ),
            ("<>", "<>"),
            ("undisclosed-recipients:;", "undisclosed-recipients:;"),
            ("no address", "no address"),
            ("<\"a>b\">", "<\"a>b\"@h>"),
            ("", ""),
            ("\"open", "\"open"),
            ("<open", "<open"),
            ("a (open", "a (open"),
            ("\\", "\\@h"),
        ] {
            let defaults = SenderDefaults {
                domain: "h",
                ..DEFAULTS
            };
            assert_eq!(defaults.qualified(list), qualified, "{list}");
        }
    }

    #[test]
    fn every_field_of_addresses_gets_domains_and_no_other() {
        for known in KnownField::all() {
            let field = format!("{}: root\r\n", known.name);
            let qualified = field.replace("root", "root@host.example");
            let mail = completed(field.as_bytes());
            let expected = if known.has_addresses() {
                &qualified
            } else {
                &field
            };
            assert!(mail.contains(expected.as_str()), "{mail}");
        }
        let mail = completed(b"Errors-To: root\nSubject: root\nX-To: root\nDelivered-To: root\n");
        let expected =
            "Errors-To: root@host.example\r\nSubject: root\r\nX-To: root\r\nDelivered-To: root\r\n";
        assert!(mail.contains(expected), "{mail}");
    }

    #[test]
    fn what_is_missing_is_added() {
        let mail = completed(b"From joerg Mon Nov 23\nSubject: x\nTo: a,\n b\n\nHello\n");
        let from = "From: =?utf-8?B?SsO2cmcgTGVl?= <joerg@host.example>\r\n";
        let rest = "Subject: x\r\nTo: a@host.example,\r\n b@host.example\r\n\r\nHello\r\n";
        assert_eq!(mail, format!("{from}{rest}"));
    }

    #[test]
    fn the_header_ends_at_the_first_line_that_is_no_field() {
        assert!(completed(b"Hello\nyou: all\n").ends_with("\r\n\r\nHello\r\nyou: all\r\n"));
        assert!(completed(b"A: b\nHello\n").ends_with("\r\nA: b\r\n\r\nHello\r\n"));
        assert!(completed(b"A: b\n").ends_with("\r\nA: b\r\n\r\n"));
        assert!(completed(b"\nA: b\n").ends_with(">\r\n\r\nA: b\r\n"));
        assert!(completed(b"").ends_with(">\r\n\r\n"));
    }

    #[test]
    fn obsolete_forms_are_read() {
        for (mail, expected) in [
            (
                "Content-type : a/b\n\nHello\n",
                "\r\nContent-type: a/b\r\n\r\nHello\r\n",
            ),
            ("To\t : root\n\n", "\r\nTo: root@host.example\r\n\r\n"),
            ("To :\n root\n\n", "\r\nTo:\r\n root@host.example\r\n\r\n"),
            (
                ">From a Mon Nov 23\nA: b\n\nHello\n",
                ">\r\nA: b\r\n\r\nHello\r\n",
            ),
            (
                "From a\r\n>>>From b\nFrom c\nA: b\n\nHello\n",
                ">\r\nA: b\r\n\r\nHello\r\n",
            ),
            (
                "A: b\n>From a Mon Nov 23\n",
                "\r\nA: b\r\n\r\n>From a Mon Nov 23\r\n",
            ),
            ("A: b", ">\r\nA: b\r\n\r\n"),
            ("A: b\n c", ">\r\nA: b\r\n c\r\n\r\n"),
            ("From a", ">\r\n\r\nFrom a\r\n"),
            ("Hello", ">\r\n\r\nHello\r\n"),
        ] {
            let mail = completed(mail.as_bytes());
            assert!(mail.ends_with(expected), "{mail:?}");
        }
        assert!(
            completed(b"To: \"a\nCc: b\n\n").ends_with("\r\nTo: \"a\r\nCc: b@host.example\r\n\r\n")
        );
        assert_eq!(completed(b"From : c@d\n\n"), "From: c@d\r\n\r\n");
        for mail in [&b"A : b\rBcc: c@d\n\n"[..], b">From a\nA : b\rBcc: c@d\n\n"] {
            assert!(add_missing_fields(mail, &DEFAULTS).is_err());
        }
        assert!(add_missing_fields(b"A: b\nno field\nBcc : c@d\n\n", &DEFAULTS).is_err());
    }

    #[test]
    fn what_is_there_stays() {
        let mail = "Date: x\r\nMessage-ID: <a@b>\r\nFrom: c@d\r\n\r\nHello";
        assert_eq!(completed(mail.as_bytes()), mail);
    }

    #[test]
    fn defaults_cannot_smuggle_fields() {
        for defaults in [
            SenderDefaults {
                name: Some("a\nBcc: b@example.org"),
                ..DEFAULTS
            },
            SenderDefaults {
                address: "a@example.com\nBcc: b@example.org",
                ..DEFAULTS
            },
        ] {
            let problems = add_missing_fields(b"", &defaults).unwrap_err();
            assert_eq!(problems.iter().next().unwrap().pointer(), "/from");
        }
    }
}
