//! The language `jinja`, by the crate minijinja: conditions, loops, filters.
//!
//! A text is worked out as a whole for each recipient, within bounds on time and memory. What of it
//! was written outside of all tags is the same for everybody; `scan` finds it, and each working out
//! is held against that: so only what differs becomes a value.

mod digits;
mod layers;
mod refusals;
mod scan;
mod tokens;
mod value;

use super::place::FieldName;
use super::sources::{MOST_VALUES, Owner, TOO_MANY};
use super::{Slot, TemplateText, TextKind, Values, html};
use crate::problem::{Code, ProblemReport, Refusal};
use crate::syntax::{has_control_except_tab, to_lf};
use crate::variable::Variable;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind, merge_maps};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, OutputSpanKind, State, UndefinedBehavior,
};
use refusals::{no_template, not_worked_out};
use scan::{Section, scan};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Instructions, and some 64 bytes of data for each, that the texts of one recipient may take.
const FUEL: u64 = 400_000;
/// However many texts there are, one has these.
const LEAST_FUEL: u64 = 5_000;
/// A text that is longer is no text of a mail.
const LONGEST: usize = 4 << 20;

/// The texts of one message.
#[derive(Debug)]
pub(crate) struct Programs {
    environment: Environment<'static>,
    texts: Vec<Program>,
    /// How many values there are.
    values: usize,
    /// What everybody has, by name.
    shared: Value,
    /// Whether numbers are only written.
    keeps_digits: bool,
}

#[derive(Debug)]
struct Program {
    name: String,
    field: FieldName,
    kind: TextKind,
    sections: Vec<CutSection>,
}

/// A piece of the source, in order.
#[derive(Debug)]
enum CutSection {
    /// Text outside of all tags: where it stands.
    Text(Range<usize>),
    /// Tags, which give the value of this number.
    Value(usize),
}

impl Programs {
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_formatter(write_value);
        environment.set_auto_escape_callback(|name| {
            if name.starts_with(HTML) {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        // It shows all variables, those of nobody's business too.
        environment.remove_global("debug");
        // With these, what a loop makes outlives it, and could double each time.
        environment.remove_global("namespace");
        environment.add_filter("times", times);
        environment.remove_filter("chain");
        environment.remove_filter("zip");
        let mut syntax = SyntaxConfig::builder();
        syntax.keep_trailing_newline(true);
        let syntax = syntax.build();
        environment.set_syntax(syntax.expect("the delimiters are minijinja's own"));
        Self {
            environment,
            texts: Vec::new(),
            values: 0,
            shared: Value::default(),
            keeps_digits: true,
        }
    }

    /// Takes a text apart. An error says what is wrong with it.
    pub fn parse<'a>(
        &mut self,
        text: Cow<'a, str>,
        kind: TextKind,
        field: impl FnOnce() -> FieldName,
    ) -> Result<TemplateText<'a>, Refusal> {
        if text.len() > LONGEST {
            return Err(invalid("A text with templates has 4 MiB at most."));
        }
        if !text.contains(['{']) {
            return Ok(TemplateText::literal(text));
        }
        let prefix = if kind == TextKind::Html { HTML } else { PLAIN };
        let name = format!("{prefix}{}", self.texts.len());
        let pieces = scan(&text, self.environment.syntax())?;
        self.environment
            .add_template_owned(name.clone(), text.to_string())
            .map_err(|error| no_template(&error, &text))?;
        self.keeps_digits &= !digits::computes(&text, self.environment.syntax());
        let mut template = TemplateText::default();
        let mut sections = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for section in pieces {
            match section {
                Section::Text(range) => {
                    let literal = text.get(range.clone()).ok_or(UNCUT)?;
                    template.push_literal(literal.to_owned().into());
                    sections.push(CutSection::Text(range));
                }
                Section::Tags { range, is_pure } => {
                    let source = text.get(range).ok_or(UNCUT)?;
                    // The same expression gives the same value wherever it stands.
                    let twin = known.get(source).filter(|_| is_pure);
                    let value = twin.copied().unwrap_or(self.values);
                    if value == self.values {
                        self.values += 1;
                        known.insert(source, value);
                    }
                    template.push_slot(Slot {
                        value,
                        escaped: false,
                    });
                    sections.push(CutSection::Value(value));
                }
            }
        }
        if self.values > MOST_VALUES {
            return Err(TOO_MANY);
        }
        self.texts.push(Program {
            name,
            field: field(),
            kind,
            sections,
        });
        let fuel = FUEL / self.texts.len() as u64;
        self.environment.set_fuel(Some(fuel.max(LEAST_FUEL)));
        Ok(template)
    }

