//! The judge of help with HTML.

use crate::fields::Fields;
use crate::{merge, message};
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};
use pmtaemail::outbox::SentMessage;
use pmtaemail::{Identity, PickupDirectory, Submission};
use serde_json::{Value, json};

/// Judges a message whose HTML is helped with.
pub fn judge(mut mail: Value) {
    let Some(members) = mail.as_object_mut() else {
        return;
    };
    if members.contains_key("recipients") {
        return merge::judge(mail, false);
    }
    let html = members
        .get("html")
        .and_then(Value::as_str)
        .map(str::to_owned);
    message::judge(mail.to_string().as_bytes());
    let Some(html) = html else {
        return;
    };
    let fields = Fields::of(&mail);
    if fields.has("template") || fields.has("mjml") {
        return;
    }
    let help = json!({
        "from": "ann@example.com", "to": "bo@example.org", "html": html, "inlineCss": true, "textFromHtml": true,
    });
    if let Some(sent) = submit(&help) {
        let inlined = sent.mail.html().expect("there is HTML");
        // A body has no last line end of its own.
        assert_eq!(
            skeleton(&inlined),
            skeleton(&html),
            "all but styles stays as it is: {inlined}"
        );
        let text = sent.mail.text().expect("there is text");
        assert!(text.len() <= 40 * html.len() + 200, "a text that grows");
    }
}

fn submit(mail: &Value) -> Option<SentMessage> {
    let submission = Submission::from_json(mail.to_string().as_bytes()).ok()?;
    let identity = Identity::now();
    assert!(submission.id().time() <= identity.time());
    let directory = PickupDirectory::in_memory();
    directory.submit(&submission).expect("there is room");
    SentMessage::of(&directory.submitted_files())
        .expect("our own files are readable")
        .pop()
}

/// The tokens of a document without style sheets and style attributes, as a tokenizer that nobody here wrote sees them.
fn skeleton(html: &str) -> Vec<String> {
    let html = html.replace("\r\n", "\n").replace('\r', "\n");
    let mut tokens = Vec::new();
    let mut is_style = false;
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html.trim_end_matches('\n'), emitter).flatten() {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                is_style = name == "style";
                if !is_style {
                    let attributes = tag
                        .attributes
                        .iter()
                        .filter(|(name, _)| ***name != b"style"[..]);
                    let attributes: Vec<_> = attributes
                        .map(|(name, value)| format!("{name:?}={value:?}"))
                        .collect();
                    tokens.push(format!("<{name} {attributes:?}>"));
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                is_style = false;
                if name != "style" {
                    tokens.push(format!("</{name}>"));
                }
            }
            Token::String(text) if !is_style => match tokens.last_mut() {
                Some(last) if last.starts_with('"') => {
                    last.push_str(&String::from_utf8_lossy(&text))
                }
                _ => tokens.push(format!("\"{}", String::from_utf8_lossy(&text))),
            },
            Token::Comment(comment) => tokens.push(format!("!{comment:?}")),
            _ => {}
        }
    }
    // A body has no last line end of its own, wherever a style sheet stood.
    if let Some(last) = tokens.last_mut() {
        last.truncate(last.trim_end_matches('\n').len());
    }
    tokens.retain(|token| token != "\"");
    tokens
}
