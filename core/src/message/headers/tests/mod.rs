//! Header fields that are read as fields of the message.

mod elements;

use crate::{Message, Submission};
use serde_json::{Value, json};

fn message(fields: &Value) -> String {
    let mut message = json!({"from": "a@example.com", "to": "b@example.org"});
    if fields.get("recipients").is_some() {
        message["to"] = Value::Null;
        message["template"] = "merge".into();
    }
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    if !fields.to_string().to_lowercase().contains("\"date\"") {
        message["date"] = "2026-01-12T03:04:05Z".into();
    }
    message.to_string()
}

fn rendered(fields: &Value) -> String {
    let json = message(fields);
    let rendered = Message::from_json(json.as_bytes()).map(|message| message.render());
    let mail = rendered.unwrap_or_else(|problems| panic!("{json}: {problems}"));
    let mail = String::from_utf8(mail).unwrap();
    // The identifier that is made is new each time.
    let is_given = json.to_lowercase().contains("message");
    let is_kept = |line: &&str| is_given || !line.starts_with("Message-ID:");
    mail.split_inclusive("\r\n").filter(is_kept).collect()
}

fn problems(fields: &Value) -> Vec<(String, String, String)> {
    let problems = Message::from_json(message(fields).as_bytes()).err();
    let problems = problems.iter().flatten();
    let told = |text: &str| text.to_owned();
    problems
        .map(|p| (told(p.pointer()), told(p.code().as_str()), told(p.detail())))
        .collect()
}

