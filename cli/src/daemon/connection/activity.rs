//! Time limits of an HTTP/2 connection, which hyper does not have.
//!
//! Each stream of a connection goes through two states:
//!
//! ```text
//! at work   Its request is received and handled. Handlers have their own time limits.
//!           So have those that answer while the request comes, as long as the client takes what there is.
//! sending   The body of its response waits for the client to take it. HTTP/2's flow control is the
//!           client's (RFC 9113 section 5.2): it may let one response wait for ever, and the socket's
//!           time limit does not see that. The last [`STEP`] of it is h2's, and no longer seen here.
//! ```

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How much of a response is sent at a time: progress is seen in steps of this size.
const STEP: usize = 16 << 10;

/// The activity on one connection.
#[derive(Debug)]
pub struct Activity {
    streams: Mutex<Streams>,
}

#[derive(Debug)]
struct Streams {
    at_work: usize,
    /// A stream has begun, one of these or another.
    has_begun: bool,
    /// When the client last took a step of each response; absent while there is no step to take.
    sending: HashMap<u64, Option<Instant>>,
    next: u64,
    /// When a stream last began to be sent or ended, or the connection began.
    changed: Instant,
}

impl Activity {
    /// A connection that begins now.
    pub fn start() -> Arc<Self> {
        Arc::new(Self {
            streams: Mutex::new(Streams::none(Instant::now())),
        })
    }

    /// Waits until a response has made no progress for `write`, or there have been no streams for
    /// `idle`.
    pub async fn overdue(&self, idle: Duration, write: Duration) {
        loop {
            let now = Instant::now();
            let limit = self.streams().limit(now, idle, write);
            if limit <= now {
                return;
            }
            // Activity until then may bring another limit nearer.
            sleep_until(limit.min(now + idle.min(write))).await;
        }
    }

    /// Whether it has no streams. The first one has time while the connection `is_young`.
    pub fn is_idle(&self, is_young: bool) -> bool {
        let streams = self.streams();
        (streams.has_begun || !is_young) && streams.at_work == 0 && streams.sending.is_empty()
    }

    /// Restarts the time without streams.
    pub fn touch(&self) {
        self.streams().changed = Instant::now();
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().expect("nothing panics with the lock")
    }
}

impl Streams {
    fn none(now: Instant) -> Self {
        Self {
            at_work: 0,
            has_begun: false,
            sending: HashMap::new(),
            next: 0,
            changed: now,
        }
    }

    fn send(&mut self, now: Instant) -> u64 {
        let id = self.next;
        self.next += 1;
        self.sending.insert(id, Some(now));
        id
    }

    fn progress(&mut self, id: u64, now: Instant) {
        self.sending.insert(id, Some(now));
    }

    /// The client has taken everything that exists of a response whose handler is still running.
    fn wait(&mut self, id: u64) {
        self.sending.insert(id, None);
    }

    fn sent(&mut self, id: u64, now: Instant) {
        self.sending.remove(&id);
        self.changed = now;
    }

    fn worked(&mut self, now: Instant) {
        self.at_work -= 1;
        self.changed = now;
    }

    /// When a time limit is over if nothing happens until then.
    fn limit(&self, now: Instant, idle: Duration, write: Duration) -> Instant {
        match self.sending.values().flatten().min() {
            Some(oldest) => *oldest + write,
            None if self.at_work > 0 || !self.sending.is_empty() => now + idle,
            None => self.changed + idle,
        }
    }
}

/// A stream whose request is in progress, as long as this lives.
#[derive(Debug)]
pub struct AtWork(Arc<Activity>);

impl AtWork {
    pub fn start(activity: &Arc<Activity>) -> Self {
        let mut streams = activity.streams();
        streams.at_work += 1;
        streams.has_begun = true;
        drop(streams);
        Self(Arc::clone(activity))
    }

    /// The stream is sending from now on.
    pub fn sending(self, body: Body) -> SentBody {
        let id = self.0.streams().send(Instant::now());
        SentBody {
            body,
            rest: Bytes::new(),
            id,
            activity: Arc::clone(&self.0),
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.streams().worked(Instant::now());
    }
}

/// The body of a response, which records each step that the client takes.
#[derive(Debug)]
pub struct SentBody {
    body: Body,
    /// The rest of a piece of it.
    rest: Bytes,
    id: u64,
    activity: Arc<Activity>,
}

impl HttpBody for SentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        this.activity.streams().progress(this.id, Instant::now());
        if this.rest.is_empty() {
            match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Poll::Ready(ended) => return Poll::Ready(ended),
                Poll::Pending => {
                    this.activity.streams().wait(this.id);
                    return Poll::Pending;
                }
            }
        }
        let step = this.rest.split_to(this.rest.len().min(STEP));
        Poll::Ready(Some(Ok(Frame::data(step))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}

impl Drop for SentBody {
    fn drop(&mut self) {
        self.activity.streams().sent(self.id, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    const IDLE: Duration = Duration::from_secs(10);
    const WRITE: Duration = Duration::from_secs(30);

    /// Counts seconds.
    struct Clock(Instant);

    impl Clock {
        fn at(&self, seconds: u64) -> Instant {
            self.0 + Duration::from_secs(seconds)
        }

        /// When the next time limit is over, if it is `now`.
        fn limit(&self, streams: &Streams, now: u64) -> u64 {
            let limit = streams.limit(self.at(now), IDLE, WRITE);
            limit.duration_since(self.0).as_secs()
        }
    }

    #[test]
    fn connections_may_be_idle_but_not_long() {
        let clock = Clock(Instant::now());
        let mut streams = Streams::none(clock.at(0));
        assert_eq!(clock.limit(&streams, 3), 10);
        // A request in progress has its time.
        streams.at_work += 1;
        assert_eq!(clock.limit(&streams, 60), 70);
        streams.worked(clock.at(60));
        assert_eq!(clock.limit(&streams, 61), 70);
    }

    #[test]
    fn responses_must_be_taken() {
        let clock = Clock(Instant::now());
        let mut streams = Streams::none(clock.at(0));
        let stalled = streams.send(clock.at(0));
        assert_eq!(clock.limit(&streams, 3), 30);
        streams.progress(stalled, clock.at(20));
        // Nothing that happens to others helps.
        let other = streams.send(clock.at(25));
        streams.progress(other, clock.at(35));
        streams.at_work += 1;
        assert_eq!(clock.limit(&streams, 36), 50);
        streams.sent(stalled, clock.at(40));
        assert_eq!(clock.limit(&streams, 41), 65);
        streams.sent(other, clock.at(45));
        streams.worked(clock.at(46));
        assert_eq!(clock.limit(&streams, 47), 56);
        // One of which there is nothing to take waits for its handler.
        let waiting = streams.send(clock.at(50));
        streams.wait(waiting);
        assert_eq!(clock.limit(&streams, 90), 100);
        streams.progress(waiting, clock.at(95));
        assert_eq!(clock.limit(&streams, 100), 125);
    }

    #[tokio::test]
    async fn a_body_stays_the_same() {
        let whole: Bytes = (0..=250).cycle().take(3 * STEP + 1).collect();
        let mut sent = AtWork::start(&Activity::start()).sending(Body::from(whole.clone()));
        let mut received = Vec::new();
        while !sent.is_end_stream() {
            let left = (whole.len() - received.len()) as u64;
            assert_eq!(sent.size_hint().exact(), Some(left));
            let data = sent.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(data.len() <= STEP);
            received.extend_from_slice(&data);
        }
        assert_eq!(received, whole);
        assert!(sent.frame().await.is_none());
    }
}
