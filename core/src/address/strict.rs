//! The grammar of mailboxes written as one string (RFC 5322 section 3.4), without the groups and
//! comments that no application means when it writes an address.

use crate::problem::{Code, Refusal};
use crate::syntax::{Cursor, Unclosed, is_atext, unquote};
use crate::text::part;
use std::borrow::Cow;
use std::ops::Range;

/// A mailbox in a list, of which only the outline has been checked.
pub(super) struct Outline<'a> {
    pub name: Option<Cow<'a, str>>,
    pub address: Cow<'a, str>,
}

/// Splits a comma-separated list of mailboxes. Nothing in the text is left out.
pub(super) fn outline_list<'a>(text: &Cow<'a, str>) -> Result<Vec<Outline<'a>>, Refusal> {
    let mut parser = Parser {
        text,
        cursor: Cursor::new(text.as_ref()),
    };
    let mut mailboxes = Vec::with_capacity(1);
    loop {
        mailboxes.push(parser.mailbox()?);
        // A mailbox ends at a comma or at the end.
        if !parser.cursor.eat(b',') {
            return Ok(mailboxes);
        }
    }
}

/// The display name and what is between the angle brackets, for a text that looks like one mailbox.
pub(crate) fn name_and_angle<'a>(
    text: &Cow<'a, str>,
) -> Option<(Option<Cow<'a, str>>, Cow<'a, str>)> {
    let mut outlines = outline_list(text).ok()?;
    let outline = outlines.pop()?;
    let is_one = outlines.is_empty() && text.ends_with('>');
    is_one.then_some((outline.name, outline.address))
}

struct Parser<'t, 'a> {
    text: &'t Cow<'a, str>,
    cursor: Cursor<'t>,
}

impl<'a> Parser<'_, 'a> {
    /// `[display-name] "<" addr-spec ">"` or a bare addr-spec, up to a comma or the end.
    fn mailbox(&mut self) -> Result<Outline<'a>, Refusal> {
        self.cursor.skip_blanks();
        let start = self.cursor.position();
        let mut end = start;
        loop {
            match self.cursor.peek() {
                None | Some(b',') => {
                    if end == start {
                        return Err(invalid(
                            "A mailbox is missing here, or there is a comma too many.",
                        ));
                    }
                    return Ok(Outline {
                        name: None,
                        address: part(self.text, start..end),
                    });
                }
                Some(b'<') => return self.angle_address(start..end),
                Some(b'"') => self.skip_quoted_string()?,
                // A colon in an address literal starts no group. One that is not closed is no
                // address, which is found when it is read as one.
                Some(b'[') => {
                    let _ = self.cursor.domain_literal();
                }
                Some(b'(') => {
                    return Err(invalid(
                        "Comments in parentheses are not allowed here; quote a name that contains parentheses.",
                    ));
                }
                Some(b':' | b';') => {
                    return Err(invalid(
                        "Groups are not allowed here, nor are unquoted colons and semicolons; list the mailboxes one by one.",
                    ));
                }
                Some(_) => self.cursor.bump(),
            }
            end = self.cursor.position();
            self.cursor.skip_blanks();
        }
    }

    /// The rest of a mailbox from its angle bracket on, with its `name`, which is empty if there is none.
    fn angle_address(&mut self, name: Range<usize>) -> Result<Outline<'a>, Refusal> {
        self.cursor.bump();
        let start = self.cursor.position();
        loop {
            match self.cursor.peek() {
                None => return Err(invalid("The angle bracket is not closed.")),
                Some(b'>') => break,
                Some(b'"') => self.skip_quoted_string()?,
                Some(_) => self.cursor.bump(),
            }
        }
        let address = part(self.text, start..self.cursor.position());
        self.cursor.bump();
        self.cursor.skip_blanks();
        if !matches!(self.cursor.peek(), None | Some(b',')) {
            return Err(invalid(
                "There is text after the address; only a comma may follow it.",
            ));
        }
        let name = self.display_name(name)?;
        Ok(Outline { name, address })
    }

    /// The phrase in `range` as text: a quoted string without its quotes, words unchanged.
    fn display_name(&self, range: Range<usize>) -> Result<Option<Cow<'a, str>>, Refusal> {
        let phrase = &self.text[range.clone()];
        if !phrase.contains('"') {
            return if phrase
                .chars()
                .all(|c| is_atext(c) || c == '.' || c.is_whitespace())
            {
                Ok((!phrase.is_empty()).then(|| part(self.text, range)))
            } else {
                Err(invalid(
                    "The display name contains a character that must be quoted.",
                ))
            };
        }
        if !phrase.starts_with('"') || Cursor::new(phrase).quoted_string() != Ok(0..phrase.len()) {
            return Err(invalid(
                "Either the whole display name or none of it must be in quotes.",
            ));
        }
        let content = range.start + 1..range.end - 1;
        Ok((!content.is_empty()).then(|| unquote(part(self.text, content))))
    }

    fn skip_quoted_string(&mut self) -> Result<(), Refusal> {
        match self.cursor.quoted_string() {
            Ok(_) => Ok(()),
            Err(Unclosed) => Err(invalid("The quoted string is not closed.")),
        }
    }
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidMailbox, detail)
}
