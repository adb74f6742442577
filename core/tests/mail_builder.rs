//! What the crate mail-builder lets through comes out as problems, and the rest as the message that was meant.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::headers::url::URL;
use mail_builder::mime::MimePart;
use pmtaemail::{Message, Submission};

fn mail() -> MessageBuilder<'static> {
    let mail = MessageBuilder::new().from(("Shop", "shop@example.com"));
    mail.to("ann@example.org").text_body("Hello")
}

/// The codes of the problems, all of which are of the finished message.
fn codes(mail: MessageBuilder<'_>) -> Vec<String> {
    let Err(problems) = Message::try_from(mail) else {
        return Vec::new();
    };
    assert!(problems.iter().all(|problem| problem.pointer() == "/raw"));
    let codes = problems.iter().map(|problem| problem.code().to_string());
    codes.collect()
}

#[test]
fn values_that_would_forge_fields_are_problems() {
    const FORGED: &str = "a@b.c>\r\nBcc: eve@example.org\r\nX-A: <d@e.f";
    let part = |part: MimePart<'static>| mail().body(part);
    let leaf = || MimePart::new("text/plain", "Hello");
    for mail in [
        mail().message_id(FORGED),
        mail().in_reply_to(FORGED),
        mail().references(vec!["a@b.c", FORGED]),
        mail().header("List-Archive", URL::new(FORGED)),
        mail().header("X-A: 1\r\nBcc", Text::new("eve@example.org")),
        mail().header("X A", Raw::new("1")),
        mail().header("X-A", ContentType::new(FORGED)),
        mail().header("X-A", ContentType::new("a/b").attribute("x\r\nBcc: y", "z")),
        mail().header("X-A", ContentType::new("a/b").attribute("x", FORGED)),
        mail().subject("a\r\nBcc: eve@example.org"),
        mail().subject("é\r\nBcc: eve@example.org"),
        mail().subject("é\0"),
        mail().cc(("é\r\nBcc: eve@example.org", "a@b.c")),
        mail().cc("a@b>, <c@d"),
        mail().reply_to("a@b.c\r\nBcc: eve@example.org"),
        mail().cc(Address::new_group(
            Some("x\r\nBcc: eve@example.org"),
            Vec::new(),
        )),
        mail().cc(Address::new_group(Some("x"), vec!["a@b>, <c@d".into()])),
        mail().inline("image/png", FORGED, &[0_u8][..]),
        mail().attachment("image/png\r\nX-A: 1", "a.png", &[0_u8][..]),
        mail().attachment("image/png", "a\r\nX-A: 1\r\n.png", &[0_u8][..]),
        part(leaf().header("X-A\r\nX-B", Raw::new("1"))),
        part(MimePart::new(
            "multipart/mixed",
            vec![MimePart::new("multipart/mixed", vec![leaf().cid("a\r\nb")])],
        )),
    ] {
        let shown = format!("{mail:?}");
        assert!(!codes(mail).is_empty(), "{shown}");
    }
}

#[test]
fn content_that_readers_would_misinterpret_is_a_problem() {
    let hidden = ContentType::new("multipart/mixed").attribute("boundary", "b");
    let in_content = vec![MimePart::new(
        "text/plain",
        "--b\r\nContent-Type: text/html\r\n\r\nHi",
    )];
    for (mail, code) in [
        (mail().subject("=?utf-8?B?SGk=?="), "invalid_header_value"),
        (
            mail().cc(("=?utf-8?B?SGk=?=", "a@b.c")),
            "invalid_header_value",
        ),
        (
            mail().header("date", Date::new(0)).date(0_i64),
            "invalid_content",
        ),
        (
            mail()
                .message_id("a@b.c")
                .header("Message-Id", MessageId::new("d@e.f")),
            "invalid_content",
        ),
        (
            mail().cc(format!("{}@example.com", "a".repeat(1_100))),
            "address_too_long",
        ),
        (mail().text_body("a\0b"), "invalid_content"),
        (
            mail().body(MimePart::new("text/plain; charset=utf-8", "é")),
            "invalid_content",
        ),
        (
            mail().body(MimePart::new(
                ContentType::new("text/plain").attribute("charset", "utf-16"),
                "é",
            )),
            "invalid_content",
        ),
        (
            mail().body(MimePart::new(hidden, in_content)),
            "invalid_content",
        ),
        (mail().header("X-PMTA-x", Raw::new("1")), "reserved_header"),
    ] {
        let shown = format!("{mail:?}");
        assert_eq!(codes(mail)[0], code, "{shown}");
    }
    let two = mail().subject("a\nb").cc("nobody");
    let found = codes(two);
    assert!(found.starts_with(&["control_character".to_owned(), "invalid_address".to_owned()]));
}

#[test]
fn a_valid_message_is_sent_as_it_was_meant() {
    let mail = mail()
        .cc(("Lee, Bob", "bob@bücher.example"))
        .bcc(vec!["audit@example.com", "cy@example.org"])
        .subject("é")
        .html_body("<p>Hello</p>")
        .attachment(
            "application/pdf",
            "my file, with blanks, that has a rather long name of its own.pdf",
            &b"%PDF"[..],
        )
        .header("X-A", Raw::new("folded\r\n value\r\nBcc: eve@example.org"))
        .header("List-Archive", URL::new("https://example.com/"));
    let message = Message::try_from(mail).unwrap();
    assert_eq!(message.addressee_count(), 4);
    let mail = String::from_utf8(message.render()).unwrap();
    assert!(mail.contains("bob@xn--bcher-kva.example") && !mail.contains("audit@example.com"));
    // Neither the host's name nor the clock is in an identifier.
    assert!(!mail.contains("localhost"));
    // It is folded by the crate.
    assert!(!mail.contains("\nBcc"), "{mail}");
    assert_eq!(mail.matches("Message-ID: <").count(), 1);
    assert_eq!(mail.matches("MIME-Version: 1.0\r\n").count(), 1);
}

#[test]
fn an_envelope_may_be_given() {
    let builder = Message::builder()
        .mail_builder(mail())
        .sender("<>")
        .to("x@example.org");
    let submission = Submission::new(&builder.build().unwrap());
    let file = submission.files()[0].chunks().concat();
    let file = String::from_utf8(file).unwrap();
    assert_eq!(submission.recipients(), 1);
    assert_eq!(file.matches("x@example.org").count(), 1);
    assert_eq!(file.matches("ann@example.org").count(), 1);
    let builder = Message::builder()
        .mail_builder(mail().bcc("b@c.d"))
        .to("x@example.org");
    let problems = builder.build().unwrap_err();
    assert_eq!(
        problems.iter().next().unwrap().code().as_str(),
        "reserved_header"
    );
    // What is wrong with the message cannot be passed on as JSON, in which nobody could see it.
    let builder = Message::builder().mail_builder(mail().subject("a\r\nBcc: b@c.d"));
    assert!(serde_json::to_string(&builder).is_err());
    assert!(
        builder.clone().build().is_err()
            && builder
                .raw(b"From: a@b.c\r\nTo: a@b.c\r\n\r\n")
                .build()
                .is_ok()
    );
}
