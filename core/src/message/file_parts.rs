//! Files that come with the JSON, as parts of multipart/form-data (RFC 7578).

use crate::mime::UnreadableName;
use crate::problem::{Code, Location, ProblemReport};

/// A file that came with the JSON. An attachment refers to it with `part` instead of giving `content`; see
/// [`Message::from_form`](crate::Message::from_form).
///
/// ```
/// use pmtaemail::{FilePart, Message};
///
/// let json = br#"{"from": "a@example.com", "to": "b@example.org", "attachments": [{"part": "invoice"}]}"#;
/// let mut file = FilePart { name: "invoice", filename: None, content_type: Some("application/pdf"), content: b"%PDF-1.7" };
/// assert!(Message::from_form(json, &[file]).is_ok());
///
/// file.name = "receipt";
/// let problems = Message::from_form(json, &[file]).unwrap_err();
/// assert_eq!(problems.iter().next().unwrap().code().as_str(), "unknown_part");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FilePart<'a> {
    /// The name by which `part` refers to it.
    pub name: &'a str,
    /// The attachment's file name unless the JSON gives one.
    pub filename: Option<Result<&'a str, UnreadableName>>,
    /// The attachment's media type unless the JSON gives one.
    pub content_type: Option<&'a str>,
    /// The file's bytes.
    pub content: &'a [u8],
}

/// A [`FilePart`] that owns its data.
///
/// ```
/// use pmtaemail::OwnedFilePart;
///
/// let file = OwnedFilePart {
///     name: "invoice".to_owned(),
///     filename: Some(Ok("invoice.pdf".to_owned())),
///     content_type: None,
///     content: b"%PDF-1.7".to_vec(),
/// };
/// let json = br#"{"from": "a@example.com", "to": "b@example.org", "attachments": [{"part": "invoice"}]}"#;
/// assert!(pmtaemail::Message::from_form(json, &[file.lend()]).is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct OwnedFilePart {
    /// See [`FilePart::name`].
    pub name: String,
    /// See [`FilePart::filename`].
    pub filename: Option<Result<String, UnreadableName>>,
    /// See [`FilePart::content_type`].
    pub content_type: Option<String>,
    /// See [`FilePart::content`].
    pub content: Vec<u8>,
}

impl OwnedFilePart {
    /// The same file, borrowed.
    pub fn lend(&self) -> FilePart<'_> {
        let filename = self.filename.as_ref();
        FilePart {
            name: &self.name,
            filename: filename.map(|name| name.as_deref().map_err(|fault| *fault)),
            content_type: self.content_type.as_deref(),
            content: &self.content,
        }
    }
}

/// The files of a form, and which of them have been used.
#[derive(Debug)]
pub(super) struct FileParts<'a>(Vec<(&'a FilePart<'a>, bool)>);

