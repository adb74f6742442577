use super::sendable;

const PLAIN: &str = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";

/// A line that is too long, and the same in quoted-printable.
fn long() -> (String, String) {
    let encoded = "x".repeat(75) + "=\r\n";
    ("x".repeat(1_500), encoded.repeat(19) + &"x".repeat(75))
}

fn encoded(message: &str) -> Result<String, String> {
    sendable(message.as_bytes().to_vec())
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map_err(|refusal| refusal.detail.into_owned())
}

#[test]
fn a_sendable_message_does_not_change() {
    let line = "x".repeat(998);
    for message in [
        "",
        "A: b\r\n",
        "A: b\r\n\r\n",
        &format!("A: b\r\n\r\n{line}\r\n\u{1}é\r\n\r\n"),
        &format!("DKIM-Signature: a\r\n\r\n{line}"),
        &format!("A: {}\r\n\r\nHello", line.repeat(2)),
    ] {
        assert_eq!(encoded(message).as_deref(), Ok(message));
    }
}

#[test]
fn a_body_becomes_quoted_printable() {
    let (long, long_encoded) = long();
    for (body, expected) in [
        (long.as_str(), long_encoded.as_str()),
        ("a\0b = c\r\n", "a=00b =3D c\r\n"),
        (" 10%\r 20%\r\r\n \r\n", " 10%=0D 20%=0D\r\n=20\r\n"),
    ] {
        let header = "Subject: x\r\n";
        let message = format!("{header}\r\n{body}");
        assert_eq!(encoded(&message), Ok(format!("{header}{PLAIN}{expected}")));
        for encoding in ["7bit", "8BIT", " binary ; x", "7bit (x)"] {
            let header = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n";
            let message = format!("content-transfer-encoding: {encoding}\r\n{header}\r\n{body}");
            let expected =
                format!("{header}Content-Transfer-Encoding: quoted-printable\r\n\r\n{expected}");
            assert_eq!(encoded(&message), Ok(expected));
        }
    }
}

#[test]
fn a_text_without_a_type_says_that_it_is_utf8() {
    let plain = PLAIN.strip_prefix("MIME-Version: 1.0\r\n").unwrap();
    let utf8 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
    assert_eq!(
        encoded("A: b\r\n\r\né\0").unwrap(),
        format!("A: b\r\n{utf8}{plain}=C3=A9=00")
    );
    let latin1 = sendable(b"A: b\r\n\r\n\xe9\0".to_vec()).unwrap();
    assert_eq!(latin1, format!("A: b\r\n{PLAIN}=E9=00").as_bytes());
}

#[test]
fn in_a_multipart_the_part_that_needs_it_is_encoded() {
    let (long, long_encoded) = long();
    let mail = |encoding: &str, text: &str, inner: &str, type_of_text: &str| {
        format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\nPreamble\r\n--a b \t\r\n{type_of_text}\r\n{text}\r\n\
             --a b\r\nContent-Type: Multipart/Alternative; x=y; Boundary=a\r\n\r\n\
             --a\r\n\r\nas it is = \r\n--a\r\nContent-Type: text/html; name*=x\r\n{inner}\r\n--a--\r\n\
             --ab\r\n\r\n--a b\r\n\r\n--a b\r\nContent-Type: application/octet-stream\r\n\
             Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--a b--\r\nEpilogue\r\n"
        )
    };
    let qp = "Content-Transfer-Encoding: quoted-printable\r\n";
    let given = mail("binary", &long, "\r\na\rb", "");
    let expected = mail("8bit", &long_encoded, &format!("{qp}\r\na=0Db"), qp);
    assert_eq!(encoded(&given), Ok(expected));
}

#[test]
fn messages_in_messages_are_entered() {
    let (long, long_encoded) = long();
    let digest = |text: &str, fields: &str| {
        format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=a\r\n\r\n\
             --a\r\n\r\nSubject: one\r\n{fields}\r\n{text}\r\n\
             --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: two\r\n\r\nHello\r\n--a--\r\n"
        )
    };
    let fields = PLAIN.strip_suffix("\r\n").unwrap();
    assert_eq!(
        encoded(&digest(&long, "")),
        Ok(digest(&long_encoded, fields))
    );
    let signed = digest(&long, "DKIM-Signature: x\r\n");
    assert!(encoded(&signed).unwrap_err().contains("signature"));
}

