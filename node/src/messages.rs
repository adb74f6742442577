//! The messages of one call.

use crate::tape::{Next, Reader};
use crate::text::to_utf8;
use napi::Error;
use pmtaemail::{Message, Problems};
use serde::de;
use std::borrow::Cow;

/// Messages as they came from JavaScript, one after the other.
pub struct Messages<'a> {
    words: Vec<u32>,
    text: Cow<'a, str>,
    buffers: Vec<Cow<'a, [u8]>>,
}

impl<'a> Messages<'a> {
    /// The tape begins with the place where its words end, and the place where the runs of the text
    /// end, which follow.
    pub fn new(tape: &[u32], text: &'a [u8], buffers: Vec<&'a [u8]>) -> napi::Result<Self> {
        let [words_end, runs_end] = [0, 1].map(|at| tape.get(at).map_or(0, |end| *end as usize));
        let mut words = tape.get(2..words_end).unwrap_or_default().to_vec();
        let runs = tape.get(words_end..runs_end).unwrap_or_default();
        let text = to_utf8(text, runs, &mut words);
        Ok(Self {
            words,
            text: text.ok_or_else(|| Error::from_reason("the text is too long"))?,
            buffers: buffers.into_iter().map(Cow::Borrowed).collect(),
        })
    }

    /// The same with copies of all that JavaScript lends, for use on another thread.
    pub fn into_owned(self) -> Messages<'static> {
        let own = |buffer: Cow<'_, [u8]>| Cow::Owned(buffer.into_owned());
        Messages {
            words: self.words,
            text: Cow::Owned(self.text.into_owned()),
            buffers: self.buffers.into_iter().map(own).collect(),
        }
    }

    /// Hands each message to `verb`, or what is wrong with it.
    pub fn each(&self, mut verb: impl FnMut(Result<Message<'_>, Problems>)) -> napi::Result<()> {
        let mut reader = Reader::new(&self.words, &self.text, &self.buffers);
        loop {
            match reader.next_message().map_err(broken)? {
                Next::End => return Ok(()),
                Next::Json(octets) => verb(Message::from_json(octets)),
                Next::Value => verb(Message::from_deserializer(&mut reader).map_err(broken)?),
            }
        }
    }

    /// Hands the one message of a call to `verb`.
    pub fn only<T>(&self, verb: impl Fn(&Message<'_>) -> T) -> napi::Result<Result<T, Problems>> {
        let mut result = None;
        self.each(|message| result = Some(message.map(|message| verb(&message))))?;
        result.ok_or_else(|| Error::from_reason("there is no message on the tape"))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn broken(error: de::value::Error) -> Error {
    Error::from_reason(error.to_string())
}
