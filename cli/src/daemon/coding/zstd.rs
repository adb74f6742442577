//! `zstd` (RFC 8878, with the bound of RFC 9659 on its window).

use super::super::error::ApiError;
use super::{DAMAGED, TRAILING, TRUNCATED};
use bytes::Bytes;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::Read;

/// The largest window of a frame, which the decoder keeps in memory (RFC 9659 section 3).
const MAX_WINDOW: u64 = 8 << 20;

/// The largest block of a frame.
const MAX_BLOCK: usize = 128 << 10;

/// How much is given at a time.
const PIECE: usize = 64 << 10;

const BLOCK_HEADER: usize = 3;
const CHECKSUM: usize = 4;

/// About what a decoder takes besides its window: tables, and a block before and after.
const BASE: usize = 512 << 10;

/// One frame. There may be several in a stream, but nobody sends such.
#[derive(Default)]
pub struct Zstd {
    decoder: FrameDecoder,
    /// A header or a block that has not arrived completely.
    part: Vec<u8>,
    state: State,
    window: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Blocks {
        has_checksum: bool,
    },
    LastBlock,
    End,
}

impl Zstd {
    /// How much memory it takes.
    pub fn memory(&self) -> usize {
        BASE + self.window
    }

    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ApiError> {
        loop {
            if let Some(bytes) = self.take()? {
                return Ok(Some(bytes));
            }
            match self.state {
                State::Head => {
                    if !self.fill(input, head_size)? {
                        return Ok(None);
                    }
                    self.begin()?;
                }
                State::Blocks { has_checksum } => {
                    if !self.fill(input, |part| block_size(part, has_checksum))? {
                        return Ok(None);
                    }
                    self.block()?;
                }
                State::LastBlock => self.check()?,
                State::End if input.is_empty() => return Ok(None),
                State::End => return Err(TRAILING),
            }
        }
    }

    /// There is no more input.
    pub fn finish(&self) -> Result<(), ApiError> {
        if self.state == State::End {
            Ok(())
        } else {
            Err(TRUNCATED)
        }
    }

    /// Takes as much input as the next part has. Returns whether the part is complete.
    fn fill(
        &mut self,
        input: &mut Bytes,
        size: impl Fn(&[u8]) -> Result<usize, ApiError>,
    ) -> Result<bool, ApiError> {
        loop {
            // What has arrived determines the size, or how much more is needed to know it.
            let more = size(&self.part)? - self.part.len();
            if more == 0 {
                return Ok(true);
            }
            if input.is_empty() {
                return Ok(false);
            }
            let taken = input.split_to(more.min(input.len()));
            self.part.extend_from_slice(&taken);
        }
    }

    fn begin(&mut self) -> Result<(), ApiError> {
        self.decoder.set_max_window_size(MAX_WINDOW);
        self.decoder
            .init(&self.part[..])
            .map_err(|error| match error {
                FrameDecoderError::WindowSizeTooBig { .. } => {
                    ApiError::Coding("The window of zstd is larger than 8 MiB (RFC 9659).")
                }
                FrameDecoderError::DictNotProvided { .. } => {
                    ApiError::Coding("Dictionaries of zstd are not supported.")
                }
                _ => DAMAGED,
            })?;
        let descriptor = self.part[4];
        self.window = window(&self.part);
        self.state = State::Blocks {
            has_checksum: descriptor & 4 != 0,
        };
        self.part.clear();
        Ok(())
    }

    fn block(&mut self) -> Result<(), ApiError> {
        let one = BlockDecodingStrategy::UptoBlocks(1);
        let is_last = self.decoder.decode_blocks(&self.part[..], one);
        if is_last.map_err(|_| DAMAGED)? {
            self.state = State::LastBlock;
        }
        self.part.clear();
        Ok(())
    }

    /// Output that is no longer needed in the window.
    fn take(&mut self) -> Result<Option<Bytes>, ApiError> {
        let mut piece = vec![0; self.decoder.can_collect().min(PIECE)];
        self.decoder.read_exact(&mut piece).map_err(|_| DAMAGED)?;
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    /// Everything was decoded and taken.
    fn check(&mut self) -> Result<(), ApiError> {
        self.state = State::End;
        match self.decoder.get_checksum_from_data() {
            Some(expected) if self.decoder.get_calculated_checksum() != Some(expected) => {
                Err(DAMAGED)
            }
            _ => Ok(()),
        }
    }
}

/// The size of the header of a frame (RFC 8878 section 3.1.1.1), or of the part that determines it.
fn head_size(part: &[u8]) -> Result<usize, ApiError> {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    if !part
        .iter()
        .zip(MAGIC)
        .all(|(byte, expected)| *byte == expected)
    {
        return Err(DAMAGED);
    }
    let Some(&descriptor) = part.get(4) else {
        return Ok(5);
    };
    let is_single_segment = descriptor & 0x20 != 0;
    let window = usize::from(!is_single_segment);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        flag => 1 << flag,
    };
    Ok(5 + window + dictionary + content_size)
}

/// The window that a complete header requires, which does not exceed the limit.
fn window(head: &[u8]) -> usize {
    let descriptor = head[4];
    if descriptor & 0x20 == 0 {
        let (exponent, mantissa) = (head[5] >> 3, usize::from(head[5] & 7));
        let base = 1_usize << (10 + u32::from(exponent));
        return base + base / 8 * mantissa;
    }
    // All of the content is one segment: its size is the last field.
    let size = match descriptor >> 6 {
        0 => 1,
        flag => 1 << flag,
    };
    let field = &head[head.len() - size..];
    let value = field
        .iter()
        .rev()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    let value = if size == 2 { value + 256 } else { value };
    usize::try_from(value.min(MAX_WINDOW)).expect("it is some megabytes")
}

/// The size of a block with its header, and with the checksum after the last one.
fn block_size(part: &[u8], has_checksum: bool) -> Result<usize, ApiError> {
    let [a, b, c, ..] = *part else {
        return Ok(BLOCK_HEADER);
    };
    let header = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    let content = match header >> 1 & 3 {
        // Many times the same byte.
        1 => 1,
        _ => header >> 3,
    };
    if content > MAX_BLOCK {
        return Err(DAMAGED);
    }
    let is_last = header & 1 != 0;
    let checksum = if is_last && has_checksum { CHECKSUM } else { 0 };
    Ok(BLOCK_HEADER + content + checksum)
}
