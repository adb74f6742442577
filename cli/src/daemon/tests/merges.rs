//! Mail merges whose recipients may be too many for memory.

use super::{Server, assert_status, rest};
use std::io::Write;

/// This many recipients are larger than a body that is kept as it is.
const MANY: usize = 15_001;

fn message() -> String {
    r#""from": "ann@example.com", "template": "merge", "text": "Hello {{ name }}""#.to_owned()
}

fn recipient(number: usize) -> String {
    let name = "x".repeat(50);
    format!(r#"{{"address": "b{number}@example.org", "variables": {{"name": "{name}"}}}}"#)
}

fn recipients(count: usize, separator: &str) -> String {
    let all: Vec<_> = (0..count).map(recipient).collect();
    all.join(separator)
}

/// The same merge in each form.
fn bodies(count: usize) -> [(&'static str, String); 3] {
    let (message, list) = (message(), recipients(count, ","));
    [
        (
            "application/json",
            format!(r#"{{{message}, "recipients": [{list}]}}"#),
        ),
        (
            "application/json",
            format!(r#"{{"recipients": [{list}], {message}}}"#),
        ),
        (
            "application/x-ndjson",
            format!("{{{message}}}\n\n{}", recipients(count, "\n")),
        ),
    ]
}

fn head(path: &str, media_type: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

fn post(server: &Server, path: &str, media_type: &str, body: &str) -> String {
    server.exchange(&(head(path, media_type, body.len()) + body))
}

/// The body of an answer.
fn body(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    if !head.contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut whole, mut left) = (String::new(), body);
    while let Some((size, next)) = left.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole += &next[..size];
        left = &next[size + 2..];
    }
    whole
}

#[test]
fn merges_are_submitted() {
    let server = Server::start("-body-limit 1MB -max-octets-in-flight 3MB");
    for count in [1, 3, MANY] {
        for (media_type, bytes) in bodies(count) {
            let before = server.files();
            let answer = post(&server, "/messages", media_type, &bytes);
            assert_status(&answer, 200);
            let receipt: serde_json::Value = serde_json::from_str(&body(&answer)).unwrap();
            assert_eq!(receipt["recipients"], count);
            assert_eq!(receipt["envids"].as_array().unwrap().len(), count);
            assert_eq!(server.files() - before, count.div_ceil(5_000));
            assert_eq!(
                receipt["files"].as_array().unwrap().len(),
                count.div_ceil(5_000)
            );
        }
    }
}

#[test]
fn merges_are_checked_and_rendered() {
    let server = Server::start("");
    for count in [3, MANY] {
        for (media_type, bytes) in bodies(count) {
            assert_status(&post(&server, "/messages/check", media_type, &bytes), 200);
            let answer = post(&server, "/messages/render", media_type, &bytes);
            assert_status(&answer, 200);
            assert!(answer.contains("To: b0@example.org\r\n"), "{answer}");
            for path in ["/messages", "/messages/check", "/messages/render"] {
                let wrong = bytes.replacen("b2@example", "b2@@example", 1);
                let answer = post(&server, path, media_type, &wrong);
                assert_status(&answer, 422);
                assert!(answer.contains(r##""#/recipients/2/address""##), "{answer}");
            }
        }
    }
    assert_eq!(server.files(), 0);
}

#[test]
fn a_form_may_be_a_merge() {
    let server = Server::start("");
    let (_, json) = &bodies(3)[0];
    let part = "--b\r\nContent-Disposition: form-data; name=message\r\n\r\n";
    let form = format!("{part}{json}\r\n--b--\r\n");
    let answer = post(
        &server,
        "/messages",
        "multipart/form-data; boundary=b",
        &form,
    );
    assert_status(&answer, 200);
    assert!(answer.contains(r#""recipients":3,"#), "{answer}");
}

#[test]
fn json_that_is_large_and_no_merge_is_one_message() {
    let server = Server::start("");
    let text = "x".repeat(2 << 20);
    let addresses = r#""from": "ann@example.com", "to": "bo@example.org""#;
    let answer = server.post(
        "/messages",
        &format!(r#"{{{addresses}, "text": "{text}"}}"#),
    );
    assert_status(&answer, 200);
    assert!(answer.contains(r#""recipients":1,"#) && !answer.contains("envids"));
    assert_eq!(server.files(), 1);
    assert_status(&server.post("/messages", &"[".repeat(2 << 20)), 400);
}

#[test]
fn the_message_and_the_merge_have_limits() {
    let server = Server::start("-body-limit 1000 -merge-limit 2000000");
    for (media_type, bytes) in bodies(MANY) {
        assert_status(&post(&server, "/messages", media_type, &bytes), 200);
        // The message itself is too large, wherever its fields are.
        let answer = post(
            &server,
            "/messages",
            media_type,
            &bytes.replace("Hello", &"Hello".repeat(200)),
        );
        assert_status(&answer, 413);
        assert!(answer.contains("not counting its `recipients`"), "{answer}");
        // All of it is.
        let head = head("/messages", media_type, 2_000_001);
        let head = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
        assert_status(&server.exchange(&head), 413);
    }
    let lines = format!("{{{}}}\n", message()) + &(recipient(0) + "\n").repeat(30_000);
    let chunks = "POST /messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/jsonl\r\n\
                  Transfer-Encoding: chunked\r\n\r\n";
    let answer = server.exchange(&format!(
        "{chunks}{:x}\r\n{lines}\r\n0\r\n\r\n",
        lines.len()
    ));
    assert_status(&answer, 413);
}

#[test]
fn a_merge_that_drips_is_ended() {
    let server = Server::start("-body-timeout 300ms");
    let (media_type, bytes) = &bodies(MANY)[1];
    let mut stream = server.connect();
    let head = head("/messages", media_type, bytes.len());
    // More than what is given its own time.
    let first = &bytes.as_bytes()[..(1 << 20) + 100];
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first).unwrap();
    assert_status(&rest(&mut stream), 408);
}

#[test]
fn recipients_wait_where_the_pickup_directory_is() {
    let server = Server::start("");
    std::fs::remove_dir_all(server.pickup.path()).unwrap();
    for (media_type, bytes) in bodies(MANY) {
        let answer = post(&server, "/messages", media_type, &bytes);
        assert_status(&answer, 503);
        assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
    }
}
