//! The files of a message.

use super::super::bytes::{buffer, may_be_base64, numbers};
use super::super::object::{Found, Object, Value};
use super::super::translated::Translated;
use encodify::base64::STANDARD;
use memchr::memmem;
use pmtaemail::{Code, Problem};
use std::collections::HashSet;

/// In bytes; longer ones are not searched for.
const LONGEST_ID: usize = 256;

/// Reads `attachments`. `html` may refer to pictures among them.
pub fn put(
    attachments: &Value<'_>,
    html: Option<&Value<'_>>,
    ours: &mut Translated,
    found: &mut Found,
) {
    let list = found.keep(attachments.array()).unwrap_or_default();
    let html = html.and_then(|html| html.text().ok()).unwrap_or_default();
    let referred = referred_to(&html);
    if !list.is_empty() {
        ours.put_each("attachments", &list, &attachments.pointer, |file, our| {
            read(file, &referred, our, found);
        });
    }
}

fn read(value: &Value<'_>, referred: &HashSet<&str>, our: &mut Translated, found: &mut Found) {
    let Some(mut file) = value.object(found) else {
        return;
    };
    let filename = file.take("filename");
    if let Some(filename) = &filename {
        our.put("filename", filename);
    }
    let media_type = file.take("content_type");
    if let Some(media_type) = &media_type {
        our.put("contentType", media_type);
    }
    match (file.take("path"), file.take("content")) {
        (None, Some(content)) => put_content(&content, media_type.as_ref(), our, found),
        (None, None) => found.add(file.missing("content")),
        (Some(path), _) => {
            let detail = "Files are not fetched from URLs: send the file itself as `content`.";
            found.add(Problem::found(Code::Unsupported, path.pointer, detail));
        }
    }
    let id = content_id(&mut file, found);
    if let Some(id) = id
        && !is_a_mere_name(&id, filename.as_ref(), referred)
    {
        our.put("contentId", &id);
    }
    file.finish(found);
}

/// Base64, or an array of bytes. A calendar may be plain text, as Laravel writes it.
fn put_content(
    content: &Value<'_>,
    media_type: Option<&Value<'_>>,
    our: &mut Translated,
    found: &mut Found,
) {
    if let Some(bytes) = buffer(content).or_else(|| numbers(content)) {
        our.put_made("content", &STANDARD.encode(bytes), &content.pointer);
    } else if content.is_array() {
        let detail = "The bytes of a file must be numbers from 0 to 255.";
        let pointer = content.pointer.clone();
        found.add(Problem::found(Code::InvalidContent, pointer, detail));
    } else if content.is_text() {
        our.put("content", content);
        let is_text = || content.text().is_ok_and(|text| !may_be_base64(&text));
        if media_type.is_some_and(is_calendar) && is_text() {
            our.put_made("encoding", &"utf8", &content.pointer);
        }
    } else {
        found.add(content.wrong_type("a string in base64"));
    }
}

fn is_calendar(media_type: &Value<'_>) -> bool {
    let text = media_type.text().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/calendar")
}

/// The name by which HTML refers to a file. `inline_content_id` was Resend's first name for it.
fn content_id<'a>(file: &mut Object<'a>, found: &mut Found) -> Option<Value<'a>> {
    let (id, older) = (file.take("content_id"), file.take("inline_content_id"));
    if let (Some(id), Some(older)) = (&id, &older)
        && id.raw.get() != older.raw.get()
    {
        let detail = "This is another name for `content_id`; give only one of them.";
        found.add(Problem::found(
            Code::Conflict,
            older.pointer.clone(),
            detail,
        ));
    }
    id.or(older)
}

/// Whether a content id merely repeats the file name, and nothing refers to it: Laravel writes that for each file
/// without one, whether it is an inline picture or not.
fn is_a_mere_name(id: &Value<'_>, filename: Option<&Value<'_>>, referred: &HashSet<&str>) -> bool {
    let filename = filename.and_then(|filename| filename.text().ok());
    let id = id.text().ok().filter(|id| filename.as_ref() == Some(id));
    id.is_some_and(|id| !referred.contains(id.as_ref()))
}

