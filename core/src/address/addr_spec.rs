//! The address proper: `local-part@domain`.

use super::domain::{self, too_long};
use crate::problem::{Code, Refusal};
use crate::syntax::{
    Class, Cursor, Unclosed, has_control, holds_encoded_word, is_atext, quote, quoted_characters,
};
use std::borrow::Cow;
use std::fmt;

/// RFC 5321 section 4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;
/// RFC 5321 section 4.5.3.1.3: a path has at most 256 bytes, two of them its angle brackets.
const LONGEST_ADDRESS: usize = 254;

/// An address that RFC 5321 allows (section 4.1.2, with the local parts of RFC 6531). Its domain is written in
/// A-labels.
///
/// ```
/// use pmtaemail::AddrSpec;
///
/// let address = AddrSpec::parse("ann@bücher.example")?;
/// assert_eq!(address.as_str(), "ann@xn--bcher-kva.example");
/// assert_eq!(address.local_part(), "ann");
/// assert_eq!(address.domain(), "xn--bcher-kva.example");
/// # Ok::<(), pmtaemail::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddrSpec<'a> {
    text: Cow<'a, str>,
    /// Position of the `@` that separates local part and domain.
    at: usize,
}

/// The string is not an address. The error says why, without repeating the string.
///
/// ```
/// use pmtaemail::{AddrSpec, Code};
///
/// let error = AddrSpec::parse("ann@my_host").unwrap_err();
/// assert_eq!(error.code(), Code::InvalidDomain);
/// assert!(!error.to_string().contains("my_host"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(Refusal);

impl InvalidAddress {
    /// The kind of problem.
    pub fn code(&self) -> Code {
        self.0.code
    }
}

impl From<Refusal> for InvalidAddress {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl<'a> AddrSpec<'a> {
    /// Parses an address without a display name and angle brackets.
    ///
    /// ```
    /// use pmtaemail::AddrSpec;
    ///
    /// assert!(AddrSpec::parse("ann@example.com").is_ok());
    /// assert!(AddrSpec::parse("Ann <ann@example.com>").is_err());
    /// ```
    ///
    /// # Errors
    /// RFC 5321 does not allow this address, or it exceeds one of its length limits.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, InvalidAddress> {
        Self::read(text.into()).map_err(InvalidAddress)
    }

    pub(crate) fn read(text: Cow<'a, str>) -> Result<Self, Refusal> {
        if let Some(at) = plain_at(&text) {
            return Ok(Self { text, at });
        }
        if has_control(&text) {
            return Err(control());
        }
        let at = local_part_end(&text)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        if local.len() > LONGEST_LOCAL_PART {
            return Err(too_long("The part before the @ is longer than 64 bytes."));
        }
        // Programs that decode addresses would mail to another one.
        if holds_encoded_word(local) {
            return Err(invalid(
                "The part before the @ contains an encoded word, which is not allowed in an address (RFC 2047 section 5).",
            ));
        }
        let converted = domain::to_ascii(domain)?;
        let text = match converted {
            None => text,
            Some(ascii) => Cow::Owned(format!("{local}@{ascii}")),
        };
        if text.len() > LONGEST_ADDRESS {
            return Err(too_long("The address is longer than 254 bytes."));
        }
        Ok(Self { text, at })
    }

    /// The address as it appears in the envelope and the header.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as a string.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// The same address, without borrowed data.
    ///
    /// ```
    /// use pmtaemail::AddrSpec;
    ///
    /// fn read(line: &str) -> Result<AddrSpec<'static>, pmtaemail::InvalidAddress> {
    ///     AddrSpec::parse(line.trim()).map(AddrSpec::into_owned)
    /// }
    /// assert_eq!(read(" ann@example.com\n")?.as_str(), "ann@example.com");
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    pub fn into_owned(self) -> AddrSpec<'static> {
        AddrSpec {
            text: Cow::Owned(self.text.into_owned()),
            at: self.at,
        }
    }

    /// The same address, borrowed.
    pub(crate) fn lend(&self) -> AddrSpec<'_> {
        AddrSpec {
            text: Cow::Borrowed(&self.text),
            at: self.at,
        }
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain in A-labels, or an address literal.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Whether the address requires SMTPUTF8 (RFC 6531).
    ///
    /// ```
    /// use pmtaemail::AddrSpec;
    ///
    /// assert!(AddrSpec::parse("jörg@example.com")?.is_internationalized());
    /// assert!(!AddrSpec::parse("jorg@bücher.example")?.is_internationalized()); // the domain has an ASCII form
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    pub fn is_internationalized(&self) -> bool {
        !self.text.is_ascii()
    }

    /// Whether both addresses name the same mailbox. Domains are compared case-insensitively, local parts are not (RFC
    /// 5321 section 2.4).
    ///
    /// ```
    /// use pmtaemail::AddrSpec;
    ///
    /// let ann = AddrSpec::parse("ann@example.com")?;
    /// assert!(ann.same_mailbox(&AddrSpec::parse("ann@EXAMPLE.com")?));
    /// assert!(!ann.same_mailbox(&AddrSpec::parse("Ann@example.com")?));
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    pub fn same_mailbox(&self, other: &AddrSpec<'_>) -> bool {
        self.local_part() == other.local_part()
            && self.domain().eq_ignore_ascii_case(other.domain())
    }
}

