//! Attachments and inline images.

use super::calendar::check_attached;
use super::file_parts::{FilePart, FileParts};
use super::values::{choice, header_text};
use crate::header::ContentId;
use crate::json::{DispositionWord, Encoding, JsonAttachment, JsonContent, Located};
use crate::mime::{Base64, Content, Disposition, File, MediaType, UnreadableName};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use crate::text::into_bytes;
use std::borrow::Cow;
use std::collections::HashSet;

/// Nobody opens a message with more.
const MOST_FILES: usize = 1_000;
/// In characters.
const LONGEST_NAME: usize = 255;

/// Interprets the list of attachments; what is wrong goes into the report.
pub(super) fn read_attachments<'a>(
    attachments: Vec<Located<JsonAttachment<'a>>>,
    parts: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Vec<File<'a>> {
    if let Some(beyond) = attachments.get(MOST_FILES) {
        let detail = "A message may have at most 1,000 attachments.";
        report.problem(beyond.location, Code::TooLong, detail);
        return Vec::new();
    }
    let mut files: Vec<File<'a>> = Vec::with_capacity(attachments.len());
    let mut content_ids = HashSet::new();
    for Located { location, value } in attachments {
        let cid = value.cid.as_ref().map(|cid| cid.location);
        let Some(file) = read_attachment(location, value, parts, report) else {
            continue;
        };
        if let (Some(cid), Some(id)) = (cid, &file.content_id)
            && !content_ids.insert(id.clone())
        {
            let detail = "Another attachment already has this content id.";
            report.problem(cid, Code::InvalidContentId, detail);
        }
        files.push(file);
    }
    files
}

fn read_attachment<'a>(
    location: Location,
    mut json: JsonAttachment<'a>,
    parts: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<File<'a>> {
    let known = report.len();
    if let Some(part) = json.part.take() {
        take_part(part, &mut json, parts, report);
    }
    let mut filename = json.filename.map(|name| read_filename(name, report));
    let content_id = json
        .cid
        .and_then(|cid| ContentId::parse(&cid.value).or_refuse(cid.location, report));
    let disposition = json.disposition.and_then(|word| {
        choice(&word, report).map(|word| match word {
            DispositionWord::Attachment => Disposition::Attachment,
            DispositionWord::Inline => Disposition::Inline,
        })
    });
    let encoding = json.encoding.and_then(|word| choice(&word, report));
    let given_type = json.content_type.and_then(|text| {
        let media_type = read_type(&text, report)?;
        // How mail named files before Content-Disposition.
        if filename.is_none()
            && let Some(name) = media_type.parameter("name")
        {
            let value = Cow::Owned(name.to_owned());
            let location = text.location;
            filename = Some(read_filename(Located { location, value }, report));
        }
        Some(media_type)
    });
    let Some(content) = json.content else {
        let detail = "An attachment must have `content`.";
        report.missing(location, &["content", "part"], Code::MissingField, detail);
        return None;
    };
    let is_text = matches!(
        (&content.value, encoding),
        (JsonContent::Text(_), Some(Encoding::Utf8))
    );
    let media_type = given_type.unwrap_or_else(|| {
        filename
            .as_ref()
            .map_or(MediaType::OCTET_STREAM, |name| MediaType::of_file(name))
    });
    let media_type = if is_text {
        media_type.with_utf8()
    } else {
        media_type
    };
    let content = read_content(content, encoding, &media_type, report)?;
    (report.len() == known).then(|| File {
        disposition: disposition.unwrap_or(if content_id.is_some() {
            Disposition::Inline
        } else {
            Disposition::Attachment
        }),
        filename,
        media_type,
        content,
        content_id,
    })
}

