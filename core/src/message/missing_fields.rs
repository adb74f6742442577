//! What a submission agent adds to the mail of local programs (RFC 6409 section 8): the fields that
//! every message must have, and the domains of addresses.
//!
//! ```text
//! To: root                  Date: Thu, 26 Nov 2026 …
//!                           From: cron@example.com
//! All is well.       →      Message-ID: <…@example.com>
//!                           To: root@example.com
//!
//!                           All is well.
//! ```

use super::raw::{FieldLines, header_end, split_fields};
use crate::address::{AddrSpec, Mailbox};
use crate::characters::has_control_except_tab;
use crate::header::{Date, HeaderField, HeaderSection, MessageId};
use crate::mime::with_crlf;
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::stamp::Stamp;
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
        let mut text = mailboxes.to_owned();
        for at in ends_of_bare_addresses(mailboxes.as_bytes())
            .into_iter()
            .rev()
        {
            text.insert_str(at, self.domain);
            text.insert(at, '@');
        }
        text
    }
}

/// A message with what it must have, as a submission agent adds it: Date, Message-ID, From; a
/// domain for each address of its header; an empty line after the header. For mail that local
/// programs pass to `sendmail`. An mbox line (`From ann Mon Nov 23 …`) at the start is left out.
///
/// # Errors
/// A name or an address of `defaults` that From cannot hold, where the message has no From, and a
/// Bcc after the end of the header, which would be shown to all.
///
/// ```
/// use pmtaemail::{SenderDefaults, add_missing_fields};
/// let defaults = SenderDefaults { name: None, address: "cron@example.com", domain: "example.com" };
/// let mail = add_missing_fields(b"To: root\n\nAll is well.\n", &defaults)?;
/// assert!(mail.starts_with(b"Date: "));
/// assert!(mail.ends_with(b"\r\nTo: root@example.com\r\n\r\nAll is well.\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
pub fn add_missing_fields(
    message: &[u8],
    defaults: &SenderDefaults<'_>,
) -> Result<Vec<u8>, Problems> {
    let message = with_crlf(without_mbox_line(message));
    let end = header_end(&message);
    let (header, _) = message.split_at(end);
    // At the first line that is no field the text begins, though no empty line says so.
    let fields: Vec<_> = split_fields(header)
        .into_iter()
        .take_while(|field| !field.is(""))
        .collect();
    let known: usize = fields.iter().map(|field| field.octets.len()).sum();
    let (_, rest) = message.split_at(known);
    refuse_stray_bcc(header.split_at(known).1)?;

    let mut out = Vec::with_capacity(message.len() + 256);
    add_missing(&fields, defaults, &mut out)?;
    for field in &fields {
        write_qualified(field, defaults.domain, &mut out);
    }
    if !rest.starts_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// After a line that is no field the text begins; a Bcc there would be shown to all.
fn refuse_stray_bcc(lines: &[u8]) -> Result<(), Problems> {
    let is_blind = |line: &[u8]| {
        let line = line.to_ascii_lowercase();
        HeaderField::all().any(|field| field.is_blind() && line.starts_with(field.name.as_bytes()))
    };
    if !lines.split(|octet| *octet == b'\n').any(is_blind) {
        return Ok(());
    }
    let detail = "The header holds a line that is no field, and a Bcc there or behind it.";
    let pointer = "/raw".to_owned();
    Err(Problems::one(Problem::new(
        pointer,
        Refusal::new(Code::InvalidContent, detail),
    )))
}

fn add_missing(
    fields: &[FieldLines<'_>],
    defaults: &SenderDefaults<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Problems> {
    let lacks = |name: &str| !fields.iter().any(|field| field.is(name));
    let stamp = Stamp::now();
    let mut header = HeaderSection::new(out);
    if lacks("date") {
        header.date("Date", &Date::from_timestamp(stamp.now));
    }
    if lacks("from") {
        header.mailboxes("From", [&from(defaults)?]);
    }
    if lacks("message-id") {
        let domain = AddrSpec::parse(defaults.address);
        let domain = domain.as_ref().map_or(defaults.domain, AddrSpec::domain);
        let id = MessageId::made([stamp.id.as_str(), "@", domain].concat());
        header.message_ids("Message-ID", [&id]);
    }
    Ok(())
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

fn without_mbox_line(octets: &[u8]) -> &[u8] {
    if !octets.starts_with(b"From ") {
        return octets;
    }
    let end = memchr::memchr(b'\n', octets).map_or(octets.len(), |at| at + 1);
    octets.get(end..).unwrap_or_default()
}

fn write_qualified(field: &FieldLines<'_>, domain: &str, out: &mut Vec<u8>) {
    let mut done = 0;
    if field.known.is_some_and(HeaderField::has_addresses) {
        let body = memchr::memchr(b':', field.octets).map_or(0, |colon| colon + 1);
        let ends = ends_of_bare_addresses(field.octets.get(body..).unwrap_or_default());
        for end in ends {
            out.extend_from_slice(field.octets.get(done..body + end).unwrap_or_default());
            out.push(b'@');
            out.extend_from_slice(domain.as_bytes());
            done = body + end;
        }
    }
    out.extend_from_slice(field.octets.get(done..).unwrap_or_default());
}

/// Where the addresses of a mailbox list end that have no domain. What is no address is left to
/// those who read it.
fn ends_of_bare_addresses(list: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut item = Item::default();
    let mut at = 0;
    while let Some(octet) = list.get(at) {
        match octet {
            b'"' => {
                let end = end_of_quoted(list, at, b'"');
                item.word(at, end);
                at = end;
                continue;
            }
            b'(' => {
                at = end_of_comment(list, at);
                continue;
            }
            b'<' => {
                let end = end_of_quoted(list, at, b'>');
                let address = list.get(at + 1..end - 1).unwrap_or_default();
                let is_closed = list
                    .get(at + 1..end)
                    .is_some_and(|rest| rest.ends_with(b">"));
                let is_bare = !address.trim_ascii().is_empty() && !address.contains(&b'@');
                if is_closed && is_bare {
                    ends.push(at + 1 + address.trim_ascii_end().len());
                }
                item.is_settled = true;
                at = end;
                continue;
            }
            b'@' => item.is_settled = true,
            b',' | b';' => ends.extend(std::mem::take(&mut item).end_of_bare_address()),
            // Before it stands a group's name.
            b':' => item = Item::default(),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => item.word(at, at + 1),
        }
        at += 1;
    }
    ends.extend(item.end_of_bare_address());
    ends
}

/// What was seen of one mailbox of a list.
#[derive(Default)]
struct Item {
    words: usize,
    /// Behind the last word.
    end: usize,
    /// There is an `@` or an angle bracket.
    is_settled: bool,
}

impl Item {
    /// Notes the word, or the piece of one, from `start` to `end`.
    fn word(&mut self, start: usize, end: usize) {
        if self.words == 0 || self.end != start {
            self.words += 1;
        }
        self.end = end;
    }

    fn end_of_bare_address(self) -> Option<usize> {
        (self.words == 1 && !self.is_settled).then_some(self.end)
    }
}

/// Behind the `close` that belongs to the octet at `start`; the list's end where it is missing.
fn end_of_quoted(list: &[u8], start: usize, close: u8) -> usize {
    let mut at = start + 1;
    while let Some(octet) = list.get(at) {
        match octet {
            b'\\' => at += 1,
            b'"' if close != b'"' => at = end_of_quoted(list, at, b'"') - 1,
            _ if *octet == close => return at + 1,
            _ => {}
        }
        at += 1;
    }
    list.len()
}

/// Behind the comment that begins at `start`; comments may hold others.
fn end_of_comment(list: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while let Some(octet) = list.get(at) {
        match octet {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    list.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: SenderDefaults<'static> = SenderDefaults {
        name: Some("Jörg Lee"),
        address: "joerg@host.example",
        domain: "host.example",
    };

    fn completed(octets: &[u8]) -> String {
        String::from_utf8(add_missing_fields(octets, &DEFAULTS).unwrap()).unwrap()
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
            ("\"open", "\"open@h"),
            ("<open", "<open"),
            ("a (open", "a@h (open"),
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
        for known in HeaderField::all() {
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
        let at = mail.find("From: =?utf-8?B?SsO2cmcgTGVl?= <joerg@host.example>\r\n");
        assert!(mail.starts_with("Date: ") && at.is_some(), "{mail}");
        assert!(mail.contains("@host.example>\r\nSubject: x\r\n"), "{mail}");
        assert!(mail.ends_with("\r\nTo: a@host.example,\r\n b@host.example\r\n\r\nHello\r\n"));
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
