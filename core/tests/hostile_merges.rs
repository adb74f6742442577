//! Mail merges that are wrong in several ways at once: all of it is told, and nothing panics.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use pmtaemail::{
    Code, Message, MessageStream, Problem, Problems, StreamFormat, Submission, SubmitError,
};
use serde_json::{Value, json};

type Codes = Vec<&'static str>;

fn codes(problems: &Problems) -> Codes {
    let codes = problems.iter().map(|problem: &Problem| problem.code());
    codes.map(Code::as_str).collect()
}

/// What is wrong with a message that comes as one document.
fn whole(message: &Value) -> Codes {
    Message::from_json(message.to_string().as_bytes())
        .map_or_else(|problems| codes(&problems), |_| Vec::new())
}

/// The same, read as its bytes come.
fn streamed(bytes: &[u8], format: StreamFormat) -> Codes {
    let mut stream = MessageStream::new(format);
    stream.feed(bytes, None).unwrap();
    match stream.finish().render_recipient(0) {
        Ok(_) => Vec::new(),
        Err(SubmitError::Problems(problems)) => codes(&problems),
        Err(error) => panic!("{error}"),
    }
}

fn message(fields: &Value) -> Value {
    let mut message = json!({"from": "a@example.com", "template": "merge"});
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

/// Both ways of reading say the same.
fn both(fields: &Value) -> Codes {
    let message = message(fields);
    let codes = whole(&message);
    let bytes = message.to_string();
    assert_eq!(
        streamed(bytes.as_bytes(), StreamFormat::Json),
        codes,
        "{message:.300}"
    );
    codes
}

fn ann(variables: &Value) -> Value {
    json!([{"address": "b@example.org", "variables": variables}])
}

#[test]
fn a_merge_has_recipients() {
    for (recipients, code) in [
        (json!([]), "no_recipients"),
        (json!([null, null]), "no_recipients"),
        (json!(["nobody"]), "invalid_address"),
    ] {
        assert_eq!(
            both(&json!({"recipients": recipients})),
            [code],
            "{recipients}"
        );
    }
}

#[test]
fn a_template_after_a_refused_field_keeps_its_own() {
    for language in ["merge", "jinja", "sparkpost"] {
        let headers = json!([
            {"name": "Bcc", "value": "x"},
            {"name": "X-A", "value": ["{{ a }}", "b"]},
            {"name": "X B", "value": "{{ a }}"},
        ]);
        let fields = json!({"template": language, "headers": headers, "recipients": ann(&json!({"a": "x"}))});
        let expected = ["reserved_header", "invalid_header_name"];
        assert_eq!(both(&fields), expected, "{language}");
        let fields = json!({"template": language, "headers": headers, "to": "b@example.org",
                            "variables": {"a": "x"}});
        assert_eq!(both(&fields), expected, "{language}");
    }
}

#[test]
fn fields_beyond_the_last_one_are_no_templates() {
    let values = vec!["{{ a }}"; 1_010];
    let fields = json!({"headers": {"X-A": values}, "recipients": ann(&json!({"a": "x"}))});
    assert_eq!(both(&fields), ["too_long"]);
}

#[test]
fn values_are_looked_at_however_many_problems_there_are() {
    let mut fields = json!({
        "subject": "{{ a }}", "text": "{{ b }}", "messageId": "{{ c }}", "replyTo": ["{{ d }} <x@example.com>", "x"],
        "unsubscribe": {"url": "{{ e }}"}, "recipients": ["b@example.org", {"address": "c@example.org", "variables": {"a": []}}],
    });
    for number in 0..1_100 {
        fields[format!("x{number}")] = json!(1);
    }
    for language in ["merge", "jinja", "sparkpost"] {
        fields["template"] = json!(language);
        assert_eq!(both(&fields).len(), 1_000, "{language}");
    }
}

#[test]
fn a_finished_message_is_no_merge() {
    let raw = "Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\nTo: b@example.org\r\n\r\nx\r\n";
    let head = json!({"raw": raw});
    assert_eq!(whole(&head), Codes::new());
    for lines in ["", "\"c@example.org\"\n"] {
        let text = format!("{head}\n{lines}");
        assert_eq!(
            streamed(text.as_bytes(), StreamFormat::Ndjson),
            ["conflict"],
            "{lines}"
        );
    }
    let mut both = head;
    both["recipients"] = json!(["c@example.org"]);
    assert_eq!(whole(&both), ["conflict"]);
    assert_eq!(
        streamed(both.to_string().as_bytes(), StreamFormat::Json),
        ["conflict"]
    );
}

/// A native merge is rendered with markers between NUL: no value of the caller's can be taken for one.
#[test]
fn no_value_is_taken_for_a_marker() {
    let marker = "\u{0}0\u{0}[1]\u{0}";
    let recipients = ann(&json!({"a": marker}));
    for fields in [
        json!({"text": format!("{{{{ a }}}} {marker}")}),
        json!({"html": marker, "attachments": [{"filename": "a.txt", "content": marker, "encoding": "utf8"}]}),
        json!({"attachments": [{"filename": "a.eml", "contentType": "message/rfc822", "content": "YQA=", "encoding": "base64"}]}),
        json!({"attachments": [{"filename": marker, "content": ""}]}),
        json!({"attachments": [{"contentType": format!("a/b; c=\"{marker}\""), "content": ""}]}),
        json!({"attachments": [{"cid": format!("a{marker}@b"), "content": ""}]}),
        json!({"subject": marker}),
        json!({"subject": "{{ a }}"}),
        json!({"headers": {"X-A": marker}}),
        json!({"headers": {marker: "x"}}),
        json!({"calendar": {"method": "REQUEST", "content": format!("BEGIN:VCALENDAR\r\nX:{marker}\r\nEND:VCALENDAR\r\n")}}),
        json!({"inReplyTo": marker, "references": marker}),
        json!({"from": format!("\"{marker}\" <a@example.com>")}),
        json!({"from": {"name": marker, "address": "a@example.com"}}),
        json!({"dkim": {"selector": marker}}),
    ] {
        let mut fields = fields;
        fields["recipients"] = recipients.clone();
        let message = message(&fields).to_string();
        match Submission::from_json(message.as_bytes()) {
            Err(problems) => assert_ne!(problems.len(), 0),
            Ok(submission) => {
                let file = submission.files()[0].chunks().concat();
                assert!(!file.contains(&0), "{message}");
                assert!(file.starts_with(b"XACK OFF\r\nXMRG "), "{message}");
            }
        }
    }
}

#[test]
fn own_header_fields_ask_for_what_everybody_has() {
    let many = vec![1; 100_000];
    let variables = json!({"z": many, "a": {"b": "everybody"}, "n": "x\ny", "l": [1, 2]});
    for language in ["merge", "jinja", "sparkpost"] {
        let check = |text: &str, recipients: usize| {
            let recipient = json!({"address": "b@example.org", "headers": {"X-A": text}});
            let recipients = vec![recipient; recipients];
            json!({"template": language, "variables": variables, "recipients": recipients})
        };
        let message = message(&check("{{ a.b }}, {{ a.b }}", 2_000)).to_string();
        let mut stream = MessageStream::new(StreamFormat::Json);
        stream.feed(message.as_bytes(), None).unwrap();
        let rendered = stream.finish().render_recipient(1_999).unwrap().unwrap();
        let rendered = String::from_utf8(rendered).unwrap();
        assert!(rendered.contains("\r\nX-A: everybody, everybody\r\n"));
        assert_eq!(both(&check("{{ n }}", 1)), ["control_character"]);
        let lacks = both(&check("{{ a.c }}", 1));
        let missing: &[_] = match language {
            // There it is an empty text.
            "sparkpost" => &[],
            _ => &["missing_variable"],
        };
        assert_eq!(lacks, missing);
    }
}
