//! What the files of a merge look like; what they mean is held against other programs' readers in
//! `tests/`.

use crate::{Problem, Submission};
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
fn shared_values_go_into_the_template() {
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
fn a_value_that_nearly_everybody_has_is_defined_for_the_others_too() {
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
fn a_recipient_too_large_for_a_shared_file_gets_its_own_even_with_a_priority() {
    let long = "x".repeat(30_000);
    let mut recipients = filled(&["a", &long, &long]);
    recipients[2]["priority"] = json!(50);
    let files = files(&merge(&recipients, &json!({"text": "[{{ x }}]"})));
    let starts: Vec<_> = files
        .iter()
        .map(|file| file.split(' ').next().unwrap())
        .collect();
    assert_eq!(starts, ["x-sender:", "XACK", "XACK"]);
    assert!(files[1].contains(" *priority=\"50\"\r\n") && files[1].contains("\r\n=5Bxxx"));
    assert!(files[2].contains("\r\n=5B[a]=5D\r\n"), "{}", files[2]);
}

#[test]
fn values_of_all_lengths_share_a_file() {
    let text = "{{ x }}\n".repeat(40);
    let values: Vec<String> = (0..40).map(|number| "y".repeat(number * 80)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let files = files(&merge(&filled(&values), &json!({"text": text})));
    let [file] = files.as_slice() else {
        panic!("{} files", files.len())
    };
    assert!(file.split("\r\n").all(|line| line.len() <= 510), "{file}");
    assert!(!file.contains("*parts"), "{file}");
    let lines = "[a42]=\r\n[a41]=\r\n";
    assert_eq!(file.matches(lines).count(), 40, "{file}");
}

#[test]
fn a_long_value_costs_others_little() {
    let long = "y".repeat(15_000);
    let short = vec!["a"; 5_000];
    for place in [0, 2_500] {
        let mut values = short.clone();
        values[place] = &long;
        let found = files(&merge(&filled(&values), &json!({"text": "{{ x }}"})));
        assert!(found.len() <= 2, "{} files", found.len());
        let size: usize = found.iter().map(String::len).sum();
        let alone = files(&merge(&filled(&short), &json!({"text": "{{ x }}"})))[0].len();
        assert!(size < alone + 150_000, "{size} bytes, {alone} without it");
    }
}

#[test]
fn files_in_the_making_are_bounded() {
    // Each has another set of texts of its own, and those of everybody are too long to be defined.
    let long = "long words ".repeat(2_000);
    let names: Vec<String> = (0..7).map(|number| format!("v{number}")).collect();
    let own = |set: usize| -> Value {
        let own = names
            .iter()
            .enumerate()
            .filter(|(bit, _)| set >> bit & 1 == 1);
        own.map(|(_, name)| (name.clone(), json!("own"))).collect()
    };
    let recipient =
        |set: usize| json!({"address": format!("r{set}@example.org"), "variables": own(set % 128)});
    let recipients: Value = (0..200).map(recipient).collect();
    let variables: Value = names
        .iter()
        .map(|name| (name.clone(), json!(long)))
        .collect();
    let text = format!("{{{{ {} }}}}", names.join(" }}\n{{ "));
    let files = files(&merge(
        &recipients,
        &json!({"text": text, "variables": variables}),
    ));
    // With all of them open at once, there would be so many files.
    assert!(files.len() > 128, "{} files", files.len());
    let recipients: usize = files
        .iter()
        .map(|file| file.matches("RCPT TO").count())
        .sum();
    assert_eq!(recipients, 200);
}

#[test]
fn brackets_are_no_text_of_a_template() {
    let values = json!({"x": "[x]", "url": "u[]"});
    let recipients = json!([
        {"name": "[Ann]", "address": "a@example.org", "variables": values},
        {"address": "b@example.org", "variables": {"x": "b", "url": "b"}},
        {"address": "\"c[x]\"@example.org", "variables": values},
        {"address": "d@[192.0.2.1]", "variables": values},
        {"address": "e@example.org", "variables": {"x": "e", "url": "e"}, "headers": {"X-[*to]": "e"}},
    ]);
    let fields = json!({
        "from": "\"[Shop]\" <shop@example.com>",
        "replyTo": "\"[{{ x }}]\" <reply@example.com>",
        "subject": "[news] {{ x }}",
        "text": "[a] {{ x }}",
        "html": "[[a]]",
        "headers": {"X-A": "[[{{ x }}]]", "X-B": "[b]"},
        "unsubscribe": {"url": "https://example.com/[a]?{{ url }}"},
        "attachments": [{"filename": "[a].txt", "content": "[a]", "encoding": "utf8"}],
        "calendar": {"content": "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nX-A:[a]\r\nEND:VCALENDAR\r\n"},
    });
    let files = files(&merge(&recipients, &fields));
    let is_merge = |file: &&String| file.contains("XMRG");
    let natives: Vec<_> = files.iter().filter(is_merge).collect();
    let [native] = natives.as_slice() else {
        panic!("{files:?}")
    };
    assert_eq!((files.len(), native.matches("RCPT TO").count()), (4, 2));
    assert!(files.iter().any(|file| file.contains("\r\nX-[*to]: e\r\n")));
    let mut rest = native.as_str();
    while let Some((_, variable)) = rest.split_once('[') {
        let (name, after) = variable.split_once(']').unwrap();
        let is_name = name
            .trim_start_matches('*')
            .chars()
            .all(char::is_alphanumeric);
        assert!(is_name && !name.is_empty(), "{name}: {native}");
        assert!(!after.starts_with(']'), "{native}");
        rest = after;
    }
}

#[test]
fn a_merge_without_a_native_form_is_expanded() {
    let mail = "From: a@example.com\r\nSubject: [x]\r\n\r\n";
    let attachment = json!({"content": mail, "encoding": "utf8", "contentType": "message/rfc822"});
    for fields in [
        json!({"attachments": [attachment]}),
        json!({"from": "shop@[192.0.2.1]"}),
        json!({"replyTo": "shop@[192.0.2.1]"}),
        json!({"references": "<a@[192.0.2.1]>"}),
        json!({"headers": {"X-[a]": "b"}}),
        json!({"headers": {"X-[a]": "{{ x }}"}}),
        json!({"dkim": {"selector": "s", "domain": "example.com"}}),
    ] {
        let mut message = merge(&filled(&["a", "b"]), &fields);
        message["text"] = json!("{{ x }}");
        let found = files(&message);
        assert!(found.iter().all(|file| !file.contains("XMRG")), "{found:?}");
        // PowerMTA's own priority has no other form.
        message["recipients"][1]["priority"] = json!(7);
        let problems = crate::check(message.to_string().as_bytes()).unwrap_err();
        let told = problems.iter().map(Problem::pointer);
        assert_eq!(told.collect::<Vec<_>>(), ["/recipients/1/priority"]);
    }
    for recipient in [
        json!({"address": "a@[192.0.2.1]", "priority": 7}),
        json!({"address": "a@example.org", "priority": 7, "headers": {"X-[*to]": "b"}}),
        json!({"address": "a@example.org", "priority": 7, "variables": {"host": "[::1]"}}),
    ] {
        let url = "https://{{ host | default: \"example.com\" }}/";
        let fields = json!({"unsubscribe": {"url": url}, "text": "x"});
        let message = merge(&json!([recipient]), &fields);
        let problems = crate::check(message.to_string().as_bytes()).unwrap_err();
        let told = problems.iter().map(Problem::pointer);
        assert_eq!(told.collect::<Vec<_>>(), ["/recipients/0/priority"]);
    }
}

#[test]
fn values_that_many_share_are_expanded_for_them() {
    let recipients = json!([
        {"address": "a@example.org", "variables": {"host": "a.example.org"}},
        "b@example.org",
        {"address": "c@example.org", "variables": {"host": "[::2]"}},
    ]);
    let fields = json!({
        "unsubscribe": {"url": "https://{{ host }}/"},
        "variables": {"host": "[::1]"},
        "text": "x",
    });
    let files = files(&merge(&recipients, &fields));
    let natives: Vec<_> = files.iter().filter(|file| file.contains("XMRG")).collect();
    let [native] = natives.as_slice() else {
        panic!("{files:?}")
    };
    assert!(
        native.contains("<a@example.org>") && files.len() == 3,
        "{files:?}"
    );
}

#[test]
fn no_line_of_a_header_may_be_blank() {
    // An encoded word has no room on the line of so long a name.
    let name = "X-".to_owned() + &"long-".repeat(10);
    let fields = json!({"headers": {name: "é {{ x }}"}, "text": "x"});
    let files = files(&merge(&filled(&["a", "b"]), &fields));
    assert!(files.iter().all(|file| !file.contains("XMRG")), "{files:?}");
}

#[test]
fn each_message_has_an_identifier_of_its_own() {
    let files = files(&merge(&filled(&["a", "b"]), &json!({"text": "x"})));
    let id = files[0]
        .split(" b=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(
        files[0].contains(&format!("*envid=\"{id}\"")),
        "{}",
        files[0]
    );
    assert!(
        files[0].contains("\r\nMessage-ID: <[b]@example.com>\r\n"),
        "{}",
        files[0]
    );
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
fn a_value_is_defined_for_the_header_if_it_is_there_as_it_is() {
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
        plain.contains("List-Id: [d] <a.example.com>\r\n"),
        "{plain}"
    );
    assert!(
        plain.contains("=\"=?utf-8?Q?a=2C_b?= <a.example.com>\""),
        "{plain}"
    );
    assert!(
        plain.contains("=\"=?utf-8?B?w6k=?= <c@example.com>\""),
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
        ("native", "sparkpost"),
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
fn a_text_ends_as_its_value_ends() {
    let recipients = filled(&["a", "", "b\nc\n", "\n", ""]);
    let fields = json!({"text": "Hello\n{{ x }}", "html": "<p>Hello</p>\n{{ x }}"});
    let found = files(&merge(&recipients, &fields));
    let [file] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(file.matches("RCPT TO").count(), 5, "{file}");
    // The line end before a boundary belongs to the boundary.
    assert!(file.contains("\r\nHello\r\n[a]\r\n--"), "{file}");
    assert!(file.contains("\r\n<p>Hello</p>\r\n[b]\r\n--"), "{file}");
}

#[test]
fn line_ends_that_meet_stay_two() {
    let fields = json!({"text": "a\r{{ x }}{{ y }}"});
    let recipients = json!([
        {"address": "a@example.org", "variables": {"x": "a\r\n", "y": ""}},
        {"address": "b@example.org", "variables": {"x": "c\r", "y": "\nd"}},
    ]);
    let message = merge(&recipients, &fields);
    let found = files(&message);
    let [file] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert!(
        file.contains(" a=\"a=0D=0A\"") && file.contains(" a=\"c=0D=0A\" b=\"=0D=0Ad\""),
        "{file}"
    );
    let mut expanded = message;
    expanded["merge"] = json!("expanded");
    let found = files(&expanded);
    assert!(found[0].ends_with("\r\n\r\na\r\na\r\n"), "{}", found[0]);
    assert!(
        found[1].ends_with("\r\n\r\na\r\nc\r\n\r\nd\r\n"),
        "{}",
        found[1]
    );
}

#[test]
fn header_fields_of_many_names_need_few_files() {
    let recipients: Value = (0..400)
        .map(|number| {
            let name = format!("X-Tier-{}", number % 40);
            json!({"address": format!("r{number}@example.org"), "headers": {name: "x"}})
        })
        .collect();
    let files = files(&merge(&recipients, &json!({"text": "Hello"})));
    assert!(files.len() <= 43, "{}", files.len());
}