/// What follows `cid:` in a text, up to each character that may end it. The text is read once, however many files there
/// are.
fn referred_to(html: &str) -> HashSet<&str> {
    const ENDS: [&str; 3] = ["\"'<>", "\"'<> \t\r\n", "\"'<>)"];

    let mut referred = HashSet::new();
    for at in memmem::find_iter(html.as_bytes(), "cid:") {
        let rest = &html[at + "cid:".len()..];
        let rest = &rest[..rest.floor_char_boundary(LONGEST_ID)];
        for ends in ENDS {
            let end = rest.find(|c| ends.contains(c)).unwrap_or(rest.len());
            referred.insert(&rest[..end]);
        }
    }
    referred
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(json: &str, html: &str) -> Result<String, Vec<String>> {
        let mut found = Found::default();
        let mut ours = Translated::new();
        let html = serde_json::to_string(html).unwrap();
        let html = Value::of_body(html.as_bytes()).unwrap();
        let value = Value::of_body(json.as_bytes()).unwrap();
        put(&value, Some(&html), &mut ours, &mut found);
        match found.told() {
            told if told.is_empty() => Ok(String::from_utf8(ours.finish().0).unwrap()),
            told => Err(told),
        }
    }

    #[test]
    fn content_has_several_forms() {
        for (file, expected) in [
            (
                r#"{"filename": "a", "content": "AP8=", "content_type": "text/plain; charset=\"x\""}"#,
                r#"{"filename":"a","contentType":"text/plain; charset=\"x\"","content":"AP8="}"#,
            ),
            (r#"{"content": [0, 255]}"#, r#"{"content":"AP8="}"#),
            (r#"{"content": []}"#, r#"{"content":""}"#),
            (
                r#"{"content": {"type": "Buffer", "data": [0, 255]}}"#,
                r#"{"content":"AP8="}"#,
            ),
            (
                r#"{"content": "BEGIN:VCALENDAR", "content_type": "Text/Calendar; method=REQUEST"}"#,
                r#"{"contentType":"Text/Calendar; method=REQUEST","content":"BEGIN:VCALENDAR","encoding":"utf8"}"#,
            ),
            (
                r#"{"content": "QkVHSU4=\r\n", "content_type": "text/calendar"}"#,
                r#"{"contentType":"text/calendar","content":"QkVHSU4=\r\n"}"#,
            ),
            // It is not base64, which the core reports.
            (
                r#"{"content": "Hello!", "content_type": "text/plain"}"#,
                r#"{"contentType":"text/plain","content":"Hello!"}"#,
            ),
        ] {
            let expected = format!(r#"{{"attachments":[{expected}]}}"#);
            assert_eq!(ours(&format!("[{file}]"), ""), Ok(expected), "{file}");
        }
    }

    #[test]
    fn a_name_that_nothing_refers_to_is_no_content_id() {
        for (file, html, expected) in [
            (r#""content_id": "a.png""#, "", r#""contentId":"a.png""#),
            (r#""inline_content_id": "a""#, "", r#""contentId":"a""#),
            (
                r#""content_id": "a", "inline_content_id": "a""#,
                "",
                r#""contentId":"a""#,
            ),
            (
                r#""filename": "a.png", "content_id": "a""#,
                "",
                r#""filename":"a.png","contentId":"a""#,
            ),
            (
                r#""filename": "My a.pdf", "content_id": "My a.pdf""#,
                "<img src='cid:a'>",
                r#""filename":"My a.pdf""#,
            ),
            (
                r#""filename": "a.png", "content_id": "a.png""#,
                "<img src='cid:a.png'>",
                r#""filename":"a.png","contentId":"a.png""#,
            ),
            (
                r#""filename": "a (1).png", "content_id": "a (1).png""#,
                "<img src=\"cid:a (1).png\">",
                r#""filename":"a (1).png","contentId":"a (1).png""#,
            ),
            (
                r#""filename": "å", "content_id": "å""#,
                "cid: url(cid:å) cid:",
                r#""filename":"å","contentId":"å""#,
            ),
            (
                r#""filename": "a", "content_id": "a""#,
                "<img src=cid:a width=1 src=cid:ab>",
                r#""filename":"a","contentId":"a""#,
            ),
        ] {
            let json = format!(r#"[{{"content": "", {file}}}]"#);
            let ours = ours(&json, html).unwrap();
            let ours = ours.replacen(r#""content":"","#, "", 1);
            let ours = ours.replacen(r#","content":"""#, "", 1);
            assert_eq!(ours, format!(r#"{{"attachments":[{{{expected}}}]}}"#));
        }
    }

    #[test]
    fn faults_are_reported_with_their_position() {
        for (json, expected) in [
            ("1", " wrong_type"),
            ("[1]", "/0 wrong_type"),
            ("[{}]", "/0/content missing_field"),
            (r#"[{"content": [256]}]"#, "/0/content invalid_content"),
            (r#"[{"content": [-1]}]"#, "/0/content invalid_content"),
            (r#"[{"content": 1}]"#, "/0/content wrong_type"),
            (
                r#"[{"content": {"type": "Blob", "data": []}}]"#,
                "/0/content wrong_type",
            ),
            (r#"[{"path": "https://x.example"}]"#, "/0/path unsupported"),
            (r#"[{"content": "", "x": 1}]"#, "/0/x unknown_field"),
            (
                r#"[{"content": "", "content_id": "a", "inline_content_id": "b"}]"#,
                "/0/inline_content_id conflict",
            ),
        ] {
            assert_eq!(ours(json, ""), Err(vec![expected.to_owned()]), "{json}");
        }
    }
}
