//! Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection.
//!
//! A client that knows beforehand that it speaks with an HTTP/2 server begins with 24 fixed bytes (RFC 9113 section
//! 3.4), with which no request of HTTP/1.1 begins:
//!
//! ```text
//! PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n      HTTP/2
//! POST /messages HTTP/1.1\r\n…          HTTP/1.1, which the second byte tells
//! ```
//!
//! hyper-util's `server::conn::auto` does the same, but has no time limit for these bytes, and gives
//! back neither them nor the stream when a connection ends, which the 408 response needs.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream whose first bytes have already been read. They will be read again.
#[derive(Debug)]
pub struct Peeked<S> {
    stream: S,
    first: [u8; PREFACE.len()],
    /// How many bytes of `first` were read from the stream.
    filled: usize,
    /// How many of them were read again.
    taken: usize,
}

impl<S> Peeked<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            first: [0; PREFACE.len()],
            filled: 0,
            taken: 0,
        }
    }

    /// Whether the client has not sent anything yet.
    pub fn is_silent(&self) -> bool {
        self.filled == 0
    }

    fn unread(&self) -> &[u8] {
        self.first
            .get(self.taken..self.filled)
            .expect("no more bytes are taken than filled, and no more filled than there are")
    }
}

impl<S: AsyncRead + Unpin> Peeked<S> {
    /// Reads until the protocol is known or the stream ends, and returns whether it is HTTP/2. Cancel
    /// safe: what was read stays.
    pub async fn is_http2(&mut self) -> io::Result<bool> {
        loop {
            let (first, rest) = self.first.split_at_mut(self.filled);
            if !PREFACE.starts_with(first) {
                return Ok(false);
            }
            if rest.is_empty() {
                return Ok(true);
            }
            match self.stream.read(rest).await? {
                0 => return Ok(false),
                count => self.filled += count,
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Peeked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let unread = self.unread();
        if unread.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = unread.len().min(buffer.remaining());
        buffer.put_slice(unread.split_at(count).0);
        self.taken += count;
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // Everything else that has arrived too: hyper doubles its buffer when it has to read again.
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Peeked<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn the_first_bytes_tell_and_stay() {
        let more = [&PREFACE[..], b"more"].concat();
        for (sent, is_http2) in [
            (&b""[..], false),
            (b"P", false),
            (b"POST / HTTP/1.1", false),
            (b"PRI * HTTP/1.1\r\n\r\n0123456789", false),
            (&PREFACE[..23], false),
            (PREFACE, true),
            (&more, true),
        ] {
            // One byte at a time, and all at once.
            for capacity in [1, 64] {
                let (mut client, server) = tokio::io::duplex(capacity);
                let mut peeked = Peeked::new(server);
                let send = async {
                    client.write_all(sent).await.unwrap();
                    client.shutdown().await.unwrap();
                };
                let receive = async {
                    assert_eq!(peeked.is_http2().await.unwrap(), is_http2);
                    assert_eq!(peeked.is_silent(), sent.is_empty());
                    let mut received = Vec::new();
                    peeked.read_to_end(&mut received).await.unwrap();
                    assert_eq!(received, sent);
                };
                tokio::join!(send, receive);
            }
        }
    }
}
