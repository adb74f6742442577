//! What a transmission sends.

use super::super::bytes::{buffer, may_be_base64};
use super::super::object::{Found, Object, Value, member_of};
use super::super::translated::Translated;
use super::options::{Options, unsupported};
use super::recipients::trimmed;
use encodify::base64::STANDARD;
use pmtaemail::{Code, Problem};
use serde::Serialize;
use std::borrow::Cow;

/// How a template writes two literal braces.
const BRACES: &str = "{{ opening_double_curly() }}";

/// What a transmission sends.
pub enum Content<'a> {
    /// Header and bodies; our message already contains them.
    Parts,
    /// A finished message.
    Finished(Value<'a>),
}

/// Reads `content`. Returns `None` only if a problem says why.
pub fn read<'a>(
    value: &Value<'a>,
    options: &Options<'_>,
    ours: &mut Translated,
    found: &mut Found,
) -> Option<Content<'a>> {
    let mut content = value.object(found)?;
    for name in ["template_id", "ab_test_id"] {
        if let Some(value) = content.take(name) {
            found.add(unsupported(
                &value,
                "Stored templates are not supported: send the content itself.",
            ));
            return None;
        }
    }
    if let Some(draft) = content.take("use_draft_template")
        && found.keep(draft.boolean()) == Some(true)
    {
        found.add(unsupported(
            &draft,
            "Stored templates are not supported: send the content itself.",
        ));
    }
    if let Some(mail) = content.take("email_rfc822") {
        for (_, value) in content.take_all() {
            if !value.is_null() {
                let detail = "`email_rfc822` cannot be combined with other content.";
                found.add(Problem::found(Code::Conflict, value.pointer, detail));
            }
        }
        if let Some(inline_css) = &options.inline_css {
            ours.put("inlineCss", inline_css);
        }
        return Some(Content::Finished(mail));
    }
    read_parts(content, options, ours, found);
    Some(Content::Parts)
}

fn read_parts(
    mut content: Object<'_>,
    options: &Options<'_>,
    ours: &mut Translated,
    found: &mut Found,
) {
    match content.take("from") {
        Some(from) => read_from(&from, ours, found),
        None => found.add(content.missing("from")),
    }
    match content.take("subject") {
        Some(subject) => ours.put("subject", &subject),
        None => found.add(content.missing("subject")),
    }
    let mut has_body = false;
    for (theirs, our) in [("text", "text"), ("html", "html"), ("amp_html", "amp")] {
        let Some(body) = content.take(theirs) else {
            continue;
        };
        has_body = true;
        // Without HTML the option would have nothing to act on.
        if let Some(inline_css) = options.inline_css.as_ref().filter(|_| our == "html") {
            ours.put("inlineCss", inline_css);
        }
        match body.text() {
            Ok(text) if !options.fills_bodies && text.contains("{{") => {
                ours.put_made(our, &text.replace("{{", BRACES), &body.pointer);
            }
            // If it is not a string, the core reports that.
            _ => ours.put(our, &body),
        }
    }
    if !has_body {
        found.add(content.missing("text"));
    }
    read_headers(&mut content, ours, found);
    put_files(&mut content, ours, found);
    content.finish(found);
}

/// `Shop <shop@example.com>`, or an object.
fn read_from(value: &Value<'_>, ours: &mut Translated, found: &mut Found) {
    if value.is_text() {
        ours.put("from", value);
        return;
    }
    let Some(mut from) = value.object(found) else {
        return;
    };
    let Some(email) = from.take("email") else {
        found.add(from.missing("email"));
        return;
    };
    let name = from.take("name").and_then(|name| found.keep(name.text()));
    if let Some(address) = found.keep(email.text()) {
        let mailbox = Mailbox {
            name: name.map(trimmed),
            address: trimmed(address),
        };
        ours.put_made("from", &mailbox, &value.pointer);
        ours.place("/from/address", &email.pointer);
        ours.place("/from/name", &member_of(&value.pointer, "name"));
    }
    from.finish(found);
}

