//! What a placeholder says, once it is parsed.

use super::super::place::Place;
use crate::number::Number;
use std::borrow::Cow;

/// What has a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Expression<'a> {
    Nil,
    Boolean(bool),
    Number(Number<'a>),
    Text(Cow<'a, str>),
    /// Literal braces. They are written as they are, also in links.
    Braces(&'static str),
    /// A variable, and the path from there into objects and lists.
    Path(Root, Vec<Step<'a>>),
    /// The same, starting at an expression in parentheses.
    Within(Box<Expression<'a>>, Vec<Step<'a>>),
    Not(Box<Expression<'a>>),
    Length(Box<Expression<'a>>),
    IsEmpty(Box<Expression<'a>>),
    /// With `and` between them.
    All(Vec<Expression<'a>>),
    /// With `or` between them.
    Any(Vec<Expression<'a>>),
    Compare(Box<[Expression<'a>; 2]>, Comparison),
}

/// The start of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Root {
    /// A variable, by the number of its name.
    Variable(usize),
    /// The current element of a loop. Loops count from 0, the outermost.
    Element(usize),
    /// How many elements a loop has begun.
    Index(usize),
}

/// A step into an object or a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step<'a> {
    /// `.name`
    Member(Cow<'a, str>),
    /// `[1]`, `['name']`, `[name]`
    Subscript(Expression<'a>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

/// A piece of the content of a statement.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Text(Cow<'a, str>),
    Value {
        expression: Expression<'a>,
        writing: Writing,
        place: Place,
    },
    /// The first branch whose condition is true; `else` has none.
    If(Vec<Branch<'a>>),
    Each {
        list: Expression<'a>,
        place: Place,
        body: Vec<Node<'a>>,
    },
}

#[derive(Debug)]
pub(super) struct Branch<'a> {
    pub condition: Option<Expression<'a>>,
    pub place: Place,
    pub body: Vec<Node<'a>>,
}

/// How a value is written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Writing {
    /// As it is.
    Plain,
    /// As text within HTML.
    Html,
    /// As a part of a URL.
    Url,
    /// Between the marks by which it is found in an iCalendar object.
    Calendar,
}

impl<'a> Expression<'a> {
    /// The name under which `loop_vars` has the elements of this list: the last one of its path.
    pub fn list_name(&self, names: &[Cow<'a, str>]) -> Option<Cow<'a, str>> {
        let (root, steps) = match self {
            Self::Path(root, steps) => (Some(*root), steps),
            Self::Within(_, steps) => (None, steps),
            _ => return None,
        };
        match (steps.last(), root?) {
            (Some(Step::Member(name) | Step::Subscript(Self::Text(name))), _) => Some(name.clone()),
            (None, Root::Variable(number)) => Some(names[number].clone()),
            (None, Root::Element(_)) => Some("loop_var".into()),
            (Some(Step::Subscript(_)), _) | (None, Root::Index(_)) => None,
        }
    }

    /// Whether it is a variable, or a path from one.
    pub fn is_path(&self) -> bool {
        matches!(self, Self::Path(..))
    }
}
