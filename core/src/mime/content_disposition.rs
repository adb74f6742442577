//! The names of the parts of a form (RFC 7578 section 4.2).

use super::UnreadableName;
use crate::syntax::{Cursor, Unclosed};
use encodify::hex::PERCENT;
use encodify::rfc2047::{EncodedWord, decode_text};
use encoding_rs::Encoding;

/// The Content-Disposition of a part of `multipart/form-data`.
///
/// ```
/// let field = br#"form-data; name="report"; filename="a \"b\".pdf""#;
/// let disposition = pmtaemail::ContentDisposition::parse(field);
/// assert_eq!(disposition.name.as_deref(), Some("report"));
/// assert_eq!(disposition.filename, Some(Ok("a \"b\".pdf".to_owned())));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentDisposition {
    /// The name of the form field; `None` if there is none or it cannot be read.
    pub name: Option<String>,
    /// The name of the file; `None` if there is none.
    pub filename: Option<Result<String, UnreadableName>>,
}

impl ContentDisposition {
    /// Parses the body of a Content-Disposition field as clients write it:
    ///
    /// - Values may be UTF-8 and need not be quoted; a semicolon may be missing. If a parameter is repeated, the first
    ///   one counts.
    /// - In quotes, `%22`, `%0D` and `%0A` are a quote and the line ends, as browsers write them; any other percent
    ///   sign stands for itself, and so does a backslash that is not followed by a quote.
    /// - A value that consists of encoded words (RFC 2047) is decoded: .NET writes them.
    /// - `filename*` (RFC 5987), which RFC 7578 forbids, takes precedence over `filename` if it can be read. A name
    ///   that is only given in sections (`filename*0`, RFC 2231 section 3) cannot be read.
    pub fn parse(body: &[u8]) -> Self {
        let mut name = Name::default();
        let mut filename = Name::default();
        let mut cursor = Cursor::new(body);
        loop {
            cursor.take_while(is_separator);
            if cursor.peek().is_none() {
                return Self {
                    name: name.read().and_then(Result::ok),
                    filename: filename.read(),
                };
            }
            let parameter = cursor.take_while(|byte| byte != b'=' && !is_separator(byte));
            let parameter = body[parameter].to_ascii_lowercase();
            cursor.skip_blanks();
            if !cursor.eat(b'=') {
                continue;
            }
            let value = Value::next(body, &mut cursor);
            match parameter.as_slice() {
                b"name" => name.plain = name.plain.or(Some(value)),
                b"name*" => name.extended = name.extended.or(Some(value)),
                b"filename" => filename.plain = filename.plain.or(Some(value)),
                b"filename*" => filename.extended = filename.extended.or(Some(value)),
                // `filename*0`, `filename*1*` (RFC 2231 section 3) are for mail alone.
                piece if piece.starts_with(b"filename*") => filename.is_in_pieces = true,
                _ => {}
            }
        }
    }
}

/// The parameters that can give a name.
#[derive(Default)]
struct Name<'b> {
    plain: Option<Value<'b>>,
    extended: Option<Value<'b>>,
    is_in_pieces: bool,
}

impl Name<'_> {
    /// `None` if there is none.
    fn read(&self) -> Option<Result<String, UnreadableName>> {
        let extended = self.extended.map(Value::extended);
        match (extended, self.plain) {
            (Some(Ok(name)), _) => Some(Ok(name)),
            (_, Some(value)) => Some(value.plain()),
            (None, None) if self.is_in_pieces => Some(Err(UnreadableName::Malformed)),
            (unreadable, None) => unreadable,
        }
    }
}

/// The value of a parameter as it is written.
#[derive(Clone, Copy)]
struct Value<'b> {
    bytes: &'b [u8],
    is_quoted: bool,
    is_closed: bool,
}

impl<'b> Value<'b> {
    fn next(body: &'b [u8], cursor: &mut Cursor<'b>) -> Self {
        cursor.skip_blanks();
        let is_quoted = cursor.peek() == Some(b'"');
        if !is_quoted {
            let value = cursor.take_while(|byte| !is_separator(byte));
            return Self {
                bytes: &body[value],
                is_quoted,
                is_closed: true,
            };
        }
        let start = cursor.position() + 1;
        let (end, is_closed) = match cursor.quoted_string() {
            Ok(quoted) => (quoted.end - 1, true),
            Err(Unclosed) => (body.len(), false),
        };
        Self {
            bytes: &body[start..end],
            is_quoted,
            is_closed,
        }
    }

