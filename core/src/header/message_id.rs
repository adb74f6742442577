//! Message identifiers (RFC 5322 section 3.6.4).

use crate::problem::{Code, Refusal};
use crate::syntax::{Class, has_control, holds_encoded_word, is_dot_atom, without_comments};
use crate::text::without_angle_brackets;
use std::borrow::Cow;

/// With angle brackets and a field name it must fit in a line of 998 bytes.
const LONGEST: usize = 900;

/// The maximum number in one field: more than any thread has, and more than some servers accept in a header.
const MOST: usize = 1_000;

/// There are more than [`MOST`].
const TOO_MANY: Refusal = Refusal::new(
    Code::TooLong,
    "There may be at most 1,000 message identifiers.",
);

/// `id-left@id-right`, without the angle brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageId<'a>(Cow<'a, str>);

impl<'a> MessageId<'a> {
    /// Parses an identifier with or without angle brackets.
    pub fn parse(text: &Cow<'a, str>) -> Result<Self, Refusal> {
        let Some(bare) = without_angle_brackets(text) else {
            return Err(invalid("The angle bracket is not closed."));
        };
        if has_control(&bare) {
            return Err(Refusal::new(
                Code::ControlCharacter,
                "A message identifier may not contain line breaks or other control characters.",
            ));
        }
        if bare.len() > LONGEST {
            return Err(invalid("The message identifier is longer than 900 bytes."));
        }
        match bare.split_once('@') {
            Some((left, right))
                if is_dot_atom(left) && is_id_right(right) && !holds_encoded_word(&bare) =>
            {
                Ok(Self(bare))
            }
            _ => Err(invalid(
                "A message identifier must have the form left@right, with ASCII letters, digits, \
                 dots and a few other characters.",
            )),
        }
    }

    /// Parses identifiers of other messages, separated by white space. Others write identifiers that we would not, and
    /// a thread must not break because of that; only what would break the header is refused.
    pub fn parse_list(text: &str) -> Result<Vec<MessageId<'static>>, Refusal> {
        const SYNTAX: Refusal = invalid(
            "Message identifiers must have the form <left@right> in printable ASCII, separated by \
             white space.",
        );
        let mut ids = Vec::new();
        for word in text.split([' ', '\t']).filter(|word| !word.is_empty()) {
            if has_control(word) {
                let detail = "A message identifier may not contain control characters.";
                return Err(Refusal::new(Code::ControlCharacter, detail));
            }
            match without_angle_brackets(&word.into()) {
                Some(id) if is_of_others(&id) => {
                    MessageId(Cow::Owned(id.into_owned())).push(&mut ids)?;
                }
                _ => return Err(SYNTAX),
            }
        }
        if ids.is_empty() {
            return Err(SYNTAX);
        }
        Ok(ids)
    }

    /// Parses the body of a header field: identifiers in angle brackets, separated by white space and comments, or by
    /// nothing. Words without brackets are phrases as in old mail, which name no message.
    pub fn parse_body(text: &str) -> Result<Vec<MessageId<'static>>, Refusal> {
        const SYNTAX: Refusal = invalid(
            "This header field takes message identifiers in angle brackets, <left@right> in \
             printable ASCII, separated by white space.",
        );
        let text = without_comments(text).or(Err(SYNTAX))?;
        let mut ids = Vec::new();
        let mut rest = text.as_ref();
        while !rest.is_empty() {
            let id = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let (id, behind) = id.ok_or(SYNTAX)?;
            if !is_of_others(id) {
                return Err(SYNTAX);
            }
            MessageId(Cow::Owned(id.to_owned())).push(&mut ids)?;
            rest = behind.trim_start_matches([' ', '\t']);
        }
        if ids.is_empty() {
            return Err(SYNTAX);
        }
        Ok(ids)
    }

    /// Adds an identifier to a list, unless it is full.
    pub fn push(self, ids: &mut Vec<Self>) -> Result<(), Refusal> {
        if ids.len() == MOST {
            return Err(TOO_MANY);
        }
        ids.push(self);
        Ok(())
    }

    /// An identifier that was generated here.
    pub fn made(id: String) -> Self {
        Self(Cow::Owned(id))
    }

    /// Without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidMessageId, detail)
}

/// Whether it can be the identifier of another message: nothing in it would break the header.
fn is_of_others(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"<>()\\\",;".contains(&byte);
    !id.is_empty() && id.len() <= LONGEST && id.bytes().all(fits) && !holds_encoded_word(id)
}

fn is_id_right(text: &str) -> bool {
    match text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(literal) => literal.bytes().all(|byte| Class::DTEXT.has(byte)),
        None => is_dot_atom(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_taken_off() {
        for text in ["a.b@c.d", "<a.b@c.d>"] {
            assert_eq!(MessageId::parse(&text.into()).unwrap().as_str(), "a.b@c.d");
        }
        assert!(MessageId::parse(&"a@[192.0.2.1]".into()).is_ok());
    }

    #[test]
    fn bodies_of_header_fields_are_read() {
        let read = |text: &str| {
            let ids = MessageId::parse_body(text)?;
            Ok::<_, Refusal>(
                ids.iter()
                    .map(MessageId::as_str)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        for (text, ids) in [
            ("<a@b>", "a@b"),
            (" <a@b>\t<c>(x <y>) <d.@e>", "a@b c d.@e"),
            ("<a@b><c@d>", "a@b c@d"),
        ] {
            assert_eq!(read(text).unwrap(), ids);
        }
        for text in [
            "",
            " ",
            "a@b",
            "<a@b",
            "<a b>",
            "<>",
            "<a@b>, <c@d>",
            "Your <a@b>",
            "<é@b>",
            "<a@b> (x",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_could_break_a_header_is_refused() {
        for text in [
            "",
            "<>",
            "a",
            "@",
            "a@",
            "<a@b",
            "a@b>",
            "<a@b> <c@d>",
            "a b@c",
            "a@b@c",
            "é@b",
            "a(x)@b",
            "\"a\"@b",
            "a..b@c",
            "a@b\r\nX: y",
            "a@[\\]",
        ] {
            assert!(MessageId::parse(&text.into()).is_err(), "{text}");
        }
    }
}
