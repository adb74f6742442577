use super::*;
use crate::header::has_long_line;
use proptest::collection::vec;
use proptest::prelude::*;

const DEFAULTS: SenderDefaults<'static> = SenderDefaults {
    name: Some("Jörg Lee"),
    address: "joerg@host.example",
    domain: "host.example",
};

fn completed(bytes: &[u8]) -> String {
    String::from_utf8(add_missing_fields(bytes, &DEFAULTS).unwrap()).unwrap()
}

#[test]
fn a_bare_cr_in_the_header_is_refused() {
    for mail in [
        &b"Subject: a\rBcc: b@c.example\n\nHello"[..],
        b"Subject: a\r\r\nBcc: b@c.example\r\n\r\nHello",
        b"Subject: a\r\n b\r\n\tc\rTo: d\r\n\r\nHello",
        b"Subject: a\n\rBcc: b@c.example\n\nHello",
        b"Subject: a\r\r\n",
        b"\rBcc: b@c.example",
    ] {
        let problems = add_missing_fields(mail, &DEFAULTS).unwrap_err();
        assert_eq!(
            problems.iter().next().unwrap().code(),
            Code::ControlCharacter
        );
    }
    for text in [
        "Hello\rworld\r\r\n",
        "A: b\n\nHello\rworld\r\r\n",
        "A: b\nHello\rworld\r\r\n",
    ] {
        let mail = completed(text.as_bytes());
        let expected = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                        Hello=0Dworld=0D\r\n";
        assert!(mail.ends_with(expected), "{mail}");
    }
}

#[test]
fn addresses_without_a_domain_get_one() {
    for (list, qualified) in [
        ("root", "root@h"),
        ("root (Cron Daemon)", "root@h (Cron Daemon)"),
        ("\"(Cron Daemon)\" <root>", "\"(Cron Daemon)\" <root@h>"),
        ("\"john doe\", a@b", "\"john doe\"@h, a@b"),
        ("a , \"b, c\" < d >,<e@f>", "a@h , \"b, c\" < d@h >,<e@f>"),
        ("team: a, b@c;, d", "team: a@h, b@c;, d@h"),
        (
            "\"x\".y(comment (in it) \\) b)",
            "\"x\".y@h(comment (in it) \\) b)",
        ),
        ("<>", "<>"),
        ("undisclosed-recipients:;", "undisclosed-recipients:;"),
        ("no address", "no address"),
        ("<\"a>b\">", "<\"a>b\"@h>"),
        ("", ""),
        ("\"open", "\"open"),
        ("<open", "<open"),
        ("a (open", "a (open"),
        ("\\", "\\@h"),
    ] {
        let defaults = SenderDefaults {
            domain: "h",
            ..DEFAULTS
        };
        assert_eq!(defaults.qualified(list), qualified, "{list}");
    }
}

#[test]
fn every_field_of_addresses_gets_domains_and_no_other() {
    for known in KnownField::all() {
        let field = format!("{}: root\r\n", known.name);
        let qualified = field.replace("root", "root@host.example");
        let mail = completed(field.as_bytes());
        let expected = if known.has_addresses() {
            &qualified
        } else {
            &field
        };
        assert!(mail.contains(expected.as_str()), "{mail}");
    }
    let mail = completed(b"Errors-To: root\nSubject: root\nX-To: root\nDelivered-To: root\n");
    let expected =
        "Errors-To: root@host.example\r\nSubject: root\r\nX-To: root\r\nDelivered-To: root\r\n";
    assert!(mail.contains(expected), "{mail}");
}

#[test]
fn missing_fields_are_added() {
    let mail = completed(b"From joerg Mon Nov 23\nSubject: x\nTo: a,\n b\n\nHello\n");
    let from = "From: =?utf-8?B?SsO2cmcgTGVl?= <joerg@host.example>\r\n";
    let rest = "Subject: x\r\nTo: a@host.example,\r\n b@host.example\r\n\r\nHello\r\n";
    assert_eq!(mail, format!("{from}{rest}"));
}

#[test]
fn the_header_ends_at_the_first_line_that_is_no_field() {
    assert!(completed(b"Hello\nyou: all\n").ends_with("\r\n\r\nHello\r\nyou: all\r\n"));
    assert!(completed(b"A: b\nHello\n").ends_with("\r\nA: b\r\n\r\nHello\r\n"));
    assert!(completed(b"A: b\n").ends_with("\r\nA: b\r\n\r\n"));
    assert!(completed(b"\nA: b\n").ends_with(">\r\n\r\nA: b\r\n"));
    assert!(completed(b"").ends_with(">\r\n\r\n"));
}

