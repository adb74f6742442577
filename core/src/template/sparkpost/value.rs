//! The values of expressions. Only nil and false are false, as in Lua, in which the language is implemented.

use super::super::Addressee;
use super::expression::Comparison;
use super::work::{Misfit, Work};
use crate::number::Number;
use crate::syntax::to_lf;
use crate::variable::VariableValue;
use std::borrow::Cow;
use std::cmp::Ordering;

type Members<'v, 'r> = &'v [(Cow<'r, str>, VariableValue<'r>)];

/// A value of an expression.
#[derive(Debug, Clone)]
pub(super) enum Value<'v, 'r> {
    Nil,
    Boolean(bool),
    Number(Number<'r>),
    Text(&'v Cow<'r, str>),
    /// A built-in text.
    Known(&'v str),
    List(&'v [VariableValue<'r>]),
    Object(Members<'v, 'r>),
    /// The recipient's name and address, after what the caller says about them.
    Address(Addressee<'v>, Option<&'v VariableValue<'r>>),
}

impl<'v, 'r> Value<'v, 'r> {
    pub fn of(value: &'v VariableValue<'r>) -> Self {
        match value {
            VariableValue::Text(text) => Self::Text(text),
            VariableValue::Number(number) => Self::Number(number.clone()),
            VariableValue::Boolean(boolean) => Self::Boolean(*boolean),
            VariableValue::List(list) => Self::List(list),
            VariableValue::Object(members) => Self::Object(members),
        }
    }

    pub fn known(text: Option<&'v str>) -> Self {
        text.map_or(Self::Nil, Self::Known)
    }

    /// Whether it is true as a condition.
    pub fn holds(&self) -> bool {
        match self {
            Self::Nil | Self::Boolean(false) => false,
            Self::Address(_, Some(own)) => Self::of(own).holds(),
            _ => true,
        }
    }

    /// The text that is written for it.
    pub fn into_text(self) -> Result<Cow<'r, str>, Misfit> {
        match self {
            Self::Nil => Ok(Cow::Borrowed("")),
            Self::Boolean(true) => Ok("true".into()),
            Self::Boolean(false) => Ok("false".into()),
            Self::Number(number) => Ok(number.into_text()),
            Self::Text(text) => Ok(to_lf(text.clone())),
            Self::Known(text) => Ok(Cow::Owned(text.to_owned())),
            Self::Address(_, Some(own)) => Self::of(own).into_text(),
            Self::List(_) | Self::Object(_) | Self::Address(_, None) => Err(Misfit::NoText),
        }
    }

    /// The member with this name.
    pub fn member(&self, name: &str, work: &mut Work) -> Result<Self, Misfit> {
        let found = match self {
            Self::Object(members) => find(members, name, work)?,
            Self::Address(addressee, own) => {
                let own = match own {
                    Some(VariableValue::Object(members)) => find(members, name, work)?,
                    _ => None,
                };
                own.or_else(|| match name {
                    "name" => addressee.name.map(Self::Known),
                    "email" => addressee.email.map(Self::Known),
                    _ => None,
                })
            }
            _ => None,
        };
        Ok(found.unwrap_or(Self::Nil))
    }

    /// The value in brackets after it: the position in a list, counted from 1, or the name of a member.
    pub fn subscript(&self, key: &Self, work: &mut Work) -> Result<Self, Misfit> {
        match (self, key) {
            (Self::List(list), Self::Number(number)) => {
                let element = place_in_list(number).and_then(|place| list.get(place));
                Ok(element.map_or(Self::Nil, Self::of))
            }
            (Self::Object(_) | Self::Address(..), Self::Text(_) | Self::Known(_)) => {
                work.take_bytes(key.size())?;
                let name = key.as_text().unwrap_or_default();
                self.member(&name, work)
            }
            _ => Ok(Self::Nil),
        }
    }

    /// The number of its elements.
    pub fn length(&self) -> Result<Number<'r>, Misfit> {
        match self {
            Self::Nil => Ok(Number::from(0)),
            Self::List(list) => Ok(count(list.len())),
            _ => Err(Misfit::NoLength),
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(list) => list.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Text(text) => text.is_empty(),
            Self::Known(text) => text.is_empty(),
            Self::Address(_, own) => own.is_some_and(|own| Self::of(own).is_empty()),
            Self::Boolean(_) | Self::Number(_) => false,
        }
    }

