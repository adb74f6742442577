//! The addresses of a field of a finished message (RFC 5322 section 3.4, obsolete forms included).

use crate::problem::{Code, Refusal};

/// Parts the body of an address field into its addresses: comments are blanks, names and the outlines
/// of groups are left out. What remains is still to be checked, so nothing becomes an address here
/// that the field does not hold.
pub(crate) fn bare_addresses(body: &str) -> Result<Vec<String>, Refusal> {
    let mut parts = Parts::default();
    let mut characters = body.chars();
    while let Some(c) = characters.next() {
        match c {
            '(' => {
                skip_comment(&mut characters)?;
                parts.push(' ');
            }
            '"' => {
                parts.push('"');
                copy_quoted(&mut characters, &mut parts)?;
            }
            '[' => {
                parts.push('[');
                parts.in_literal = true;
            }
            ']' => {
                parts.in_literal = false;
                parts.push(']');
            }
            '<' if parts.angle.is_none() => {
                parts.angle = Some(String::new());
                parts.in_angle = true;
            }
            '>' if parts.in_angle => parts.in_angle = false,
            ':' if !parts.in_angle && !parts.in_literal => parts.begin_group()?,
            ',' | ';' if !parts.in_angle => parts.end()?,
            c => parts.push(c),
        }
    }
    parts.end()?;
    Ok(parts.addresses)
}

/// What was read of the present mailbox, and the addresses before it.
#[derive(Default)]
struct Parts {
    addresses: Vec<String>,
    /// A name, or an address without angle brackets.
    text: String,
    angle: Option<String>,
    in_angle: bool,
    in_literal: bool,
    /// Something stands behind the angle brackets.
    trailing: bool,
}

impl Parts {
    fn push(&mut self, c: char) {
        match &mut self.angle {
            Some(angle) if self.in_angle => angle.push(c),
            Some(_) => self.trailing |= c != ' ' && c != '\t',
            None => self.text.push(c),
        }
    }

    /// What stands before the colon is the group's name.
    fn begin_group(&mut self) -> Result<(), Refusal> {
        let name = std::mem::take(&mut self.text);
        if self.angle.is_some() || name.contains('@') {
            return Err(invalid(
                "A group in an address field of the message has no proper name.",
            ));
        }
        Ok(())
    }

    /// Ends a mailbox; empty elements of a list are obsolete, and harmless.
    fn end(&mut self) -> Result<(), Refusal> {
        if self.in_angle || self.trailing {
            return Err(invalid(
                "An address field of the message is not well formed.",
            ));
        }
        let text = std::mem::take(&mut self.text);
        match self.angle.take() {
            Some(angle) => self.addresses.push(angle.trim().to_owned()),
            None if text.trim().is_empty() => {}
            None => self.addresses.push(text.trim().to_owned()),
        }
        self.in_literal = false;
        Ok(())
    }
}

/// Skips a comment, which may hold comments, behind its opening parenthesis.
fn skip_comment(characters: &mut std::str::Chars<'_>) -> Result<(), Refusal> {
    let mut depth = 1_usize;
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '(' => depth += 1,
            ')' if depth == 1 => return Ok(()),
            ')' => depth -= 1,
            _ => {}
        }
    }
    Err(invalid(
        "A comment in an address field of the message is not closed.",
    ))
}

fn copy_quoted(characters: &mut std::str::Chars<'_>, parts: &mut Parts) -> Result<(), Refusal> {
    while let Some(c) = characters.next() {
        parts.push(c);
        match c {
            '"' => return Ok(()),
            '\\' => characters.next().into_iter().for_each(|c| parts.push(c)),
            _ => {}
        }
    }
    Err(invalid(
        "Quotes in an address field of the message are not closed.",
    ))
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidMailbox, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_out_as_they_stand() {
        for (body, addresses) in [
            ("a@b.c", &["a@b.c"] as &[_]),
            ("Ann <a@b.c>, [JIRA] x <d@e.f> (x)", &["a@b.c", "d@e.f"]),
            ("\"Lee, Ann\" <a@b.c>,, d@e.f", &["a@b.c", "d@e.f"]),
            ("undisclosed-recipients:;", &[]),
            (
                "Friends: a@b.c, B <d@e.f>;, g@h.i",
                &["a@b.c", "d@e.f", "g@h.i"],
            ),
            ("bo@[IPv6:2001:db8::1]", &["bo@[IPv6:2001:db8::1]"]),
            ("\"b d\"@x.org (x)", &["\"b d\"@x.org"]),
            ("pete.(x)smith@x.org", &["pete. smith@x.org"]),
            (
                "\"evil@o.org\" (x), b@x.org",
                &["\"evil@o.org\"", "b@x.org"],
            ),
            ("", &[]),
        ] {
            assert_eq!(bare_addresses(body).unwrap(), addresses, "{body}");
        }
        for body in [
            "Ann <a@b.c",
            "a@b.c (x",
            "\"a@b.c",
            "<a@b.c> x",
            "<a@b.c><d@e.f>",
            "b@x.org:c@x.org;",
        ] {
            assert!(bare_addresses(body).is_err(), "{body}");
        }
    }
}
