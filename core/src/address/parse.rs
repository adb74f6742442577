//! The grammar of mailboxes written as one string (RFC 5322 section 3.4), without the groups and
//! comments that no application means when it writes an address.

use super::addr_spec::is_atext;
use crate::problem::{Code, Refusal};
use crate::text::part;
use std::borrow::Cow;
use std::ops::Range;

/// A mailbox of a list, not yet checked beyond its outline.
pub(super) struct Outline<'a> {
    pub name: Option<Cow<'a, str>>,
    pub address: Cow<'a, str>,
}

/// Parts a comma-separated list of mailboxes. Nothing that stands in the text is left out.
pub(super) fn outline_list<'a>(text: &Cow<'a, str>) -> Result<Vec<Outline<'a>>, Refusal> {
    let mut parser = Parser { text, at: 0 };
    let mut mailboxes = Vec::with_capacity(1);
    loop {
        mailboxes.push(parser.mailbox()?);
        match parser.peek() {
            None => return Ok(mailboxes),
            // `mailbox` ends at the end or at a comma.
            Some(_) => parser.at += 1,
        }
    }
}

struct Parser<'t, 'a> {
    text: &'t Cow<'a, str>,
    at: usize,
}

impl<'a> Parser<'_, 'a> {
    /// `[display-name] "<" addr-spec ">"` or a bare addr-spec, up to a comma or the end.
    fn mailbox(&mut self) -> Result<Outline<'a>, Refusal> {
        self.skip_blanks();
        let start = self.at;
        let mut end = start;
        let mut words = 0_usize;
        loop {
            match self.peek() {
                None | Some(',') => {
                    if words == 0 {
                        return Err(invalid("There is no mailbox here, or one comma too many."));
                    }
                    return Ok(Outline {
                        name: None,
                        address: part(self.text, start..end),
                    });
                }
                Some('<') => {
                    let name = (words > 0).then_some(start..end);
                    return self.angle_address(name);
                }
                Some('"') => self.skip_quoted_string()?,
                Some('[') => self.skip_address_literal(),
                Some('(') => {
                    return Err(invalid(
                        "A comment in parentheses; put a name that holds them in quotes.",
                    ));
                }
                Some(':' | ';') => {
                    return Err(invalid(
                        "A group, or a colon or semicolon that is not in quotes; give mailboxes one by one.",
                    ));
                }
                Some(_) => self.bump(),
            }
            words += 1;
            end = self.at;
            self.skip_blanks();
        }
    }

    fn angle_address(&mut self, name: Option<Range<usize>>) -> Result<Outline<'a>, Refusal> {
        self.bump();
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err(invalid("The angle bracket is not closed.")),
                Some('>') => break,
                Some('"') => self.skip_quoted_string()?,
                Some(_) => self.bump(),
            }
        }
        let address = part(self.text, start..self.at);
        self.bump();
        self.skip_blanks();
        match self.peek() {
            None | Some(',') => {}
            Some(_) => {
                return Err(invalid(
                    "Text after the address; only a comma may follow it.",
                ));
            }
        }
        let name = match name {
            None => None,
            Some(range) => self.display_name(range)?,
        };
        Ok(Outline { name, address })
    }

    /// The phrase of `range` as text: quoted strings without their quotes, words as they are.
    fn display_name(&self, range: Range<usize>) -> Result<Option<Cow<'a, str>>, Refusal> {
        let phrase = self.text.get(range.clone()).unwrap_or_default();
        if !phrase.contains('"') {
            return if phrase
                .chars()
                .all(|c| is_atext(c) || c == '.' || c.is_whitespace())
            {
                Ok(Some(part(self.text, range)))
            } else {
                Err(invalid(
                    "The name holds a character that needs quotes around the name.",
                ))
            };
        }
        let inner = range.start + 1..range.end.saturating_sub(1);
        if quoted_string_length(phrase) != Some(phrase.len()) {
            return Err(invalid(
                "The name must be in quotes as a whole, or without any.",
            ));
        }
        if inner.is_empty() {
            return Ok(None);
        }
        Ok(Some(unquote(part(self.text, inner))))
    }

    fn skip_quoted_string(&mut self) -> Result<(), Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match quoted_string_length(rest) {
            Some(length) => {
                self.at += length;
                Ok(())
            }
            None => Err(invalid("The quotes are not closed.")),
        }
    }

    /// To the closing bracket, or the end where there is none: a colon in an address literal starts no group.
    fn skip_address_literal(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find(']').map_or(rest.len(), |end| end + 1);
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }
}

/// The octets of the quoted-string (RFC 5322 section 3.2.4) that `text` begins with.
fn quoted_string_length(text: &str) -> Option<usize> {
    let mut octets = text.bytes().enumerate().skip(1);
    while let Some((index, octet)) = octets.next() {
        match octet {
            b'"' => return Some(index + 1),
            b'\\' => {
                octets.next();
            }
            _ => {}
        }
    }
    None
}

/// What stands within quotes, without the backslashes that quote a character.
fn unquote(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next()),
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidMailbox, detail)
}
