//! The address proper: `local-part@domain`.

use super::domain;
use crate::characters::has_control;
use crate::problem::{Code, Refusal};
use crate::text::without_angle_brackets;
use std::borrow::Cow;
use std::fmt;

/// RFC 5321 section 4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;
/// RFC 5321 section 4.5.3.1.3: a path has at most 256 octets, two of them its angle brackets.
const LONGEST_ADDRESS: usize = 254;

/// An address that RFC 5321 allows (section 4.1.2, with the local parts of RFC 6531), its domain in
/// A-labels.
///
/// ```
/// use pmtaemail::AddrSpec;
///
/// let address = AddrSpec::parse("ann@bücher.example")?;
/// assert_eq!(address.as_str(), "ann@xn--bcher-kva.example");
/// assert_eq!(address.domain(), "xn--bcher-kva.example");
/// # Ok::<(), pmtaemail::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddrSpec<'a> {
    text: Cow<'a, str>,
    /// Where the `@` stands that parts local part and domain.
    at: usize,
}

/// A text that is not an address; says why, without the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(Refusal);

impl InvalidAddress {
    /// What kind of problem it is.
    pub fn code(&self) -> Code {
        self.0.code
    }
}

impl<'a> AddrSpec<'a> {
    /// Parses an address without display name and angle brackets.
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
        let (local, domain) = text.split_at(at);
        let domain = domain.strip_prefix('@').unwrap_or_default();
        if local.len() > LONGEST_LOCAL_PART {
            return Err(too_long("The part before the @ has over 64 octets."));
        }
        let converted = domain::to_ascii(domain)?;
        let text = match converted {
            None => text,
            Some(ascii) => Cow::Owned(format!("{local}@{ascii}")),
        };
        if text.len() > LONGEST_ADDRESS {
            return Err(too_long("The address has over 254 octets."));
        }
        Ok(Self { text, at })
    }

    /// The address as it stands in envelope and header.
    pub fn as_str(&self) -> &str {
        &self.text
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
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The domain in A-labels, or an address literal.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// Whether only SMTPUTF8 (RFC 6531) can carry it.
    pub fn is_internationalized(&self) -> bool {
        !self.text.is_ascii()
    }

    /// Whether both name the same mailbox: the domain's letter case does not count (RFC 5321
    /// section 2.4).
    pub fn same_mailbox(&self, other: &AddrSpec<'_>) -> bool {
        self.local_part() == other.local_part()
            && self.domain().eq_ignore_ascii_case(other.domain())
    }
}

impl fmt::Display for AddrSpec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where bounces go (RFC 5321 section 4.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReversePath<'a> {
    /// `<>`: nobody hears of a failure.
    Null,
    /// To an address.
    Address(AddrSpec<'a>),
}

impl<'a> ReversePath<'a> {
    /// Parses an address that may stand in angle brackets.
    pub fn read(text: &Cow<'a, str>) -> Result<Self, Refusal> {
        let Some(bare) = without_angle_brackets(text) else {
            return Err(invalid("The angle bracket is not closed."));
        };
        if bare.is_empty() && !text.is_empty() {
            return Ok(Self::Null);
        }
        AddrSpec::read(bare).map(Self::Address)
    }
}

/// Where the `@` of an address stands that needs no further look: a dot-string of ASCII, a host
/// name that no rule of IDNA touches, within the limits. Nearly every address is one, and this is one
/// pass over it.
fn plain_at(text: &str) -> Option<usize> {
    let octets = text.as_bytes();
    let mut last = b'.';
    let mut at = None;
    for (index, &octet) in octets.iter().enumerate() {
        match octet {
            b'@' if last != b'.' => {
                at = Some(index);
                break;
            }
            b'.' if last != b'.' => {}
            octet if PLAIN_ATEXT[usize::from(octet)] => {}
            _ => return None,
        }
        last = octet;
    }
    let at = at.filter(|at| *at <= LONGEST_LOCAL_PART && octets.len() <= LONGEST_ADDRESS)?;
    domain::is_plain_host_name(octets.get(at + 1..)?).then_some(at)
}

/// atext of ASCII.
const PLAIN_ATEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 128 {
        table[octet] = ASCII_ATEXT >> octet & 1 == 1;
        octet += 1;
    }
    table
};

