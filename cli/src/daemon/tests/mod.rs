//! The daemon over real sockets, in this process.

mod merges;
mod streams;

use super::accept::Connections;
use super::bound::Bound;
use super::listener::Sockets;
use super::observer::PickupObserver;
use super::open_files::room;
use super::pages::Pages;
use super::routes::router;
use super::slots::Slots;
use super::state::Daemon;
use crate::args::{Action, ServeArgs, parse};
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

const MESSAGE: &str = r#"{"from": "ann@example.com", "to": "bo@example.org", "text": "Hello"}"#;

struct Server {
    runtime: Runtime,
    connections: Arc<Connections>,
    accepting: JoinHandle<Infallible>,
    address: SocketAddr,
    pickup: TempDir,
}

impl Server {
    fn start(options: &str) -> Self {
        let pickup = tempfile::tempdir().unwrap();
        let args = serve_args(
            &format!("pmtaemailapi -listen 127.0.0.1:0 {options}"),
            &pickup,
        );
        let pickup_directory = args.pickup.open(Arc::new(PickupObserver::default()));
        let pickup_directory = pickup_directory.unwrap();
        let daemon = Daemon::new(
            pmtaemail::tokio::PickupDirectory::new(pickup_directory).unwrap(),
            &args.limits,
            room(8192, args.limits.max_in_flight),
        );
        let router = router(
            Arc::new(daemon),
            Pages::new(args.allow_origin, &args.listen),
            None,
        );
        let connections = Arc::new(Connections::new(
            Slots::new(8192, &args.limits),
            &args.limits,
            router,
        ));
        let runtime = Runtime::new().unwrap();
        let listener = Sockets::open(&args.listen, None, args.limits.body_timeout);
        let listener = runtime.block_on(listener).unwrap();
        let Bound::Tcp { address, .. } = listener.bounds().unwrap().0[0] else {
            panic!("no TCP");
        };
        let accepting = Arc::clone(&connections);
        let accepting = runtime.spawn(async move { accepting.accept(listener).await });
        Self {
            runtime,
            connections,
            accepting,
            address,
            pickup,
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends bytes on a new connection and reads until its end.
    fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        rest(&mut stream)
    }

    fn post(&self, path: &str, body: &str) -> String {
        let length = body.len();
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\
             \r\n{body}"
        ))
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.pickup.path()).unwrap().count()
    }
}

fn serve_args(options: &str, pickup: &TempDir) -> ServeArgs {
    let mut line: Vec<OsString> = options.split_whitespace().map(OsString::from).collect();
    line.extend(["--pickup".into(), pickup.path().into()]);
    match parse(line).unwrap() {
        Action::Serve(args) => *args,
        other => panic!("{other:?}"),
    }
}

fn rest(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    let expected = format!("HTTP/1.1 {status} ");
    assert!(
        answer.starts_with(&expected),
        "{status} is not in: {answer}"
    );
}

#[test]
fn messages_are_submitted() {
    let server = Server::start("");
    let answer = server.post("/messages", MESSAGE);
    assert_status(&answer, 200);
    assert!(answer.contains("content-type: application/json"));
    assert_eq!(server.files(), 1);
    assert_status(&server.post("/messages/check", MESSAGE), 200);
    assert_status(&server.post("/messages/render", MESSAGE), 200);
    assert_eq!(server.files(), 1);
}

#[test]
fn problems_are_reported_with_their_locations() {
    let server = Server::start("");
    for path in ["/messages", "/messages/check", "/messages/render"] {
        let answer = server.post(
            path,
            r#"{"from": "ann@example.com", "to": "bo@example.org", "a b": 1}"#,
        );
        assert_status(&answer, 422);
        assert!(answer.contains("content-type: application/problem+json"));
        assert!(answer.contains("\"pointer\":\"#/a%20b\""), "{answer}");
        assert_status(&server.post(path, "{"), 400);
    }
    assert_eq!(server.files(), 0);
}

