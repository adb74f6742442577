//! The response to a batch, as fast as the client takes it.

use super::super::error::ApiError;
use super::results::result_pieces;
use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::Frame;
use pmtaemail::{Position, Receipt};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Results are sent when there are this many bytes, or when there are no more for the moment.
const PIECE: usize = 64 << 10;

/// The side that has results.
pub struct Output {
    /// Notified when the response starts, or why there is none.
    begins: Option<oneshot::Sender<Result<(), ApiError>>>,
    pieces: mpsc::Sender<Piece>,
    waiting: Vec<u8>,
    /// How long the client may leave a piece unread.
    limit: Duration,
}

/// The client no longer reads results.
#[derive(Debug)]
pub struct Gone;

enum Piece {
    Results(Bytes),
    /// The end of the results: a response without it is incomplete.
    End,
}

/// An answer: when it begins, what it holds, and who writes it.
pub fn channel(limit: Duration) -> (Output, oneshot::Receiver<Result<(), ApiError>>, ResultsBody) {
    let (begins, begun) = oneshot::channel();
    // One waits while the one before it is sent.
    let (sender, receiver) = mpsc::channel(1);
    let output = Output {
        begins: Some(begins),
        pieces: sender,
        waiting: Vec::new(),
        limit,
    };
    let body = ResultsBody {
        pieces: receiver,
        has_ended: false,
    };
    (output, begun, body)
}

impl Output {
    /// Writes the result of one message.
    pub async fn write(
        &mut self,
        position: Position,
        result: Result<Receipt, ApiError>,
    ) -> Result<(), Gone> {
        for piece in result_pieces(position, result) {
            self.waiting.extend_from_slice(&piece);
            if self.waiting.len() >= PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Sends what was written.
    pub async fn flush(&mut self) -> Result<(), Gone> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let results = std::mem::take(&mut self.waiting);
        self.send(Piece::Results(results.into())).await
    }

    /// There are no more results.
    pub async fn end(mut self) -> Result<(), Gone> {
        self.flush().await?;
        self.send(Piece::End).await
    }

    /// Whether the answer has not begun.
    pub fn is_unbegun(&self) -> bool {
        self.begins.is_some() && self.waiting.is_empty()
    }

    /// Responds with nothing but this.
    pub fn refuse(mut self, error: ApiError) {
        if let Some(begins) = self.begins.take() {
            // A client that has disconnected does not wait for it.
            let _ = begins.send(Err(error));
        }
    }

    /// From now on the client may leave a piece unread for this long at most.
    pub fn hurry(&mut self, limit: Duration) {
        self.limit = self.limit.min(limit);
    }

    /// Resolves when the client no longer reads results.
    pub async fn gone(&self) {
        self.pieces.closed().await;
    }

    async fn send(&mut self, piece: Piece) -> Result<(), Gone> {
        if let Some(begins) = self.begins.take() {
            begins.send(Ok(())).map_err(|_| Gone)?;
        }
        match timeout(self.limit, self.pieces.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

/// The body of the answer.
pub struct ResultsBody {
    pieces: mpsc::Receiver<Piece>,
    has_ended: bool,
}

impl HttpBody for ResultsBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(context));
        Poll::Ready(match piece {
            Some(Piece::Results(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => {
                self.has_ended = true;
                None
            }
            None => {
                self.has_ended = true;
                Some(Err(io::Error::other("not all results could be sent")))
            }
        })
    }
}
