//! The languages in which placeholders are written.

#[cfg(feature = "jinja")]
use super::jinja::Programs;
use super::place::FieldName;
use super::sources::{Owner, Sources};
use super::sparkpost::Substitutions;
use super::{Addressee, TemplateText, TextKind, Values};
use crate::problem::{Location, ProblemReport, Refusal};
use crate::variable::Variable;
use std::borrow::Cow;

/// How the texts of a message are interpreted, and what was found in them.
#[derive(Debug)]
pub(crate) enum Language<'a> {
    /// Literally.
    None,
    /// With placeholders.
    Merge(Sources<'a>),
    /// With conditions, loops and filters.
    #[cfg(feature = "jinja")]
    Jinja(Box<Programs>),
    /// With conditions and loops as SparkPost has them.
    SparkPost(Box<Substitutions<'a>>),
}

impl<'a> Language<'a> {
    /// Placeholders, none of which is known yet.
    pub fn merge() -> Self {
        Self::Merge(Sources::default())
    }

    /// Jinja's templates, none of which is known yet.
    #[cfg(feature = "jinja")]
    pub fn jinja() -> Self {
        Self::Jinja(Box::new(Programs::new()))
    }

    /// SparkPost's substitutions, none of which is known yet.
    pub fn sparkpost() -> Self {
        Self::SparkPost(Box::default())
    }

    /// The same language without any text yet; `None` if texts are read literally.
    pub fn fresh(&self) -> Option<Self> {
        match self {
            Self::None => None,
            Self::Merge(_) => Some(Self::merge()),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => Some(Self::Jinja(Box::new(programs.fresh()))),
            Self::SparkPost(texts) => Some(Self::SparkPost(Box::new(texts.fresh()))),
        }
    }

    /// Parses the text of a field. An error says what is wrong with it.
    pub fn parse(
        &mut self,
        text: Cow<'a, str>,
        kind: TextKind,
        field: impl FnOnce() -> FieldName,
    ) -> Result<TemplateText<'a>, Refusal> {
        match self {
            Self::None => Ok(TemplateText::literal(text)),
            Self::Merge(sources) => sources.parse(&text, kind, field),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.parse(text, kind, field),
            Self::SparkPost(texts) => texts.parse(text, kind, field),
        }
    }

    /// The placeholders and statements of an HTML text that [`parse`](Self::parse) takes, in order; its lines end
    /// with LF.
    #[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
    pub fn tags(&self, html: &str) -> Vec<super::Tag> {
        match self {
            Self::None => Vec::new(),
            Self::Merge(_) => super::merge::tags(html),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.tags(html),
            Self::SparkPost(_) => super::sparkpost::tags(html),
        }
    }

    /// How many values the texts use.
    pub fn value_count(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Merge(sources) => sources.value_count(),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.value_count(),
            Self::SparkPost(texts) => texts.value_count(),
        }
    }

    /// Takes the variables that are the same for everybody, after all texts were parsed.
    pub fn share(&mut self, variables: &[Variable<'a>], report: &mut ProblemReport<'a>) {
        match self {
            Self::None => {}
            Self::Merge(sources) => sources.share(variables, report),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.share(variables),
            Self::SparkPost(texts) => texts.share(variables, report),
        }
    }

    /// Gives a [fresh](Self::fresh) language the message's variables, sorted by name. Problems with one are reported at
    /// `place`. Variables that no text uses cost no time.
    pub fn share_asked(
        &mut self,
        sorted: &[Variable<'a>],
        place: Location,
        report: &mut ProblemReport<'a>,
    ) {
        match self {
            Self::None => {}
            Self::Merge(sources) => sources.share_asked(sorted, place, report),
            // It has them.
            #[cfg(feature = "jinja")]
            Self::Jinja(_) => {}
            Self::SparkPost(texts) => texts.put_in_shared(Some(place), report),
        }
    }

    /// The values of one recipient. `None` only if the report says what is missing or does not fit.
    pub fn resolve<'r>(
        &self,
        owner: Owner,
        variables: &[Variable<'r>],
        addressee: Addressee<'_>,
        report: &mut ProblemReport<'r>,
    ) -> Option<Values<'r>>
    where
        'a: 'r,
    {
        match self {
            Self::None => Some(Values::default()),
            Self::Merge(sources) => sources.resolve(owner, variables, report),
            #[cfg(feature = "jinja")]
            Self::Jinja(programs) => programs.resolve(owner, variables, report),
            Self::SparkPost(texts) => texts.resolve(owner, variables, addressee, report),
        }
    }

    /// A value of a recipient whose values were [resolved](Self::resolve): their own, or the common one.
    pub fn value<'v>(&'v self, values: &'v Values<'_>, number: usize) -> &'v str {
        values
            .own(number)
            .or_else(|| self.common(number))
            .expect("who lacks a value that nobody else gives is refused")
    }

    /// The value for everybody who has none of their own; `None` if everybody has one.
    pub fn common(&self, number: usize) -> Option<&str> {
        match self {
            Self::Merge(sources) => sources.common(number),
            Self::None => None,
            // Each evaluation gives all of them.
            #[cfg(feature = "jinja")]
            Self::Jinja(_) => None,
            Self::SparkPost(texts) => texts.common(number),
        }
    }
}