/// Takes from a part of the form what the JSON does not say.
fn take_part<'a>(
    name: Located<Cow<'a, str>>,
    json: &mut JsonAttachment<'a>,
    parts: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) {
    let Located { location, value } = name;
    let Some(FilePart {
        filename,
        content_type,
        content,
        ..
    }) = parts.take(&value)
    else {
        let detail = "The form has no part with this name; `part` names a file of the multipart/form-data request.";
        report.problem(location, Code::UnknownPart, detail);
        return;
    };
    if json.content.is_some() || json.encoding.is_some() {
        let detail = "`part` replaces `content` and `encoding`, so give only one of them.";
        report.problem(location, Code::Conflict, detail);
    }
    let placed = |text| Located {
        location,
        value: Cow::Borrowed(text),
    };
    let given = |text: &&str| !text.is_empty();
    if json.filename.is_none() {
        let filename = filename.and_then(|name| {
            name.map_err(|fault| Refusal::new(Code::InvalidFilename, unreadable(fault)))
                .or_refuse(location, report)
        });
        json.filename = filename.filter(given).map(placed);
    }
    // Clients say application/octet-stream of a file that they do not know.
    let is_known =
        |text: &&str| given(text) && !text.eq_ignore_ascii_case("application/octet-stream");
    if json.content_type.is_none() {
        json.content_type = content_type.filter(is_known).map(placed);
    }
    let value = JsonContent::Bytes(Cow::Borrowed(content));
    json.content = Some(Located { location, value });
}

const fn unreadable(fault: UnreadableName) -> &'static str {
    match fault {
        UnreadableName::NotUtf8 => {
            "The part's file name is not valid UTF-8: send it in UTF-8, or give `filename` here."
        }
        UnreadableName::Malformed => {
            "The part's file name cannot be read: its quotes are not closed, the charset of its \
             `filename*` is unknown, or it is split into pieces. Give `filename` here."
        }
    }
}

fn read_content<'a>(
    content: Located<JsonContent<'a>>,
    encoding: Option<Encoding>,
    media_type: &MediaType<'_>,
    report: &mut ProblemReport<'a>,
) -> Option<Content<'a>> {
    let Located { location, value } = content;
    let content = match (value, encoding.unwrap_or(Encoding::Base64)) {
        (JsonContent::Bytes(bytes), _) => Content::Bytes(bytes),
        (JsonContent::Text(text), Encoding::Utf8) => Content::Bytes(into_bytes(text)),
        (JsonContent::Text(text), Encoding::Base64) => {
            Content::Base64(Base64::parse(text).or_refuse(location, report)?)
        }
    };
    check_attached(media_type, &content).or_refuse(location, report);
    let content = content
        .allowed(media_type.allowed_encodings())
        .or_refuse(location, report)?;
    Some(if media_type.is_message() {
        content.with_ended_header()
    } else {
        content
    })
}

/// The name of a file. It may be a path, as every other program sends it: readers must not follow it (RFC 2183 section
/// 2.3).
fn read_filename<'a>(name: Located<Cow<'a, str>>, report: &mut ProblemReport<'a>) -> Cow<'a, str> {
    let location = name.location;
    let name = header_text(name, report);
    check_filename(&name).or_refuse(location, report);
    name
}

/// Checks the name of a file. It contains no control characters except tabs.
pub(super) fn check_filename(name: &str) -> Result<(), Refusal> {
    let fault = if matches!(name, "." | "..") {
        "A file name may not be `.` or `..`."
    } else if name.is_empty() {
        "A file name may not be empty; leave the field out."
    } else if name.chars().nth(LONGEST_NAME).is_some() {
        "A file name may have at most 255 characters."
    } else {
        return Ok(());
    };
    Err(Refusal::new(Code::InvalidFilename, fault))
}

fn read_type<'a>(
    text: &Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Option<MediaType<'a>> {
    let parsed = MediaType::parse(&text.value).and_then(|media_type| {
        if media_type.essence().starts_with("multipart/") {
            let detail = "An attachment is a single part, so its type cannot be a multipart type.";
            Err(Refusal::new(Code::InvalidContentType, detail))
        } else {
            Ok(media_type)
        }
    });
    parsed.or_refuse(text.location, report)
}
