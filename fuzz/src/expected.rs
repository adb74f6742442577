//! What a message without problems should come out as: worked out from the documented rules alone.

use crate::fields::{Fields, elements, texts};
use crate::reading::{File, Mailbox, Reading, normal_address, normal_text};
use encodify::base64;
use pmtaemail::fuzzing::known_header_fields;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a message asks for.
#[derive(Debug)]
pub struct Expected {
    /// The forward-paths, each once.
    pub recipients: Vec<String>,
    /// The reverse-path; empty for the null one.
    pub sender: String,
    /// What readers should show.
    pub reading: Reading,
    /// Whether texts come out as they are: they are no templates, and nothing is made of them.
    pub texts_stay: bool,
    /// Whether the contents of all files are known.
    pub files_are_known: bool,
    /// How often a header field of this name may stand; the others must not.
    pub most: BTreeMap<String, usize>,
}

impl Expected {
    /// The outcome of a message for all of its recipients.
    pub fn of(message: &Value) -> Self {
        let fields = Fields::of(message);
        let mut lists = ["from", "replyto", "to", "cc"].map(|name| mailboxes(fields.get(name)));
        let headers = headers(fields.get("headers"));
        for (_, text) in headers.iter().filter(|(name, _)| name == "reply-to") {
            lists[1].extend(items(&spaced(text)).map(mailbox));
        }
        let everybody = ["to", "cc", "bcc"]
            .into_iter()
            .flat_map(|name| mailboxes(fields.get(name)));
        let mut recipients = Vec::new();
        for (_, address) in everybody {
            if !recipients.contains(&address) {
                recipients.push(address);
            }
        }
        let sender = match fields.text("sender") {
            None => lists[0]
                .first()
                .map(|(_, address)| address.clone())
                .unwrap_or_default(),
            Some("<>") => String::new(),
            Some(_) => mailboxes(fields.get("sender")).swap_remove(0).1,
        };
        let files = files(&fields);
        let is_template = fields
            .text("template")
            .is_some_and(|word| !word.eq_ignore_ascii_case("none"));
        let has_help = ["inlinecss", "textfromhtml"]
            .iter()
            .any(|name| fields.is(name))
            || fields.has("mjml");
        let is_own = |(name, _): &&(String, String)| {
            name.starts_with("x-") && !known_header_fields().any(|field| field.name == name)
        };
        let mut own: Vec<_> = headers.iter().filter(is_own).cloned().collect();
        own.sort();
        Self {
            recipients,
            sender,
            most: most(&fields, &headers),
            reading: Reading {
                subject: fields.text("subject").unwrap_or_default().to_owned(),
                addresses: lists,
                text: normal_text(fields.text("text").unwrap_or_default()),
                html: normal_text(fields.text("html").unwrap_or_default()),
                files: files.clone().unwrap_or_default(),
                own,
                ..Reading::default()
            },
            texts_stay: !is_template && !has_help,
            files_are_known: files.is_some(),
        }
    }
}

/// The mailboxes of a field.
pub fn mailboxes(value: Option<&Value>) -> Vec<Mailbox> {
    match value {
        Some(Value::String(text)) => items(text).map(mailbox).collect(),
        Some(object @ Value::Object(_)) => {
            let fields = Fields::of(object);
            let name = fields.text("name").unwrap_or_default();
            let address = fields.text("address").unwrap_or_default();
            vec![(name.to_owned(), normal_address(address))]
        }
        list => elements(list)
            .flat_map(|element| mailboxes(Some(element)))
            .collect(),
    }
}

/// Finds a character outside of quotes, one after the other.
fn outside_of_quotes(wanted: char) -> impl FnMut(char) -> bool {
    let mut is_quoted = false;
    let mut is_escaped = false;
    move |char| {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return char == wanted && !is_quoted,
        }
        false
    }
}

/// The items of a list, at the commas outside of quotes.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let items = text.split(outside_of_quotes(','));
    items.filter(|item| !item.trim().is_empty())
}

fn mailbox(text: &str) -> Mailbox {
    let text = text.trim();
    let bracket = text.find(outside_of_quotes('<'));
    match bracket {
        Some(at) => {
            let address = text[at + 1..].trim_end_matches('>');
            (unquoted(text[..at].trim()), normal_address(address))
        }
        None => (String::new(), normal_address(text)),
    }
}

