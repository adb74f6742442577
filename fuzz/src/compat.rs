//! The judges of other services' words.

use crate::expected::mailboxes;
use crate::fields::{elements, texts};
use crate::http;
use crate::reading::normal_address;
use serde_json::Value;
use std::sync::LazyLock;

/// Members of a transmission.
pub static SPARKPOST_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    owned(&[
        "content",
        "recipients",
        "options",
        "campaign_id",
        "description",
        "metadata",
        "substitution_data",
        "return_path",
        "from",
        "subject",
        "text",
        "html",
        "amp_html",
        "reply_to",
        "headers",
        "attachments",
        "inline_images",
        "email_rfc822",
        "template_id",
        "use_draft_template",
        "address",
        "email",
        "name",
        "header_to",
        "tags",
        "type",
        "data",
        "open_tracking",
        "click_tracking",
        "transactional",
        "inline_css",
        "perform_substitutions",
        "start_time",
        "ip_pool",
        "sandbox",
        "list_id",
        "x",
        "items",
        "endpoint",
    ])
});

/// Members of an email.
pub static RESEND_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    owned(&[
        "from",
        "to",
        "cc",
        "bcc",
        "reply_to",
        "subject",
        "text",
        "html",
        "react",
        "headers",
        "attachments",
        "tags",
        "scheduled_at",
        "template",
        "topic_id",
        "filename",
        "content",
        "path",
        "content_type",
        "content_id",
        "inline_content_id",
        "name",
        "value",
        "data",
        "type",
        "id",
    ])
});

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Judges a transmission.
pub fn judge_sparkpost(body: &[u8]) {
    let (answer, sent) = http::post("/api/v1/transmissions", b"application/json", body);
    if answer.status != 200 {
        return;
    }
    let told: Value = serde_json::from_slice(&answer.body).expect("an answer of JSON");
    let accepted = told["results"]["total_accepted_recipients"]
        .as_u64()
        .expect("it counts");
    let asked: Value = serde_json::from_slice(body).expect("what is taken is JSON");
    let asked: Vec<_> = elements(asked.get("recipients")).collect();
    assert_eq!(accepted, asked.len() as u64, "as many as there are");
    let wanted: Vec<_> = asked
        .into_iter()
        .filter_map(address)
        .map(|address| normal_address(in_brackets(address.trim())))
        .collect();
    for recipient in sent.iter().flat_map(|message| &message.recipients) {
        assert!(
            wanted.contains(&normal_address(recipient)),
            "nobody asked for mail to {recipient}: {wanted:?}"
        );
    }
}

/// What stands between the last angle brackets of a mailbox, or all of it.
fn in_brackets(mailbox: &str) -> &str {
    let inner = mailbox
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'));
    inner.map_or(mailbox, |(_, address)| address)
}

fn address(recipient: &Value) -> Option<&str> {
    let address = recipient.get("address")?;
    address.as_str().or_else(|| address.get("email")?.as_str())
}

/// Judges an email, or a list of them.
pub fn judge_resend(body: &[u8]) {
    let is_batch = body.trim_ascii_start().starts_with(b"[");
    let path = if is_batch { "/emails/batch" } else { "/emails" };
    let (answer, sent) = http::post(path, b"application/json", body);
    if answer.status != 200 {
        return;
    }
    let told: Value = serde_json::from_slice(&answer.body).expect("an answer of JSON");
    let asked: Value = serde_json::from_slice(body).expect("what is taken is JSON");
    let asked = if is_batch {
        asked.as_array().cloned().unwrap_or_default()
    } else {
        vec![asked]
    };
    let count = if is_batch {
        told["data"].as_array().map_or(0, Vec::len)
    } else {
        1
    };
    assert_eq!(count, asked.len(), "each is submitted");
    assert_eq!(count, sent.len(), "each is submitted");
    for (email, message) in asked.iter().zip(&sent) {
        let lists = ["to", "cc", "bcc"].map(|name| texts(email.get(name)));
        let named = lists.concat();
        for recipient in &message.recipients {
            let (local, _) = recipient.rsplit_once('@').expect("it is an address");
            let is_named = named.iter().any(|text| text.contains(local));
            assert!(is_named, "nobody asked for mail to {recipient}");
        }
        for list in ["to", "cc", "bcc"] {
            for (_, address) in mailboxes(email.get(list)) {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-".contains(&byte);
                let is_there = message
                    .recipients
                    .iter()
                    .any(|recipient| recipient.eq_ignore_ascii_case(&address));
                // Of `B,o <bo@example.org>` the one before the comma is a part of the name.
                let is_odd = !address.contains('@') || !address.bytes().all(is_plain);
                assert!(is_there || is_odd, "nothing was sent to {address}");
            }
        }
    }
}
