//! The messages of one call.

use crate::tape::{Next, Reader};
use crate::text;
use napi::{Error, JsString, JsStringLatin1, JsStringUtf16};
use pmtaemail::{Message, Problems};
use serde::de;
use std::borrow::Cow;

/// A string as V8 keeps it: one octet a character where that is enough.
pub enum Characters<'a> {
    Latin1(JsStringLatin1<'a>),
    Utf16(JsStringUtf16<'a>),
}

impl<'a> Characters<'a> {
    /// Copies a string out of V8. The first word of the tape tells whether it needs UTF-16.
    pub fn read(text: JsString<'a>, tape: &[u32]) -> napi::Result<Self> {
        match tape.first() {
            Some(0) => text.into_latin1().map(Self::Latin1),
            _ => text.into_utf16().map(Self::Utf16),
        }
    }
}

/// Messages as they came from JavaScript, one after the other.
pub struct Messages<'a> {
    words: Vec<u32>,
    text: Cow<'a, str>,
    buffers: Vec<Cow<'a, [u8]>>,
}

impl<'a> Messages<'a> {
    /// The second word of the tape is the number of its words.
    pub fn new(
        characters: &'a Characters<'_>,
        tape: &[u32],
        buffers: Vec<&'a [u8]>,
    ) -> napi::Result<Self> {
        let words = tape.get(1).and_then(|end| tape.get(2..*end as usize));
        let mut words = words.unwrap_or_default().to_vec();
        let text = match characters {
            Characters::Latin1(latin1) => text::from_latin1(latin1.as_slice(), &mut words),
            Characters::Utf16(units) => text::from_utf16(units.as_slice(), &mut words),
        };
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
