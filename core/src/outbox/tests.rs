use super::*;
use crate::Submission;
use std::time::SystemTime;

fn pickup_file(json: &str) -> Vec<u8> {
    let submission = Submission::from_json(json.as_bytes()).unwrap();
    let [file] = submission.files() else {
        panic!("{} files", submission.files().len());
    };
    file.chunks().concat()
}

fn mail(file: &[u8], recipient: usize) -> Mail {
    let file = OutboxFile::read(file).unwrap();
    let received = SystemTime::UNIX_EPOCH;
    Mail::read(&file.mail(recipient, received).unwrap()).unwrap()
}

#[test]
fn the_envelope_says_all_that_the_file_says() {
    let file = pickup_file(
        r#"{"from": "a@example.com", "to": "b@example.org", "bcc": "c@example.org", "job": "spring", "vmta": "m1",
            "envid": "e+=1", "verp": true, "dsn": {"notify": ["failure"], "ret": "headers"}}"#,
    );
    let file = OutboxFile::read(&file).unwrap();
    let envelope = serde_json::to_value(file.envelope(1).unwrap()).unwrap();
    let expected = serde_json::json!({
        "from": "a@example.com", "to": "c@example.org", "job": "spring", "vmta": "m1", "envid": "e+=1",
        "verp": true, "notify": "FAILURE", "ret": "HDRS", "orcpt": "rfc822;c@example.org"
    });
    assert_eq!(envelope, expected);
    assert!(file.envelope(2).is_none() && file.mail(2, SystemTime::UNIX_EPOCH).is_err());
}

#[test]
fn each_recipient_of_a_merge_has_a_message_and_an_envelope() {
    let file = pickup_file(
        r#"{"from": "a@example.com", "subject": "{{ name }}!", "template": "merge", "merge": "native",
            "text": ".{{ name }}", "job": "j",
            "recipients": [{"name": "Ann", "address": "ann@example.org", "variables": {"name": "Ann"}, "priority": 7},
                           {"address": "bo@example.org", "variables": {"name": "B\u00f8 [x]"}, "envid": "his"}]}"#,
    );
    let read = OutboxFile::read(&file).unwrap();
    assert!(read.is_merge());
    let ann = read.envelope(0).unwrap();
    assert_eq!(
        (&*ann.to, ann.job.as_deref(), ann.priority.as_deref()),
        ("ann@example.org", Some("j"), Some("7"))
    );
    assert_eq!(read.envelope(1).unwrap().envid.as_deref(), Some("his"));
    let bo = mail(&file, 1);
    assert_eq!(bo.header("SUBJECT"), Some("Bø [x]!"));
    assert_eq!(bo.header("Date"), Some("Thu, 1 Jan 1970 00:00:00 +0000"));
    assert_eq!(bo.text().as_deref(), Some(".Bø [x]"));
    assert_eq!(mail(&file, 0).mailboxes("to")[0].name, "Ann");
}

#[test]
fn bodies_and_attachments_are_told_apart() {
    let mail = mail(
        &pickup_file(
            r#"{"from": "a@example.com", "to": "b@example.org", "text": "T\nT", "html": "<img src=cid:logo>",
                "amp": "<!doctype html><html \u26a1\u0034email><head></head><body></body></html>",
                "attachments": [{"filename": "\u00fc.txt", "content": "Zm9v", "contentType": "text/plain"},
                                {"filename": "l.png", "content": "aGk=", "cid": "logo"},
                                {"content": "U3ViamVjdDogeA0KDQp4DQo=", "contentType": "message/rfc822"}]}"#,
        ),
        0,
    );
    assert_eq!(mail.text().as_deref(), Some("T\nT"));
    assert_eq!(mail.html().as_deref(), Some("<img src=cid:logo>"));
    assert!(mail.amp().unwrap().starts_with("<!doctype html>"));
    let found: Vec<_> = mail
        .attachments()
        .map(|part| {
            (
                part.filename.as_deref(),
                part.content_id.as_deref(),
                part.content.as_slice(),
            )
        })
        .collect();
    let logo: &[u8] = b"hi";
    assert!(found.contains(&(Some("ü.txt"), None, b"foo")), "{found:?}");
    assert!(
        found.contains(&(Some("l.png"), Some("logo"), logo)),
        "{found:?}"
    );
    assert!(
        found.contains(&(None, None, b"Subject: x\r\n\r\nx\r\n")),
        "{found:?}"
    );
    assert_eq!(found.len(), 3);
    let numbers: Vec<_> = mail.root.walk().map(|part| part.number).collect();
    assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>());
    assert!(numbers.iter().all(|number| mail.part(*number).is_some()));
}

