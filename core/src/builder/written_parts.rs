//! The parts of a message that lettre wrote: only here can be seen what their fields hold.
//!
//! ```text
//! Content-Disposition: attachment; filename*0*=utf-8''a%0D%0AX-Evil%3A%201     a line end for who decodes it
//! Content-Type: multipart/mixed; boundary="b"                                  a text of the message may hold --b
//! Content-Type: text/html; charset=utf-16                                      over a body in UTF-8
//! ```

use super::library_rules::{CHARSET, CONTROL, ENCODED_WORD, NO_FIELD, PARAMETER};
use crate::header::ContentId;
use crate::mime::Base64;
use crate::problem::{Code, Refusal};
use crate::syntax::{
    Cursor, FieldForm, WrittenField, fields, has_control, has_control_except_tab, header_end,
    holds_bare_cr, holds_encoded_word, next_parameter,
};
use encodify::hex::decode_pair;
use encodify::qp::BODY;
use std::borrow::Cow;

const BOUNDARY: Refusal = Refusal::new(
    Code::InvalidContent,
    "A boundary of a multipart is not one that lettre makes, and may occur in the content; leave it to lettre.",
);

const LINE_END: Refusal = Refusal::new(
    Code::InvalidContent,
    "The message contains a CR or LF that is not part of a CRLF, where changing it would alter data or break a \
     signature; let lettre encode that part as base64.",
);

/// What is wrong with an entity and the parts in it. `is_signed`: a field of the message signs its body. The parts of
/// one that is `by_hand` are what its author wrote.
pub(super) fn check(entity: &[u8], is_signed: bool, by_hand: bool, refusals: &mut Vec<Refusal>) {
    let mut open = vec![(entity, is_signed)];
    while let Some((entity, is_signed)) = open.pop() {
        let (header, body) = entity.split_at(header_end(entity));
        let part = Part {
            fields: fields(header, FieldForm::Strict).collect(),
            body: body.strip_prefix(b"\r\n").unwrap_or_default(),
            is_signed,
            by_hand,
        };
        if has_bare_line_end(header) {
            refusals.push(CONTROL);
        }
        refusals.extend(part.check_fields().err());
        match part.inner() {
            Ok(inner) => open.extend(inner),
            Err(refusal) => refusals.push(refusal),
        }
    }
}

/// Whether it is a field that a part has. The outermost part writes its fields into the header of the message.
pub(super) fn is_of_content(name: &str) -> bool {
    let start = name.get(.."Content-".len());
    start.is_some_and(|start| start.eq_ignore_ascii_case("Content-"))
}

/// Whether a CR or LF is there that ends no line.
fn has_bare_line_end(bytes: &[u8]) -> bool {
    holds_bare_cr(bytes)
        || memchr::memchr_iter(b'\n', bytes).any(|at| !bytes[..at].ends_with(b"\r"))
}

struct Part<'m> {
    fields: Vec<WrittenField<'m>>,
    body: &'m [u8],
    is_signed: bool,
    by_hand: bool,
}

