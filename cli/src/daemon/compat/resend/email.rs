//! A message in our words.

use super::super::object::{Found, Object, Value, member_of};
use super::super::translated::{Places, Translated};
use super::reply_to::is_nothing;
use super::{attachments, mailboxes, reply_to, tags};
use pmtaemail::{Code, Problem, Problems};

/// Features of Resend that do not exist here.
const UNSUPPORTED: [(&str, &str); 3] = [
    (
        "template",
        "Stored templates are not supported: send the content itself.",
    ),
    (
        "scheduled_at",
        "Scheduled sending is not supported: leave it out.",
    ),
    ("topic_id", "Topics are not supported: leave it out."),
];

/// Translates a message.
pub fn translate(value: &Value<'_>) -> Result<(Vec<u8>, Places), Problems> {
    let mut found = Found::default();
    let mut ours = Translated::new();
    // All that stands nowhere else.
    ours.place("", &value.pointer);
    if let Some(email) = value.object(&mut found) {
        read(email, &mut ours, &mut found);
    }
    found.finish()?;
    Ok(ours.finish())
}

fn read(mut email: Object<'_>, ours: &mut Translated, found: &mut Found) {
    let mut has_template = false;
    for (name, detail) in UNSUPPORTED {
        if let Some(value) = email.take(name) {
            has_template |= name == "template";
            found.add(Problem::found(Code::Unsupported, value.pointer, detail));
        }
    }
    // A template may contain what is missing here.
    let mut is_missing = |problem| {
        if !has_template {
            found.add(problem);
        }
    };
    let (from, subject) = (email.take("from"), email.take("subject"));
    for (value, name) in [(&from, "from"), (&subject, "subject")] {
        if value.is_none() {
            is_missing(email.missing(name));
        }
    }
    let (text, html) = (email.take("text"), email.take("html"));
    if text.is_none() && html.is_none() {
        let detail = "The field `html` or `text` is missing.";
        let pointer = member_of(&email.pointer, "html");
        is_missing(Problem::found(Code::MissingField, pointer, detail));
    }
    if let Some(from) = from {
        mailboxes::put_one("from", &from, ours, found);
    }
    read_recipients(&mut email, ours, found);
    for (name, value) in [("subject", &subject), ("text", &text), ("html", &html)] {
        if let Some(value) = value {
            ours.put(name, value);
        }
    }
    reply_to::put(&mut email, ours, found);
    if let Some(list) = email.take("attachments") {
        attachments::put(&list, html.as_ref(), ours, found);
    }
    if let Some(list) = email.take("tags") {
        tags::check(&list, found);
    }
    email.finish(found);
}