    /// The elements of a list; nil is an empty one.
    pub fn elements(self) -> Result<&'v [VariableValue<'r>], Misfit> {
        match self {
            Self::Nil => Ok(&[]),
            Self::List(list) => Ok(list),
            _ => Err(Misfit::NoList),
        }
    }

    /// Whether a comparison of two values is true.
    pub fn compare(
        self,
        comparison: Comparison,
        other: Self,
        work: &mut Work,
    ) -> Result<bool, Misfit> {
        let (one, other) = (self.plain(), other.plain());
        // Each is read to its end.
        work.take_bytes(one.size().saturating_add(other.size()))?;
        let order = |fits: fn(Ordering) -> bool| Ok(one.order(&other)?.is_some_and(fits));
        match comparison {
            Comparison::Equal => one.equals(&other),
            Comparison::Unequal => one.equals(&other).map(|equal| !equal),
            Comparison::Less => order(Ordering::is_lt),
            Comparison::Greater => order(Ordering::is_gt),
            Comparison::LessOrEqual => order(Ordering::is_le),
            Comparison::GreaterOrEqual => order(Ordering::is_ge),
        }
    }

    /// What the caller gives instead of the built-in name and address.
    fn plain(self) -> Self {
        match self {
            Self::Address(_, Some(own)) => Self::of(own),
            _ => self,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Known(text) => text.len(),
            Self::Number(number) => number.written_length(),
            _ => 0,
        }
    }

    /// Its text, if it is one.
    fn as_text(&self) -> Option<Cow<'v, str>> {
        match self {
            Self::Text(text) => Some(to_lf(Cow::Borrowed(text))),
            Self::Known(text) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    /// Its number, or the number that its text is.
    fn to_number(&self) -> Option<Number<'v>>
    where
        'r: 'v,
    {
        match self {
            Self::Number(number) => Some(number.clone()),
            _ => Number::new(self.as_text()?),
        }
    }

    fn equals(&self, other: &Self) -> Result<bool, Misfit> {
        let is_whole =
            |value: &Self| matches!(value, Self::List(_) | Self::Object(_) | Self::Address(..));
        Ok(match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Boolean(one), Self::Boolean(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => {
                in_order(one, other) == Some(Ordering::Equal)
            }
            _ if is_whole(self) && is_whole(other) => return Err(Misfit::NoOrder),
            _ => self
                .as_text()
                .is_some_and(|one| other.as_text() == Some(one)),
        })
    }

    /// Nothing can be ordered relative to nil. A text that is a number can be compared with a number.
    fn order(&self, other: &Self) -> Result<Option<Ordering>, Misfit> {
        match (self, other) {
            (Self::Nil, _) | (_, Self::Nil) => return Ok(None),
            (Self::Number(_), _) | (_, Self::Number(_)) => {
                if let (Some(one), Some(other)) = (self.to_number(), other.to_number()) {
                    return Ok(in_order(&one, &other));
                }
            }
            _ => {
                if let (Some(one), Some(other)) = (self.as_text(), other.as_text()) {
                    return Ok(Some(one.cmp(&other)));
                }
            }
        }
        Err(Misfit::NoOrder)
    }
}

/// The member of this name.
fn find<'v, 'r>(
    members: Members<'v, 'r>,
    name: &str,
    work: &mut Work,
) -> Result<Option<Value<'v, 'r>>, Misfit> {
    work.take_items(members.len())?;
    for (known, value) in members {
        if known.len() == name.len() {
            work.take_bytes(name.len())?;
            if known == name {
                return Ok(Some(Value::of(value)));
            }
        }
    }
    Ok(None)
}

/// How many there are.
pub(super) fn count<'r>(number: usize) -> Number<'r> {
    Number::from(u64::try_from(number).unwrap_or(u64::MAX))
}

fn in_order(one: &Number<'_>, other: &Number<'_>) -> Option<Ordering> {
    match (one.to_integer(), other.to_integer()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.to_float().partial_cmp(&other.to_float()),
    }
}

/// The index of the element with this number; `None` if there is none.
fn place_in_list(number: &Number<'_>) -> Option<usize> {
    if let Some(integer) = number.to_integer() {
        return usize::try_from(integer.checked_sub(1)?).ok();
    }
    // As a number of the floating kind it may be whole as well: `2.0`.
    let float = number.to_float();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and not more than there are elements of any list"
    )]
    let place = (float.fract() == 0.0 && (1.0..1e15).contains(&float)).then(|| float as usize - 1);
    place
}
