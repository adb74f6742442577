//! Python objects as a serde format that lends their text and bytes.
//!
//! No Python code can free a string while a message borrows it: every object that is read is kept, with a reference of
//! its own, as long as the message lives; `str` and `bytes` never change.

use crate::objects;
use crate::signals::Signals;
use pmtaemail::{NotJson, NotUnicode, NumberLiteral};
use pyo3::exceptions::{PyRecursionError, PyTypeError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt::{self, Display};
use typed_arena::Arena;

/// The same depth as `serde_json` allows.
const DEEPEST: u8 = 128;

/// Holds the objects from which something is borrowed.
pub struct Kept<'py> {
    objects: Arena<Bound<'py, PyAny>>,
    signals: &'py Signals,
}

impl<'py> Kept<'py> {
    pub fn new(signals: &'py Signals) -> Self {
        Self {
            objects: Arena::with_capacity(32),
            signals,
        }
    }

    fn keep(&self, object: Bound<'py, PyAny>) -> &Bound<'py, PyAny> {
        self.objects.alloc(object)
    }

    /// A copy, so that nothing changes during reading.
    fn keep_items(&self, dict: &Bound<'py, PyDict>) -> &[Bound<'py, PyAny>] {
        with_critical_section(dict, || {
            self.objects
                .alloc_extend(dict.iter().flat_map(<[_; 2]>::from))
        })
    }

    fn keep_all(&self, objects: impl Iterator<Item = Bound<'py, PyAny>>) -> &[Bound<'py, PyAny>] {
        self.objects.alloc_extend(objects)
    }
}

/// One object of a message.
#[derive(Clone, Copy)]
pub struct Value<'a, 'py> {
    object: &'a Bound<'py, PyAny>,
    kept: &'a Kept<'py>,
    depth: u8,
}

impl<'a, 'py> Value<'a, 'py> {
    pub fn new(object: &Bound<'py, PyAny>, kept: &'a Kept<'py>) -> Self {
        Self {
            object: kept.keep(object.clone()),
            kept,
            depth: 0,
        }
    }

    fn inner(self, object: &'a Bound<'py, PyAny>) -> Result<Self, Stopped> {
        if self.depth == DEEPEST {
            let error = PyRecursionError::new_err("a message is at most 128 levels deep");
            return Err(error.into());
        }
        Ok(Self {
            object,
            depth: self.depth + 1,
            ..self
        })
    }

    fn lend_list<V: Visitor<'a>>(
        self,
        elements: &'a [Bound<'py, PyAny>],
        visitor: V,
    ) -> Result<V::Value, Stopped> {
        visitor.visit_seq(Elements {
            list: self,
            rest: elements.iter(),
            index: 0,
        })
    }
}

fn lend_text<'a, V: Visitor<'a>>(
    text: &'a Bound<'_, PyString>,
    visitor: V,
) -> Result<V::Value, Stopped> {
    match text.to_str() {
        Ok(text) => visitor.visit_borrowed_str(text),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
            NotUnicode::new(&lossy(text)?).visit(visitor)
        }
        Err(error) => Err(error.into()),
    }
}

fn lend_number<'a, V: Visitor<'a>>(
    number: &Bound<'_, PyInt>,
    visitor: V,
) -> Result<V::Value, Stopped> {
    if let Ok(number) = number.extract::<i64>() {
        visitor.visit_i64(number)
    } else if let Ok(number) = number.extract::<u64>() {
        visitor.visit_u64(number)
    } else {
        // Python itself refuses to write more than a few thousand digits.
        let digits = number.str().ok();
        let digits = digits.as_ref().and_then(|digits| digits.to_str().ok());
        match digits.and_then(NumberLiteral::new) {
            Some(literal) => literal.visit(visitor),
            None => NotJson::new(
                "an int with more digits than `str` writes (see `sys.set_int_max_str_digits`): give \
                 its digits as a str",
            )
            .visit(visitor),
        }
    }
}

/// The form in which Python's own JSON module writes it.
fn lend_float<'a, V: Visitor<'a>>(
    number: &Bound<'_, PyFloat>,
    visitor: V,
) -> Result<V::Value, Stopped> {
    match NumberLiteral::new(number.repr()?.to_str()?) {
        Some(literal) => literal.visit(visitor),
        None => NotJson::new(
            "NaN or infinite, as pandas has for an empty cell: leave it out, or give None",
        )
        .visit(visitor),
    }
}

