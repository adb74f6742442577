//! Evaluates expressions and statements for one recipient.

use super::super::filters::UrlSet;
use super::super::place::{FieldName, Place};
use super::super::{Addressee, marked_value, push_escaped};
use super::expression::{Branch, Expression, Node, Root, Step, Writing};
use super::names::BuiltIn;
use super::value::{Value, count};
use super::work::{Misfit, Work};
use crate::problem::Refusal;
use crate::variable::VariableValue;
use std::borrow::Cow;

/// What expressions can refer to.
pub(super) trait Given<'v, 'r> {
    /// The variable with this number; the recipient's own takes precedence.
    fn variable(&self, number: usize) -> Option<&'v VariableValue<'r>>;

    /// The built-in meaning of the name with this number.
    fn built_in(&self, number: usize) -> Option<BuiltIn>;
}

/// Why something cannot be evaluated, and its position.
#[derive(Debug)]
pub(super) struct Failure {
    pub misfit: Misfit,
    pub place: Place,
}

impl Failure {
    /// The refusal for a template in this field.
    pub fn refusal(&self, field: &FieldName) -> Refusal {
        let place = self.place;
        let (code, what) = self.misfit.told();
        Refusal::with_detail(code, format!("The template in {field}, {place}, {what}."))
    }
}

pub(super) struct Evaluation<'v, 'r, G> {
    given: G,
    addressee: Addressee<'v>,
    /// The current elements of the loops, numbered from 1.
    loops: Vec<(&'v VariableValue<'r>, usize)>,
    /// The position of the last statement that was begun.
    place: Place,
    work: Work,
}

impl<'v, 'r: 'v, G: Given<'v, 'r>> Evaluation<'v, 'r, G> {
    pub fn new(given: G, addressee: Addressee<'v>) -> Self {
        Self {
            given,
            addressee,
            loops: Vec::new(),
            place: Place::START,
            work: Work::new(),
        }
    }

    /// The output of an expression.
    pub fn text(
        &mut self,
        expression: &'v Expression<'r>,
        writing: Writing,
    ) -> Result<Cow<'r, str>, Misfit> {
        let text = self.value(expression)?.into_text()?;
        let length = text.len();
        self.work.take_bytes(length)?;
        let written = match writing {
            Writing::Plain => text,
            Writing::Url => UrlSet::Unreserved.encode(text),
            Writing::Html => {
                let mut out = String::with_capacity(text.len());
                push_escaped(&mut out, &text);
                out.into()
            }
            Writing::Calendar => Cow::Owned(marked_value(&text).ok_or(Misfit::Control)?),
        };
        self.work.take_bytes(written.len().saturating_sub(length))?;
        Ok(written)
    }

    /// The output of an outermost statement.
    pub fn statement(&mut self, node: &'v Node<'r>) -> Result<String, Failure> {
        // One that failed before may have left some.
        self.loops.clear();
        let mut out = String::new();
        self.write(std::slice::from_ref(node), &mut out)?;
        Ok(out)
    }

    /// Appends the output of nodes.
    fn write(&mut self, nodes: &'v [Node<'r>], out: &mut String) -> Result<(), Failure> {
        for node in nodes {
            match node {
                Node::Text(text) => {
                    // Within a loop it may be any number of times as long.
                    let taken = self.work.take(1 + text.len() / 64);
                    taken.map_err(failing(self.place))?;
                    out.push_str(text);
                }
                Node::Value {
                    expression,
                    writing,
                    place,
                } => {
                    let text = self.text(expression, *writing);
                    out.push_str(&text.map_err(failing(*place))?);
                }
                Node::If(branches) => {
                    if let Some(branch) = self.branch(branches)? {
                        self.write(&branch.body, out)?;
                    }
                }
                Node::Each { list, place, body } => {
                    let elements = self.value(list).and_then(Value::elements);
                    let elements = elements.map_err(failing(*place))?;
                    self.place = *place;
                    for (index, element) in elements.iter().enumerate() {
                        self.work.take(1).map_err(failing(*place))?;
                        self.loops.push((element, index + 1));
                        self.write(body, out)?;
                        self.loops.pop();
                    }
                }
            }
        }
        Ok(())
    }

    /// The first branch whose condition is true.
    fn branch(&mut self, branches: &'v [Branch<'r>]) -> Result<Option<&'v Branch<'r>>, Failure> {
        for branch in branches {
            let holds = match &branch.condition {
                None => true,
                Some(condition) => {
                    self.place = branch.place;
                    let value = self.value(condition);
                    value.map_err(failing(branch.place))?.holds()
                }
            };
            if holds {
                return Ok(Some(branch));
            }
        }
        Ok(None)
    }

    fn value(&mut self, expression: &'v Expression<'r>) -> Result<Value<'v, 'r>, Misfit> {
        self.work.take(1)?;
        Ok(match expression {
            Expression::Nil => Value::Nil,
            Expression::Boolean(boolean) => Value::Boolean(*boolean),
            Expression::Number(number) => Value::Number(number.clone()),
            Expression::Text(text) => Value::Text(text),
            Expression::Braces(text) => Value::Known(text),
            Expression::Path(root, steps) => {
                let value = self.root(*root);
                self.follow(value, steps)?
            }
            Expression::Within(inner, steps) => {
                let value = self.value(inner)?;
                self.follow(value, steps)?
            }
            Expression::Not(operand) => Value::Boolean(!self.value(operand)?.holds()),
            Expression::Length(operand) => Value::Number(self.value(operand)?.length()?),
            Expression::IsEmpty(operand) => Value::Boolean(self.value(operand)?.is_empty()),
            Expression::All(operands) => self.until(operands, false)?,
            Expression::Any(operands) => self.until(operands, true)?,
            Expression::Compare(operands, comparison) => {
                let [one, other] = &**operands;
                let (one, other) = (self.value(one)?, self.value(other)?);
                Value::Boolean(one.compare(*comparison, other, &mut self.work)?)
            }
        })
    }

    /// The first value that is true (or is not), or else the last one.
    fn until(
        &mut self,
        operands: &'v [Expression<'r>],
        holds: bool,
    ) -> Result<Value<'v, 'r>, Misfit> {
        let mut last = Value::Nil;
        for operand in operands {
            last = self.value(operand)?;
            if last.holds() == holds {
                break;
            }
        }
        Ok(last)
    }

    fn root(&self, root: Root) -> Value<'v, 'r> {
        match root {
            Root::Element(number) => Value::of(self.loops[number].0),
            Root::Index(number) => Value::Number(count(self.loops[number].1)),
            Root::Variable(number) => {
                let own = self.given.variable(number);
                match (self.given.built_in(number), own) {
                    (Some(BuiltIn::Address), own) => Value::Address(self.addressee, own),
                    (_, Some(own)) => Value::of(own),
                    (Some(BuiltIn::Email), None) => Value::known(self.addressee.email),
                    (Some(BuiltIn::Sender), None) => Value::known(self.addressee.reverse_path),
                    (None, None) => Value::Nil,
                }
            }
        }
    }

    fn follow(
        &mut self,
        mut value: Value<'v, 'r>,
        steps: &'v [Step<'r>],
    ) -> Result<Value<'v, 'r>, Misfit> {
        for step in steps {
            self.work.take(1)?;
            value = match step {
                Step::Member(name) => value.member(name, &mut self.work)?,
                Step::Subscript(key) => {
                    let key = self.value(key)?;
                    value.subscript(&key, &mut self.work)?
                }
            };
        }
        Ok(value)
    }
}

fn failing(place: Place) -> impl Fn(Misfit) -> Failure {
    move |misfit| Failure { misfit, place }
}
