//! Fields that accept one of several words.

use super::definitions::Definitions;
use super::shape::{ReadState, Shape};
use crate::problem::Location;
use serde_json::{Value, json};
use std::{borrow::Cow, marker::PhantomData};

/// The words that a field accepts, in one table with their meanings. Letter case is ignored.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// Its name in the schema.
    const NAME: &'static str;
    const DESCRIPTION: &'static str;
    const WORDS: &'static [(&'static str, Self)];

    /// The accepted words, for the sentence "This must be …".
    fn expected() -> String {
        let words: Vec<String> = Self::WORDS
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        format!("one of {}", words.join(", "))
    }

    /// The word with this meaning.
    fn word(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        let known = words.find(|(_, meaning)| *meaning == self);
        known.expect("each meaning has its word").0
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
        definitions.refer(Self::NAME, |_| {
            let description = Self::DESCRIPTION.trim();
            json!({"type": "string", "description": description, "enum": words})
        })
    }
}

/// A string that should be one of the words of `C`. Its meaning is asked for only when the field is interpreted:
/// if the whole field is refused, a wrong word in it is not a second problem.
#[derive(Debug)]
pub(crate) struct JsonWord<'a, C> {
    text: Cow<'a, str>,
    choice: PhantomData<C>,
}

impl<C: Choice> JsonWord<'_, C> {
    /// `None` if it is not one of the words.
    pub fn meaning(&self) -> Option<C> {
        C::WORDS
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(&self.text))
            .map(|(_, meaning)| *meaning)
    }
}

impl<'a, C: Choice> Shape<'a> for JsonWord<'a, C> {
    const EXPECTED: &'static str = "a string";

    fn schema(definitions: &mut Definitions) -> Value {
        C::schema(definitions)
    }

    fn text(_: &mut ReadState<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        let choice = PhantomData;
        Some(Self { text, choice })
    }
}

/// Declares an enum of the words that a field accepts. The first line of its documentation is its description in
/// the schema.
macro_rules! choice {
    (
        #[doc = $description:literal]
        $(#[doc = $doc:literal])*
        $choice:ident {
            $($(#[doc = $word_doc:literal])* $(#[cfg($cfg:meta)])? $meaning:ident = $word:literal,)+
        }
    ) => {
        #[doc = $description]
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $choice {
            $($(#[doc = $word_doc])* $(#[cfg($cfg)])? $meaning,)+
        }

        impl $crate::json::choice::Choice for $choice {
            const NAME: &'static str = stringify!($choice);
            const DESCRIPTION: &'static str = $description;
            const WORDS: &'static [(&'static str, Self)] =
                &[$($(#[cfg($cfg)])? ($word, Self::$meaning),)+];
        }
    };
}

pub(super) use choice;