impl AddrSpec<'static> {
    /// The address of a mailbox whose name may contain any character, as login names do. A local part that is not a
    /// dot-string (RFC 5321 section 4.1.2) is quoted.
    ///
    /// ```
    /// use pmtaemail::AddrSpec;
    ///
    /// let address = AddrSpec::from_parts(r"CORP\jdoe", "example.com")?;
    /// assert_eq!(address.as_str(), r#""CORP\\jdoe"@example.com"#);
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    pub fn from_parts(local_part: &str, domain: &str) -> Result<Self, InvalidAddress> {
        let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atext);
        let text = if local_part.split('.').all(is_atom) {
            format!("{local_part}@{domain}")
        } else {
            format!("\"{}\"@{domain}", quote(local_part))
        };
        Self::parse(text)
    }
}

impl fmt::Display for AddrSpec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Position of the `@`, if the address needs no closer look: a dot-string of ASCII, a host name that IDNA leaves alone,
/// no limit exceeded. Nearly every address qualifies, and this takes a single pass over it.
fn plain_at(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut last = b'.';
    let mut at = None;
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'@' if last != b'.' => {
                at = Some(index);
                break;
            }
            b'.' if last != b'.' => {}
            // It may be an encoded word.
            b'?' if last == b'=' => return None,
            byte if Class::ATEXT.has(byte) => {}
            _ => return None,
        }
        last = byte;
    }
    let at = at.filter(|at| *at <= LONGEST_LOCAL_PART && bytes.len() <= LONGEST_ADDRESS)?;
    domain::is_plain_host_name(bytes.get(at + 1..)?).then_some(at)
}

/// End of the local part, after checking its grammar.
fn local_part_end(text: &str) -> Result<usize, Refusal> {
    if text.is_empty() {
        return Err(invalid("The address is empty."));
    }
    let mut cursor = Cursor::new(text);
    if cursor.peek() == Some(b'"') {
        skip_quoted_string(text, &mut cursor)?;
    } else {
        skip_dot_string(&mut cursor)?;
    }
    match cursor.peek() {
        Some(b'@') if cursor.position() > 0 => Ok(cursor.position()),
        Some(b'@') => Err(invalid("The part before the @ is missing.")),
        Some(_) => Err(invalid(
            "The part before the @ contains a space or another character that must be quoted.",
        )),
        None => Err(invalid("The address has no @.")),
    }
}

/// Dot-string of RFC 5321 section 4.1.2, with RFC 6531's characters.
fn skip_dot_string(cursor: &mut Cursor<'_>) -> Result<(), Refusal> {
    loop {
        let atom = cursor.atom();
        let has_dot = cursor.eat(b'.');
        if atom.is_empty() && (has_dot || atom.start > 0) {
            return Err(invalid(
                "The part before the @ may not start or end with a dot or contain two dots in a row, unless it is quoted.",
            ));
        }
        if !has_dot {
            return Ok(());
        }
    }
}