#[derive(Serialize)]
struct Mailbox<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    address: Cow<'a, str>,
}

/// `headers` and `reply_to`, as a list: any part of a header field may contain placeholders.
fn read_headers(content: &mut Object<'_>, ours: &mut Translated, found: &mut Found) {
    let mut list = Vec::new();
    let mut places = Vec::new();
    if let Some(reply_to) = content.take("reply_to")
        && let Some(text) = found.keep(reply_to.text())
        && !text.trim().is_empty()
    {
        list.push((Cow::Borrowed("Reply-To"), text));
        places.push(reply_to.pointer);
    }
    let headers = content.take("headers");
    let headers = headers.and_then(|value| super::options::dictionary(&value, found));
    for (name, value) in headers
        .map(|mut headers| headers.take_all())
        .unwrap_or_default()
    {
        if value.is_null() {
            continue;
        }
        // Some clients send numbers.
        let is_number = value
            .raw
            .get()
            .starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let text = if is_number {
            Some(Cow::Borrowed(value.raw.get()))
        } else {
            found.keep(value.text())
        };
        if let Some(text) = text {
            list.push((name, text));
            places.push(value.pointer);
        }
    }
    if list.is_empty() {
        return;
    }
    let fields: Vec<_> = list
        .iter()
        .map(|(name, value)| Field { name, value })
        .collect();
    ours.put_made("headers", &fields, "/content/headers");
    for (index, place) in places.iter().enumerate() {
        for member in ["", "/name", "/value"] {
            ours.place(format!("/headers/{index}{member}"), place);
        }
    }
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    value: &'a str,
}

/// `attachments` and `inline_images`.
fn put_files(content: &mut Object<'_>, ours: &mut Translated, found: &mut Found) {
    let [attachments, images] = ["attachments", "inline_images"].map(|name| {
        let list = content.take(name);
        let list = list.and_then(|list| found.keep(list.array()));
        list.unwrap_or_default()
    });
    if attachments.is_empty() && images.is_empty() {
        return;
    }
    let mut index = 0;
    let all = attachments.iter().chain(&images);
    ours.put_each("attachments", all, "/content/attachments", |file, our| {
        put_file(file, index >= attachments.len(), our, found);
        index += 1;
    });
}

fn put_file(value: &Value<'_>, is_inline: bool, our: &mut Translated, found: &mut Found) {
    let Some(mut file) = value.object(found) else {
        return;
    };
    match file.take("name") {
        Some(name) if is_inline => {
            our.put("contentId", &name);
            our.put_made("disposition", &"inline", &value.pointer);
        }
        Some(name) => our.put("filename", &name),
        None => found.add(file.missing("name")),
    }
    let media_type = file.take("type");
    if let Some(media_type) = &media_type {
        our.put("contentType", media_type);
    }
    match file.take("data") {
        Some(data) => put_data(&data, media_type.is_some(), our, found),
        None => found.add(file.missing("data")),
    }
    file.finish(found);
}

/// Content in base64. One client sends plain text without a type; it also sends Node buffers as objects.
fn put_data(data: &Value<'_>, has_type: bool, our: &mut Translated, found: &mut Found) {
    if let Some(bytes) = buffer(data) {
        our.put_made("content", &STANDARD.encode(bytes), &data.pointer);
        return;
    }
    let Ok(text) = data.text() else {
        // The core reports that it is not a string.
        our.put("content", data);
        return;
    };
    if has_type {
        our.put("content", data);
    } else if may_be_base64(&text) {
        let detail = "Without `type` it is unknown whether `data` is base64 or text: give `type`, and `data` in base64.";
        let pointer = data.pointer.trim_end_matches("/data");
        found.add(Problem::found(
            Code::MissingField,
            member_of(pointer, "type"),
            detail,
        ));
    } else {
        our.put("content", data);
        our.put_made("encoding", &"utf8", &data.pointer);
    }
}
