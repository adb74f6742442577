//! JavaScript values in the encoding of `lib/encoder.js`: one string with all text, and an array of 32-bit words that
//! describe its structure. So a message crosses in one call, whatever it contains.
//!
//! The low three bits of a word are its kind, the rest is its size:
//!
//! | kind | size | what follows |
//! |---|---|---|
//! | constant | 0 null, 1 true, 2 false | |
//! | constant | 3 an object that converts itself to text, such as a date | the text |
//! | constant | 4 a number by its digits | the text |
//! | constant | 5 and up: what JSON cannot express, see [`NOT_JSON`] | |
//! | string | its length in the text | |
//! | number | 0 | two words: the low and the high half of the double |
//! | bytes | its index among the buffers | |
//! | array | elements | them |
//! | object | members | for each its name (a string) and its value |
//! | string that is not Unicode | its length in the text | |

use pmtaemail::{NotJson, NotUnicode, NumberLiteral};
use serde::de::value::{BorrowedStrDeserializer, Error};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::slice::Iter;

const KIND_BITS: u32 = 3;
const KIND_MASK: u32 = (1 << KIND_BITS) - 1;

/// Values that JavaScript has and JSON lacks, from constant 5 on.
const NOT_JSON: [&str; 7] = [
    "a function or a symbol",
    "a promise: await it first",
    "a stream or another asynchronous iterable, which is read in `recipients` alone, and there by \
     `submit`, `submitMany` and `renderAsync`: read it to its end first",
    "a Blob: give what its `arrayBuffer()` resolves to",
    "a Map or another list of pairs: give `Object.fromEntries(…)` of it",
    "an object of a class that JSON has no word for",
    "an invalid Date",
];
const FIRST_NOT_JSON: usize = 5;

/// One word.
#[derive(Debug, Clone, Copy)]
enum Token {
    Constant(usize),
    String(usize),
    Number,
    Bytes(usize),
    Array(usize),
    Object(usize),
    NotUnicode(usize),
}

impl Token {
    fn read(word: u32) -> Option<Self> {
        let size = (word >> KIND_BITS) as usize;
        Some(match word & KIND_MASK {
            0 => Self::Constant(size),
            1 => Self::String(size),
            2 => Self::Number,
            3 => Self::Bytes(size),
            4 => Self::Array(size),
            5 => Self::Object(size),
            6 => Self::NotUnicode(size),
            _ => return None,
        })
    }
}

/// A string converted to UTF-8.
pub enum Utf8 {
    /// It has this length.
    Length(usize),
    /// It has this length, with U+FFFD in place of each lone surrogate.
    NotUnicode(usize),
}

/// The result of `measure` for each string. `None` if one is too long.
pub fn measure_strings(
    words: &mut [u32],
    mut measure: impl FnMut(usize) -> Option<Utf8>,
) -> Option<()> {
    let mut at = 0;
    while let Some(word) = words.get_mut(at) {
        at += match Token::read(*word)? {
            Token::String(length) => {
                *word = match measure(length)? {
                    Utf8::Length(length) => word_of(1, length)?,
                    Utf8::NotUnicode(length) => word_of(6, length)?,
                };
                1
            }
            Token::Number => 3,
            _ => 1,
        };
    }
    Some(())
}

fn word_of(kind: u32, size: usize) -> Option<u32> {
    let size = u32::try_from(size).ok()?;
    Some(size.checked_mul(1 << KIND_BITS)? | kind)
}

/// Reads values one after the other.
#[derive(Debug)]
pub struct Decoder<'a, O> {
    words: Iter<'a, u32>,
    text: &'a str,
    buffers: &'a [O],
}

/// The possible forms of a whole message.
pub enum Next<'a> {
    /// A text or bytes: JSON.
    Json(&'a [u8]),
    /// Anything else, to be deserialized.
    Value,
    /// There is none.
    End,
}

impl<'a, O: AsRef<[u8]>> Decoder<'a, O> {
    pub fn new(words: &'a [u32], text: &'a str, buffers: &'a [O]) -> Self {
        let words = words.iter();
        Self {
            words,
            text,
            buffers,
        }
    }

