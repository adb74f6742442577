//! The languages in which placeholders are written.

#[cfg(feature = "jinja")]
use super::jinja::Programs;
use super::sources::{Owner, Sources};
use super::{TemplateText, TextKind, Values};
use crate::json::{JsonVariables, TemplateLanguage};
use crate::problem::{ProblemReport, Refusal};
use std::borrow::Cow;

/// How the texts of a message are read, with what was found in them.
#[derive(Debug)]
pub(crate) enum Language<'a> {
    /// As they are.
    None,
    /// With placeholders.
    Merge(Sources<'a>),
    /// With conditions, loops and filters.
    #[cfg(feature = "jinja")]
    Jinja(Box<Programs>),
}

impl<'a> Language<'a> {
    /// Of this kind, with nothing found yet.
    pub fn new(kind: TemplateLanguage) -> Self {
        match kind {
            TemplateLanguage::None => Self::None,
            TemplateLanguage::Merge => Self::Merge(Sources::default()),
            #[cfg(feature = "jinja")]
            TemplateLanguage::Jinja => Self::Jinja(Box::new(Programs::new())),
        }
    }

    /// Takes a text apart. An error says what is wrong with it.
    pub fn parse(
        &mut self,
        text: Cow<'a, str>,
        kind: TextKind,
    ) -> Result<TemplateText<'a>, Refusal> {
        match self {
            Self::None => Ok(TemplateText::literal(text)),
            Self::Merge(sources) => sources.parse(&text, kind),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.parse(text, kind),
        }
    }

    /// Takes the variables that are the same for everybody. All texts were parsed before.
    pub fn share(&mut self, variables: JsonVariables<'a>, report: &mut ProblemReport<'a>) {
        match self {
            Self::None => {}
            Self::Merge(sources) => sources.share(variables, report),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.share(variables),
        }
    }

    /// The values of one recipient; what is missing or does not fit goes into the report.
    pub fn resolve<'r>(
        &self,
        owner: Owner,
        variables: JsonVariables<'r>,
        report: &mut ProblemReport<'r>,
    ) -> Values<'r>
    where
        'a: 'r,
    {
        match self {
            Self::None => Values::default(),
            Self::Merge(sources) => sources.resolve(owner, variables, report),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.resolve(owner, variables, report),
        }
    }

    /// A value of a recipient's, or what it is for everybody.
    pub fn value<'v>(&'v self, values: &'v Values<'_>, number: usize) -> &'v str {
        match values.0.get(number) {
            Some(Some(own)) => own,
            _ => self.common(number),
        }
    }

    /// What a value is for everybody who has none of their own.
    pub fn common(&self, number: usize) -> &str {
        match self {
            Self::Merge(sources) => sources.common(number),
            Self::None => "",
            // Each working out gives all of them.
            #[cfg(feature = "jinja")]
            Self::Jinja(_) => "",
        }
    }
}