/// One blank for each run of white space outside of quotes.
fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut is_quoted = false;
    for char in text.chars() {
        is_quoted ^= char == '"' && !spaced.ends_with('\\');
        let is_blank = !is_quoted && " \t".contains(char);
        if !is_blank || !spaced.ends_with(' ') {
            spaced.push(if is_blank { ' ' } else { char });
        }
    }
    spaced
}

/// What a quoted string says; another word is itself.
pub fn unquoted(word: &str) -> String {
    let Some(inner) = word
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return word.to_owned();
    };
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(char) = characters.next() {
        text.push(if char == '\\' {
            characters.next().unwrap_or('\\')
        } else {
            char
        });
    }
    text
}

/// Names in lower case, and texts, of the header fields that a message asks for.
pub fn headers(value: Option<&Value>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: &Value| {
        found.extend(
            texts(Some(value))
                .into_iter()
                .map(|text| (name.to_ascii_lowercase(), text.to_owned())),
        );
    };
    match value {
        Some(Value::Object(members)) => members.iter().for_each(|(name, value)| add(name, value)),
        list => {
            for element in elements(list) {
                let fields = Fields::of(element);
                if let (Some(name), Some(value)) = (fields.text("name"), fields.get("value")) {
                    add(name, value);
                }
            }
        }
    }
    found
}

fn most(fields: &Fields<'_>, headers: &[(String, String)]) -> BTreeMap<String, usize> {
    let always = [
        "from",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    ];
    let mut most: BTreeMap<String, usize> =
        always.iter().map(|name| ((*name).to_owned(), 1)).collect();
    let by_field: [(&str, &[&str]); 8] = [
        ("replyto", &["reply-to"]),
        ("to", &["to"]),
        ("cc", &["cc"]),
        ("subject", &["subject"]),
        ("inreplyto", &["in-reply-to"]),
        ("references", &["references"]),
        (
            "unsubscribe",
            &["list-unsubscribe", "list-unsubscribe-post"],
        ),
        ("priority", &["x-priority", "importance"]),
    ];
    for (field, names) in by_field {
        if fields.has(field) {
            most.extend(names.iter().map(|name| ((*name).to_owned(), 1)));
        }
    }
    for (name, _) in headers {
        match name.as_str() {
            name if always.contains(&name) => {}
            // What one of them says the other says as well.
            "x-priority" | "importance" => {
                most.extend(["x-priority", "importance"].map(|name| (name.to_owned(), 1)));
            }
            "list-unsubscribe"
            | "list-unsubscribe-post"
            | "reply-to"
            | "in-reply-to"
            | "references" => {
                most.insert(name.clone(), 1);
            }
            _ => *most.entry(name.clone()).or_default() += 1,
        }
    }
    most
}

/// Every part that is neither text nor HTML; `None` where it is not known here what the content is.
fn files(fields: &Fields<'_>) -> Option<Vec<File>> {
    let body = |name: &str| {
        fields
            .text(name)
            .map(|text| file(None, text.as_bytes().to_vec()))
    };
    let mut files: Vec<File> = body("amp").into_iter().collect();
    if let Some(calendar) = fields.get("calendar") {
        let content = Fields::of(calendar).text("content")?.as_bytes().to_vec();
        files.push(file(None, content));
    }
    for attachment in elements(fields.get("attachments")) {
        let given = Fields::of(attachment);
        let content = given.text("content")?;
        let is_text = given
            .text("encoding")
            .is_some_and(|word| word.eq_ignore_ascii_case("utf8"));
        let content = if is_text {
            content.as_bytes().to_vec()
        } else {
            base64::STANDARD.decode(content).ok()?
        };
        let name = given.text("filename");
        // A type may have a name as well.
        if name.is_none()
            && given
                .text("contenttype")
                .is_some_and(|kind| kind.to_lowercase().contains("name"))
        {
            return None;
        }
        files.push(file(name, content));
    }
    Some(files)
}

fn file(name: Option<&str>, content: Vec<u8>) -> File {
    File {
        name: name.map(str::to_owned),
        content,
        is_text: false,
    }
}