impl<'de> Deserializer<'de> for Value<'de, '_> {
    type Error = Stopped;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        let Self { object, kept, .. } = self;
        if let Ok(text) = object.cast::<PyString>() {
            lend_text(text, visitor)
        } else if let Ok(dict) = object.cast_exact::<PyDict>() {
            visitor.visit_map(Members {
                object: self,
                items: kept.keep_items(dict).chunks_exact(2),
                value: None,
            })
        } else if let Ok(bytes) = object.cast::<PyBytes>() {
            visitor.visit_borrowed_bytes(bytes.as_bytes())
        } else if let Ok(list) = object.cast_exact::<PyList>() {
            self.lend_list(kept.keep_all(list.iter()), visitor)
        } else if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            self.lend_list(kept.keep_all(tuple.iter()), visitor)
        } else if object.is_none() {
            visitor.visit_unit()
        } else if let Ok(truth) = object.cast_exact::<PyBool>() {
            visitor.visit_bool(truth.is_true())
        } else if let Ok(number) = object.cast_exact::<PyInt>() {
            lend_number(number, visitor)
        } else if let Ok(number) = object.cast_exact::<PyFloat>() {
            lend_float(number, visitor)
        } else {
            let plain = self.inner(kept.keep(objects::plain(object)?))?;
            if let Ok(text) = plain.object.cast::<PyString>() {
                // Only some fields accept objects that are not strings.
                let is_decimal = objects::is_decimal(object)?;
                visitor.visit_newtype_struct(StandIn { text, is_decimal })
            } else {
                plain.deserialize_any(visitor)
            }
        }
    }

    /// An ignored value is not read: a generator is not consumed.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// An object of another type as text.
struct StandIn<'a, 'py> {
    text: &'a Bound<'py, PyString>,
    is_decimal: bool,
}

impl<'de> Deserializer<'de> for StandIn<'de, '_> {
    type Error = Stopped;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        lend_text(self.text, visitor)
    }

    /// In a place where a number is allowed.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        let text = self.text.to_str().ok().filter(|_| self.is_decimal);
        match text.and_then(NumberLiteral::new) {
            Some(literal) => literal.visit(visitor),
            None => lend_text(self.text, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Elements<'a, 'py> {
    list: Value<'a, 'py>,
    rest: std::slice::Iter<'a, Bound<'py, PyAny>>,
    index: usize,
}

impl<'a> SeqAccess<'a> for Elements<'a, '_> {
    type Error = Stopped;

    fn next_element_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stopped> {
        let Some(element) = self.rest.next() else {
            return Ok(None);
        };
        self.list.kept.signals.check()?;
        self.index += 1;
        let value = self.list.inner(element)?;
        let read = seed.deserialize(value).map(Some);
        read.map_err(|stopped| stopped.below(&(self.index - 1)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Members<'a, 'py> {
    object: Value<'a, 'py>,
    /// Pairs of name and value.
    items: std::slice::ChunksExact<'a, Bound<'py, PyAny>>,
    value: Option<(&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>)>,
}

impl<'a> MapAccess<'a> for Members<'a, '_> {
    type Error = Stopped;

    fn next_key_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stopped> {
        let Some([name, value]) = self.items.next() else {
            return Ok(None);
        };
        self.value = Some((name, value));
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Stopped> {
        let Some((name, value)) = self.value.take() else {
            return Err(serde::de::Error::custom(
                "a value was asked for before its name",
            ));
        };
        let value = self.object.inner(value)?;
        seed.deserialize(value)
            .map_err(|stopped| match name.cast::<PyString>() {
                Ok(name) => stopped.below(&name.to_string_lossy()),
                Err(_) => stopped,
            })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The name of a field. If it is not a `str`, the core reports that as a problem.
struct Name<'a, 'py>(&'a Bound<'py, PyAny>);

impl<'de> Deserializer<'de> for Name<'de, '_> {
    type Error = Stopped;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stopped> {
        let Ok(name) = self.0.cast::<PyString>() else {
            return visitor.visit_unit();
        };
        match name.to_str() {
            Ok(name) => visitor.visit_borrowed_str(name),
            Err(_) => NotUnicode::new(&lossy(name)?).visit(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A string with U+FFFD in place of each lone surrogate.
fn lossy(text: &Bound<'_, PyString>) -> PyResult<String> {
    let bytes = text.call_method1("encode", ("utf-16-le", "surrogatepass"))?;
    let (units, _) = bytes.cast::<PyBytes>()?.as_bytes().as_chunks::<2>();
    let units = units.iter().copied().map(u16::from_le_bytes);
    let characters = char::decode_utf16(units);
    let lossy = characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(lossy.collect())
}

/// A Python exception, and where in the message it was raised.
#[derive(Debug)]
pub struct Stopped {
    error: Box<PyErr>,
    /// The path of names and indexes to it, innermost first.
    steps: Vec<String>,
}

impl Stopped {
    fn below(mut self, step: &dyn Display) -> Self {
        self.steps.push(step.to_string());
        self
    }

    pub fn into_error(self, py: Python<'_>, signals: &Signals) -> PyErr {
        let steps = self.steps.iter().rev();
        let pointer: String = steps.flat_map(|step| ["/", step]).collect();
        // A signal is unrelated to the place.
        if !pointer.is_empty() && !signals.had_raised() {
            // Even without its note the exception says what is wrong.
            let _ = self
                .error
                .add_note(py, format!("in the message at {pointer}"));
        }
        *self.error
    }
}

impl From<PyErr> for Stopped {
    fn from(error: PyErr) -> Self {
        Self {
            error: Box::new(error),
            steps: Vec::new(),
        }
    }
}

impl Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Stopped {}

impl serde::de::Error for Stopped {
    fn custom<T: Display>(message: T) -> Self {
        PyTypeError::new_err(message.to_string()).into()
    }
}
