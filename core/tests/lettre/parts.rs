//! What the parts of a message hold.

use super::{assert_refused, builder, codes, mail, mailbox, name, written};
use lettre::Message as Mail;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Attachment, Body, MessageBuilder, MultiPart, SinglePart};
use pmtaemail::Message;

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
    let quoted_printable = |charset: &str, content: &str| {
        let encoding = ContentTransferEncoding::QuotedPrintable;
        let body = Body::new_with_encoding(content.to_owned(), encoding);
        text(charset, body.unwrap())
    };
    for wrong in [
        ascii("utf-16"),
        utf8("UTF-16LE"),
        utf8("iso-8859-1"),
        utf8("us-ascii"),
        base64("windows-1252", "Grüße".as_bytes()),
        quoted_printable("windows-1252", "Grüße"),
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
