//! What a part of a form is called (RFC 7578 section 4.2).

use crate::syntax::Cursor;

/// The Content-Disposition of a part of `multipart/form-data`.
///
/// ```
/// let field = br#"form-data; name="report"; filename="a \"b\".pdf""#;
/// let disposition = pmtaemail::ContentDisposition::parse(field);
/// assert_eq!(disposition.name.as_deref(), Some("report"));
/// assert_eq!(disposition.filename.as_deref(), Some("a \"b\".pdf"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentDisposition {
    /// The name of the form's field. `None` where there is none, or none in UTF-8.
    pub name: Option<String>,
    /// The file's name, in the same way.
    pub filename: Option<String>,
}

impl ContentDisposition {
    /// Reads the body of a Content-Disposition field as clients write it: values may be UTF-8, and
    /// need no quotes; a semicolon may be missing. The first parameter of a name counts.
    pub fn parse(body: &[u8]) -> Self {
        let mut disposition = Self::default();
        let mut cursor = Cursor::new(body);
        loop {
            cursor.take_while(is_separator);
            if cursor.peek().is_none() {
                return disposition;
            }
            let name = cursor.take_while(|byte| byte != b'=' && !is_separator(byte));
            let name = &body[name];
            cursor.skip_blanks();
            if !cursor.eat(b'=') {
                continue;
            }
            let value = value(body, &mut cursor);
            let slot = if name.eq_ignore_ascii_case(b"name") {
                &mut disposition.name
            } else if name.eq_ignore_ascii_case(b"filename") {
                &mut disposition.filename
            } else {
                continue;
            };
            *slot = slot.take().or(value);
        }
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b';' | b' ' | b'\t')
}

/// A value, with or without quotes. `None` where the quotes are not closed or it is not UTF-8.
fn value(body: &[u8], cursor: &mut Cursor<'_>) -> Option<String> {
    cursor.skip_blanks();
    if cursor.peek() != Some(b'"') {
        let value = cursor.take_while(|byte| !matches!(byte, b';' | b' '));
        return std::str::from_utf8(&body[value]).ok().map(str::to_owned);
    }
    let quoted = cursor.quoted_string().ok()?;
    let content = &body[quoted.start + 1..quoted.end - 1];
    // Browsers write a backslash as it is, so that it quotes nothing but a quote.
    let content = std::str::from_utf8(content).ok()?;
    Some(content.replace("\\\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            ("form-data; filename*=UTF-8''b; name=a", Some("a"), None),
            (r#"form-data; name="a" filename="b""#, Some("a"), Some("b")),
            ("form-data; name=a filename=b", Some("a"), Some("b")),
            ("name=a", Some("a"), None),
            (r#"form-data; filename="b""#, None, Some("b")),
            (r#"form-data; name="a"; filename="b"#, Some("a"), None),
            ("form-data; name", None, None),
            ("form-data", None, None),
            ("", None, None),
        ] {
            let expected = ContentDisposition {
                name: name.map(str::to_owned),
                filename: filename.map(str::to_owned),
            };
            assert_eq!(
                ContentDisposition::parse(body.as_bytes()),
                expected,
                "{body}"
            );
        }
        assert_eq!(
            ContentDisposition::parse(b"form-data; name=\"\xe9\"; filename=b").filename,
            Some("b".to_owned())
        );
    }

    proptest! {
        #[test]
        fn any_field_can_be_read(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            ContentDisposition::parse(&body);
        }

        /// A quote is quoted and nothing else.
        #[test]
        fn file_names_come_back(name in "([ -~&&[^\\\\]]|\\PC){0,40}") {
            let body = format!("form-data; filename=\"{}\"; name=a", name.replace('"', "\\\""));
            let disposition = ContentDisposition::parse(body.as_bytes());
            prop_assume!(!name.contains('\\'));
            prop_assert_eq!(disposition.filename, Some(name));
            prop_assert_eq!(disposition.name.as_deref(), Some("a"));
        }
    }
}