/// Where the local part ends, after checking its grammar.
fn local_part_end(text: &str) -> Result<usize, Refusal> {
    if text.is_empty() {
        return Err(invalid("The address is empty."));
    }
    let end = if text.starts_with('"') {
        quoted_string_end(text)?
    } else {
        dot_string_end(text)?
    };
    match text.as_bytes().get(end) {
        Some(b'@') if end > 0 => Ok(end),
        Some(b'@') => Err(invalid("There is nothing before the @.")),
        Some(_) => Err(invalid(
            "The part before the @ holds a blank or another character that needs quotes.",
        )),
        None => Err(invalid("The address has no @.")),
    }
}

/// Dot-string of RFC 5321 section 4.1.2, with RFC 6531's characters.
fn dot_string_end(text: &str) -> Result<usize, Refusal> {
    let mut last = b'.';
    let mut end = text.len();
    for (index, &octet) in text.as_bytes().iter().enumerate() {
        if octet == b'.' && last == b'.' {
            return Err(misplaced_dot());
        }
        let fits = match octet {
            b'.' => true,
            octet if octet.is_ascii() => is_atext(char::from(octet)),
            // What follows a first octet was judged with it.
            _ => text
                .get(index..)
                .and_then(|rest| rest.chars().next())
                .is_none_or(is_atext),
        };
        if !fits {
            end = index;
            break;
        }
        last = octet;
    }
    if last == b'.' && end > 0 {
        return Err(misplaced_dot());
    }
    Ok(end)
}

fn misplaced_dot() -> Refusal {
    invalid("A dot before the @ must stand between two characters; else put the part in quotes.")
}

/// Quoted-string of RFC 5321 section 4.1.2; the index after its closing quote.
fn quoted_string_end(text: &str) -> Result<usize, Refusal> {
    let mut characters = text.char_indices().skip(1);
    while let Some((index, c)) = characters.next() {
        match c {
            '"' if index == 1 => return Err(invalid("There is nothing between the quotes.")),
            '"' => return Ok(index + 1),
            '\\' => match characters.next() {
                Some((_, escaped)) if escaped.is_ascii() => {}
                _ => return Err(invalid("A backslash with nothing to quote.")),
            },
            _ => {}
        }
    }
    Err(invalid("The quotes before the @ are not closed."))
}

/// atext of RFC 5322 section 3.2.3, with the characters beyond ASCII of RFC 6532 that are no blanks.
#[inline]
pub(crate) fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        ASCII_ATEXT >> (c as u32) & 1 == 1
    } else {
        !c.is_whitespace() && !c.is_control()
    }
}

/// A bit for each character of ASCII that is atext.
const ASCII_ATEXT: u128 = {
    let mut set = 0;
    let mut octet = 0_u8;
    while octet < 128 {
        if octet.is_ascii_alphanumeric() {
            set |= 1 << octet;
        }
        octet += 1;
    }
    let signs = b"!#$%&'*+-/=?^_`{|}~";
    let mut index = 0;
    while index < signs.len() {
        set |= 1 << signs[index];
        index += 1;
    }
    set
};

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidAddress, detail)
}

pub(super) fn too_long(detail: &'static str) -> Refusal {
    Refusal::new(Code::AddressTooLong, detail)
}

fn control() -> Refusal {
    Refusal::new(
        Code::ControlCharacter,
        "An address may not hold line ends, tabs or other control characters.",
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
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ] {
            assert_eq!(AddrSpec::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
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

    #[test]
    fn a_path_may_stand_in_angle_brackets() {
        assert_eq!(ReversePath::read(&"<>".into()), Ok(ReversePath::Null));
        for text in ["<ann@example.com>", "ann@example.com"] {
            let path = ReversePath::read(&text.into()).unwrap();
            let address = AddrSpec::parse("ann@example.com").unwrap();
            assert_eq!(path, ReversePath::Address(address));
        }
        for text in ["<", "<ann@example.com", "<<>>", "ann@example.com>", "<> "] {
            assert!(ReversePath::read(&text.into()).is_err(), "{text}");
        }
    }
}
