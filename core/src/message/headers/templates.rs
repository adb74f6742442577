//! Header fields with placeholders.

use super::elements::check_elements;
use super::own::OwnHeader;
use crate::message::header_field::HeaderField;
use crate::message::unsubscribe::{NAME, NO_MAILTO, Unsubscribe, Way};
use crate::problem::Refusal;
use crate::template::{Piece, TemplateText};
use crate::text::starts_with_ignoring_case;
use std::borrow::Cow;
use std::fmt::Write;

/// The header fields with placeholders that were given in `headers`, and List-Unsubscribe.
#[derive(Debug, Default)]
pub(crate) struct HeaderTemplates<'a> {
    /// Values of the caller's header fields, with the number of the field, which rises.
    pub extra: Vec<(usize, TemplateText<'a>)>,
    /// Bodies of those that are read as fields of the message.
    pub own: Vec<(OwnHeader, TemplateText<'a>)>,
    pub unsubscribe: Option<UnsubscribeTemplate<'a>>,
}

/// List-Unsubscribe with placeholders.
#[derive(Debug)]
pub(crate) struct UnsubscribeTemplate<'a> {
    pub source: UnsubscribeSource<'a>,
    /// The body of the field for nearly all values.
    pub body: TemplateText<'a>,
}

/// Where List-Unsubscribe comes from.
#[derive(Debug)]
pub(crate) enum UnsubscribeSource<'a> {
    /// The message's `unsubscribe`.
    Field {
        url: Option<TemplateText<'a>>,
        mailto: Option<TemplateText<'a>>,
        one_click: Option<bool>,
    },
    /// The field itself, with or without List-Unsubscribe-Post.
    Header { one_click: bool },
}

impl<'a> HeaderTemplates<'a> {
    /// Adds those given in `headers`. Only one of the two has List-Unsubscribe.
    pub fn add(&mut self, headers: Self) {
        self.extra.extend(headers.extra);
        self.own.extend(headers.own);
        self.unsubscribe = self.unsubscribe.take().or(headers.unsubscribe);
    }

    /// The templates of the header field that is read as a field of the message.
    pub fn of(&self, field: HeaderField) -> impl Iterator<Item = &TemplateText<'a>> {
        let own = self.own.iter();
        own.filter(move |(own, _)| own.field() == field)
            .map(|(_, text)| text)
    }
}

impl UnsubscribeTemplate<'_> {
    /// List-Unsubscribe with values filled in; what is wrong goes to the refusals.
    pub fn fill(
        &self,
        fill: impl Fn(&TemplateText<'_>) -> String,
        refusals: &mut Vec<Refusal>,
    ) -> Option<Unsubscribe<'static>> {
        match &self.source {
            UnsubscribeSource::Field {
                url,
                mailto,
                one_click,
            } => {
                let url = url.as_ref().map(|text| Cow::Owned(fill(text)));
                let mailto = mailto.as_ref().map(|text| fill_mailto(text, &fill));
                let mailto = match mailto.transpose() {
                    Ok(mailto) => mailto.map(Cow::Owned),
                    Err(refusal) => {
                        refusals.push(refusal.in_field(Way::Mailto));
                        return None;
                    }
                };
                let refuse = |way, refusal: Refusal| refusals.push(refusal.in_field(way));
                Some(Unsubscribe::new(url, mailto, *one_click, refuse))
            }
            UnsubscribeSource::Header { one_click } => {
                let filled = fill(&self.body);
                let checked = check_elements(NAME, &self.body, &filled);
                let ways = checked.and_then(|()| Unsubscribe::from_header(&Cow::Owned(filled)));
                let ways = ways.and_then(|ways| match one_click {
                    true => ways.with_one_click(),
                    false => Ok(ways),
                });
                ways.map_err(|refusal| refusals.push(refusal.in_field(NAME)))
                    .ok()
            }
        }
    }
}