fn read_recipients(email: &mut Object<'_>, ours: &mut Translated, found: &mut Found) {
    match email.take("to") {
        None => found.add(email.missing("to")),
        Some(to) if is_nothing(&to) => {
            let detail = "A message needs a recipient.";
            found.add(Problem::found(Code::NoRecipients, to.pointer, detail));
        }
        Some(to) => mailboxes::put_all("to", &to, Some(mailboxes::MOST), ours, found),
    }
    for name in ["cc", "bcc"] {
        if let Some(value) = email.take(name).filter(|value| !is_nothing(value)) {
            mailboxes::put_all(name, &value, None, ours, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::translated::tests::place_of;
    use super::*;

    /// The problems of a message with these members besides the required ones.
    fn told(members: &str) -> Vec<String> {
        let json = format!("[{{{members}}}]");
        let body = Value::of_body(json.as_bytes()).unwrap();
        let problems = translate(&body.array().unwrap()[0]).unwrap_err();
        let told = |problem: &Problem| format!("{} {}", problem.pointer(), problem.code());
        problems.iter().map(told).collect()
    }

    const REST: &str = r#""from": "a@b.example", "to": "c@d.example", "subject": "", "text": """#;

    #[test]
    fn a_message_becomes_one_of_ours() {
        let json = r#"{"from": "Acme, Inc <a@b.example>", "to": ["c@d.example", "E, F <e@f.example>"],
            "cc": "g@h.example", "bcc": [ "i@j.example" ], "reply_to": "k@l.example", "subject": "\u00e5",
            "text": null, "html": "<p>", "headers": {"X-A": "b"}, "tags": [], "scheduled_at": null,
            "attachments": [{"filename": "a", "content": "AP8="}]}"#;
        let expected = r#"{"from":{"name":"Acme, Inc","address":"a@b.example"},"to":["c@d.example",{"name":"E, F","address":"e@f.example"}],"cc":"g@h.example","bcc":["i@j.example"],"subject":"\u00e5","html":"<p>","replyTo":"k@l.example","headers":[{"name":"X-A","value":"b"}],"attachments":[{"filename":"a","content":"AP8="}]}"#;
        let (ours, places) = translate(&Value::of_body(json.as_bytes()).unwrap()).unwrap();
        assert_eq!(String::from_utf8(ours).unwrap(), expected);
        for (ours, theirs) in [
            ("", ""),
            ("/from/address", "/from"),
            ("/to/0", "/to/0"),
            ("/to/1/name", "/to/1"),
            ("/bcc/0", "/bcc/0"),
            ("/replyTo", "/reply_to"),
            ("/headers/0/value", "/headers/X-A"),
            ("/attachments/0/filename", "/attachments/0/filename"),
            ("/attachments/0", "/attachments/0"),
            ("/text", "/text"),
        ] {
            assert_eq!(place_of(ours, &places), theirs, "{ours}");
        }
    }

    #[test]
    fn empty_fields_count_as_absent() {
        let json = format!(
            r#"{{{REST}, "cc": [], "bcc": "", "reply_to": [], "attachments": [], "headers": [], "tags": {{}}, "html": null}}"#
        );
        let (ours, _) = translate(&Value::of_body(json.as_bytes()).unwrap()).unwrap();
        let expected = r#"{"from":"a@b.example","to":"c@d.example","subject":"","text":""}"#;
        assert_eq!(String::from_utf8(ours).unwrap(), expected);
    }

    #[test]
    fn faults_are_reported_with_their_position() {
        let all_missing = ["/0/from", "/0/subject", "/0/html", "/0/to"];
        assert_eq!(
            told(""),
            all_missing.map(|it| format!("{it} missing_field"))
        );
        assert_eq!(
            told(r#""template": {"id": "x"}, "to": "a@b.example""#),
            ["/0/template unsupported"]
        );
        let many = format!("[{}]", vec![r#""a@b.example""#; 51].join(","));
        for (members, expected) in [
            (r#""scheduled_at": "in 1 h""#, "/0/scheduled_at unsupported"),
            (r#""topic_id": """#, "/0/topic_id unsupported"),
            (r#""react": {}"#, "/0/react unknown_field"),
            (r#""cc": 1"#, "/0/cc wrong_type"),
            (r#""bcc": ["a", 1]"#, "/0/bcc/1 wrong_type"),
            (r#""reply_to": {}"#, "/0/reply_to wrong_type"),
            (r#""tags": "a""#, "/0/tags wrong_type"),
        ] {
            assert_eq!(told(&format!("{REST}, {members}")), [expected], "{members}");
        }
        for (to, expected) in [
            ("[]", "/0/to no_recipients"),
            (r#"" ""#, "/0/to no_recipients"),
            (&many, "/0/to too_many_mailboxes"),
            ("{}", "/0/to wrong_type"),
        ] {
            let members = REST.replace(r#""c@d.example""#, to);
            assert_eq!(told(&members), [expected], "{to}");
        }
        let from = REST.replace(r#""a@b.example""#, r#"["a@b.example"]"#);
        assert_eq!(told(&from), ["/0/from wrong_type"]);
    }
}
