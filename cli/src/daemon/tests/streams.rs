//! Requests over other streams than TCP, in HTTP/1.1 and HTTP/2: the daemon sees no difference.

use super::{MESSAGE, serve_args};
use crate::daemon::accept::Connections;
use crate::daemon::client::Peer;
use crate::daemon::listener::Listener;
use crate::daemon::observer::PickupObserver;
use crate::daemon::open_files::room;
use crate::daemon::pages::Pages;
use crate::daemon::routes::router;
use crate::daemon::slots::Slots;
use crate::daemon::state::Daemon;
use axum::Extension;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use bytes::Bytes;
use h2::client::SendRequest;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Accepts connections that are made within this process.
struct Inside<S>(mpsc::UnboundedReceiver<(S, Peer)>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Listener for Inside<S> {
    type Stream = S;

    async fn accept(&mut self) -> io::Result<(S, Peer)> {
        match self.0.recv().await {
            Some(accepted) => Ok(accepted),
            None => pending().await,
        }
    }
}

struct Server<S> {
    /// Ends the requests to `/stuck`.
    release: watch::Sender<bool>,
    connect: mpsc::UnboundedSender<(S, Peer)>,
    pickup: TempDir,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Server<S> {
    /// A daemon that answers `/peer` with the client that it sees, and `/large` with a large body. `/stuck` does not
    /// answer until it is released.
    fn start(options: &str) -> Self {
        let pickup = tempfile::tempdir().unwrap();
        let args = serve_args(&format!("pmtaemailapi {options}"), &pickup);
        let pickup_directory = args.pickup.open(Arc::new(PickupObserver::default()));
        let daemon = Daemon::new(
            pmtaemail::tokio::PickupDirectory::new(pickup_directory.unwrap()).unwrap(),
            &args.limits,
            room(8192, args.limits.max_in_flight),
        );
        let peer = get(async |Extension(peer): Extension<Peer>| peer.to_string());
        let large = get(async || "x".repeat(100_000));
        let router = router(
            Arc::new(daemon),
            Pages::new(args.allow_origin, &args.listen),
            None,
        );
        let (release, released) = watch::channel(false);
        let stuck = get(async move || {
            released
                .clone()
                .wait_for(|released| *released)
                .await
                .unwrap();
        });
        let router = router
            .route("/peer", peer)
            .route("/large", large)
            .route("/stuck", stuck);
        let connections = Connections::new(Slots::new(8, &args.limits), &args.limits, router);
        let (connect, accepted) = mpsc::unbounded_channel();
        tokio::spawn(async move { connections.accept(Inside(accepted)).await });
        Self {
            release,
            connect,
            pickup,
        }
    }

    fn connect(&self, stream: S, address: Option<SocketAddr>) {
        self.connect.send((stream, Peer { address })).unwrap();
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.pickup.path()).unwrap().count()
    }
}

async fn http1(client: impl AsyncRead + AsyncWrite) -> String {
    let length = MESSAGE.len();
    let requests = format!(
        "POST /messages HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{MESSAGE}\
         GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    );
    let mut responses = String::new();
    let (mut read, mut write) = split(client);
    let (sent, received) = tokio::join!(
        write.write_all(requests.as_bytes()),
        read.read_to_string(&mut responses)
    );
    sent.and(received).unwrap();
    assert_eq!(responses.matches("HTTP/1.1 200 OK\r\n").count(), 2);
    let (_, peer) = responses.rsplit_once("\r\n\r\n").unwrap();
    peer.to_owned()
}

async fn http2(client: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> String {
    let (mut client, connection) = h2::client::handshake(client).await.unwrap();
    let connection = tokio::spawn(connection);
    // Both at once.
    let submit = exchange(&mut client, Method::POST, "/messages", MESSAGE).await;
    let peer = exchange(&mut client, Method::GET, "/peer", "").await;
    assert_eq!(submit.await.0, StatusCode::OK);
    let (status, peer) = peer.await;
    assert_eq!(status, StatusCode::OK);
    drop(client);
    connection.await.unwrap().unwrap();
    peer
}

/// Sends a request in HTTP/2, and then waits for its response.
async fn exchange(
    client: &mut SendRequest<Bytes>,
    method: Method,
    path: &str,
    body: &'static str,
) -> impl Future<Output = (StatusCode, String)> + use<> {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://a{path}"))
        .body(())
        .unwrap();
    poll_fn(|context| client.poll_ready(context)).await.unwrap();
    let (response, mut stream) = client.send_request(request, body.is_empty()).unwrap();
    if !body.is_empty() {
        stream
            .send_data(Bytes::from_static(body.as_bytes()), true)
            .unwrap();
    }
    async {
        let response = response.await.unwrap();
        let status = response.status();
        let mut body = response.into_body();
        let mut text = String::new();
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            text += str::from_utf8(&data).unwrap();
        }
        (status, text)
    }
}

#[tokio::test]
async fn both_protocols_work_in_memory() {
    let server = Server::start("");
    let address = Some("192.0.2.1:5000".parse().unwrap());
    // A buffer this small splits the HTTP/2 preface.
    for capacity in [7, 4096] {
        let (client, end) = duplex(capacity);
        server.connect(end, address);
        assert_eq!(http1(client).await, "192.0.2.1:5000");
        let (client, end) = duplex(capacity);
        server.connect(end, address);
        assert_eq!(http2(client).await, "192.0.2.1:5000");
    }
    assert_eq!(server.files(), 4);
}

#[tokio::test]
async fn both_protocols_work_over_a_unix_socket() {
    let server = Server::start("");
    let (client, end) = UnixStream::pair().unwrap();
    server.connect(end, None);
    assert_eq!(http1(client).await, "local");
    let (client, end) = UnixStream::pair().unwrap();
    server.connect(end, None);
    assert_eq!(http2(client).await, "local");
    assert_eq!(server.files(), 2);
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let server = Server::start("");
    let (client, end) = duplex(4096);
    server.connect(end, None);
    let (mut client, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(connection);
    // The client knows how many streams it may have once it has seen an answer.
    let first = exchange(&mut client, Method::GET, "/health", "").await;
    assert_eq!(first.await.0, StatusCode::OK);
    let mut responses = Vec::new();
    for _ in 0..300 {
        let response = exchange(&mut client, Method::POST, "/messages", MESSAGE).await;
        responses.push(tokio::spawn(response));
    }
    for response in responses {
        assert_eq!(response.await.unwrap().0, StatusCode::OK);
    }
    assert_eq!(server.files(), 300);
}

/// A stream that is reset gives up its place among the client's streams, but its request goes on: a
/// client must not have more and more of them.
#[tokio::test]
async fn requests_count_until_they_are_done() {
    let server = Server::start("");
    let (client, end) = duplex(4096);
    server.connect(end, None);
    let (mut client, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(connection);
    let first = exchange(&mut client, Method::GET, "/health", "").await;
    assert_eq!(first.await.0, StatusCode::OK);
    // The daemon answers them in their order, so that each of them is in progress.
    let request = || Request::get("http://a/stuck").body(()).unwrap();
    for _ in 0..100 {
        poll_fn(|context| client.poll_ready(context)).await.unwrap();
        let (response, mut stream) = client.send_request(request(), true).unwrap();
        assert!(timeout(Duration::from_millis(5), response).await.is_err());
        stream.send_reset(h2::Reason::CANCEL);
    }
    let mut health = pin!(exchange(&mut client, Method::GET, "/health", "").await);
    let waiting = timeout(Duration::from_millis(200), &mut health).await;
    assert!(waiting.is_err(), "more requests than there may be");
    server.release.send(true).unwrap();
    assert_eq!(health.await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_head_of_an_http2_request_has_a_limit() {
    let server = Server::start("");
    let (client, end) = duplex(4096);
    server.connect(end, None);
    let (mut client, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(connection);
    for (length, status) in [(60_000, StatusCode::OK), (70_000, 431.try_into().unwrap())] {
        let request = Request::get("http://a/health").header("x", "x".repeat(length));
        let request = request.body(()).unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        assert_eq!(response.await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn an_http2_request_names_one_host() {
    let server = Server::start("");
    let (client, end) = duplex(4096);
    server.connect(end, None);
    let (mut client, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(connection);
    for (hosts, status) in [
        (&[][..], StatusCode::OK),
        (&["A"], StatusCode::OK),
        (&["b"], StatusCode::BAD_REQUEST),
        (&["a", "a"], StatusCode::BAD_REQUEST),
    ] {
        let mut request = Request::get("http://a/health");
        for host in hosts {
            request = request.header("host", *host);
        }
        let (response, _) = client
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        assert_eq!(response.await.unwrap().status(), status, "{hosts:?}");
    }
}

/// A client that neither sends a request nor answers is disconnected, however it began.
#[tokio::test]
async fn silent_clients_are_let_go() {
    let server = Server::start("-header-timeout 30ms -body-timeout 30ms");
    for (sent, response) in [
        ("", ""),
        ("P", "HTTP/1.1 408 "),
        ("PRI * HTTP/2.0\r\n", "HTTP/1.1 408 "),
        ("POST / HTTP/1.1\r\n", "HTTP/1.1 408 "),
        // The server's settings come first, in a frame of this length.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0"),
    ] {
        let (mut client, end) = duplex(4096);
        server.connect(end, None);
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert!(received.starts_with(response.as_bytes()), "{sent}");
        assert_eq!(received.is_empty(), response.is_empty(), "{sent}");
    }
}

/// An HTTP/2 response that the client does not read ends its connection: flow control could hold it for ever.
#[tokio::test]
async fn responses_in_http2_must_be_taken() {
    let server = Server::start("-header-timeout 60s -body-timeout 100ms");
    let (client, end) = duplex(4096);
    server.connect(end, None);
    let handshake = h2::client::Builder::new()
        .initial_window_size(10)
        .handshake(client);
    let (mut client, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    let taken = exchange(&mut client, Method::GET, "/health", "").await;
    let request = Request::get("http://a/large").body(()).unwrap();
    let (untaken, _) = client.send_request(request, true).unwrap();
    assert_eq!(taken.await.0, StatusCode::OK);
    let mut body = untaken.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap().len(), 10);
    // Nothing more arrives, and the connection is closed.
    let rest = timeout(Duration::from_secs(30), body.data()).await;
    let rest = rest.expect("the connection was not closed");
    assert!(rest.unwrap().is_err());
    drop(client);
    connection.await.unwrap().ok();
}
