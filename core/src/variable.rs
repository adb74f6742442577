//! Values for the placeholders of a text: given in JSON, used by templates.

use crate::number::Number;
use crate::problem::Location;
use std::borrow::Cow;

/// A value with the name by which texts refer to it.
#[derive(Debug, Clone)]
pub(crate) struct Variable<'a> {
    pub name: Cow<'a, str>,
    /// Where problems with it are reported.
    pub location: Location,
    pub value: VariableValue<'a>,
}

/// A value of any type. `null` counts as absent.
#[derive(Debug, Clone)]
pub(crate) enum VariableValue<'a> {
    Text(Cow<'a, str>),
    Number(Number<'a>),
    Boolean(bool),
    List(Vec<VariableValue<'a>>),
    /// Names and values, each name once, in document order.
    Object(Vec<(Cow<'a, str>, VariableValue<'a>)>),
}
