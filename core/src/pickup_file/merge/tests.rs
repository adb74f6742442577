//! What the files of a merge look like; what they mean is held against other programs' readers in
//! `tests/`.

use crate::Submission;
use serde_json::{Value, json};

fn files(message: &Value) -> Vec<String> {
    let submission = Submission::from_json(message.to_string().as_bytes());
    let submission = submission.unwrap_or_else(|problems| panic!("{problems}"));
    let files = submission.files().iter();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    files.map(|file| text(file.chunks().concat())).collect()
}

fn merge(recipients: &Value, fields: &Value) -> Value {
    let mut message = json!({
        "from": "shop@example.com",
        "template": "merge",
        "date": "2026-11-25T04:00:00Z",
        "recipients": recipients,
    });
    for (name, value) in fields.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

fn filled(values: &[&str]) -> Value {
    let numbered = values.iter().enumerate();
    let recipient = |(number, value)| json!({"address": format!("r{number}@example.org"), "variables": {"x": value}});
    numbered.map(recipient).collect()
}

#[test]
fn what_all_recipients_share_stands_in_the_template() {
    let recipients = filled(&["a", "b"]);
    let fields =
        json!({"variables": {"y": "<shared>"}, "html": "{{ x }} {{ y }}", "subject": "s {{ y }}"});
    let files = files(&merge(&recipients, &fields));
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    assert!(file.contains("Subject: s <shared>\r\n"), "{file}");
    assert!(file.contains("[a] &lt;shared&gt;"), "{file}");
    assert_eq!(file.matches("shared").count(), 2, "{file}");
}

#[test]
fn a_value_of_nearly_everybody_is_defined_for_them_as_well() {
    let mut recipients = filled(&["a"]);
    recipients
        .as_array_mut()
        .unwrap()
        .push(json!("b@example.org"));
    let fields = json!({"text": "{{ x | default: \"nobody\" }}."});
    let files = files(&merge(&recipients, &fields));
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    assert!(
        file.contains("a=\"nobody\"") && file.contains("[a]."),
        "{file}"
    );
}

#[test]
fn a_text_too_long_to_be_defined_may_be_shared() {
    let long = "long words ".repeat(4_000);
    let mut recipients = filled(&["a", "b"]);
    recipients
        .as_array_mut()
        .unwrap()
        .push(json!({"address": "c@example.org", "variables": {"x": "c", "y": "own"}}));
    let fields = json!({"variables": {"y": long}, "text": "{{ x }} {{ y }}."});
    let files = files(&merge(&recipients, &fields));
    assert_eq!(files.len(), 2);
    let recipients: Vec<_> = files
        .iter()
        .map(|file| file.matches("RCPT TO").count())
        .collect();
    assert_eq!(recipients, [2, 1]);
}

#[test]
fn who_does_not_fit_gets_a_file_even_with_a_priority() {
    let long = "x".repeat(30_000);
    let mut recipients = filled(&["a", &long, &long]);
    recipients[2]["priority"] = json!(50);
    let files = files(&merge(&recipients, &json!({"text": "[{{ x }}]"})));
    let starts: Vec<_> = files
        .iter()
        .map(|file| file.split(' ').next().unwrap())
        .collect();
    assert_eq!(starts, ["x-sender:", "XACK", "XACK"]);
    assert!(files[1].contains(" *priority=\"50\"\r\n") && files[1].contains("\r\n[[xxx"));
    assert!(files[2].contains("[[[a]]"), "{}", files[2]);
}

#[test]
fn recipients_who_differ_too_much_share_no_file() {
    // Each value stands in the text forty times, and its length is told by up to eight parts.
    let text = "{{ x }}\n".repeat(40);
    let values: Vec<String> = (1..40).map(|number| "y".repeat(number * 80)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let files = files(&merge(&filled(&values), &json!({"text": text})));
    assert!(files.len() > 1);
    for file in &files {
        assert!(
            file.split("\r\n").all(|line| line.len() <= 510),
            "{file:.2000}"
        );
    }
    let recipients: usize = files
        .iter()
        .map(|file| file.matches("RCPT TO").count())
        .sum();
    assert_eq!(recipients, values.len());
}

#[test]
fn a_file_has_five_thousand_recipients_at_most() {
    let values = vec!["a"; 10_000];
    let files = files(&merge(&filled(&values), &json!({"text": "{{ x }}"})));
    let recipients: Vec<_> = files
        .iter()
        .map(|file| file.matches("RCPT TO").count())
        .collect();
    assert_eq!(recipients, [5_000, 5_000]);
}

#[test]
fn a_value_is_defined_for_the_header_where_it_stands_as_it_is() {
    let recipients = json!([
        {"address": "a@example.org", "variables": {"x": "a", "h": "é"}},
        {"address": "b@example.org", "variables": {"x": "b", "h": "h"}},
    ]);
    let fields = json!({"subject": "{{ x }}", "headers": {"X-A": "{{ h }} {{ x }}"}});
    let files = files(&merge(&recipients, &fields));
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    assert!(file.is_ascii(), "{file}");
    assert_eq!(file.matches("XPRT ").count(), 4, "{file}");
}

#[test]
fn the_first_word_stays_on_the_line_of_the_name() {
    for length in 30..64 {
        let long = "x".repeat(length);
        let recipients = json!([
            {"address": format!("{long}@a-very-long-name.example.org"), "variables": {"x": "x"}},
            {"name": long, "address": format!("{long}@example.org"), "variables": {"x": long}},
        ]);
        let fields = json!({
            "from": format!("shop@{long}.example.com"),
            "headers": {"X-A": "a-word-that-is-long-by-itself-{{ x }} {{ x }}"},
        });
        for file in files(&merge(&recipients, &fields)) {
            let mut lines = file.split("\r\n");
            assert!(lines.all(|line| !line.ends_with(':')), "{file}");
        }
    }
}

#[test]
fn structured_fields_are_read_for_each_recipient() {
    let fields = json!({"headers": {
        "List-Id": "{{ x }} <a.example.com>",
        "Disposition-Notification-To": "{{ x }} <{{ y }}@example.com>",
    }});
    let recipient =
        |x: &str, y: &str| json!({"address": "a@example.org", "variables": {"x": x, "y": y}});
    let recipients = json!([
        recipient("News", "a"),
        recipient("\"a, b\"", "b"),
        recipient("é", "c"),
        recipient("é", "é"),
        recipient("News", "é"),
    ]);
    let found = files(&merge(&recipients, &fields));
    let [plain, utf8] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(plain.is_ascii() && !plain.contains("SMTPUTF8"), "{plain}");
    assert!(
        plain.contains("List-Id: [c] <a.example.com>\r\n"),
        "{plain}"
    );
    assert!(
        plain.contains("=\" =?utf-8?Q?a=2C_b?= <a.example.com>\""),
        "{plain}"
    );
    assert!(
        plain.contains("=\" =?utf-8?B?w6k=?= <c@example.com>\""),
        "{plain}"
    );
    assert!(
        utf8.contains("SMTPUTF8") && utf8.contains(" <é@example.com>\""),
        "{utf8}"
    );

    let mut message = merge(
        &json!([recipient("a; b", "x"), recipient("x", "y z")]),
        &fields,
    );
    for (form, template) in [
        ("native", "merge"),
        ("expanded", "merge"),
        ("native", "jinja"),
    ] {
        message["merge"] = form.into();
        message["template"] = template.into();
        let problems = Submission::from_json(message.to_string().as_bytes()).unwrap_err();
        let told: Vec<_> = problems
            .iter()
            .map(|p| (p.pointer(), p.code().as_str()))
            .collect();
        let expected = [
            ("/recipients/0/variables", "invalid_mailbox"),
            ("/recipients/0/variables", "invalid_header_value"),
            ("/recipients/1/variables", "invalid_address"),
        ];
        assert_eq!(told, expected, "{form} {template}");
    }
}

#[test]
fn a_text_may_end_with_a_value_that_some_do_not_have() {
    let recipients = filled(&["a", "", "b\nc\n", "\n", ""]);
    let fields = json!({"text": "Hello\n{{ x }}", "html": "<p>Hello</p>\n{{ x }}"});
    let found = files(&merge(&recipients, &fields));
    let [file] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(file.matches("RCPT TO").count(), 5, "{file}");
    assert!(file.contains("\r\n[a]\r\n.\r\n"), "{file}");
}

#[test]
fn line_ends_of_values_that_meet_are_left_to_a_file_of_their_own() {
    let fields = json!({"text": "{{ x }}{{ y }}"});
    let recipients = json!([
        {"address": "a@example.org", "variables": {"x": "a\n", "y": ""}},
        {"address": "b@example.org", "variables": {"x": "b", "y": ""}},
        {"address": "c@example.org", "variables": {"x": "c\r", "y": "\nd"}},
    ]);
    assert_eq!(files(&merge(&recipients, &fields)).len(), 3);
    let recipients = json!([{"address": "a@example.org", "variables": {"y": "\na"}}]);
    let fields = json!({"variables": {"x": "x\r"}, "text": "{{ x }}{{ y }}."});
    let found = files(&merge(&recipients, &fields));
    assert!(found[0].starts_with("x-sender"), "{found:?}");
}
