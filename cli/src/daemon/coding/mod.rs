//! Content codings (RFC 9110 section 8.4): compressed bodies, decoded as they arrive.
//!
//! ```text
//! Content-Encoding: deflate, gzip       the last one was applied last
//!
//! Body → gzip → deflate → bytes
//! ```
//!
//! Each step yields some ten kilobytes at a time and waits until they are taken, so that a few bytes that expand to
//! very many cost no more memory than others. A stream that ends too early, or is followed by more bytes, is an error:
//! something is lost, or something is hidden.

mod deflate;
mod zstd;

use super::error::ApiError;
use super::idempotency::BodyFingerprint;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use deflate::{Deflate, Gzip};
use http_body_util::BodyExt;
use pmtaemail::Fingerprint;
use tokio::task::coop::consume_budget;
use zstd::Zstd;

/// Nobody needs to stack more of them.
const MOST: usize = 3;

const DAMAGED: ApiError = ApiError::Coding("The compressed body is damaged.");
const TRUNCATED: ApiError = ApiError::Coding("The compressed body ends too soon.");
const TRAILING: ApiError = ApiError::Coding("There is data after the end of the compressed body.");

/// A coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Deflate,
    Zstd,
}

impl Coding {
    /// The codings in the head of a request, in the order in which they were applied.
    pub fn of(headers: &HeaderMap) -> Result<Vec<Self>, ApiError> {
        let mut codings = Vec::new();
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in value.as_bytes().split(|byte| *byte == b',') {
                match name.trim_ascii().to_ascii_lowercase().as_slice() {
                    b"" | b"identity" => {}
                    b"gzip" | b"x-gzip" => codings.push(Self::Gzip),
                    b"deflate" => codings.push(Self::Deflate),
                    b"zstd" => codings.push(Self::Zstd),
                    _ => return Err(ApiError::ContentEncoding),
                }
            }
        }
        if codings.len() > MOST {
            return Err(ApiError::ContentEncoding);
        }
        Ok(codings)
    }
}

/// A body without its codings.
pub struct DecodedBody {
    body: Body,
    has_ended: bool,
    /// How many compressed bytes may still arrive.
    rest: usize,
    limit: usize,
    steps: Vec<Step>,
    /// Of everything that was decoded.
    fingerprint: Option<BodyFingerprint>,
}

/// The removal of one coding.
struct Step {
    decoder: Decoder,
    input: Bytes,
    has_ended: bool,
    /// How many bytes may still come of it. What is between two codings may stand for very much, and mean
    /// nothing.
    rest: usize,
}

enum Decoder {
    Gzip(Box<Gzip>),
    Deflate(Deflate),
    Zstd(Box<Zstd>),
}

impl DecodedBody {
    /// Takes a body of at most `limit` bytes, decoded. The compressed one may have a little more: what
    /// cannot be compressed grows.
    pub fn new(body: Body, codings: &[Coding], limit: usize) -> Result<Self, ApiError> {
        let most = if codings.is_empty() {
            limit
        } else {
            limit + limit / 64 + 4096
        };
        if body.size_hint().lower() > most as u64 {
            return Err(ApiError::TooLarge { limit });
        }
        Ok(Self {
            body,
            has_ended: false,
            rest: most,
            limit,
            steps: (codings.iter().rev())
                .map(|coding| Step::new(*coding, most))
                .collect(),
            fingerprint: None,
        })
    }

    /// Its size in bytes, if known in advance.
    pub fn announced(&self) -> Option<u64> {
        (self.steps.is_empty()).then(|| self.body.size_hint().exact())?
    }

    /// Its minimum size in bytes.
    pub fn least(&self) -> u64 {
        self.body.size_hint().lower()
    }

    /// How much memory its decoders take.
    pub fn memory(&self) -> usize {
        let of_step = |step: &Step| match &step.decoder {
            Decoder::Gzip(_) | Decoder::Deflate(_) => deflate::MEMORY,
            Decoder::Zstd(zstd) => zstd.memory(),
        };
        self.steps.iter().map(of_step).sum()
    }

    /// Starts to compute a fingerprint of it.
    pub fn observe(&mut self, fingerprint: Option<BodyFingerprint>) {
        self.fingerprint = fingerprint;
    }

    /// The fingerprint, once the body has arrived completely.
    pub fn take_fingerprint(&mut self) -> Option<Fingerprint> {
        self.fingerprint.take().map(BodyFingerprint::finish)
    }

