//! What the reader keeps from value to value.

use super::foreign::Foreign;
use super::literals::Literals;
use crate::interruption::Interruption;
use crate::problem::{Code, Location, ProblemReport};
use serde::de::{Deserialize, Deserializer, EnumAccess, Visitor};
use std::{borrow::Cow, fmt};

/// What the reader keeps from value to value.
pub(super) struct ReadState<'a> {
    pub report: ProblemReport<'a>,
    pub interruption: Interruption<'a>,
    /// The mark in place of each half surrogate pair, if the text contains any.
    mark: Option<&'a str>,
    /// The numbers of the text, if text is read.
    pub literals: Option<Literals<'a>>,
}

impl<'a> ReadState<'a> {
    pub fn new(mark: Option<&'a str>, interruption: Interruption<'a>) -> Self {
        Self {
            report: ProblemReport::new(),
            interruption,
            mark,
            literals: None,
        }
    }

    /// For the reader of a JSON text.
    pub fn of_text(text: &'a str, mark: Option<&'a str>, interruption: Interruption<'a>) -> Self {
        Self {
            literals: Some(Literals::new(text)),
            ..Self::new(mark, interruption)
        }
    }

    /// Reports that the object at `parent` lacks a mandatory member.
    pub fn lacks(&mut self, parent: Location, name: &'static str) {
        let detail = "This must be given.";
        self.report
            .missing(parent, &[name], Code::MissingField, detail);
    }

    /// The location of a member; `None` if its name is not a string or not valid Unicode, which is reported.
    pub fn member(&mut self, parent: Location, name: MemberName<'a>) -> Option<Location> {
        let MemberName { mut text, fault } = name;
        let mark = self.mark.filter(|mark| text.contains(mark));
        match fault {
            None if mark.is_none() => return Some(self.report.member(parent, text)),
            Some(NameFault::NotText) => {
                let detail = "A name in this object is not a string. Python's csv.DictReader uses \
                              None as the name when a row has more values than columns.";
                self.report.problem(parent, Code::WrongType, detail);
                return None;
            }
            None | Some(NameFault::NotUnicode) => {}
        }
        if let Some(mark) = mark {
            text = text.replace(mark, "\u{fffd}").into();
        }
        let location = self.report.member(parent, text);
        let detail = "This name contains half of a surrogate pair, which is not a character.";
        self.report.problem(location, Code::LoneSurrogate, detail);
        None
    }

    /// Whether a string is not valid Unicode, which is reported.
    pub fn has_lone_surrogate(&mut self, location: Location, text: &str) -> bool {
        let found = self.mark.is_some_and(|mark| text.contains(mark));
        if found {
            self.lone_surrogate(location);
        }
        found
    }

    /// Reports that the string at `location` is not valid Unicode.
    pub fn lone_surrogate(&mut self, location: Location) {
        let detail = "This contains half of a surrogate pair, which is not a character.";
        self.report.problem(location, Code::LoneSurrogate, detail);
    }
}

/// The name of a member, borrowed if the format allows it.
pub(super) struct MemberName<'a> {
    pub text: Cow<'a, str>,
    fault: Option<NameFault>,
}

/// Why a name is not acceptable.
#[derive(Debug, Clone, Copy)]
enum NameFault {
    /// It is not valid Unicode; the string is the part that can be shown.
    NotUnicode,
    /// It has another type; the string is empty.
    NotText,
}

impl<'a> From<Cow<'a, str>> for MemberName<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self { text, fault: None }
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
        Ok(match Foreign::read(access, &self)? {
            Foreign::Text(lossy) => MemberName {
                text: lossy.into(),
                fault: Some(NameFault::NotUnicode),
            },
            Foreign::Value(_) | Foreign::Number(_) => MemberName {
                text: Cow::Borrowed(""),
                fault: Some(NameFault::NotText),
            },
        })
    }

    /// What formats give for a name that is not a string.
    fn visit_unit<E>(self) -> Result<MemberName<'a>, E> {
        Ok(MemberName {
            text: Cow::Borrowed(""),
            fault: Some(NameFault::NotText),
        })
    }
}
