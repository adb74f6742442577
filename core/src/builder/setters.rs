//! Setters that several builders have.

use super::data::{Data, Members};
use crate::json::Choice;
use std::borrow::Cow;

/// What has fields, which its setters fill.
pub(super) trait Fields<'a>: Sized {
    fn fields(&mut self) -> &mut Members<'a>;

    /// Gives a field its value, in place of what it had.
    fn with(mut self, name: &'static str, value: Data<'a>) -> Self {
        self.fields().set(name, value);
        self
    }

    /// Adds a value to a field that may have several: one is itself, more are a list.
    fn adding(mut self, name: &'static str, value: Data<'a>) -> Self {
        self.fields().add(name, value);
        self
    }

    /// Adds an element to a field that is a list.
    fn pushing(mut self, name: &'static str, element: Data<'a>) -> Self {
        self.fields().push(name, element);
        self
    }

    fn pushing_header(self, name: Cow<'a, str>, value: Cow<'a, str>) -> Self {
        let members = vec![
            ("name".into(), Data::Text(name)),
            ("value".into(), Data::Text(value)),
        ];
        self.pushing("headers", Data::Object(Members(members)))
    }
}

pub(super) fn word(choice: impl Choice) -> Data<'static> {
    Data::Text(choice.word().into())
}

/// Setters of texts.
macro_rules! texts {
    ($($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+) => {$(
        $(#[doc = $doc])*
        #[must_use]
        pub fn $setter(self, text: impl Into<Cow<'a, str>>) -> Self {
            self.with($name, Data::Text(text.into()))
        }
    )+};
}

/// Setters of mailboxes; several calls give several.
macro_rules! mailboxes {
    ($($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+) => {$(
        $(#[doc = $doc])*
        #[must_use]
        pub fn $setter(self, mailboxes: impl Into<Mailboxes<'a>>) -> Self {
            self.adding($name, mailboxes.into().into_data())
        }
    )+};
}

/// Setters of yes and no.
macro_rules! booleans {
    ($($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+) => {$(
        $(#[doc = $doc])*
        #[must_use]
        pub fn $setter(self, is_so: bool) -> Self {
            self.with($name, Data::Boolean(is_so))
        }
    )+};
}

/// The setters of values for templates.
macro_rules! template_values {
    ($(#[doc = $doc:literal])* variable) => {
        $(#[doc = $doc])*
        #[must_use]
        pub fn variable(
            mut self,
            name: impl Into<Cow<'a, str>>,
            value: impl Into<TemplateValue<'a>>,
        ) -> Self {
            let value = value.into().into_data();
            self.fields().insert("variables", name.into(), value);
            self
        }

        /// Values for the template: the fields of a struct, or a map. Their texts are copied.
        #[must_use]
        pub fn variables(mut self, variables: &(impl Serialize + ?Sized)) -> Self {
            self.fields().extend("variables", serialize::data(variables));
            self
        }
    };
}

pub(super) use {booleans, mailboxes, template_values, texts};