    /// The next bytes.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let bytes = self.next_decoded().await?;
        if let (Some(fingerprint), Some(bytes)) = (&mut self.fingerprint, &bytes) {
            fingerprint.update(bytes);
        }
        Ok(bytes)
    }

    async fn next_decoded(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            if let Some(bytes) = self.decoded().await? {
                return Ok(Some(bytes));
            }
            match self.read().await? {
                Some(data) => match self.steps.first_mut() {
                    None => return Ok(Some(data)),
                    Some(first) => first.input = data,
                },
                None => match self.steps.iter_mut().find(|step| !step.has_ended) {
                    None => return Ok(None),
                    Some(next) => next.has_ended = true,
                },
            }
        }
    }

    /// The next output that can be decoded from what has arrived.
    async fn decoded(&mut self) -> Result<Option<Bytes>, ApiError> {
        let mut level = self.steps.len();
        while let Some(index) = level.checked_sub(1) {
            let Some(bytes) = self.steps[index].output()? else {
                level = index;
                continue;
            };
            // Little input may expand to much, and that to nothing in the next step: others get their turn meanwhile.
            consume_budget().await;
            let limit = self.limit;
            let rest = &mut self.steps[index].rest;
            *rest = (rest.checked_sub(bytes.len())).ok_or(ApiError::TooLarge { limit })?;
            match self.steps.get_mut(level) {
                None => return Ok(Some(bytes)),
                Some(next) => next.input = bytes,
            }
            level = self.steps.len();
        }
        Ok(None)
    }

    /// The next bytes as they arrive.
    async fn read(&mut self) -> Result<Option<Bytes>, ApiError> {
        while !self.has_ended {
            let Some(frame) = self.body.frame().await else {
                self.has_ended = true;
                break;
            };
            // Trailers say nothing here.
            let Ok(data) = frame.map_err(|_| ApiError::BodyBroken)?.into_data() else {
                continue;
            };
            let limit = self.limit;
            let rest = self.rest.checked_sub(data.len());
            self.rest = rest.ok_or(ApiError::TooLarge { limit })?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

impl Step {
    fn new(coding: Coding, most: usize) -> Self {
        Self {
            rest: most,
            decoder: match coding {
                Coding::Gzip => Decoder::Gzip(Box::default()),
                Coding::Deflate => Decoder::Deflate(Deflate::default()),
                Coding::Zstd => Decoder::Zstd(Box::default()),
            },
            input: Bytes::new(),
            has_ended: false,
        }
    }

    /// Some bytes; `None` if more input is needed first.
    fn output(&mut self) -> Result<Option<Bytes>, ApiError> {
        let input = &mut self.input;
        let bytes = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.decode(input),
            Decoder::Deflate(decoder) => decoder.decode(input),
            Decoder::Zstd(decoder) => decoder.decode(input),
        }?;
        if bytes.is_some() || !self.has_ended {
            return Ok(bytes);
        }
        match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.finish(),
            Decoder::Deflate(decoder) => decoder.finish().map(|()| None),
            Decoder::Zstd(decoder) => decoder.finish().map(|()| None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// Bytes in pieces of a size.
    fn body(bytes: &[u8], size: usize) -> Body {
        struct Pieces(Vec<Bytes>);

        impl HttpBody for Pieces {
            type Data = Bytes;
            type Error = std::convert::Infallible;

            fn poll_frame(
                mut self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>>
            {
                let piece = self.0.pop().map(hyper::body::Frame::data);
                std::task::Poll::Ready(piece.map(Ok))
            }
        }

        let pieces = bytes.chunks(size).rev().map(Bytes::copy_from_slice);
        Body::new(Pieces(pieces.collect()))
    }

    async fn decoded(bytes: &[u8], codings: &[Coding], size: usize) -> Result<Vec<u8>, ApiError> {
        let mut body = DecodedBody::new(body(bytes, size), codings, 1 << 30)?;
        let mut all = Vec::new();
        while let Some(bytes) = body.next().await? {
            assert!(!bytes.is_empty() && bytes.len() <= 128 << 10);
            all.extend(bytes);
        }
        Ok(all)
    }

    fn samples() -> Vec<Vec<u8>> {
        let mut noise = vec![0; 150_000];
        let mut state = 1_u32;
        for byte in &mut noise {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        let text = b"Hello, this is a text. ".repeat(20_000);
        vec![b"x".to_vec(), text, noise, vec![0; 1_000_000]]
    }

    type Encode = fn(&[u8]) -> Vec<u8>;

    const CODINGS: [(Encode, Coding); 4] = [
        (gzip, Coding::Gzip),
        (zlib, Coding::Deflate),
        (raw_deflate, Coding::Deflate),
        (zstd, Coding::Zstd),
    ];

    #[tokio::test]
    async fn encoded_bodies_are_decoded_from_pieces_of_any_size() {
        for bytes in samples() {
            for (encode, coding) in CODINGS {
                let encoded = encode(&bytes);
                for size in [1, 7, 4096, encoded.len()] {
                    let size = if encoded.len() > 100_000 {
                        size.max(4096)
                    } else {
                        size
                    };
                    assert!(decoded(&encoded, &[coding], size).await.unwrap() == bytes);
                }
            }
            assert!(decoded(&bytes, &[], 4096).await.unwrap() == bytes);
        }
    }

    /// The last piece of input may yield more output than is returned at a time.
    #[tokio::test]
    async fn output_waiting_in_the_decoder_is_not_lost() {
        let lines = (0..700_u32).map(|number| format!("{number:06}{}", "a".repeat(200)));
        let bytes = lines.collect::<String>().into_bytes();
        for (encode, coding) in CODINGS {
            let encoded = encode(&bytes);
            for size in (100..2_000).step_by(7) {
                let decoded = decoded(&encoded, &[coding], size).await;
                assert!(decoded.is_ok_and(|decoded| decoded == bytes), "{size}");
            }
        }
    }

    #[tokio::test]
    async fn codings_lie_one_on_the_other() {
        let bytes = b"a text ".repeat(1_000);
        let codings = [Coding::Zstd, Coding::Deflate, Coding::Gzip];
        let encoded = gzip(&zlib(&zstd(&bytes)));
        for size in [1, 64, 10_000] {
            assert!(decoded(&encoded, &codings, size).await.unwrap() == bytes);
        }
    }

    /// Empty deflate blocks: a few bytes, decoded once, become very many that decode to nothing.
    #[tokio::test]
    async fn the_intermediate_output_of_stacked_codings_is_limited() {
        const LIMIT: usize = 1 << 20;
        for (blocks, is_taken) in [(200_000, true), (400_000, false)] {
            let inner = [b"\0\0\0\xff\xff".repeat(blocks), raw_deflate(b"text")].concat();
            let outer = gzip(&inner);
            assert!(outer.len() < LIMIT / 100);
            let codings = [Coding::Deflate, Coding::Gzip];
            let mut body = DecodedBody::new(body(&outer, 4096), &codings, LIMIT).unwrap();
            let found = body.next().await;
            if is_taken {
                assert_eq!(found.unwrap().unwrap(), "text");
            } else {
                assert!(matches!(found, Err(ApiError::TooLarge { limit: LIMIT })));
            }
        }
    }

    #[tokio::test]
    async fn nothing_may_be_lost_or_hidden() {
        let bytes = b"a text ".repeat(1_000);
        for (encode, coding) in CODINGS {
            let encoded = encode(&bytes);
            for size in [1, 100_000] {
                for length in 0..encoded.len() {
                    let cut = decoded(&encoded[..length], &[coding], size).await;
                    assert!(
                        matches!(cut, Err(ApiError::Coding(_))),
                        "{coding:?} {length}"
                    );
                }
                for behind in [&b"x"[..], b"\0\0\0\0", &encoded] {
                    let longer = [&encoded[..], behind].concat();
                    let found = decoded(&longer, &[coding], size).await;
                    assert!(matches!(found, Err(ApiError::Coding(_))), "{coding:?}");
                }
            }
            let found = decoded(b"this is a text", &[coding], 100).await;
            assert!(matches!(found, Err(ApiError::Coding(_))), "{coding:?}");
        }
    }

    #[tokio::test]
    async fn damage_is_seen_by_the_checksum() {
        let bytes = b"a text ".repeat(1_000);
        for (encode, coding) in [CODINGS[0], CODINGS[1], CODINGS[3]] {
            let encoded = encode(&bytes);
            let mut damaged = encoded.clone();
            *damaged.last_mut().unwrap() ^= 1;
            let found = decoded(&damaged, &[coding], 100_000).await;
            assert!(matches!(found, Err(ApiError::Coding(_))), "{coding:?}");
        }
    }

    #[test]
    fn codings_have_names() {
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            Coding::of(&headers)
        };
        for (values, codings) in [
            (&[][..], &[][..]),
            (&["identity", ""], &[]),
            (&["X-GZip"], &[Coding::Gzip]),
            (
                &["deflate, gzip", "zstd"],
                &[Coding::Deflate, Coding::Gzip, Coding::Zstd],
            ),
        ] {
            assert_eq!(of(values).unwrap(), codings);
        }
        for values in [&["br"][..], &["gzip, x"], &["gzip,gzip,gzip,gzip"]] {
            assert!(matches!(of(values), Err(ApiError::ContentEncoding)));
        }
    }
}
