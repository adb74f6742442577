//! Reads lines of JSON, `{message: hex}`, and answers each with a line: what mail-parser makes of
//! the message.

use mail_parser::parsers::MessageStream;
use mail_parser::{
    Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType,
};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::io::{self, BufRead, Write as _};

const ADDRESS_FIELDS: [&str; 6] = ["from", "sender", "reply-to", "to", "cc", "bcc"];

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|| json!({"error": "it is no message"}));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Option<Value> {
    let request: Value = serde_json::from_str(line).ok()?;
    let octets = from_hex(request.get("message")?.as_str()?)?;
    Some(reading(&MessageParser::default().parse(&octets)?))
}

fn reading(message: &Message<'_>) -> Value {
    let fields: Vec<(String, &str)> = message
        .headers_raw()
        .map(|(name, body)| (name.to_ascii_lowercase(), body))
        .collect();
    let mut bodies = Map::new();
    let mut attachments = Vec::new();
    for part in &message.parts {
        let kind = media_type(part);
        let body = match kind.as_str() {
            "text/plain" => Some("text"),
            "text/html" => Some("html"),
            _ => None,
        };
        match (&part.body, body) {
            (PartType::Multipart(_), _) => {}
            (PartType::Text(text) | PartType::Html(text), Some(name))
                if part.content_disposition().is_none() && !bodies.contains_key(name) =>
            {
                bodies.insert(name.into(), text.as_ref().into());
            }
            _ => attachments.push(attachment(part, &kind, message)),
        }
    }
    json!({
        "fields": fields.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "subject": message.subject(),
        "addresses": addresses(message),
        "messageId": message.message_id().map(|id| format!("<{id}>")),
        "bodies": bodies,
        "attachments": attachments,
        "values": fields.iter().map(|(name, body)| json!([name, unstructured(body)])).collect::<Vec<_>>(),
    })
}

fn addresses(message: &Message<'_>) -> Map<String, Value> {
    let mut found = Map::new();
    for name in ADDRESS_FIELDS {
        if let Some(HeaderValue::Address(Address::List(list))) = message.header(name) {
            let mailboxes = list.iter().map(|mailbox| {
                json!([
                    mailbox.name.as_deref().unwrap_or_default(),
                    mailbox.address.as_deref().unwrap_or_default()
                ])
            });
            found.insert(name.into(), mailboxes.collect());
        }
    }
    found
}

fn attachment(part: &MessagePart<'_>, kind: &str, message: &Message<'_>) -> Value {
    // An attached message is a tree of its own; its octets are those that came.
    let octets = match &part.body {
        PartType::Message(_) => message
            .raw_message()
            .get(part.offset_body as usize..part.offset_end as usize)
            .unwrap_or_default(),
        _ => part.contents(),
    };
    let mut parameters = Map::new();
    for attribute in part
        .content_type()
        .and_then(|kind| kind.attributes.as_ref())
        .into_iter()
        .flatten()
    {
        parameters.insert(attribute.name.to_string(), attribute.value.as_ref().into());
    }
    json!({
        "name": part.attachment_name(),
        "mediaType": kind,
        "content": to_hex(octets),
        "cid": part.content_id(),
        "disposition": part.content_disposition().map(|disposition| disposition.c_type.as_ref()),
        "parameters": parameters,
    })
}

fn media_type(part: &MessagePart<'_>) -> String {
    part.content_type().map_or_else(
        || "text/plain".into(),
        |kind| {
            format!(
                "{}/{}",
                kind.c_type,
                kind.c_subtype.as_deref().unwrap_or_default()
            )
            .to_lowercase()
        },
    )
}

/// The text of an unstructured field, encoded words decoded.
fn unstructured(body: &str) -> String {
    match MessageStream::new(body.as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.as_bytes()
        .chunks(2)
        .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}

fn to_hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