#[test]
fn too_deeply_nested_parts_are_not_parsed() {
    const MULTIPART: &str = "Content-Type: multipart/mixed; boundary={}\r\n\r\n--{}\r\n";

    let enclosed = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    assert_eq!(Mail::read(enclosed.as_bytes()), None);
    let folded = "Content-Type:\r\n message/rfc822\r\n\r\n".repeat(100_000);
    assert_eq!(Mail::read(folded.as_bytes()), None);

    let mut multiparts = String::new();
    for number in 0..20_000 {
        let boundary = number.to_string();
        multiparts += &MULTIPART.replace("{}", &boundary);
    }
    let mail = Mail::read(multiparts.as_bytes()).unwrap();
    assert!(mail.root.walk().count() < 100);

    let parameters = format!(
        "Content-Type: text/plain{}\r\n\r\n",
        ";\r\n a*1=b".repeat(100_000)
    );
    assert_eq!(Mail::read(parameters.as_bytes()), None);
    // What is no such field may be long.
    let subject = format!("Subject: x{}\r\n\r\n", "\r\n message".repeat(100_000));
    assert!(Mail::read(subject.as_bytes()).is_some());

    let line = |number: usize| format!("XDFN a{number}=\"\"\r\n");
    let variables = (0..2_000).map(line).collect::<Vec<_>>().concat();
    let file = format!(
        "XMRG FROM:<>\r\n{variables}RCPT TO:<b@example.org>\r\nXPRT 1 LAST\r\nA: b\r\n\r\n.\r\n"
    );
    assert_eq!(OutboxFile::read(file.as_bytes()).unwrap_err().line(), 1_002);
}

#[test]
fn other_files_are_refused_with_the_line() {
    for (file, line) in [
        ("", 1),
        ("Subject: x\r\n\r\n", 1),
        ("x-sender: a@example.com\r\nSubject: x\r\n\r\n", 2),
        ("MAIL FROM:<a@example.com> SIZE=1\r\n", 1),
        ("MAIL FROM:a\r\n", 1),
        ("MAIL FROM:<>\r\nDATA\r\nx\r\n.\r\n", 2),
        (
            "MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n",
            5,
        ),
        (
            "MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
            6,
        ),
        ("XMRG FROM:<>\r\nXDFN a=\"b\r\n", 2),
        ("XMRG FROM:<>\r\nXDFN a=b A=c\r\n", 2),
        ("XMRG FROM:<>\r\nXDFN a=b\r\nXPRT 1 LAST\r\n", 3),
        (
            "XMRG FROM:<>\r\nRCPT TO:<b@example.org>\r\nXPRT 2 LAST\r\n",
            3,
        ),
    ] {
        assert_eq!(
            OutboxFile::read(file.as_bytes()).unwrap_err().line(),
            line,
            "{file:?}"
        );
    }
    let file = "XMRG FROM:<>\r\nXDFN *parts=2\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\n\
                XPRT 1 LAST\r\nA: b\r\nA: [*priority]\r\n.\r\n";
    let read = OutboxFile::read(file.as_bytes()).unwrap();
    assert_eq!(read.mail(0, SystemTime::UNIX_EPOCH).unwrap_err().line(), 6);
    assert_eq!(read.mail(1, SystemTime::UNIX_EPOCH).unwrap_err().line(), 7);
}

#[test]
fn a_message_with_very_many_parts_is_not_parsed() {
    let mail = |parts: usize| {
        let parts = "--x\r\n\r\n\r\n".repeat(parts);
        let head = "Content-Type: multipart/mixed; boundary=x\r\n\r\n";
        Mail::read([head, &parts, "--x--\r\n"].concat().as_bytes())
    };
    assert_eq!(mail(20_000).unwrap().root.parts.len(), 20_000);
    assert!(mail(25_001).is_none());
}