impl<'a> FileParts<'a> {
    pub fn new(parts: &'a [FilePart<'a>]) -> Self {
        Self(parts.iter().map(|part| (part, false)).collect())
    }

    /// The part with this name. Several parts with one name are used in their order; the last one may be used again.
    pub fn take(&mut self, name: &str) -> Option<FilePart<'a>> {
        let mut found = None;
        for (part, taken) in &mut self.0 {
            if part.name == name {
                let is_free = !*taken;
                found = Some((part, taken));
                if is_free {
                    break;
                }
            }
        }
        let (part, taken) = found?;
        *taken = true;
        Some(**part)
    }

    /// Reports parts that were not used: nothing that was sent is dropped silently.
    pub fn finish(self, report: &mut ProblemReport<'_>) {
        let left: Vec<String> = (1_usize..)
            .zip(self.0)
            .filter(|(_, (_, taken))| !taken)
            .map(|(number, _)| number.to_string())
            .collect();
        if !left.is_empty() {
            let detail = format!(
                "The form contains files that no attachment refers to with `part`; their numbers, counted from 1: {}.",
                left.join(", ")
            );
            report.missing(Location::ROOT, &["attachments"], Code::UnusedPart, detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Problem};

    const FILES: [FilePart<'static>; 2] = [
        FilePart {
            name: "f",
            filename: Some(Ok("a.txt")),
            content_type: Some("application/octet-stream"),
            content: b"one\0",
        },
        FilePart {
            name: "f",
            filename: Some(Ok("")),
            content_type: Some("image/png"),
            content: b"two",
        },
    ];

    fn json(attachments: &str) -> String {
        format!(
            r#"{{"from": "a@example.com", "to": "b@example.org", "date": "2026-11-23T05:33:54Z",
                "messageId": "m@example.com", "attachments": {attachments}}}"#
        )
    }

    fn problems(attachments: &str, files: &[FilePart<'_>]) -> Vec<(String, &'static str)> {
        let json = json(attachments);
        let found = match Message::from_form(json.as_bytes(), files) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(Problem::clone).collect(),
        };
        let seen = |problem: &Problem| (problem.pointer().to_owned(), problem.code().as_str());
        found.iter().map(seen).collect()
    }

    #[test]
    fn a_part_renders_as_base64_would() {
        let form = json(r#"[{"part": "f"}, {"part": "f", "filename": "b.gif", "cid": "b"}]"#);
        let base64 = json(
            r#"[{"filename": "a.txt", "content": "b25lAA=="},
                {"filename": "b.gif", "contentType": "image/png", "cid": "b", "content": "dHdv"}]"#,
        );
        let form = Message::from_form(form.as_bytes(), &FILES)
            .unwrap()
            .render();
        assert_eq!(form, crate::render(base64.as_bytes()).unwrap());
    }

    #[test]
    fn the_only_part_of_a_name_may_be_taken_again() {
        let twice = r#"[{"part": "f"}, {"part": "f"}]"#;
        assert_eq!(problems(twice, &FILES[..1]), []);
        assert_eq!(problems(twice, &FILES), []);
    }

    #[test]
    fn parts_and_attachments_belong_together() {
        let at = |pointer: &str, code| vec![(pointer.to_owned(), code)];
        let one = &FILES[..1];
        assert_eq!(problems("[]", one), at("/attachments", "unused_part"));
        assert_eq!(problems("null", one), at("/attachments", "unused_part"));
        assert_eq!(
            problems(r#"[{"part": "f"}]"#, &FILES),
            at("/attachments", "unused_part")
        );
        let other = r#"[{"part": "g"}]"#;
        assert_eq!(
            problems(other, one),
            at("/attachments/0/part", "unknown_part")
        );
        assert_eq!(
            problems(other, &[]),
            at("/attachments/0/part", "unknown_part")
        );
        for beside in [r#""content": """#, r#""encoding": "utf8""#] {
            assert_eq!(
                problems(&format!(r#"[{{"part": "f", {beside}}}]"#), one),
                at("/attachments/0/part", "conflict")
            );
        }
    }

    #[test]
    fn names_and_types_of_parts_are_checked() {
        use UnreadableName::{Malformed, NotUtf8};
        let file = |filename, content_type| FilePart {
            filename,
            content_type,
            ..FILES[0]
        };
        for (file, code) in [
            (file(Some(Ok("..")), None), "invalid_filename"),
            (file(Some(Ok("a\nb")), None), "control_character"),
            (file(Some(Err(NotUtf8)), None), "invalid_filename"),
            (file(Some(Err(Malformed)), None), "invalid_filename"),
            (file(None, Some("x")), "invalid_content_type"),
        ] {
            assert_eq!(
                problems(r#"[{"part": "f"}]"#, &[file]),
                [("/attachments/0/part".to_owned(), code)]
            );
        }
        // A name in the JSON wins, whatever the part's is.
        let named = r#"[{"part": "f", "filename": "a.txt"}]"#;
        assert_eq!(problems(named, &[file(Some(Err(NotUtf8)), None)]), []);
    }
}