#[test]
fn paths_and_methods() {
    let server = Server::start("");
    assert_status(&server.post("/elsewhere", MESSAGE), 404);
    let answer = server.exchange("GET /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_status(&answer, 405);
    assert!(answer.contains("allow: POST\r\n"), "{answer}");
    let answer = server.post("/health", "");
    assert_status(&answer, 405);
    assert!(answer.contains("allow: GET,HEAD\r\n"), "{answer}");
    let answer = server.exchange("HEAD /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_status(&answer, 200);
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn a_request_names_one_host() {
    let server = Server::start("");
    assert_status(&server.exchange("GET /health HTTP/1.1\r\n\r\n"), 400);
    let two = "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    assert_status(&server.exchange(two), 400);
    let old = server.exchange("GET /health HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
}

#[test]
fn bodies_have_a_limit() {
    let server = Server::start("-body-limit 100");
    assert_status(&server.post("/messages", MESSAGE), 200);
    assert_status(&server.post("/messages", &" ".repeat(101)), 413);
    // Answered before any of the body arrived.
    let huge = "POST /messages HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                Content-Length: 1000000000000000000\r\n\r\n";
    assert_status(&server.exchange(huge), 413);
    let mut chunks = String::from(
        "POST /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    chunks.push_str(&format!("20\r\n{}\r\n", " ".repeat(32)).repeat(4));
    chunks.push_str("0\r\n\r\n");
    assert_status(&server.exchange(&chunks), 413);
}

#[test]
fn heads_and_bodies_have_a_time_limit() {
    let server = Server::start("-header-timeout 50ms -body-timeout 50ms");
    assert_status(&server.exchange("POST /messages HTTP/1.1\r\nHo"), 408);
    let slow = "POST /messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{";
    assert_status(&server.exchange(slow), 408);
    // Nothing was begun: the connection ends without an answer.
    assert_eq!(server.exchange(""), "");
}

/// A request whose body has yet to arrive.
fn begin(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    let head = "POST /messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                Expect: 100-continue\r\nContent-Length: ";
    write!(stream, "{head}{}\r\n\r\n", MESSAGE.len()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn a_body_that_waits_takes_no_place_from_one_that_is_there() {
    let server = Server::start("-max-in-flight 1");
    let mut first = begin(&server);
    assert_status(&server.post("/messages", MESSAGE), 200);
    first.write_all(MESSAGE.as_bytes()).unwrap();
    assert_status(&rest(&mut first), 200);
}

#[test]
fn of_too_many_bodies_that_wait_the_oldest_gives_way() {
    let server = Server::start("-max-in-flight 1");
    let mut waiting: Vec<_> = (0..64).map(|_| begin(&server)).collect();
    assert_status(&server.post("/messages", MESSAGE), 200);
    let busy = rest(&mut waiting[0]);
    assert_status(&busy, 503);
    assert!(busy.contains("retry-after: 1\r\n"), "{busy}");
    for stream in &mut waiting[1..] {
        stream.write_all(MESSAGE.as_bytes()).unwrap();
        let answer = rest(stream);
        assert!(!answer.contains("needed its place"), "{answer}");
    }
}

#[test]
fn a_missing_pickup_directory_is_reported() {
    let server = Server::start("");
    let health = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_status(&server.exchange(health), 200);
    std::fs::remove_dir_all(server.pickup.path()).unwrap();
    // A result is valid for a second.
    while server.exchange(health).starts_with("HTTP/1.1 200 ") {}
    assert_status(&server.exchange(health), 503);
    let answer = server.post("/messages", MESSAGE);
    assert_status(&answer, 503);
    assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
    let path = server.pickup.path().to_str().unwrap();
    assert!(!answer.contains(path), "{answer}");
}

#[test]
fn draining_ends_idle_connections() {
    let mut server = Server::start("");
    let mut idle = server.connect();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).unwrap();
    let fresh = server.connect();
    server.runtime.block_on(async {
        server.accepting.abort();
        let _ = (&mut server.accepting).await;
        server.connections.drain().await;
    });
    assert!(rest(&mut idle).ends_with('}'));
    drop(fresh);
}
