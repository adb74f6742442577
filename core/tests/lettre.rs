//! What the crate lettre lets through comes out as problems, and the rest as the message that was meant.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use lettre::address::Envelope;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
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
fn what_readers_would_take_for_something_else_is_a_problem() {
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

fn alone(part: SinglePart) -> Mail {
    builder().singlepart(part).unwrap()
}

fn within(part: SinglePart) -> Mail {
    let parts = MultiPart::mixed().singlepart(SinglePart::plain("Hello".to_owned()));
    builder()
        .multipart(MultiPart::mixed().multipart(parts.singlepart(part)))
        .unwrap()
}

fn png(attachment: Attachment) -> SinglePart {
    let bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    attachment.body(bytes, ContentType::parse("image/png").unwrap())
}

/// A field that a part is given as it is to be written.
#[derive(Clone)]
struct Written(&'static str);

impl Header for Written {
    fn name() -> HeaderName {
        name("Content-Description")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Err("it is not read".into())
    }

    fn display(&self) -> HeaderValue {
        written("Content-Description", self.0)
    }
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
fn no_part_forges_a_field() {
    let part = |value: &'static str| {
        let part = SinglePart::builder().header(Written(value));
        part.header(ContentType::TEXT_PLAIN)
            .body("Hello".to_owned())
    };
    // The fields of the outermost part are fields of the message.
    let outermost = MultiPart::mixed().header(Written("1\r\nReply-To: eve@example.org"));
    assert_refused(
        &[
            alone(part("1\r\nReply-To: eve@example.org")),
            alone(part("1\r\nSubject: a")),
            alone(part("1\r\nfrom: eve@example.org")),
            alone(part("1\r\nContent-Type: text/html")),
            alone(part("1\r\n\r\nHello")),
            within(part("1\r\ncontent-type: text/html")),
            within(part("1\r\nHello")),
            within(part("1\r\n\r\nHello")),
            builder().multipart(outermost.build()).unwrap(),
        ],
        "invalid_content",
    );
    let hidden = |encoded: &str| {
        let (name, raw) = (name("X-A"), "1".to_owned());
        mail(builder().raw_header(HeaderValue::dangerous_new_pre_encoded(
            name,
            raw,
            encoded.to_owned(),
        )))
    };
    assert_refused(
        &[
            hidden("1\nReply-To: eve@example.org"),
            hidden("1\rReply-To: eve@example.org"),
            alone(part("1\nReply-To: eve@example.org")),
            alone(part("1\rReply-To: eve@example.org")),
            within(part("1\nContent-Type: text/html")),
            within(part("1\0")),
        ],
        "control_character",
    );
    for right in [
        alone(part("1")),
        within(part("1\r\n 2")),
        within(part("=?utf-8?Q?=C3=A9?=")),
    ] {
        assert_eq!(codes(&right), [""; 0]);
    }
}

#[test]
fn file_names_and_content_ids_hold_nothing_that_readers_would_decode() {
    let named = |text: &str| png(Attachment::new(text.to_owned()));
    let inline = |text: &str| png(Attachment::new_inline(text.to_owned()));
    let long = "a".repeat(70);
    for place in [alone, within] {
        for text in [
            "a\r\nX-Evil: 1\r\n.png",
            "a\0.png",
            "é\u{85}.png",
            &format!("{long}\r\n"),
        ] {
            assert_refused(&[place(named(text))], "control_character");
        }
        for text in [
            "=?utf-8?B?SGk=?=",
            &format!("{long}=?utf-8?B?SGk=?="),
            "é =?utf-8?B?SGk=?=",
        ] {
            assert_refused(&[place(named(text))], "invalid_header_value");
        }
        let with_name =
            Attachment::new_inline_with_name("a".to_owned(), "=?utf-8?B?SGk=?=".to_owned());
        assert_refused(&[place(png(with_name))], "invalid_header_value");
        for text in [
            "a>\r\nX-Evil: 1",
            "a b> <c",
            "a b",
            "",
            "é",
            "=?utf-8?B?SGk=?=",
        ] {
            assert_refused(&[place(inline(text))], "invalid_content_id");
        }
        for text in [
            "a\"; x=\"b.png",
            "a%0D%0A.png",
            "é.png",
            "",
            &format!("{long}{long}é.png"),
        ] {
            assert_eq!(codes(&place(named(text))), [""; 0], "{text}");
        }
        assert_eq!(codes(&place(inline("logo@example.com"))), [""; 0]);
    }
    for content_type in [
        "image/png; name=a; name=b",
        "image/png; name=\"=?utf-8?B?SGk=?=\"",
    ] {
        let content_type = ContentType::parse(content_type).unwrap();
        let part = Attachment::new("a.png".to_owned()).body(b"\0".to_vec(), content_type);
        assert_refused(&[alone(part)], "invalid_header_value");
    }
}

#[test]
fn a_boundary_is_one_that_lettre_makes() {
    let fields = "Content-Type: text/html\r\nContent-Transfer-Encoding: 7bit";
    let hidden = format!("Hello\r\n--b\r\n{fields}\r\n\r\n<b>Hello</b>");
    let parts = MultiPart::mixed()
        .boundary("b")
        .singlepart(SinglePart::plain(hidden));
    let around = MultiPart::mixed().multipart(parts.clone());
    let mails = [parts, around].map(|parts| builder().multipart(parts).unwrap());
    assert_refused(&mails, "invalid_content");
    let empty = builder().multipart(MultiPart::mixed().build()).unwrap();
    assert_eq!(codes(&empty), [""; 0]);
    // Who writes the parts by hand knows the boundary.
    let by_hand = builder()
        .header(ContentType::parse("multipart/mixed; boundary=b").unwrap())
        .body("--b\r\n\r\nHello\r\n--b--\r\n".to_owned())
        .unwrap();
    assert_eq!(codes(&by_hand), [""; 0]);
}

#[test]
fn the_charset_is_that_of_the_content() {
    let text = |charset: &str, body: Body| {
        let content_type = ContentType::parse(&format!("text/html; charset={charset}")).unwrap();
        SinglePart::builder().header(content_type).body(body)
    };
    let utf8 = |charset: &str| text(charset, Body::new("Grüße".to_owned()));
    let ascii = |charset: &str| text(charset, Body::new("Hello".to_owned()));
    let base64 = |charset: &str, bytes: &[u8]| {
        let body = Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64);
        text(charset, body.unwrap())
    };
    for wrong in [
        ascii("utf-16"),
        utf8("UTF-16LE"),
        utf8("iso-8859-1"),
        utf8("us-ascii"),
        base64("windows-1252", "Grüße".as_bytes()),
    ] {
        assert_refused(&[alone(wrong.clone()), within(wrong)], "invalid_content");
    }
    for right in [
        utf8("utf-8"),
        utf8("UTF8"),
        ascii("us-ascii"),
        ascii("iso-2022-jp"),
        base64("iso-8859-1", b"Gr\xfc\xdfe"),
        base64("utf-16", b"\xff\xfeH\0i\0"),
    ] {
        assert_eq!(codes(&within(right)), [""; 0]);
    }
    let raw = builder().header(ContentType::parse("text/html; charset=utf-16").unwrap());
    assert_refused(&[mail(raw)], "invalid_content");
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
fn no_byte_changes_in_silence() {
    let file = |bytes: &[u8], content_type: &str, encoding: Option<ContentTransferEncoding>| {
        let body = match encoding {
            Some(encoding) => Body::new_with_encoding(bytes.to_vec(), encoding).unwrap(),
            None => Body::new(bytes.to_vec()),
        };
        let content_type = ContentType::parse(content_type).unwrap();
        Attachment::new("a.bin".to_owned()).body(body, content_type)
    };
    let binary = Some(ContentTransferEncoding::Binary);
    for wrong in [
        file(b"a\nb", "application/octet-stream", binary),
        file(b"a\rb", "application/octet-stream", binary),
        file(b"a\nb", "text/csv", binary),
        file(b"a\nb", "application/json", None),
        file(b"a\rb", "text/csv", None),
    ] {
        assert_refused(&[alone(wrong.clone()), within(wrong)], "invalid_content");
    }
    // The lines of a text end with CRLF in mail, whatever their ends were.
    let text = file(b"a\nb\r\nc", "text/csv", None);
    let rendered = Message::try_from(within(text.clone())).unwrap().render();
    assert!(
        String::from_utf8(rendered)
            .unwrap()
            .contains("\r\n\r\na\r\nb\r\nc\r\n")
    );
    // But one that is signed stays.
    let signature = written("DKIM-Signature", "v=1; d=example.com");
    let message_id = |builder: MessageBuilder| builder.message_id(None);
    let signed = message_id(builder()).raw_header(signature.clone());
    let kept = signed
        .clone()
        .singlepart(file(b"a\r\nb", "text/csv", None))
        .unwrap();
    assert_eq!(codes(&kept), [""; 0]);
    assert_refused(
        &[signed.singlepart(text.clone()).unwrap()],
        "invalid_content",
    );
    let seal = MultiPart::signed(
        "application/pgp-signature".to_owned(),
        "pgp-sha256".to_owned(),
    );
    assert_refused(
        &[builder().multipart(seal.singlepart(text)).unwrap()],
        "invalid_content",
    );
    // As does its header.
    let bcc = message_id(builder())
        .keep_bcc()
        .bcc(mailbox("audit@example.com"));
    assert_eq!(codes(&mail(bcc.clone())), [""; 0]);
    assert_refused(&[mail(bcc.raw_header(signature))], "invalid_content");
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
