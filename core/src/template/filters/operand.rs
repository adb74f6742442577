//! What a filter is applied to.

use crate::syntax::to_lf;
use crate::variable::VariableValue;
use std::borrow::Cow;

/// A value passing through filters; lines of its texts end with LF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand<'v> {
    Absent,
    Boolean(bool),
    /// As it is written.
    Number(Cow<'v, str>),
    Text(Cow<'v, str>),
    List(Vec<Operand<'v>>),
    Object(Vec<(Cow<'v, str>, Operand<'v>)>),
}

impl<'v> Operand<'v> {
    /// The value of a variable.
    pub fn of(value: &VariableValue<'v>) -> Self {
        match value {
            VariableValue::Text(text) => Self::Text(to_lf(text.clone())),
            VariableValue::Number(number) => Self::Number(number.clone().into_text()),
            VariableValue::Boolean(boolean) => Self::Boolean(*boolean),
            VariableValue::List(list) => Self::List(list.iter().map(Self::of).collect()),
            VariableValue::Object(members) => {
                let members = members.iter();
                let members = members.map(|(name, value)| (name.clone(), Self::of(value)));
                Self::Object(members.collect())
            }
        }
    }

    /// The text of a value that passes through no filter; `None` for lists and objects.
    pub fn text_of(value: &VariableValue<'v>) -> Option<Cow<'v, str>> {
        match value {
            VariableValue::Text(text) => Some(to_lf(text.clone())),
            VariableValue::Number(number) => Some(number.clone().into_text()),
            VariableValue::Boolean(boolean) => Self::Boolean(*boolean).into_text(),
            VariableValue::List(_) | VariableValue::Object(_) => None,
        }
    }

    /// The text that is written; `None` for lists and objects, and for absent values.
    pub fn into_text(self) -> Option<Cow<'v, str>> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Boolean(true) => Some("true".into()),
            Self::Boolean(false) => Some("false".into()),
            Self::Absent | Self::List(_) | Self::Object(_) => None,
        }
    }
}
