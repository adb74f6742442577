//! Faults of a template that do not depend on values: they are reported once, when the template is parsed, and not for
//! each recipient.

use super::super::place::Place;
use super::filters;
use super::refusals::{misused, misused_own, no_template, unknown};
use super::source::Source;
use super::trials::{Callee, Constants, Trials};
use crate::problem::Refusal;
use crate::text::nearest;
use minijinja::Environment;
use minijinja::machinery::ast::{self, CallArg, Expr, Stmt};
use minijinja::machinery::{Span, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use std::collections::HashSet;
use std::ops::Range;

/// The filters that minijinja provides.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "count",
    "d",
    "date",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "number",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "times",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
];

/// The findings for a template.
#[derive(Debug)]
pub(super) struct Checked {
    /// Offsets, ascending, at which variables of the message or a recipient are used.
    variables: Vec<usize>,
    /// The same for variables of a surrounding loop or `with`.
    scoped: Vec<usize>,
}

impl Checked {
    /// Whether a piece can be evaluated without knowing any variable. `is_whole` means that it is in no loop.
    pub fn is_constant(&self, piece: &Range<usize>, is_whole: bool) -> bool {
        let has_none = |offsets: &[usize]| {
            let first = offsets.partition_point(|offset| *offset < piece.start);
            offsets.get(first).is_none_or(|offset| *offset >= piece.end)
        };
        has_none(&self.variables) && (is_whole || has_none(&self.scoped))
    }
}

/// Checks the names in a template, and the arguments that are known. The fuel of the environment limits each trial.
pub(super) fn check(environment: &Environment<'_>, source: &Source) -> Result<Checked, Refusal> {
    let syntax: SyntaxConfig = environment.syntax().clone();
    let template = parse(&source.text, "", syntax).map_err(|error| no_template(&error, source))?;
    let mut checker = Checker {
        environment,
        source,
        bound: HashSet::from(["loop", "self", "super", "caller"]),
        scopes: Vec::new(),
        calls: Vec::new(),
        found: Checked {
            variables: Vec::new(),
            scoped: Vec::new(),
        },
        trials: Trials::new(environment),
        refusal: None,
    };
    checker.statement(&template);
    checker.finish()
}

struct Checker<'c, 's> {
    environment: &'c Environment<'c>,
    source: &'c Source,
    /// All names to which the template assigns values.
    bound: HashSet<&'s str>,
    /// The names that surrounding loops and `with` define.
    scopes: Vec<&'s str>,
    /// Names that are called as functions, with their positions.
    calls: Vec<(&'s str, Span)>,
    found: Checked,
    trials: Trials<'c>,
    /// The first finding.
    refusal: Option<Refusal>,
}

impl<'s> Checker<'_, 's> {
    fn finish(mut self) -> Result<Checked, Refusal> {
        if self.refusal.is_none() {
            let calls = self.calls.iter();
            let unknown_call = calls.copied().find(|(name, _)| !self.is_known(name));
            if let Some((name, span)) = unknown_call {
                let meant = nearest(["range", "dict", "cycler", "joiner"].into_iter(), name);
                self.refuse(span, |place| unknown("function", name, meant, place));
            }
        }
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        self.found.variables.sort_unstable();
        self.found.scoped.sort_unstable();
        Ok(self.found)
    }

    fn is_known(&self, name: &str) -> bool {
        self.bound.contains(name) || self.environment.globals().any(|(known, _)| known == name)
    }

    /// Records what is wrong at the start of a span, if it is the first finding.
    fn refuse(&mut self, span: Span, refusal: impl FnOnce(Place) -> Refusal) {
        if self.refusal.is_none() {
            let place = self.source.place(span.start_offset as usize);
            self.refusal = Some(refusal(place));
        }
    }

    fn statements(&mut self, statements: &[Stmt<'s>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'s>) {
        if self.refusal.is_some() {
            return;
        }
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emitted) => self.expression(&emitted.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(each) => {
                self.expression(&each.iter);
                let around = self.scopes.len();
                self.scopes.push("loop");
                self.bind(&each.target, true);
                self.expressions(&each.filter_expr);
                self.statements(&each.body);
                self.scopes.truncate(around);
                self.statements(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::WithBlock(with) => {
                let around = self.scopes.len();
                for (target, value) in &with.assignments {
                    self.expression(value);
                    self.bind(target, true);
                }
                self.statements(&with.body);
                self.scopes.truncate(around);
            }
            Stmt::Set(set) => {
                self.bind(&set.target, false);
                self.expression(&set.expr);
            }
            Stmt::SetBlock(set) => {
                self.bind(&set.target, false);
                self.expressions(&set.filter);
                self.statements(&set.body);
            }
            Stmt::AutoEscape(escape) => {
                self.expression(&escape.enabled);
                self.statements(&escape.body);
            }
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter);
                self.statements(&block.body);
            }
            Stmt::Do(call) => self.call(&call.call, call.call.span()),
        }
    }

