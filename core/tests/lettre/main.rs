//! What the crate lettre lets through comes out as problems, and the rest as the message that was meant.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod parts;

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};
use pmtaemail::{Message, Submission};

fn builder() -> MessageBuilder {
    let builder = Mail::builder().from(mailbox("Shop <shop@example.com>"));
    builder.to(mailbox("ann@example.org"))
}

fn mailbox(text: &str) -> Mailbox {
    text.parse().unwrap()
}

/// With an address that lettre is told not to look at.
fn to(user: &str, domain: &str) -> MessageBuilder {
    let address = Address::new_dangerous(user, domain);
    builder().envelope(Envelope::new(None, vec![address]).unwrap())
}

fn mail(builder: MessageBuilder) -> Mail {
    builder.body("Hello".to_owned()).unwrap()
}

fn name(text: &str) -> HeaderName {
    HeaderName::new_from_ascii(text.to_owned()).unwrap()
}

fn written(name_of_field: &str, value: &str) -> HeaderValue {
    let text = value.to_owned();
    HeaderValue::dangerous_new_pre_encoded(name(name_of_field), text.clone(), text)
}

fn codes(mail: &Mail) -> Vec<String> {
    let Err(problems) = Message::try_from(mail) else {
        return Vec::new();
    };
    problems
        .iter()
        .map(|problem| problem.code().to_string())
        .collect()
}

#[test]
fn values_that_would_forge_fields_are_problems() {
    for builder in [
        builder().subject("a\r\nBcc: eve@example.org"),
        builder().subject("é\r\nBcc: eve@example.org"),
        builder().subject("é\0"),
        builder().in_reply_to("<a@b.c>\r\nBcc: eve@example.org".to_owned()),
        builder().raw_header(HeaderValue::new(
            name("X-A\r\nBcc"),
            "eve@example.org".to_owned(),
        )),
        builder().raw_header(written("X-A", "1\r\nBcc: eve@example.org")),
        builder().raw_header(written("X-A", "1\r\nX-B: 2")),
        builder().raw_header(written("X-A", "1\r\nSubject: 2")),
        builder().raw_header(written("X-A", "1\r\n\r\nHello")),
        builder().raw_header(written("X-A", "1\rBcc: eve@example.org")),
        to("a@b>, <c", "d.org"),
        to("a\r\nBcc: eve", "d.org"),
    ] {
        let mail = mail(builder);
        assert!(!codes(&mail).is_empty(), "{mail:?}");
    }
}

#[test]
fn content_that_readers_would_misinterpret_is_a_problem() {
    let eight_bit = |text: String| {
        let body =
            Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::EightBit);
        builder().singlepart(SinglePart::plain(body)).unwrap()
    };
    for (mail, code) in [
        (
            mail(builder().subject("=?utf-8?B?SGk=?=")),
            "invalid_header_value",
        ),
        (
            mail(builder().raw_header(written("X-PMTA-x", "1"))),
            "reserved_header",
        ),
        (mail(to(&"a".repeat(1_100), "d.org")), "address_too_long"),
        (eight_bit("x".repeat(1_000)), "too_long"),
        (eight_bit("a\0b".to_owned()), "invalid_content"),
    ] {
        let found = codes(&mail);
        assert!(
            found.iter().any(|found| found == code),
            "{code}, {found:?}: {mail:?}"
        );
    }
}

#[test]
fn a_valid_message_is_sent_as_it_was_meant() {
    let pdf = Attachment::new(
        "my file, é, that has a rather long name of its own, and blanks.pdf".to_owned(),
    );
    let parts = MultiPart::mixed()
        .multipart(MultiPart::alternative_plain_html(
            "é".repeat(2_000),
            "<p>Hello</p>".to_owned(),
        ))
        .singlepart(pdf.body(
            b"%PDF".to_vec(),
            ContentType::parse("application/pdf").unwrap(),
        ));
    for keeps in [false, true] {
        let builder = builder()
            .cc(mailbox("\"Lee, Bob\" <bob@bücher.example>"))
            .bcc(mailbox("audit@example.com"))
            .bcc(mailbox("cy@example.org"))
            .subject("é");
        let builder = if keeps { builder.keep_bcc() } else { builder };
        let mail = builder.multipart(parts.clone()).unwrap();
        let message = Message::try_from(&mail).unwrap();
        assert_eq!(message.addressee_count(), 4);
        let text = String::from_utf8(message.render()).unwrap();
        assert!(
            !text.contains("audit@example.com") && !text.contains("Bcc"),
            "{text}"
        );
        assert!(text.contains(" <bob@xn--bcher-kva.example>"), "{text}");
        assert_eq!(text.matches("Message-ID: <").count(), 1);
        assert_eq!(text.matches("Date: ").count(), 1);
        assert_eq!(text.matches("MIME-Version: 1.0\r\n").count(), 1);
        // But for what is made where it is submitted it is what lettre wrote.
        let formatted = String::from_utf8(mail.formatted()).unwrap();
        let body = formatted.split_once("\r\n\r\n").unwrap().1;
        assert!(
            text.ends_with(body.trim_end()) || text.ends_with(body),
            "{text}"
        );
        // Of a value as of a reference.
        assert_eq!(Message::try_from(mail).unwrap().addressee_count(), 4);
    }
    let utf8 = Body::new_with_encoding("Grüße".to_owned(), ContentTransferEncoding::EightBit);
    let mail = builder()
        .singlepart(SinglePart::plain(utf8.unwrap()))
        .unwrap();
    let bytes = Message::try_from(&mail).unwrap().render();
    assert!(String::from_utf8(bytes).unwrap().contains("Grüße"));
}