    fn plain(self) -> Result<String, UnreadableName> {
        let text = std::str::from_utf8(self.bytes).map_err(|_| UnreadableName::NotUtf8)?;
        if !self.is_closed {
            return Err(UnreadableName::Malformed);
        }
        if let Some(decoded) = decoded_words(text) {
            return Ok(decoded);
        }
        if !self.is_quoted {
            return Ok(text.to_owned());
        }
        let mut text = text.replace("\\\"", "\"");
        for (written, meant) in [("%22", "\""), ("%0D", "\r"), ("%0A", "\n")] {
            if text.contains(written) {
                text = text.replace(written, meant);
            }
        }
        Ok(text)
    }

    /// `charset'language'text`, the text in percent signs (RFC 5987 section 3.2).
    fn extended(self) -> Result<String, UnreadableName> {
        let mut parts = self.bytes.splitn(3, |byte| *byte == b'\'');
        let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(UnreadableName::Malformed);
        };
        let bytes = PERCENT
            .decode(text)
            .map_err(|_| UnreadableName::Malformed)?;
        text_of(charset, &bytes).ok_or(if charset.eq_ignore_ascii_case(b"utf-8") {
            UnreadableName::NotUtf8
        } else {
            UnreadableName::Malformed
        })
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b';' | b' ' | b'\t')
}

/// The text of encoded words (RFC 2047). `None` if there is anything else, or one cannot be decoded.
fn decoded_words(text: &str) -> Option<String> {
    let mut rest = text.as_bytes().trim_ascii();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (_, length) = EncodedWord::parse(rest)?;
        rest = rest[length..].trim_ascii_start();
    }
    let mut can_be_read = true;
    let decoded = decode_text(text.as_bytes(), |charset, bytes, out| {
        match text_of(charset, bytes) {
            Some(text) => out.push_str(&text),
            None => can_be_read = false,
        }
    });
    can_be_read.then(|| decoded.into_owned())
}