    /// Takes the variables that are the same for everybody.
    pub fn share(&mut self, variables: Vec<Variable<'_>>) {
        self.shared = value::object(variables, self.keeps_digits);
    }

    /// The values of one recipient. `None` only where the report tells what cannot be worked out.
    pub fn resolve<'r>(
        &self,
        owner: Owner,
        variables: Vec<Variable<'r>>,
        report: &mut ProblemReport<'r>,
    ) -> Option<Values<'r>> {
        let mut values = Values::unknown(self.values);
        let mut all_fit = true;
        // The last one wins.
        let context = merge_maps([
            self.shared.clone(),
            value::object(variables, self.keeps_digits),
        ]);
        for program in &self.texts {
            let done = self
                .work_out(program, &context, &mut values)
                .and_then(|()| check_header(program, &values));
            if let Err(refusal) = done {
                let location = owner.variables(report);
                report.refuse(location, refusal);
                all_fit = false;
            }
        }
        all_fit.then_some(values)
    }

    fn work_out(
        &self,
        program: &Program,
        context: &Value,
        values: &mut Values<'_>,
    ) -> Result<(), Refusal> {
        let template = self
            .environment
            .get_template(&program.name)
            .expect("the text was added under this name");
        let (output, spans) = template
            .render_with_spans(context.clone())
            .map_err(|error| not_worked_out(&error, &program.field, template.source()))?;
        let mut spans = spans.into_iter();
        let mut at = 0;
        let mut open = None;
        for section in &program.sections {
            match section {
                CutSection::Value(value) => {
                    if open.replace(*value).is_some() {
                        return Err(UNCUT);
                    }
                }
                CutSection::Text(range) => {
                    let found = spans.find(|span| {
                        span.kind() == OutputSpanKind::Raw && span.source_range() == *range
                    });
                    let found = found.ok_or(UNCUT)?;
                    let output_range = found.output_range();
                    put(&output, at..output_range.start, open.take(), values)?;
                    at = output_range.end;
                }
            }
        }
        put(&output, at..output.len(), open, values)
    }
}

/// Notes a piece of what was worked out as the value of a number. Where there is none, there is
/// nothing.
fn put(
    output: &str,
    range: Range<usize>,
    value: Option<usize>,
    values: &mut Values<'_>,
) -> Result<(), Refusal> {
    // A template may write a CR itself.
    let text = to_lf(Cow::Borrowed(output.get(range).ok_or(UNCUT)?));
    let Some(value) = value else {
        return if text.is_empty() { Ok(()) } else { Err(UNCUT) };
    };
    match values.own(value) {
        Some(known) if known == text => Ok(()),
        Some(_) => Err(UNCUT),
        None => {
            values.set(value, Some(Cow::Owned(text.into_owned())));
            Ok(())
        }
    }
}

/// Not known to happen; what cannot be told apart is refused rather than sent.
const UNCUT: Refusal = invalid("This template cannot be told apart from what it is filled with.");

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidTemplate, detail)
}

const HTML: &str = "html";
const PLAIN: &str = "text";

