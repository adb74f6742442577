//! `gzip` and `deflate` (RFC 9110 sections 8.4.1.2 and 8.4.1.3).

use super::super::error::ApiError;
use super::{DAMAGED, TRAILING, TRUNCATED};
use bytes::{Buf, Bytes};
use flate2::write::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::Write;
use std::mem;

/// How much is decoded at a time.
const PIECE: usize = 32 << 10;

/// About what a decoder takes: the window, tables, and a piece.
pub const MEMORY: usize = 128 << 10;

/// One member of a gzip file (RFC 1952). There may be several in a file, but nobody sends such.
#[derive(Debug)]
pub struct Gzip {
    decoder: GzDecoder<Vec<u8>>,
    is_finished: bool,
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            decoder: GzDecoder::new(Vec::new()),
            is_finished: false,
        }
    }
}

impl Gzip {
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ApiError> {
        while !input.is_empty() {
            match self.decoder.write(input).map_err(|_| DAMAGED)? {
                // Nothing is taken after the end.
                0 => return Err(TRAILING),
                count => input.advance(count),
            }
            if let Some(bytes) = self.take() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// There is no more input.
    pub fn finish(&mut self) -> Result<Option<Bytes>, ApiError> {
        // The decoder does not distinguish the two.
        const UNSOUND: ApiError =
            ApiError::Coding("The compressed body ends too soon, or its checksum is wrong.");
        if self.is_finished {
            return Ok(None);
        }
        self.is_finished = true;
        self.decoder.try_finish().map_err(|_| UNSOUND)?;
        Ok(self.take())
    }

    fn take(&mut self) -> Option<Bytes> {
        let bytes = mem::take(self.decoder.get_mut());
        (!bytes.is_empty()).then(|| bytes.into())
    }
}

/// The zlib format (RFC 1950); some clients omit its header and trailer, against the rule.
#[derive(Debug, Default)]
pub struct Deflate {
    /// The first byte, which together with the second one identifies the format.
    first: Option<u8>,
    decoder: Option<Decompress>,
    has_ended: bool,
}

impl Deflate {
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ApiError> {
        if self.has_ended && input.is_empty() {
            return Ok(None);
        }
        if let Some(first) = self.first.take() {
            *input = [&[first], &input[..]].concat().into();
        }
        let decoder = match (&mut self.decoder, &input[..]) {
            // All input may have been taken while some output still waits in the decoder's window.
            (Some(decoder), _) => decoder,
            (none, [first, second, ..]) => none.insert(begin(*first, *second)),
            (_, head) => {
                self.first = head.first().copied();
                input.clear();
                return Ok(None);
            }
        };
        run(decoder, &mut self.has_ended, input)
    }

    /// There is no more input.
    pub fn finish(&self) -> Result<(), ApiError> {
        if self.has_ended {
            Ok(())
        } else {
            Err(TRUNCATED)
        }
    }
}

fn begin(first: u8, second: u8) -> Decompress {
    let is_zlib = first & 0x0f == 8
        && first >> 4 <= 7
        && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31);
    Decompress::new(is_zlib)
}

fn run(
    decoder: &mut Decompress,
    has_ended: &mut bool,
    input: &mut Bytes,
) -> Result<Option<Bytes>, ApiError> {
    if *has_ended {
        return Err(TRAILING);
    }
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        let before = decoder.total_in();
        let status = decoder.decompress_vec(input, &mut piece, FlushDecompress::None);
        let status = status.map_err(|_| DAMAGED)?;
        let count =
            usize::try_from(decoder.total_in() - before).expect("it is a part of the input");
        input.advance(count);
        *has_ended = status == Status::StreamEnd;
        if !piece.is_empty() {
            return Ok(Some(piece.into()));
        }
        if *has_ended || count == 0 {
            return Ok(None);
        }
    }
}