#[test]
fn fields_of_parts_lose_blanks_before_their_colons() {
    let mail = |colon: &str, rest: &str| {
        format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\nNote : this\r\n\
             --a\r\nContent-Type{colon}text/html\r\n\r\nNote : that\r\n\
             --a\r\nContent-Type{colon}multipart/signed; boundary=b\r\n\r\n--b\r\nX : y\r\n\r\n--b--\r\n\
             --a\r\nno field\r\nX : y\r\n\r\nas it is\r\n\
             --a\r\nContent-Type{colon}message/rfc822\r\n\r\nSubject{colon}x\r\n\r\n{rest}\r\n--a--\r\n"
        )
    };
    assert_eq!(encoded(&mail(" : ", "Hello")), Ok(mail(": ", "Hello")));
    // What is signed, or no multipart, or has no boundary, stays.
    for message in [
        format!("DKIM-Signature: x\r\n{}", mail(" : ", "Hello")),
        mail(": ", "DKIM-Signature : x\r\n\r\nHello"),
        "A: b\r\n\r\nNote : this\r\n".to_owned(),
        "Content-Type: multipart/mixed\r\n\r\n--a\r\nX : y\r\n\r\n".to_owned(),
    ] {
        assert_eq!(encoded(&message), Ok(message));
    }
}

#[test]
fn long_lines_of_base64_are_wrapped() {
    let header = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: Base64\r\n\r\n";
    let base64 = "QUFB".repeat(402);
    let wrapped = "QUFB".repeat(19) + "\r\n";
    let rest = "QUFB".repeat(402 % 19) + "\r\n";
    assert_eq!(
        encoded(&format!("{header}{base64}\r\n")),
        Ok(format!("{header}{}{rest}", wrapped.repeat(402 / 19)))
    );
    assert!(encoded(&format!("{header}{base64}é")).is_err());
    assert!(encoded(&format!("{header}QUFB\0")).is_err());
}

#[test]
fn long_lines_of_quoted_printable_are_broken() {
    let (long, broken) = long();
    let header = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n";
    assert_eq!(
        encoded(&format!("{header}{long}\r\n=C3=A9=\r\n")),
        Ok(format!("{header}{broken}\r\n=C3=A9=\r\n"))
    );
    let signed = format!("DKIM-Signature: x\r\n{header}{long}");
    assert!(encoded(&signed).is_err());
}

#[test]
fn content_that_cannot_be_encoded_is_refused() {
    let long = long().0;
    let multipart = "Content-Type: multipart/mixed; boundary=a\r\n\r\n";
    for (message, word) in [
        (format!("DKIM-Signature: x\r\n\r\n{long}"), "signature"),
        (format!("ARC-Seal: x\r\n\r\n{long}"), "signature"),
        ("DKIM-Signature: x\r\n\r\na\rb".to_owned(), "signature"),
        (
            format!("Content-Type: multipart/signed; boundary=a\r\n\r\n--a\r\n\r\n{long}\r\n--a--"),
            "signature",
        ),
        (
            format!(
                "{multipart}--a\r\nContent-Type: multipart/encrypted; boundary=b\r\n\r\n{long}"
            ),
            "signature",
        ),
        (
            format!("Content-Transfer-Encoding: x-uuencode\r\n\r\n{long}"),
            "encoding",
        ),
        (
            format!("Content-Type: message/delivery-status\r\n\r\n{long}"),
            "encoding",
        ),
        (
            format!("{multipart}{long}\r\n--a\r\n\r\nb\r\n--a--"),
            "outside",
        ),
        (format!("{multipart}--a\r\n\r\nb\r\n--a--\r\n\0"), "outside"),
        (
            format!("{multipart}--a\r\nA: {long}\r\n\r\nb\r\n--a--"),
            "header",
        ),
        (format!("{multipart}--a\r\n{long}\r\n--a--"), "header"),
        (format!("{multipart}--a\r\nA: b\rc\r\n\r\n--a--"), "header"),
        (
            format!("Content-Type: multipart/mixed; boundary a\r\n\r\n{long}"),
            "read",
        ),
        (
            format!("Content-Type: text/plain\r\nContent-Type: a/b\r\n\r\n{long}"),
            "twice",
        ),
        (
            "Content-Type: message/rfc822\r\n\r\n".repeat(60) + &long,
            "50 deep",
        ),
    ] {
        let refused = encoded(&message);
        assert!(
            refused.as_ref().is_err_and(|detail| detail.contains(word)),
            "{message}\n{refused:?}"
        );
    }
}

#[test]
fn a_bare_cr_that_cannot_be_encoded_ends_a_line() {
    let qp = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    assert_eq!(
        encoded(&format!("{qp}a=\rb\r")),
        Ok(format!("{qp}a=\r\nb\r\n"))
    );
    let multipart = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n";
    assert_eq!(
        encoded(&format!("{multipart}a\rb\r\n--a\r\n\r\nc\r\n--a--\r\nd\re")),
        Ok(format!(
            "{multipart}a\r\nb\r\n--a\r\n\r\nc\r\n--a--\r\nd\r\ne"
        ))
    );
}