#[test]
fn a_header_field_gives_the_same_bytes_as_the_field_of_the_message() {
    for (headers, fields) in [
        (
            json!({"Reply-To": "Jörg  Lee <a@bücher.example>,\tb@c.d"}),
            json!({"replyTo": ["Jörg Lee <a@bücher.example>", "b@c.d"]}),
        ),
        (
            json!({"DATE": "Mon, 12 Jan 2026 03:04 EST (x)"}),
            json!({"date": "2026-01-12T03:04:00-05:00"}),
        ),
        (
            json!({"Message-ID": " <a.b@example.com>\t"}),
            json!({"messageId": "a.b@example.com"}),
        ),
        (
            json!({"message-id": "a.b@example.com"}),
            json!({"messageId": "a.b@example.com"}),
        ),
        (
            json!({"In-Reply-To": "<a@b>"}),
            json!({"inReplyTo": "<a@b>"}),
        ),
        (
            json!({"References": "<a@b>\t<c@d>  <e@f>"}),
            json!({"references": ["a@b", "c@d", "e@f"]}),
        ),
        (
            json!({"X-Priority": "1 (Highest)"}),
            json!({"priority": "high"}),
        ),
        (json!({"X-Priority": " 3"}), json!({"priority": "normal"})),
        (
            json!({"x-priority": "5(Lowest)"}),
            json!({"priority": "low"}),
        ),
        (json!({"Importance": "HIGH"}), json!({"priority": "high"})),
        (
            json!({"Importance": "Low", "X-Priority": "5"}),
            json!({"priority": "low"}),
        ),
        (
            json!({"List-Unsubscribe": "<https://a.b/c>,<mailto:d@e.f>"}),
            json!({"unsubscribe": {"url": "https://a.b/c", "mailto": "d@e.f", "oneClick": false}}),
        ),
        (
            json!({"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "List-Unsubscribe": " <https://a.b/c>,  <mailto:d@e.f> "}),
            json!({"unsubscribe": {"url": "https://a.b/c", "mailto": "d@e.f"}}),
        ),
    ] {
        let mut by_field = fields.clone();
        by_field["headers"] = json!({"X-After": "1"});
        let mut by_header = json!({"headers": headers});
        by_header["headers"]["X-After"] = "1".into();
        assert_eq!(rendered(&by_header), rendered(&by_field), "{headers}");
    }
    for (number, word) in [("2", "high"), ("4 (Low)", "low")] {
        let mail = rendered(&json!({"headers": {"X-Priority": number}}));
        let lines = format!("X-Priority: {}\r\nImportance: {word}\r\n", &number[..1]);
        assert!(mail.contains(&lines), "{mail}");
    }
    let ways = "<ftp://a.b/c> (x), <mailto:d@e.f>";
    let mail = rendered(&json!({"headers": {"List-Unsubscribe": ways, "Sender": "Ü <s@b.c>"}}));
    assert!(mail.contains(&format!(
        "List-Unsubscribe: {ways}\r\nSender: =?utf-8?B?w5w=?= <s@b.c>"
    )));
}

#[test]
fn the_receipt_tells_a_message_id_of_headers() {
    let json = message(&json!({"headers": {"Message-ID": "<a@b.c>"}}));
    let submission = Submission::from_json(json.as_bytes()).unwrap();
    assert_eq!(submission.receipt().message_id.as_deref(), Some("a@b.c"));
}

#[test]
fn both_are_a_conflict_that_names_both() {
    for (header, value, field, given) in [
        ("Reply-To", "a@b.c", "replyTo", json!("d@e.f")),
        (
            "Date",
            "Mon, 12 Jan 2026 03:04:05 +0000",
            "date",
            json!("2026-01-12T03:04:05Z"),
        ),
        ("Message-ID", "<a@b>", "messageId", json!("a@b")),
        ("In-Reply-To", "<a@b>", "inReplyTo", json!("a@b")),
        ("References", "<a@b>", "references", json!("a@b")),
        ("X-Priority", "1", "priority", json!("high")),
        ("Importance", "high", "priority", json!("high")),
        (
            "List-Unsubscribe",
            "<a:b>",
            "unsubscribe",
            json!({"url": "https://a.b"}),
        ),
        (
            "List-Unsubscribe-Post",
            "List-Unsubscribe=One-Click",
            "unsubscribe",
            json!({"mailto": "a@b.c"}),
        ),
    ] {
        for template in [Value::Null, "merge".into()] {
            let fields = json!({"headers": {header: value}, field: given, "template": template});
            let found = problems(&fields);
            let [(pointer, code, detail), ..] = found.as_slice() else {
                panic!("{header}: {found:?}")
            };
            assert_eq!(
                (pointer.as_str(), code.as_str()),
                (format!("/headers/{header}").as_str(), "conflict")
            );
            assert!(detail.contains(&format!("`{field}`")), "{detail}");
        }
    }
    let twice = [
        json!({"Date": "Mon, 12 Jan 2026 03:04:05 +0000", "date": "Mon, 12 Jan 2026 03:04:05 +0000"}),
        json!({"References": ["<a@b>", "<c@d>"]}),
        json!({"Message-ID": ["<a@b>", "<c@d>"]}),
        json!({"message-id": "<a@b>", "Message-ID": "<c@d>"}),
        json!({"Sender": "a@b.c", "sender": "a@b.c"}),
        json!({"X-Priority": "1", "Importance": "low"}),
    ];
    for headers in twice {
        let found = problems(&json!({ "headers": headers }));
        let codes: Vec<_> = found.iter().map(|(_, code, _)| code.as_str()).collect();
        assert_eq!(codes, ["conflict"], "{headers}: {found:?}");
    }
}

#[test]
fn an_empty_list_beside_a_header_field_says_nothing() {
    for (header, value, field) in [
        ("Reply-To", "a@b.c", "replyTo"),
        ("In-Reply-To", "<a@b>", "inReplyTo"),
        ("References", "<a@b>", "references"),
    ] {
        let line = format!("{header}: {value}\r\n");
        for given in [json!([]), Value::Null] {
            for template in [Value::Null, "merge".into()] {
                let fields =
                    json!({"headers": {header: value}, field: given, "template": template});
                assert!(rendered(&fields).contains(&line), "{fields}");
            }
        }
    }
}

#[test]
fn very_many_header_fields_are_soon_refused() {
    for (name, code) in [
        ("Message-ID", "conflict"),
        ("Date", "conflict"),
        ("X-A", "too_long"),
    ] {
        let headers = vec![json!({"name": name, "value": "<a@b>"}); 20_000];
        let found = problems(&json!({ "headers": headers }));
        assert!(found.iter().any(|(_, told, _)| told == code), "{name}");
    }
}

#[test]
fn values_that_the_header_field_does_not_allow_are_refused() {
    for (header, value, code) in [
        ("Reply-To", "", "invalid_mailbox"),
        ("Reply-To", "Friends: a@b.c;", "invalid_mailbox"),
        ("Reply-To", "a", "invalid_address"),
        ("Date", "2026-01-12T03:04:05Z", "invalid_date"),
        ("Message-ID", "a b", "invalid_message_id"),
        ("Message-ID", "", "invalid_message_id"),
        (
            "In-Reply-To",
            "Your mail of Monday, <a@b>",
            "invalid_message_id",
        ),
        ("References", " ", "invalid_message_id"),
        ("X-Priority", "0", "invalid_choice"),
        ("X-Priority", "6", "invalid_choice"),
        ("X-Priority", "High", "invalid_choice"),
        ("X-Priority", "1 (", "invalid_choice"),
        ("X-Priority", "1\u{a0}", "invalid_choice"),
        ("References", "\u{a0}<a@b>", "invalid_message_id"),
        (
            "Date",
            "Mon, 12 Jan 2026 03:04:05 +0000\u{2003}",
            "invalid_date",
        ),
        ("Importance", "urgent", "invalid_choice"),
        ("List-Unsubscribe", "https://a.b", "invalid_unsubscribe"),
        ("List-Unsubscribe", "<https://a.b/ü>", "invalid_unsubscribe"),
        ("List-Unsubscribe", "", "invalid_unsubscribe"),
        (
            "List-Unsubscribe-Post",
            "List-Unsubscribe=One-Click",
            "invalid_unsubscribe",
        ),
        ("List-Unsubscribe-Post", "yes", "invalid_unsubscribe"),
        ("Sender", "a@b.c, d@e.f", "too_many_mailboxes"),
        ("Reply-To", "a@b.c\r\nBcc: d@e.f", "control_character"),
    ] {
        let found = problems(&json!({"headers": {header: value}}));
        let told: Vec<_> = found
            .iter()
            .map(|(pointer, code, _)| (pointer.as_str(), code.as_str()))
            .collect();
        assert_eq!(
            told,
            [(format!("/headers/{header}").as_str(), code)],
            "{header}: {value}"
        );
    }
    let post = "List-Unsubscribe=One-Click";
    let found = problems(
        &json!({"headers": {"List-Unsubscribe": "<mailto:a@b.c>", "List-Unsubscribe-Post": post}}),
    );
    assert_eq!(found[0].0, "/headers/List-Unsubscribe-Post");
    let found =
        problems(&json!({"headers": {"List-Unsubscribe": "x", "List-Unsubscribe-Post": post}}));
    assert_eq!(found.len(), 1, "{found:?}");
}

const TEMPLATES: [(&str, &str, &str); 9] = [
    (
        "Date",
        "Mon, {{ day }} Jan 2026 03:04:05 GMT",
        "Date: Mon, 12 Jan 2026 03:04:05 +0000\r\n",
    ),
    (
        "Reply-To",
        "{{ name }} <r-{{ day }}@b.c>",
        "Reply-To: =?utf-8?B?w5w=?= <r-12@b.c>\r\n",
    ),
    ("Message-ID", "<{{ day }}@b.c>", "Message-ID: <12@b.c>\r\n"),
    (
        "In-Reply-To",
        "<{{ day }}@b.c>",
        "In-Reply-To: <12@b.c>\r\n",
    ),
    (
        "References",
        "<a@b> <{{ day }}@b.c>",
        "References: <a@b> <12@b.c>\r\n",
    ),
    (
        "List-Unsubscribe",
        "<https://b.c/{{ day }}>",
        "List-Unsubscribe: <https://b.c/12>\r\n",
    ),
    (
        "X-Priority",
        "{{ number }}",
        "X-Priority: 2\r\nImportance: high\r\n",
    ),
    (
        "Importance",
        "{{ word }}",
        "X-Priority: 5\r\nImportance: low\r\n",
    ),
    (
        "List-Id",
        "{{ name }} <b.c>",
        "List-Id: =?utf-8?B?w5w=?= <b.c>\r\n",
    ),
];

#[test]
fn placeholders_are_filled_in_before_the_field_is_read() {
    let variables = json!({"day": 12, "name": "Ü", "number": "2 (High)", "word": "low"});
    for (header, template, line) in TEMPLATES {
        // Those that are read as fields of the message do not count among the others.
        let headers = json!([
            {"name": "X-First", "value": "{{ day }}"}, {"name": header, "value": template},
            {"name": "X-Last", "value": ["x", "{{ day }}"]},
        ]);
        for language in ["merge", "jinja", "sparkpost"] {
            let fields = json!({"headers": headers, "template": language, "variables": variables});
            let mail = rendered(&fields);
            assert!(
                mail.contains(line) && mail.contains("X-First: 12\r\n"),
                "{mail}"
            );
            assert!(mail.contains("X-Last: x\r\nX-Last: 12\r\n"), "{mail}");
        }
        for form in ["native", "expanded"] {
            let recipients = json!([
                {"address": "b@example.org", "variables": variables},
                {"address": "c@example.org", "variables": {"day": "<", "name": "(", "number": 9, "word": "x"}},
            ]);
            let fields = json!({"headers": headers, "recipients": recipients, "merge": form});
            let found = problems(&fields);
            assert!(!found.is_empty(), "{header}");
            assert!(
                found
                    .iter()
                    .all(|(pointer, ..)| pointer == "/recipients/1/variables"),
                "{found:?}"
            );
            let mut one = fields.clone();
            one["recipients"].as_array_mut().unwrap().pop();
            let mail = rendered(&one);
            assert!(mail.contains(line), "{mail}");
        }
    }
}

#[test]
fn one_click_is_known_for_each_recipient() {
    let fields = |value: &str| {
        json!({
            "headers": {"List-Unsubscribe": "<{{ x }}:b>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
            "recipients": [{"address": "b@example.org", "variables": {"x": value}}],
        })
    };
    let post =
        "List-Unsubscribe: <https:b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
    assert!(rendered(&fields("https")).contains(post));
    assert_eq!(problems(&fields("mailto"))[0].1, "invalid_unsubscribe");
    let mut templated = fields("https");
    templated["headers"]["List-Unsubscribe-Post"] = "{{ x }}".into();
    assert_eq!(problems(&templated)[0].0, "/headers/List-Unsubscribe-Post");
    let literal = json!({"headers": {"Message-ID": "<a@b>"}, "recipients": ["a@example.org"]});
    assert_eq!(problems(&literal)[0].1, "conflict");
}