/// No line may end in a field of the header.
fn check_header(program: &Program, values: &Values<'_>) -> Result<(), Refusal> {
    let is_broken = |section: &CutSection| match section {
        CutSection::Value(value) => values.own(*value).is_some_and(has_control_except_tab),
        CutSection::Text(_) => false,
    };
    if program.kind == TextKind::Header && program.sections.iter().any(is_broken) {
        let detail = format!(
            "The template in {} writes a line end or another control character into a header \
             field for these values.",
            program.field
        );
        return Err(Refusal::with_detail(Code::ControlCharacter, detail));
    }
    Ok(())
}

/// The product of two numbers; see [`scan`](mod@scan) for why there is no operator for it.
fn times(one: &Value, other: &Value) -> Result<Value, Error> {
    let product = match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one.checked_mul(other).map(Value::from),
        _ => None,
    };
    let number = |value: &Value| f64::try_from(value.clone());
    let detail = "`times` takes two numbers";
    match (product, number(one), number(other)) {
        (Some(product), ..) => Ok(product),
        (None, Ok(one), Ok(other)) => Ok(Value::from(one * other)),
        _ => Err(Error::new(ErrorKind::InvalidOperation, detail)),
    }
}

/// Values in HTML are escaped as those of the other language are.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
    ) {
        let detail = "a list or an object is no text";
        return Err(Error::new(ErrorKind::InvalidOperation, detail));
    }
    match value.as_str() {
        // As the other language writes them.
        None if value.kind() == ValueKind::Bool => {
            let word = if value.is_true() { "true" } else { "false" };
            out.write_str(word).map_err(Error::from)
        }
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            out.write_str(&html::escaped(text)).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

#[cfg(test)]
mod tests {
    use crate::problem::Problem;

    fn message(json: &str) -> Result<String, Vec<(String, &'static str, String)>> {
        let told = |problem: &Problem| {
            let (pointer, detail) = (problem.pointer().to_owned(), problem.detail().to_owned());
            (pointer, problem.code().as_str(), detail)
        };
        crate::render(json.as_bytes())
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .map_err(|problems| problems.iter().map(told).collect())
    }

    fn rendered(
        field: &str,
        text: &str,
        variables: &str,
    ) -> Result<String, Vec<(String, &'static str, String)>> {
        let text = serde_json::to_string(text).unwrap();
        message(&format!(
            r#"{{"from": "a@example.com", "to": "b@example.org", "template": "jinja",
                "{field}": {text}, "variables": {variables}}}"#
        ))
    }

    fn body(text: &str, variables: &str) -> String {
        let message = rendered("html", text, variables);
        let message = message.unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        let (_, body) = message.split_once("\r\n\r\n").unwrap();
        body.trim_end().replace("=3D", "=")
    }

    #[test]
    fn templates_are_worked_out() {
        for (text, variables, expected) in [
            ("a {{ b }} c", r#"{"b": "<&>"}"#, "a &lt;&amp;&gt; c"),
            (
                "{{ b|safe }}{{ b|upper }}",
                r#"{"b": "<b>"}"#,
                "<b>&lt;B&gt;",
            ),
            (
                "{{ b|times(2) }} {{ b|times(1.5) }}",
                r#"{"b": 3}"#,
                "6 4.5",
            ),
            ("x{% if b %}y{% else %}z{% endif %}", "{}", "xz"),
            (
                "{% for i in b %}{{ i.c }},{% endfor %}!",
                r#"{"b": [{"c": 1}, {"c": 2.5}]}"#,
                "1,2.5,!",
            ),
            (
                "{% set a = b %}{{ a }}{% set a = 2 %}{{ a }}",
                r#"{"b": 1.5}"#,
                "1.52",
            ),
            ("{{ b }} {{ b }} {# c #} d", r#"{"b": "x"}"#, "x x  d"),
            (
                "a  {%- if b -%}  x  {%- endif -%}  c",
                r#"{"b": true}"#,
                "axc",
            ),
            ("a{# x #}b{# y #}c", "{}", "abc"),
            (
                "{% raw %}{{ x }}{% endraw %}{{ b }}",
                r#"{"b": 1}"#,
                "{{ x }}1",
            ),
            ("{{ b|default('c') }}{{ '{%' }}", "{}", "c{%"),
        ] {
            assert_eq!(body(text, variables), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_bounded_without_variables_too() {
        let text =
            "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
        let problems = message(&format!(
            r#"{{"from": "a@example.com", "to": "b@example.org", "template": "jinja",
                "text": "{text}"}}"#
        ));
        assert_eq!(problems.unwrap_err()[0].1, "invalid_template");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_values() {
        let huge =
            "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
        for (field, text, pointer, code) in [
            ("subject", "{{ b", "/subject", "invalid_template"),
            ("text", "{% if %}", "/text", "invalid_template"),
            ("text", "{{ c }}", "/variables", "missing_variable"),
            ("text", "{{ b.c.d }}", "/variables", "missing_variable"),
            ("text", "{{ b|nothing }}", "/variables", "invalid_template"),
            ("text", "{{ b / 0 }}", "/variables", "invalid_template"),
            ("subject", "{{ b }}", "/variables", "control_character"),
            ("text", huge, "/variables", "invalid_template"),
            ("text", "{{ debug() }}", "/variables", "invalid_template"),
            ("text", "{{ [b] }}", "/variables", "invalid_template"),
            (
                "text",
                "{{ namespace() }}",
                "/variables",
                "invalid_template",
            ),
            (
                "text",
                "{% macro m() %}{% endmacro %}",
                "/text",
                "invalid_template",
            ),
            ("text", "{% include 'x' %}", "/text", "invalid_template"),
        ] {
            let problems = rendered(field, text, r#"{"b": "secret\n"}"#).unwrap_err();
            let found: Vec<_> = problems.iter().map(|(p, c, _)| (p.as_str(), *c)).collect();
            assert_eq!(found, [(pointer, code)], "{text}: {problems:?}");
            assert!(!problems[0].2.contains("secret"), "{problems:?}");
        }
    }

    #[test]
    fn the_field_the_place_and_the_name_are_told() {
        for (field, text, told) in [
            (
                "text",
                "é\n {{ user.name }}",
                "The template in `/text` needs a variable that is not given: undefined value \
                 `user.name`, in line 2, column 5.",
            ),
            (
                "subject",
                "a {{ b|shout(1) }}",
                "The template in `/subject` cannot be worked out with these values: unknown filter \
                 `shout`, in line 1, column 8.",
            ),
            (
                "text",
                "{% if b is nothing %}{% endif %}",
                "The template in `/text` cannot be worked out with these values: unknown test \
                 `nothing`, in line 1, column 12.",
            ),
            (
                "text",
                "{{ nothing() }}",
                "The template in `/text` cannot be worked out with these values: unknown function \
                 `nothing`, in line 1, column 4.",
            ),
            (
                "text",
                "{{ b|join(1, 2, 3) }}",
                "The template in `/text` cannot be worked out with these values: invalid operation at \
                 `join`, in line 1, column 6.",
            ),
            (
                "text",
                "{% for i in user.n %}{% endfor %}",
                "The template in `/text` cannot be worked out with these values: invalid operation at \
                 `user.n`, in line 1, column 13.",
            ),
            (
                "text",
                "{{ 5 + user.n|times(b) }}",
                "The template in `/text` cannot be worked out with these values: invalid operation at \
                 `times`, in line 1, column 15.",
            ),
            (
                "text",
                "{{ 5 + b }}",
                "The template in `/text` cannot be worked out with these values: invalid operation, \
                 in line 1, column 4.",
            ),
            (
                "text",
                "a\n{% if %}",
                "This is no template: syntax error, in line 2, column 7.",
            ),
        ] {
            let problems = rendered(field, text, r#"{"b": "x", "user": {"n": 3}}"#).unwrap_err();
            assert_eq!(problems[0].2, told);
        }
        let long = rendered("text", &format!("{{{{ {} }}}}", "x".repeat(81)), "{}").unwrap_err();
        assert!(
            long[0]
                .2
                .ends_with(": undefined value, in line 1, column 4."),
            "{long:?}"
        );
    }
}