    /// Records the names to which a value is assigned.
    fn bind(&mut self, target: &Expr<'s>, is_scoped: bool) {
        match target {
            Expr::Var(variable) => {
                self.bound.insert(variable.id);
                if is_scoped {
                    self.scopes.push(variable.id);
                }
            }
            Expr::List(list) => list
                .items
                .iter()
                .for_each(|item| self.bind(item, is_scoped)),
            Expr::Tuple(tuple) => {
                tuple
                    .items
                    .iter()
                    .for_each(|item| self.bind(item, is_scoped));
            }
            other => self.expression(other),
        }
    }

    fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr<'s>>)
    where
        's: 'e,
    {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: &Expr<'s>) {
        if self.refusal.is_some() {
            return;
        }
        match expression {
            Expr::Var(variable) => {
                let offset = variable.span().start_offset as usize;
                if self.scopes.contains(&variable.id) {
                    self.found.scoped.push(offset);
                } else {
                    self.found.variables.push(offset);
                }
            }
            Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                let bounds = [&slice.start, &slice.stop, &slice.step];
                self.expressions(bounds.into_iter().flatten());
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => self.expressions([&operation.left, &operation.right]),
            Expr::Compare(comparison) => {
                self.expression(&comparison.expr);
                self.expressions(comparison.ops.iter().map(|operation| &operation.expr));
            }
            Expr::IfExpr(condition) => {
                self.expressions([&condition.test_expr, &condition.true_expr]);
                self.expressions(&condition.false_expr);
            }
            Expr::Filter(filter) => {
                self.expressions(&filter.expr);
                self.arguments(&filter.args);
                self.filter(filter, filter.span());
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
                let (name, span) = (test.name, test.span());
                if self.test_name(name, span)
                    && self.trials.is_misused(Callee::Test, name, &test.args)
                {
                    self.refuse(span, |place| misused("test", name, place));
                }
            }
            Expr::GetAttr(member) => self.expression(&member.expr),
            Expr::GetItem(item) => self.expressions([&item.expr, &item.subscript_expr]),
            Expr::Call(call) => self.call(call, call.span()),
            Expr::List(list) => self.expressions(&list.items),
            Expr::Tuple(tuple) => self.expressions(&tuple.items),
            Expr::Map(map) => self.expressions(map.keys.iter().chain(&map.values)),
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'s>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(expression)
                | CallArg::Kwarg(_, expression)
                | CallArg::PosSplat(expression)
                | CallArg::KwargSplat(expression) => self.expression(expression),
            }
        }
    }

    fn call(&mut self, call: &ast::Call<'s>, span: Span) {
        if let Expr::Var(function) = &call.expr {
            let name = function.id;
            self.calls.push((name, span));
            let is_function = !self.bound.contains(name) && self.is_known(name);
            if is_function && self.trials.is_misused(Callee::Function, name, &call.args) {
                self.refuse(span, |place| misused("function", name, place));
            }
        } else {
            self.expression(&call.expr);
        }
        self.arguments(&call.args);
    }

    fn is(&self, test: &str, name: &str) -> bool {
        let mut state = self.environment.empty_state();
        let is = state.perform_test(test, &[Value::from(name)]);
        is.unwrap_or(true)
    }

    fn filter_name(&mut self, name: &str, span: Span) -> bool {
        let is_known = self.is("filter", name);
        if !is_known {
            let meant = nearest(FILTERS.iter().copied(), name);
            self.refuse(span, |place| unknown("filter", name, meant, place));
        }
        is_known
    }

    fn test_name(&mut self, name: &str, span: Span) -> bool {
        let is_known = self.is("test", name);
        if !is_known {
            self.refuse(span, |place| unknown("test", name, None, place));
        }
        is_known
    }

    /// Checks the name of a filter, its known arguments, and the filters and tests that they name.
    fn filter(&mut self, filter: &ast::Filter<'s>, span: Span) {
        if !self.filter_name(filter.name, span) {
            return;
        }
        let named = match filter.name {
            "map" | "select" | "reject" => filter.args.first(),
            "selectattr" | "rejectattr" => filter.args.get(1),
            _ => None,
        };
        if let Some(CallArg::Pos(Expr::Const(name))) = named
            && let Some(text) = name.value.as_str()
        {
            if filter.name == "map" {
                self.filter_name(text, name.span());
            } else {
                self.test_name(text, name.span());
            }
        }
        let Some(row) = filters::row(filter.name) else {
            if self
                .trials
                .is_misused(Callee::Filter, filter.name, &filter.args)
            {
                self.refuse(span, |place| misused("filter", filter.name, place));
            }
            return;
        };
        if let Some(known) = Constants::of(&filter.args) {
            let given = filters::arguments(&known.positional, known.named);
            if given.is_none_or(|given| row.prepare(given).is_err()) {
                let usage = row.jinja_usage();
                self.refuse(span, |place| misused_own(filter.name, usage, place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::environment;
    use super::*;

    #[test]
    fn the_filters_that_are_named_are_there() {
        let environment = environment();
        for name in FILTERS {
            let is = environment
                .empty_state()
                .perform_test("filter", &[Value::from(*name)]);
            assert!(is.unwrap(), "{name}");
        }
    }
}
