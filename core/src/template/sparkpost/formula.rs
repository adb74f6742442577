//! How a value is computed, and its default.

use super::super::Addressee;
use super::super::place::Place;
use super::evaluation::{Evaluation, Failure, Given};
use super::expression::{Expression, Node, Writing};
use super::names::BuiltIn;
use crate::problem::{Code, Refusal};
use crate::variable::VariableValue;
use std::borrow::Cow;

/// How a value is computed.
#[derive(Debug)]
pub(super) enum Formula<'a> {
    Expression(Expression<'a>, Writing),
    Statement(Node<'a>),
}

/// Computes a value; `place` is its position.
pub(super) fn work_out<'v, 'r: 'v, G: Given<'v, 'r>>(
    formula: &'v Formula<'r>,
    evaluation: &mut Evaluation<'v, 'r, G>,
    place: Place,
) -> Result<Cow<'r, str>, Failure> {
    match formula {
        Formula::Expression(expression, writing) => evaluation
            .text(expression, *writing)
            .map_err(|misfit| Failure { misfit, place }),
        Formula::Statement(node) => Ok(evaluation.statement(node)?.into()),
    }
}

/// Nobody gives any values.
pub(super) struct Nothing;

impl<'v, 'r> Given<'v, 'r> for Nothing {
    fn variable(&self, _: usize) -> Option<&'v VariableValue<'r>> {
        None
    }

    fn built_in(&self, _: usize) -> Option<BuiltIn> {
        None
    }
}

pub(super) fn evaluation_of_nothing<'v, 'r: 'v>() -> Evaluation<'v, 'r, Nothing> {
    Evaluation::new(Nothing, Addressee::default())
}

/// The value, if it does not depend on variables.
pub(super) fn constant<'a>(formula: &Formula<'a>, place: Place) -> Result<Cow<'a, str>, Refusal> {
    work_out(formula, &mut evaluation_of_nothing(), place).map_err(|failure| {
        let (_, what) = failure.misfit.told();
        let detail = format!("In {} the template {what}.", failure.place);
        Refusal::with_detail(Code::InvalidTemplate, detail)
    })
}