/// Quoted-string of RFC 5321 section 4.1.2: not empty, and a backslash quotes ASCII alone.
fn skip_quoted_string(text: &str, cursor: &mut Cursor<'_>) -> Result<(), Refusal> {
    let quoted = cursor.quoted_string();
    let content = match &quoted {
        Ok(quoted) => &text[quoted.start + 1..quoted.end - 1],
        Err(Unclosed) => &text[1..],
    };
    if content.is_empty() && quoted.is_ok() {
        return Err(invalid("There is nothing between the quotes."));
    }
    let quotes_nothing = |(c, is_quoted): (char, bool)| {
        if is_quoted { !c.is_ascii() } else { c == '\\' }
    };
    if quoted_characters(content).any(quotes_nothing) {
        return Err(invalid(
            "A backslash is not followed by the character it escapes.",
        ));
    }
    match quoted {
        Ok(_) => Ok(()),
        Err(Unclosed) => Err(invalid("The quoted part before the @ is not closed.")),
    }
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidAddress, detail)
}

fn control() -> Refusal {
    Refusal::new(
        Code::ControlCharacter,
        "An address may not contain line breaks, tabs or other control characters.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_rfcs_pass_unchanged() {
        for text in [
            "ann@example.com",
            "a.b+c@sub.example.co.uk",
            "root@localhost",
            "\"john doe\"@example.com",
            "\"a\\\"b\"@example.com",
            "ann@[192.0.2.1]",
            "ann@[IPv6:2001:db8::1]",
            "用户@example.com",
            "Ann@Example.COM",
            "a?=b=?c@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ] {
            assert_eq!(AddrSpec::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn any_name_can_be_a_local_part() {
        for (name, address) in [
            ("ann", "ann@h.example"),
            ("jörg.lee", "jörg.lee@h.example"),
            ("CORP\\jdoe", "\"CORP\\\\jdoe\"@h.example"),
            ("john doe", "\"john doe\"@h.example"),
            ("a@b_c", "\"a@b_c\"@h.example"),
            ("\"ann\"", "\"\\\"ann\\\"\"@h.example"),
            ("a..b", "\"a..b\"@h.example"),
            (".", "\".\"@h.example"),
            ("a>, <b@c", "\"a>, <b@c\"@h.example"),
        ] {
            let made = AddrSpec::from_parts(name, "h.example").unwrap();
            assert_eq!((made.as_str(), made.domain()), (address, "h.example"));
        }
        let long = "a".repeat(65);
        for (name, domain) in [
            ("", "h.example"),
            ("a\nb", "h.example"),
            (&long, "h.example"),
            ("ann", "my_host"),
            ("ann", ""),
            ("ann", "h.example>"),
        ] {
            assert!(
                AddrSpec::from_parts(name, domain).is_err(),
                "{name} {domain}"
            );
        }
    }

    #[test]
    fn invalid_addresses_are_refused() {
        use Code::{AddressTooLong, ControlCharacter, InvalidAddress, InvalidDomain};
        let long = format!("{}@example.com", "a".repeat(65));
        let longest = format!("a@{}com", "b.".repeat(126));
        for (text, code) in [
            ("", InvalidAddress),
            ("ann", InvalidAddress),
            ("@example.com", InvalidAddress),
            (".ann@example.com", InvalidAddress),
            ("ann.@example.com", InvalidAddress),
            ("a..b@example.com", InvalidAddress),
            ("ann lee@example.com", InvalidAddress),
            ("=?utf-8?Q?bo=40a.example=3E?=@example.com", InvalidAddress),
            ("a=?b?c?d?=e@example.com", InvalidAddress),
            ("\"=?utf-8?Q?a?=\"@example.com", InvalidAddress),
            ("ann@example.com, bo@example.com", InvalidDomain),
            ("ann@example.com>", InvalidDomain),
            ("\"ann@example.com", InvalidAddress),
            ("\"\"@example.com", InvalidAddress),
            ("\"a\"b@example.com", InvalidAddress),
            ("ann@", InvalidDomain),
            ("ann@.com", InvalidDomain),
            ("ann@-a.com", InvalidDomain),
            ("ann@a_b.com", InvalidDomain),
            ("ann@example.com.", InvalidDomain),
            ("ann@a@b", InvalidDomain),
            ("ann@[999.0.2.1]", InvalidDomain),
            ("a\u{3000}b@example.com", InvalidAddress),
            ("ann@exa\r\nmple.com", ControlCharacter),
            ("a\u{85}b@example.com", ControlCharacter),
            (&long, AddressTooLong),
            (&longest, AddressTooLong),
            (&format!("a@{}com", "b.".repeat(400)), AddressTooLong),
            (&format!("a@{}.com", "é".repeat(4000)), AddressTooLong),
        ] {
            assert_eq!(AddrSpec::parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