#[test]
fn obsolete_forms_are_read() {
    for (mail, expected) in [
        (
            "Content-type : a/b\n\nHello\n",
            "\r\nContent-type: a/b\r\n\r\nHello\r\n",
        ),
        ("To\t : root\n\n", "\r\nTo: root@host.example\r\n\r\n"),
        ("To :\n root\n\n", "\r\nTo:\r\n root@host.example\r\n\r\n"),
        (
            ">From a Mon Nov 23\nA: b\n\nHello\n",
            ">\r\nA: b\r\n\r\nHello\r\n",
        ),
        (
            "From a\r\n>>>From b\nFrom c\nA: b\n\nHello\n",
            ">\r\nA: b\r\n\r\nHello\r\n",
        ),
        (
            "A: b\n>From a Mon Nov 23\n",
            "\r\nA: b\r\n\r\n>From a Mon Nov 23\r\n",
        ),
        ("A: b", ">\r\nA: b\r\n\r\n"),
        ("A: b\n c", ">\r\nA: b\r\n c\r\n\r\n"),
        ("From a", ">\r\n\r\nFrom a\r\n"),
        ("Hello", ">\r\n\r\nHello\r\n"),
    ] {
        let mail = completed(mail.as_bytes());
        assert!(mail.ends_with(expected), "{mail:?}");
    }
    assert!(
        completed(b"To: \"a\nCc: b\n\n").ends_with("\r\nTo: \"a\r\nCc: b@host.example\r\n\r\n")
    );
    assert_eq!(completed(b"From : c@d\n\n"), "From: c@d\r\n\r\n");
    for mail in [&b"A : b\rBcc: c@d\n\n"[..], b">From a\nA : b\rBcc: c@d\n\n"] {
        assert!(add_missing_fields(mail, &DEFAULTS).is_err());
    }
    assert!(add_missing_fields(b"A: b\nno field\nBcc : c@d\n\n", &DEFAULTS).is_err());
}

#[test]
fn existing_fields_stay() {
    let mail = "Date: x\r\nMessage-ID: <a@b>\r\nFrom: c@d\r\n\r\nHello";
    assert_eq!(completed(mail.as_bytes()), mail);
}

#[test]
fn lines_that_domains_make_too_long_are_folded() {
    let mail = completed(format!("To: {}b\n\n", "a,".repeat(200)).as_bytes());
    let expected = "a@host.example,".repeat(200) + "b@host.example";
    assert!(mail.replace("\r\n ", "").contains(&expected), "{mail}");
    assert!(mail.lines().all(|line| line.len() <= 78), "{mail}");
    let mail = completed(format!("To: {0}b\nTo: c{0}d\n\n", "a@b,".repeat(240)).as_bytes());
    assert!(!has_long_line(mail.as_bytes()), "{mail}");
}

proptest! {
    #[test]
    fn a_complete_message_does_not_change(
        fields in vec(("(To|Cc|From|Subject|Message-ID|Date|X)", "[a-c@<>\"(), \\\\é:;]{1,12}", 1..400_usize), 0..4),
        is_latin_1 in any::<bool>(),
    ) {
        let lines = fields.iter().map(|(name, body, count)| format!("{name}: {}\n", body.repeat(*count)));
        let text = lines.collect::<String>() + "\n";
        let mail = if is_latin_1 { text.chars().map(|c| u8::try_from(c).unwrap()).collect() } else { text.into_bytes() };
        if let Ok(complete) = add_missing_fields(&mail, &DEFAULTS) {
            let again = add_missing_fields(&complete, &DEFAULTS).unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&complete));
        }
    }
}

#[test]
fn defaults_cannot_smuggle_fields() {
    for defaults in [
        SenderDefaults {
            name: Some("a\nBcc: b@example.org"),
            ..DEFAULTS
        },
        SenderDefaults {
            address: "a@example.com\nBcc: b@example.org",
            ..DEFAULTS
        },
    ] {
        let problems = add_missing_fields(b"", &defaults).unwrap_err();
        assert_eq!(problems.iter().next().unwrap().pointer(), "/from");
    }
}
