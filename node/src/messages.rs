//! The messages of one call.

use crate::decoder::{Decoder, Next};
use crate::text::to_utf8;
use napi::Error;
use pmtaemail::{Interruption, Message, Problems, Selection, Warning};
use serde::de;
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// Messages in the encoding that JavaScript wrote, one after the other.
pub struct Messages<'a> {
    words: Vec<u32>,
    text: Cow<'a, str>,
    buffers: Vec<Cow<'a, [u8]>>,
    selection: Selection,
    warns: bool,
}

impl<'a> Messages<'a> {
    /// `words` begins with two offsets: where the words of the messages end, and where the runs of the text, which
    /// follow, end.
    pub fn new(words: &[u32], text: &'a [u8], buffers: Vec<&'a [u8]>) -> napi::Result<Self> {
        let (messages, runs) =
            sections(words).ok_or_else(|| Error::from_reason("the words are broken"))?;
        let mut words = messages.to_vec();
        let text = to_utf8(text, runs, &mut words);
        Ok(Self {
            words,
            text: text.ok_or_else(|| Error::from_reason("the text is too long"))?,
            buffers: buffers.into_iter().map(Cow::Borrowed).collect(),
            selection: Selection::All,
            warns: false,
        })
    }

    /// The same for some of the recipients of a mail merge: one, or the first few, counted from 1.
    pub fn select(mut self, recipient: Option<i64>, limit: Option<i64>) -> napi::Result<Self> {
        let from_1 = |number: i64| usize::try_from(number).ok().and_then(NonZeroUsize::new);
        let selection = match (recipient, limit) {
            (None, None) => Some(Selection::All),
            (Some(number), None) => from_1(number).map(Selection::Only),
            (None, Some(count)) => from_1(count).map(Selection::First),
            (Some(_), Some(_)) => None,
        };
        self.selection = selection.ok_or_else(|| Error::from_reason("the selection is broken"))?;
        Ok(self)
    }

    /// The same with their warnings, if these are wanted.
    pub fn with_warnings(mut self, warns: bool) -> Self {
        self.warns = warns;
        self
    }

    /// The same with copies of everything that JavaScript lends, for use on another thread.
    pub fn into_owned(self) -> Messages<'static> {
        let own = |buffer: Cow<'_, [u8]>| Cow::Owned(buffer.into_owned());
        Messages {
            words: self.words,
            text: Cow::Owned(self.text.into_owned()),
            buffers: self.buffers.into_iter().map(own).collect(),
            selection: self.selection,
            warns: self.warns,
        }
    }

    /// Passes each message to `verb` with its warnings, or its problems.
    pub fn each(&self, mut verb: impl FnMut(Result<Read<'_>, Problems>)) -> napi::Result<()> {
        let mut decoder = Decoder::new(&self.words, &self.text, &self.buffers);
        loop {
            let next = decoder.next_message().map_err(broken)?;
            let read = match (next, self.warns) {
                (Next::End, _) => return Ok(()),
                (Next::Json(bytes), false) => Message::from_json(bytes).map(without_warnings),
                (Next::Json(bytes), true) => {
                    let read = Message::from_json(bytes);
                    read.map(|message| (message, Some(pmtaemail::warnings(bytes))))
                }
                (Next::Value, false) => Message::from_deserializer(&mut decoder)
                    .map_err(broken)?
                    .map(without_warnings),
                (Next::Value, true) => {
                    let mut told = Vec::new();
                    let never = Interruption::NEVER;
                    Message::from_deserializer_with_warnings(&mut decoder, never, &mut told)
                        .map_err(broken)?
                        .map(|message| (message.expect("nothing interrupts it"), Some(told)))
                }
            };
            verb(
                read.and_then(|(message, warnings)| {
                    Ok((message.select(self.selection)?, warnings))
                }),
            );
        }
    }

    /// Renders the only message of a call.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is not general enough over the message's lifetime"
    )]
    pub fn render(&self) -> napi::Result<Result<Vec<u8>, Problems>> {
        self.only(|message| message.render())
    }

    /// The warnings of the only message of a call.
    pub fn warnings(&self) -> napi::Result<Vec<Warning>> {
        let mut decoder = Decoder::new(&self.words, &self.text, &self.buffers);
        match decoder.next_message().map_err(broken)? {
            Next::End => Err(no_message()),
            Next::Json(bytes) => Ok(pmtaemail::warnings(bytes)),
            Next::Value => pmtaemail::warnings_from_deserializer(&mut decoder).map_err(broken),
        }
    }

    /// Passes the only message of a call to `verb`.
    pub fn only<T>(&self, verb: impl Fn(&Message<'_>) -> T) -> napi::Result<Result<T, Problems>> {
        let mut result = None;
        self.each(|read| result = Some(read.map(|(message, _)| verb(&message))))?;
        result.ok_or_else(no_message)
    }
}

/// A message, and its warnings if they are wanted.
pub type Read<'m> = (Message<'m>, Option<Vec<Warning>>);

fn without_warnings(message: Message<'_>) -> Read<'_> {
    (message, None)
}

/// The words of the messages, and the runs of their text.
fn sections(words: &[u32]) -> Option<(&[u32], &[u32])> {
    let [words_end, runs_end, ..] = *words else {
        return None;
    };
    let (words_end, runs_end) = (words_end as usize, runs_end as usize);
    Some((words.get(2..words_end)?, words.get(words_end..runs_end)?))
}

fn no_message() -> Error {
    Error::from_reason("there is no message")
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn broken(error: de::value::Error) -> Error {
    Error::from_reason(error.to_string())
}
