//! What is given for the placeholders of a text: JSON says it, templates take it.

use crate::number::Number;
use crate::problem::Location;
use std::borrow::Cow;

/// A value with the name by which texts ask for it.
#[derive(Debug, Clone)]
pub(crate) struct Variable<'a> {
    pub name: Cow<'a, str>,
    /// Where what is wrong with it is told.
    pub location: Location,
    pub value: VariableValue<'a>,
}

/// A value of any type. `null` is as absent and is none.
#[derive(Debug, Clone)]
pub(crate) enum VariableValue<'a> {
    Text(Cow<'a, str>),
    Number(Number<'a>),
    Boolean(bool),
    List(Vec<VariableValue<'a>>),
    /// Names and values, each name once, in the order of the document.
    Object(Vec<(Cow<'a, str>, VariableValue<'a>)>),
}