/// The address or mailto: URL with values filled in. A value that is the whole of it may be anything; any other fills
/// in a part, and adds neither addresses nor fields of the mail (RFC 6068 section 2):
///
/// ```text
/// mailto:leave+{{ id }}@example.com?subject=Stop%20{{ list }}      list: Tea & Co      …?subject=Stop%20Tea%20%26%20Co
/// ```
fn fill_mailto(
    template: &TemplateText<'_>,
    fill: &impl Fn(&TemplateText<'_>) -> String,
) -> Result<String, Refusal> {
    let is_scheme = |text: &str| text.eq_ignore_ascii_case("mailto:");
    let pieces = template.pieces();
    match pieces {
        [Piece::Slot(_)] => return Ok(fill(template)),
        [Piece::Literal(text), Piece::Slot(_)] if is_scheme(text) => return Ok(fill(template)),
        _ => {}
    }
    let literals = pieces.iter().filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text),
        Piece::Slot(_) => None,
    });
    let names_domain = literals
        .flat_map(|text| text.chars())
        .take_while(|character| *character != '?')
        .any(|character| character == '@');
    let mut url = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => url.push_str(literal),
            Piece::Slot(slot) => {
                let value = fill(&TemplateText::of_slot(*slot));
                // `{{ address }}?subject=Stop`
                let may_be_address = !names_domain && (url.is_empty() || is_scheme(&url));
                if url.contains('?') {
                    push_url_encoded(&value, &mut url);
                } else if value.contains(['?', '&', '#', '%', ',', ';'])
                    || (value.contains('@') && !may_be_address)
                {
                    return Err(NO_MAILTO);
                } else {
                    url.push_str(&value);
                }
            }
        }
    }
    Ok(url)
}

/// Appends a value of a query. What is already percent-encoded stays so, except a line end outside of the body of the
/// mail: it might start another field there.
fn push_url_encoded(value: &str, url: &mut String) {
    let field = url.rsplit(['?', '&']).next().unwrap_or_default();
    let is_body = starts_with_ignoring_case(field, "body=");
    for (at, character) in value.char_indices() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' | '@' => url.push(character),
            '%' if is_escape(&value[at + 1..], is_body) => url.push('%'),
            _ => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(url, "%{byte:02X}");
                }
            }
        }
    }
}

fn is_escape(rest: &str, may_end_line: bool) -> bool {
    let digits = rest.as_bytes().first_chunk::<2>();
    digits.is_some_and(|digits| {
        digits.iter().all(u8::is_ascii_hexdigit)
            && (may_end_line || !matches!(digits, [b'0', b'a' | b'A' | b'd' | b'D']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_encoded_once() {
        for (value, expected) in [
            ("Tea & Co", "Tea%20%26%20Co"),
            ("a+b@c.example", "a%2Bb@c.example"),
            ("å%", "%C3%A5%25"),
            ("a%20b%2", "a%20b%252"),
            ("x?y=z#\r\n", "x%3Fy%3Dz%23%0D%0A"),
            ("a%0d%0AX:b", "a%250d%250AX%3Ab"),
        ] {
            let mut url = String::new();
            push_url_encoded(value, &mut url);
            assert_eq!(url, expected);
        }
        let mut url = "mailto:a@b.example?subject=x&Body=".to_owned();
        push_url_encoded("a%0D%0Ab", &mut url);
        assert!(url.ends_with("a%0D%0Ab"), "{url}");
    }

    fn filled(template: &[&str], values: &[&str]) -> Result<String, Refusal> {
        let mut text = TemplateText::default();
        let mut slots = 0..;
        for part in template {
            if *part == "#" {
                let value = slots.next().unwrap();
                text.push_slot(crate::template::Slot {
                    value,
                    escaped: false,
                });
            } else {
                text.push_literal(Cow::Borrowed(part));
            }
        }
        fill_mailto(&text, &|text| text.fill(|value| values[value]))
    }

    #[test]
    fn a_value_of_a_mailto_url_adds_nothing() {
        let evil = "a@b.example?bcc=eve@c.example";
        for (template, values, expected) in [
            (&["#"][..], &[evil][..], Ok(evil)),
            (
                &["mailto:", "#"],
                &["a@b.example?bcc=c"],
                Ok("mailto:a@b.example?bcc=c"),
            ),
            (
                &["#", "?subject=", "#"],
                &["a@b.example", "x&bcc=c"],
                Ok("a@b.example?subject=x%26bcc%3Dc"),
            ),
            (
                &["mailto:", "#", "?subject=", "#"],
                &["a@b.example", "x&bcc=c"],
                Ok("mailto:a@b.example?subject=x%26bcc%3Dc"),
            ),
            (&["mailto:", "#", "?subject=x"], &[evil], Err(NO_MAILTO)),
            (
                &["mailto:", "#", "@b.example"],
                &["eve@c.example?x="],
                Err(NO_MAILTO),
            ),
            (&["#", "@b.example"], &["eve@c.example"], Err(NO_MAILTO)),
            (
                &["mailto:", "#", "#"],
                &["a@b.example", "?bcc=c"],
                Err(NO_MAILTO),
            ),
            (
                &["mailto:", "#", "@", "#"],
                &["a", "b.example"],
                Ok("mailto:a@b.example"),
            ),
            (&["a@", "#"], &["b.example,c"], Err(NO_MAILTO)),
        ] {
            assert_eq!(
                filled(template, values),
                expected.map(str::to_owned),
                "{template:?}"
            );
        }
    }
}
