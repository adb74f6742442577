//! Whether minijinja accepts the arguments that a template gives, found out by trying.

use minijinja::machinery::ast::CallArg;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, context};

/// A filter, test or function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callee {
    Filter,
    Test,
    Function,
}

/// The arguments of a call, all of which are known.
#[derive(Debug, Default)]
pub(super) struct Constants<'s> {
    pub positional: Vec<Value>,
    pub named: Vec<(&'s str, Value)>,
}

/// Tries calls.
pub(super) struct Trials<'e> {
    environment: &'e Environment<'e>,
    /// How many more: each costs time.
    left: usize,
}

const MOST_TRIALS: usize = 200;

impl<'s> Constants<'s> {
    /// `None` if an argument depends on a variable.
    pub fn of(arguments: &[CallArg<'s>]) -> Option<Self> {
        let mut constants = Self::default();
        for argument in arguments {
            match argument {
                CallArg::Pos(expression) => constants.positional.push(expression.as_const()?),
                CallArg::Kwarg(name, expression) => {
                    constants.named.push((*name, expression.as_const()?));
                }
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => return None,
            }
        }
        Some(constants)
    }
}

impl<'e> Trials<'e> {
    /// The fuel of the environment limits each.
    pub fn new(environment: &'e Environment<'e>) -> Self {
        Self {
            environment,
            left: MOST_TRIALS,
        }
    }

    /// Whether a call fails with these arguments, whatever it is applied to. Unknown or untried calls count as
    /// successful.
    pub fn is_misused(&mut self, callee: Callee, name: &str, arguments: &[CallArg<'_>]) -> bool {
        let Some(Constants {
            positional: mut given,
            named,
        }) = Constants::of(arguments).filter(|_| self.left > 0)
        else {
            return false;
        };
        if !named.is_empty() {
            let named = named
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value));
            given.push(Value::from(named.collect::<Kwargs>()));
        }
        let places: Vec<_> = (0..given.len())
            .map(|place| format!("given[{place}]"))
            .collect();
        let places = places.join(", ");
        let call = match callee {
            Callee::Filter => format!("on|{name}({places})"),
            Callee::Test => format!("on is {name}({places})"),
            Callee::Function => format!("{name}({places})"),
        };
        let Ok(call) = self.environment.compile_expression(&call) else {
            return false;
        };
        let given = Value::from(given);
        for on in [
            Value::from(""),
            Value::from(Vec::<Value>::new()),
            context! {},
            Value::from(1),
            Value::from(vec![1]),
            Value::from(vec!["a"]),
        ] {
            let result = call.eval(context! { on, given => given.clone() });
            self.left = self.left.saturating_sub(1);
            if self.left == 0 || !result.is_err_and(|error| is_final(&error)) {
                return false;
            }
        }
        true
    }
}

/// Whether the call fails for good, and does not merely take too long or lack something.
fn is_final(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::OutOfFuel | ErrorKind::UndefinedError
    )
}