#[test]
fn the_envelope_is_that_of_lettre_unless_one_is_given() {
    let address = |text: &str| text.parse::<Address>().unwrap();
    let envelope = |from: Option<&str>| {
        let to = vec![address("x@example.org"), address("y@example.org")];
        let envelope = Envelope::new(from.map(address), to).unwrap();
        mail(builder().envelope(envelope))
    };
    let file = |message: Message<'_>| {
        let submission = Submission::new(&message);
        String::from_utf8(submission.files()[0].chunks().concat()).unwrap()
    };
    let of_lettre = file(Message::try_from(envelope(Some("bounces@example.com"))).unwrap());
    assert!(
        of_lettre.starts_with(
            "x-sender: bounces@example.com\r\nx-receiver: x@example.org\r\nx-receiver: y@example.org\r\n"
        ),
        "{of_lettre}"
    );
    let without_sender = file(Message::try_from(envelope(None)).unwrap());
    assert!(without_sender.contains("MAIL FROM:<>"), "{without_sender}");
    let mail = envelope(Some("bounces@example.com"));
    let given = Message::builder().lettre(&mail);
    let sender = file(given.clone().sender("other@example.com").build().unwrap());
    assert!(
        sender.starts_with("x-sender: other@example.com\r\nx-receiver: x@example.org\r\n"),
        "{sender}"
    );
    let recipients = file(given.clone().to("z@example.org").build().unwrap());
    assert!(
        recipients.starts_with("x-sender: bounces@example.com\r\nx-receiver: z@example.org\r\n")
    );
    assert!(!recipients.contains("x@example.org"));
    // As JSON it is the same message.
    let json = serde_json::to_vec(&given).unwrap();
    let read = Message::from_json(&json).unwrap();
    assert_eq!(read.addressee_count(), 2);
    // Another finished message has nothing of it.
    let other = given
        .raw(b"From: a@b.c\r\nTo: a@b.c\r\n\r\nHello\r\n")
        .build()
        .unwrap();
    assert!(file(other).starts_with("x-sender: a@b.c\r\nx-receiver: a@b.c\r\n"));
    // What is wrong with the message cannot be passed on as JSON, in which nobody could see it.
    let forged = crate::mail(builder().subject("é\r\nBcc: b@c.d"));
    assert!(serde_json::to_string(&Message::builder().lettre(&forged)).is_err());
}

/// Asserts that all of these are problems of this code.
fn assert_refused(mails: &[Mail], code: &str) {
    for mail in mails {
        let found = codes(mail);
        let text = String::from_utf8_lossy(&mail.formatted()).into_owned();
        assert!(
            found.iter().any(|found| found == code),
            "{code}, {found:?}: {text}"
        );
    }
}

#[test]
fn message_identifiers_are_some() {
    for id in ["nonsense", "<nonsense>", "a@b.c", "<a@b.c"] {
        let id = id.to_owned();
        assert_refused(
            &[mail(builder().message_id(Some(id)))],
            "invalid_message_id",
        );
    }
    for id in ["nonsense", "a@b.c", "<a@b.c> d@e.f"] {
        for builder in [
            builder().in_reply_to(id.to_owned()),
            builder().references(id.to_owned()),
        ] {
            assert_refused(&[mail(builder)], "invalid_message_id");
        }
    }
    let long = format!("<{}@b.c>", "a".repeat(100));
    for id in ["<a@b.c>", &long] {
        let builder = builder().message_id(Some(id.to_owned()));
        let builder = builder
            .in_reply_to(id.to_owned())
            .references(format!("{id} <d@e.f>"));
        assert_eq!(codes(&mail(builder)), [""; 0], "{id}");
    }
}

#[test]
fn domains_of_the_header_are_in_a_labels_as_in_the_envelope() {
    let mail = Mail::builder()
        .from(mailbox("Größe <shop@bücher.example>"))
        .sender(mailbox("office@bücher.example"))
        .reply_to(mailbox("reply@bücher.example"))
        .to(mailbox("ann@bücher.example"))
        .to(mailbox("Bob <bob@example.org>"))
        .cc(mailbox("cy@bücher.example"))
        .message_id(None);
    let text = |builder: MessageBuilder| {
        let message = Message::try_from(crate::mail(builder)).unwrap();
        String::from_utf8(message.render()).unwrap()
    };
    let written = text(mail.clone());
    assert!(written.is_ascii(), "{written}");
    for field in [
        "<shop@xn--bcher-kva.example>\r\n",
        "Sender: office@xn--bcher-kva.example\r\n",
        "Reply-To: reply@xn--bcher-kva.example\r\n",
        "To: ann@xn--bcher-kva.example, Bob <bob@example.org>\r\n",
        "Cc: cy@xn--bcher-kva.example\r\n",
    ] {
        assert!(written.contains(field), "{field}: {written}");
    }
    // A field that is signed stays.
    let signed = mail.raw_header(crate::written("DKIM-Signature", "v=1; d=example.com"));
    assert!(text(signed).contains("Cc: cy@bücher.example\r\n"));
}