/// `None` for an unknown charset, and for bytes that are invalid in it.
fn text_of(charset: &[u8], bytes: &[u8]) -> Option<String> {
    let text =
        Encoding::for_label(charset)?.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &[u8]) -> (Option<String>, Option<Result<String, UnreadableName>>) {
        let ContentDisposition { name, filename } = ContentDisposition::parse(body);
        (name, filename)
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (body, name, filename) in [
            (r#"form-data; name="a""#, Some("a"), None),
            (
                r#"form-data; name="a"; filename="b c.txt""#,
                Some("a"),
                Some("b c.txt"),
            ),
            (
                r#"form-data; filename="name=x; y"; name="a""#,
                Some("a"),
                Some("name=x; y"),
            ),
            (r#"form-data; x="; name=b"; name=a"#, Some("a"), None),
            ("form-data;name=a;filename=b", Some("a"), Some("b")),
            ("form-data; name = a  ", Some("a"), None),
            (
                "form-data;\tname=\"a\" ; FileName=b c",
                Some("a"),
                Some("b"),
            ),
            ("form-data; name=  ", Some(""), None),
            (r#"form-data; name="""#, Some(""), None),
            (
                "form-data; name=\"é\"; filename=用.txt",
                Some("é"),
                Some("用.txt"),
            ),
            (r#"form-data; name="a"; name="b""#, Some("a"), None),
            (r#"form-data; name="a\"b""#, Some("a\"b"), None),
            (
                r#"form-data; name="C:\d\f.txt""#,
                Some("C:\\d\\f.txt"),
                None,
            ),
            (
                r#"form-data; name="a\\"; filename="b""#,
                Some("a\\\\"),
                Some("b"),
            ),
            (r#"form-data; name="a" filename="b""#, Some("a"), Some("b")),
            ("form-data; name=a filename=b", Some("a"), Some("b")),
            ("form-data; name=a\tfilename=b\t", Some("a"), Some("b")),
            ("name=a", Some("a"), None),
            (r#"form-data; filename="b""#, None, Some("b")),
            ("form-data; name", None, None),
            ("form-data", None, None),
            ("", None, None),
        ] {
            let filename = filename.map(|name| Ok(name.to_owned()));
            let expected = (name.map(str::to_owned), filename);
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn file_names_are_decoded_as_clients_encode_them() {
        let utf8 = "=?utf-8?B?w5xiZXJzaWNodC5wZGY=?=";
        for (parameters, expected) in [
            // .NET writes both.
            (
                &format!(r#"filename="{utf8}"; filename*=utf-8''%C3%9Cbersicht.pdf"#)[..],
                "Übersicht.pdf",
            ),
            ("filename*=UTF-8''%C3%9C.pdf; filename=\"U.pdf\"", "Ü.pdf"),
            ("filename=\"U.pdf\"; FILENAME*=utf-8'de'%c3%9c.pdf", "Ü.pdf"),
            ("filename*=UTF-8''a%20b%22c.pdf", "a b\"c.pdf"),
            ("filename*=\"UTF-8''%C3%9C.pdf\"", "Ü.pdf"),
            ("filename*=iso-8859-1'en'%A3%20rates", "£ rates"),
            ("filename*=UTF-8''", ""),
            // What of it cannot be read does not win.
            ("filename*=UTF-8''%FF; filename=a", "a"),
            ("filename=a; filename*=x-unheard-of''b", "a"),
            ("filename=a; filename*=b", "a"),
            ("filename=a; filename*=utf-8''100%", "a"),
            (&format!("filename={utf8}"), "Übersicht.pdf"),
            (
                &format!("filename=\" {utf8}  =?iso-8859-1?q?_=FC?= \""),
                "Übersicht.pdf ü",
            ),
            ("filename=\"=?UTF-8?Q?a=22b?=\"", "a\"b"),
            // Others are no encoded words alone.
            ("filename=\"a =?utf-8?Q?b?=\"", "a =?utf-8?Q?b?="),
            ("filename=\"=?utf-8?Q?b?=.pdf\"", "=?utf-8?Q?b?=.pdf"),
            ("filename=\"=?x-unheard-of?Q?b?=\"", "=?x-unheard-of?Q?b?="),
            ("filename=\"=?utf-8?Q?=FF?=\"", "=?utf-8?Q?=FF?="),
            // Browsers.
            ("filename=\"a%22b%0D%0Ac\"", "a\"b\r\nc"),
            (
                "filename=\"100%25 %0d %C3%9C.pdf\"",
                "100%25 %0d %C3%9C.pdf",
            ),
            ("filename=a%22b", "a%22b"),
        ] {
            let body = format!("form-data; name=\"a\"; {parameters}");
            let expected = (Some("a".to_owned()), Some(Ok(expected.to_owned())));
            assert_eq!(read(body.as_bytes()), expected, "{body}");
        }
        let (name, _) = read(b"form-data; name=\"=?utf-8?B?w5w=?=\"");
        assert_eq!(name.as_deref(), Some("\u{dc}"));
    }

    #[test]
    fn unreadable_input_is_reported() {
        use UnreadableName::{Malformed, NotUtf8};
        for (parameter, fault) in [
            (&b"filename=\"\xdcbersicht.pdf\""[..], NotUtf8),
            (b"filename=\xc4\xe3.txt", NotUtf8),
            // GBK, in which a backslash ends a character.
            (b"filename=\"\x81\\\"", NotUtf8),
            (b"filename=\"b", Malformed),
            (b"filename*=UTF-8''%FF", NotUtf8),
            (b"filename*=GBK''%FF", Malformed),
            (b"filename*0=b; filename*1=.pdf", Malformed),
            (b"filename*0*=UTF-8''b; filename*1*=%C3%9C.pdf", Malformed),
            (b"filename*=UTF-8''%C3%9", Malformed),
            (b"filename*=x-unheard-of''b", Malformed),
            (b"filename*=b", Malformed),
        ] {
            let body = [b"form-data; name=a; ", parameter].concat();
            let expected = (Some("a".to_owned()), Some(Err(fault)));
            assert_eq!(read(&body), expected, "{}", body.escape_ascii());
        }
        let (name, filename) = read(b"form-data; name=\"\xe9\"; filename=b");
        assert_eq!((name, filename), (None, Some(Ok("b".to_owned()))));
    }

    proptest! {
        #[test]
        fn any_field_can_be_read(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            ContentDisposition::parse(&body);
        }

        /// A quote is quoted and nothing else.
        #[test]
        fn file_names_come_back(name in "([ -~]|\\PC){0,40}") {
            let name = name.replace('\\', "/");
            let body = format!("form-data; filename=\"{}\"; name=a", name.replace('"', "\\\""));
            let disposition = ContentDisposition::parse(body.as_bytes());
            prop_assume!(!["%22", "%0D", "%0A", "=?"].iter().any(|sign| name.contains(sign)));
            prop_assert_eq!(disposition.filename, Some(Ok(name)));
            prop_assert_eq!(disposition.name.as_deref(), Some("a"));
        }
    }
}