impl<'m> Part<'m> {
    fn check_fields(&self) -> Result<(), Refusal> {
        for (index, field) in self.fields.iter().enumerate() {
            let is_it = |other: &WrittenField<'_>| other.name.eq_ignore_ascii_case(field.name);
            // lettre keeps one of each name.
            if !field.is_field() || self.fields[..index].iter().any(is_it) {
                return Err(NO_FIELD);
            }
            if !is_of_content(field.name) {
                // It means nothing in a part, and those of the message are looked at elsewhere.
                continue;
            }
            let body = field.body();
            if has_control_except_tab(&body) {
                return Err(CONTROL);
            }
            match field.name.to_ascii_lowercase().as_str() {
                "content-description" => {}
                "content-id" => content_id(&body)?,
                _ if holds_encoded_word(&body) => return Err(ENCODED_WORD),
                "content-type" | "content-disposition" => {
                    Parameters::read(&body)?.check()?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks the body. Gives the parts of a multipart.
    fn inner(&self) -> Result<Vec<(&'m [u8], bool)>, Refusal> {
        let content_type = self.value("content-type");
        let content_type = content_type.as_deref().unwrap_or("text/plain");
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        let encoding = self.value("content-transfer-encoding");
        if kind.starts_with("multipart/") && !self.by_hand {
            let parameters = Parameters::read(content_type)?;
            let boundary = parameters.value("boundary").ok_or(BOUNDARY)?;
            let seals = kind == "multipart/signed";
            let parts = split(self.body, boundary).ok_or(BOUNDARY)?;
            return Ok(parts
                .into_iter()
                .map(|part| (part, self.is_signed || seals))
                .collect());
        }
        let is_text = kind.starts_with("text/");
        match encoding.map(|encoding| encoding.to_ascii_lowercase()) {
            // lettre writes it with each content, so the header ended early.
            None if !self.by_hand => return Err(NO_FIELD),
            encoding => {
                let encoding = encoding.as_deref().unwrap_or("7bit");
                let has_lines = is_text && matches!(encoding, "7bit" | "8bit") && !self.is_signed;
                let is_text_with_lf = has_lines && !holds_bare_cr(self.body);
                if has_bare_line_end(self.body) && !is_text_with_lf {
                    return Err(LINE_END);
                }
                if is_text {
                    let charset = Parameters::read(content_type)?;
                    self.charset(charset.value("charset").unwrap_or("utf-8"), encoding)?;
                }
            }
        }
        Ok(Vec::new())
    }

    fn value(&self, name: &str) -> Option<String> {
        let is_it = |field: &&WrittenField<'_>| field.name.eq_ignore_ascii_case(name);
        self.fields.iter().find(is_it).map(WrittenField::body)
    }

    /// A text that is UTF-8 and says that it is something else. Others may be what they say.
    fn charset(&self, charset: &str, encoding: &str) -> Result<(), Refusal> {
        let charset = charset.to_ascii_lowercase();
        if matches!(charset.as_str(), "utf-8" | "utf8") {
            return Ok(());
        }
        let content = match encoding {
            "base64" => Base64::parse(String::from_utf8_lossy(self.body))
                .map_or(Cow::Borrowed(self.body), |base64| base64.decode().into()),
            "quoted-printable" => BODY.decode(self.body).unwrap_or(Cow::Borrowed(self.body)),
            _ => Cow::Borrowed(self.body),
        };
        let is_utf8 = simdutf8::basic::from_utf8(&content).is_ok();
        let is_wide = charset.starts_with("utf-16") || charset.starts_with("utf-32");
        let is_other = if is_wide {
            // Its own letters of ASCII have NUL beside them.
            is_utf8 && !content.is_empty() && memchr::memchr(0, &content).is_none()
        } else {
            is_utf8 && !content.is_ascii()
        };
        if is_other { Err(CHARSET) } else { Ok(()) }
    }
}

fn content_id(body: &str) -> Result<(), Refusal> {
    // Without brackets it is none (RFC 2045 section 7).
    let is_bracketed = body.starts_with('<') && body.ends_with('>');
    let id = if is_bracketed { body } else { "" };
    ContentId::parse(&Cow::Borrowed(id)).map(drop)
}

/// Those of a media type or disposition, with what RFC 2231 does to them undone.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(body: &str) -> Result<Self, Refusal> {
        let mut cursor = Cursor::new(body);
        cursor.skip_blanks();
        cursor.token();
        if cursor.eat(b'/') {
            cursor.token();
        }
        let text = &body[cursor.position()..];
        let mut cursor = Cursor::new(text);
        let mut names: Vec<String> = Vec::new();
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        while let Some(parameter) = next_parameter(text, &mut cursor).map_err(|_| PARAMETER)? {
            let name = parameter.name.to_ascii_lowercase();
            if names.contains(&name) {
                return Err(PARAMETER);
            }
            let is_extended = name.ends_with('*');
            let own = name.split('*').next().unwrap_or_default().to_owned();
            names.push(name);
            let value = parameter.value.as_bytes();
            let value = if is_extended {
                percent_decoded(value)
            } else {
                value.to_owned()
            };
            // Sections stand in their order (RFC 2231 section 3).
            match found.iter_mut().find(|(known, _)| *known == own) {
                Some((_, sections)) => sections.extend(value),
                None => found.push((own, value)),
            }
        }
        let text =
            |(name, value): (String, Vec<u8>)| (name, String::from_utf8_lossy(&value).into_owned());
        Ok(Self(found.into_iter().map(text).collect()))
    }

    fn check(&self) -> Result<(), Refusal> {
        let mut values = self.0.iter().map(|(_, value)| value);
        if values.clone().any(|value| has_control(value)) {
            return Err(CONTROL);
        }
        if values.any(|value| holds_encoded_word(value)) {
            return Err(ENCODED_WORD);
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Undoes percent encoding. What is none stays.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let escaped = match behind {
            [high, low, ..] if *first == b'%' => decode_pair(*high, *low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &behind[2..]
        } else {
            behind
        };
    }
    bytes
}

/// The parts between lines that lettre writes; `None` if they are others than it writes.
///
/// A boundary of lettre's is 40 letters and digits at random. What holds another one is not told from what was meant.
fn split<'m>(body: &'m [u8], boundary: &str) -> Option<Vec<&'m [u8]>> {
    const LENGTH: usize = 40;
    if boundary.len() != LENGTH || !boundary.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let delimiter = format!("\r\n{delimiter}");
        let end = memchr::memmem::find(part, delimiter.as_bytes())?;
        // The line end before the delimiter is that of the last line too where a part has no content of its own.
        parts.push(&part[..end + 2]);
        rest = &part[end + delimiter.len()..];
    }
    (rest == b"--\r\n").then_some(parts)
}
