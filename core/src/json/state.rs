//! What a reading knows on its way from value to value.

use super::not_unicode::read_lossy;
use crate::problem::{Code, Location, ProblemReport};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, Visitor,
};
use std::{borrow::Cow, fmt};

/// What a reading carries from value to value.
pub(super) struct ReadState<'a> {
    pub report: ProblemReport<'a>,
    /// What the text has in place of each half of a surrogate pair, if it has any.
    mark: Option<&'a str>,
    /// How many levels of arrays and objects may still begin.
    levels_left: u8,
    /// What reads a value that is of no interest, since there is a problem already.
    pub skip: Skip,
}

/// Reads a value that is of no interest, since there is a problem already.
#[derive(Clone, Copy)]
pub(super) enum Skip {
    /// Over all of it.
    Over,
    /// Not at all: the reading ends. For a format that skips with a call for each level, which
    /// hostile input makes as deep as it likes.
    #[cfg(feature = "sonic-rs")]
    Stop,
}

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Self::Over => IgnoredAny::deserialize(deserializer).map(drop),
            #[cfg(feature = "sonic-rs")]
            Self::Stop => Err(D::Error::custom("there is a problem")),
        }
    }
}

impl<'a> ReadState<'a> {
    pub fn new(mark: Option<&'a str>) -> Self {
        Self {
            report: ProblemReport::new(),
            mark,
            // Formats have limits of their own.
            levels_left: u8::MAX,
            skip: Skip::Over,
        }
    }

    /// The same for a format that goes deeper than is wanted, and that skips values with a call for
    /// each level.
    #[cfg(feature = "sonic-rs")]
    pub fn nested_at_most(self, levels_left: u8) -> Self {
        Self {
            levels_left,
            skip: Skip::Stop,
            ..self
        }
    }

    /// Reads an array or an object, if it is not too deep.
    pub fn nested<T, E: Error>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let outside = self.levels_left;
        let inside = outside.checked_sub(1);
        self.levels_left = inside.ok_or_else(|| E::custom("it is nested too deeply"))?;
        let read = read(self);
        self.levels_left = outside;
        read
    }

    /// Notes that the object at `parent` lacks a member that it must have.
    pub fn lacks(&mut self, parent: Location, name: &'static str) {
        let detail = "This must be given.";
        self.report
            .missing(parent, &[name], Code::MissingField, detail);
    }

    /// The location of a member; `None` where its name is not Unicode, which is a problem then.
    pub fn member(&mut self, parent: Location, name: MemberName<'a>) -> Option<Location> {
        let MemberName { mut text, is_lossy } = name;
        let mark = self.mark.filter(|mark| text.contains(mark));
        if mark.is_none() && !is_lossy {
            return Some(self.report.member(parent, text));
        }
        if let Some(mark) = mark {
            text = text.replace(mark, "\u{fffd}").into();
        }
        let location = self.report.member(parent, text);
        let detail = "This name holds half of a surrogate pair, which is no character.";
        self.report.problem(location, Code::LoneSurrogate, detail);
        None
    }

    /// Whether a text is not Unicode, which is a problem then.
    pub fn has_lone_surrogate(&mut self, location: Location, text: &str) -> bool {
        let found = self.mark.is_some_and(|mark| text.contains(mark));
        if found {
            self.lone_surrogate(location);
        }
        found
    }

    /// Notes that the text at `location` is not Unicode.
    pub fn lone_surrogate(&mut self, location: Location) {
        let detail = "This holds half of a surrogate pair, which is no character.";
        self.report.problem(location, Code::LoneSurrogate, detail);
    }
}

/// The name of an object's member, borrowed where the format allows it.
pub(super) struct MemberName<'a> {
    pub text: Cow<'a, str>,
    /// The name is not Unicode, and this is what can be shown of it.
    is_lossy: bool,
}

impl<'a> From<Cow<'a, str>> for MemberName<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        let is_lossy = false;
        Self { text, is_lossy }
    }
}

impl<'a> Deserialize<'a> for MemberName<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'a> Visitor<'a> for NameVisitor {
    type Value = MemberName<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<MemberName<'a>, E> {
        Ok(Cow::Borrowed(name).into())
    }

    fn visit_str<E>(self, name: &str) -> Result<MemberName<'a>, E> {
        Ok(Cow::<str>::Owned(name.to_owned()).into())
    }

    fn visit_enum<A: EnumAccess<'a>>(self, access: A) -> Result<MemberName<'a>, A::Error> {
        Ok(MemberName {
            text: read_lossy(access, &self)?.into(),
            is_lossy: true,
        })
    }
}