    /// The form of the next value. Consumes it if it is JSON.
    pub fn next_message(&mut self) -> Result<Next<'a>, Error> {
        let Some(word) = self.words.as_slice().first() else {
            return Ok(Next::End);
        };
        match Token::read(*word) {
            Some(Token::String(length)) => {
                self.words.next();
                Ok(Next::Json(self.take_text(length)?.as_bytes()))
            }
            Some(Token::Bytes(index)) => {
                self.words.next();
                Ok(Next::Json(self.buffer(index)?))
            }
            _ => Ok(Next::Value),
        }
    }

    fn token(&mut self) -> Result<Token, Error> {
        let word = self.words.next().copied();
        word.and_then(Token::read).ok_or_else(broken)
    }

    fn take_text(&mut self, length: usize) -> Result<&'a str, Error> {
        let (text, rest) = self.text.split_at_checked(length).ok_or_else(broken)?;
        self.text = rest;
        Ok(text)
    }

    fn buffer(&self, index: usize) -> Result<&'a [u8], Error> {
        self.buffers
            .get(index)
            .map(AsRef::as_ref)
            .ok_or_else(broken)
    }

    fn number(&mut self) -> Result<f64, Error> {
        let mut half = || self.words.next().copied().map(u64::from).ok_or_else(broken);
        let (low, high) = (half()?, half()?);
        Ok(f64::from_bits(low | high << 32))
    }
}

fn broken() -> Error {
    Error::custom("the words are broken")
}

impl<'de, O: AsRef<[u8]>> Deserializer<'de> for &mut Decoder<'de, O> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            Token::Constant(0) => visitor.visit_unit(),
            Token::Constant(1) => visitor.visit_bool(true),
            Token::Constant(2) => visitor.visit_bool(false),
            Token::Constant(3) => match self.token()? {
                Token::String(length) => {
                    let text = BorrowedStrDeserializer::new(self.take_text(length)?);
                    visitor.visit_newtype_struct(text)
                }
                Token::NotUnicode(length) => {
                    NotUnicode::new(self.take_text(length)?).visit(visitor)
                }
                _ => Err(broken()),
            },
            Token::Constant(4) => {
                let Token::String(length) = self.token()? else {
                    return Err(broken());
                };
                let literal = NumberLiteral::new(self.take_text(length)?);
                literal.ok_or_else(broken)?.visit(visitor)
            }
            Token::Constant(size) => {
                let what = size.checked_sub(FIRST_NOT_JSON);
                let what = what.and_then(|index| NOT_JSON.get(index));
                NotJson::new(what.ok_or_else(broken)?).visit(visitor)
            }
            Token::String(length) => visitor.visit_borrowed_str(self.take_text(length)?),
            Token::NotUnicode(length) => NotUnicode::new(self.take_text(length)?).visit(visitor),
            Token::Number => visit_number(self.number()?, visitor),
            Token::Bytes(index) => visitor.visit_borrowed_bytes(self.buffer(index)?),
            Token::Array(left) => visitor.visit_seq(Values {
                decoder: self,
                left,
            }),
            Token::Object(left) => visitor.visit_map(Values {
                decoder: self,
                left,
            }),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An integer if JSON would write one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only integers that a double holds exactly are taken so"
)]
fn visit_number<'a, V: Visitor<'a>>(number: f64, visitor: V) -> Result<V::Value, Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return visitor.visit_f64(number);
    }
    let integer = number as i64;
    match u64::try_from(integer) {
        Ok(integer) => visitor.visit_u64(integer),
        Err(_) => visitor.visit_i64(integer),
    }
}

/// The elements of an array, or the members of an object.
struct Values<'r, 'a, O> {
    decoder: &'r mut Decoder<'a, O>,
    left: usize,
}

impl<'a, O: AsRef<[u8]>> Values<'_, 'a, O> {
    fn next<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.decoder).map(Some)
    }
}

impl<'a, O: AsRef<[u8]>> SeqAccess<'a> for Values<'_, 'a, O> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'a, O: AsRef<[u8]>> MapAccess<'a> for Values<'_, 'a, O> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.decoder)
    }
}
