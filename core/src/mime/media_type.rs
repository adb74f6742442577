//! Media types (RFC 2045 section 5.1).

use crate::header::is_token;
use crate::problem::{Code, Refusal};
use crate::syntax::{Cursor, Malformed, Parameter, next_parameter};
use std::borrow::Cow;

/// `type/subtype` with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType<'a> {
    /// `type/subtype`, in lower case.
    essence: Cow<'a, str>,
    parameters: Vec<(String, String)>,
}

/// The transfer encodings that a media type allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllowedEncodings {
    All,
    /// All, but many readers support only 7bit and 8bit.
    PreferIdentity,
    /// 7bit or 8bit; others are forbidden for messages and parts of them (RFC 2045 section 6.4).
    Identity,
    /// Only 7bit (RFC 2046 sections 5.2.2.1 and 5.2.3).
    SevenBit,
}

impl<'a> MediaType<'a> {
    /// For a file of unknown content.
    pub const OCTET_STREAM: MediaType<'static> = MediaType {
        essence: Cow::Borrowed("application/octet-stream"),
        parameters: Vec::new(),
    };

    /// The usual type of files with this name.
    pub fn of_file(name: &str) -> MediaType<'static> {
        mime_guess2::from_path(name)
            .first_raw()
            .map_or(Self::OCTET_STREAM, |essence| MediaType {
                essence: Cow::Borrowed(essence),
                parameters: Vec::new(),
            })
    }

    /// Parses the body of a Content-Type field.
    pub fn parse(text: &Cow<'a, str>) -> Result<Self, Refusal> {
        const FORM: Refusal = invalid(
            "A content type must have the form type/subtype, with parameters as `; name=value`.",
        );
        if text.len() > LONGEST {
            return Err(invalid("A content type may be at most 1,000 bytes long."));
        }
        let mut cursor = Cursor::new(text.as_ref());
        cursor.skip_blanks();
        let kind = cursor.token();
        let has_slash = cursor.eat(b'/');
        let subtype = cursor.token();
        let essence = &text[kind.start..subtype.end];
        if !has_slash || !is_token(&text[kind]) || !is_token(&text[subtype]) {
            return Err(FORM);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(parameter) = next_parameter(text, &mut cursor).map_err(|Malformed| FORM)? {
            let Parameter {
                name,
                value,
                is_quoted,
            } = parameter;
            // An asterisk is RFC 2231's, which is ours to write.
            if !is_token(name) || name.contains('*') || !(is_quoted || is_token(&value)) {
                return Err(FORM);
            }
            let name = name.to_ascii_lowercase();
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(invalid("A parameter of the content type is given twice."));
            }
            parameters.push((name, value.into_owned()));
        }
        Ok(Self {
            essence: Cow::Owned(essence.to_ascii_lowercase()),
            parameters,
        })
    }

    /// The same type, borrowed as far as may be.
    pub fn lend(&self) -> MediaType<'_> {
        MediaType {
            essence: Cow::Borrowed(&self.essence),
            parameters: self.parameters.clone(),
        }
    }

    pub fn essence(&self) -> &str {
        &self.essence
    }

    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// How its content may be encoded.
    pub fn allowed_encodings(&self) -> AllowedEncodings {
        match self.essence.as_ref() {
            "message/partial" | "message/external-body" => AllowedEncodings::SevenBit,
            // Messages in UTF-8, and reports of them (RFC 6532 section 3.7, RFC 6533 section 6).
            essence if essence.starts_with("message/global") => AllowedEncodings::PreferIdentity,
            essence if essence.starts_with("message/") => AllowedEncodings::Identity,
            _ => AllowedEncodings::All,
        }
    }

    /// Whether its content is a complete message.
    pub fn is_message(&self) -> bool {
        matches!(self.essence.as_ref(), "message/rfc822" | "message/global")
    }

    /// The value of a parameter; `name` is in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let known = self.parameters.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.as_str())
    }

    /// Adds `charset=utf-8`. With another charset, readers would see other letters.
    pub fn with_utf8(mut self) -> Self {
        let charset = self
            .parameters
            .iter_mut()
            .find(|(name, _)| name == "charset");
        match charset {
            Some((_, charset)) if !charset.eq_ignore_ascii_case("utf-8") => {
                *charset = "utf-8".into();
            }
            None if self.essence.starts_with("text/") => {
                self.parameters.push(("charset".into(), "utf-8".into()));
            }
            _ => {}
        }
        self
    }
}

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidContentType, detail)
}

const LONGEST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_parameters_are_parsed() {
        let parsed =
            MediaType::parse(&"Text/CSV ; Charset=\"utf-8\" ; header=present".into()).unwrap();
        assert_eq!(parsed.essence(), "text/csv");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            parsed.parameters(),
            [pair("charset", "utf-8"), pair("header", "present")]
        );
        assert_eq!(MediaType::of_file("a.PDF").essence(), "application/pdf");
        assert_eq!(
            MediaType::of_file("a").essence(),
            "application/octet-stream"
        );
    }

    #[test]
    fn messages_and_parts_of_them_are_not_encoded() {
        for (text, allowed) in [
            ("message/rfc822", AllowedEncodings::Identity),
            ("Message/Delivery-Status", AllowedEncodings::Identity),
            ("message/unheard-of; x=y", AllowedEncodings::Identity),
            ("message/Partial; number=1", AllowedEncodings::SevenBit),
            ("message/external-body", AllowedEncodings::SevenBit),
            ("message/global", AllowedEncodings::PreferIdentity),
            (
                "message/global-delivery-status",
                AllowedEncodings::PreferIdentity,
            ),
            ("text/rfc822-headers", AllowedEncodings::All),
            ("application/http", AllowedEncodings::All),
        ] {
            let parsed = MediaType::parse(&text.into()).unwrap();
            assert_eq!(parsed.allowed_encodings(), allowed, "{text}");
        }
    }

    #[test]
    fn a_text_in_utf8_says_so() {
        for (given, said) in [
            ("text/csv", "text/csv; charset=utf-8"),
            (
                "text/csv; charset=iso-8859-1; header=present",
                "text/csv; charset=utf-8; header=present",
            ),
            ("text/csv; charset=UTF-8", "text/csv; charset=UTF-8"),
            (
                "application/xml; charset=us-ascii",
                "application/xml; charset=utf-8",
            ),
            ("application/xml", "application/xml"),
        ] {
            let parse = |text: &str| MediaType::parse(&text.to_owned().into()).unwrap();
            assert_eq!(parse(given).with_utf8(), parse(said));
        }
    }

    #[test]
    fn invalid_media_types_are_refused() {
        for text in [
            "",
            "text",
            "text/",
            "/x",
            "text/plain\r\nX: y",
            "text/plain; x",
            "text/plain; x=",
            "text/plain; x=\"y",
            "text/plain; x=\"y\"z",
            "te xt/plain",
            "text/plain; x=1; X=2",
            "text/plain; x=\"a\r\nb\"",
            "text/plain; a*=b",
        ] {
            assert!(MediaType::parse(&text.into()).is_err(), "{text}");
        }
    }
}
