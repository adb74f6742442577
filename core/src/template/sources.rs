//! Where the values of the language `merge` come from: the recipient, the message, the placeholder's
//! own default, in this order.

use super::filters::{Operand, ValueFault, Work};
use super::merge::{self, Reference};
use super::place::{FieldName, Place};
use super::{TemplateText, TextKind, Values};
use crate::problem::{Code, Location, ProblemReport, Refusal};
use crate::syntax::has_control_except_tab;
use crate::variable::{Variable, VariableValue};
use std::borrow::Cow;
use std::collections::HashMap;

/// The values that the texts of one message use, by number.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    entries: Vec<Source<'a>>,
    numbers: HashMap<Reference<'a>, usize>,
    roots: HashMap<Cow<'a, str>, Vec<usize>>,
    /// The fields that use some.
    fields: Vec<FieldName>,
}

#[derive(Debug)]
struct Source<'a> {
    reference: Reference<'a>,
    /// Where it is first used: the number of the field, and the position in it.
    asked_at: (usize, Place),
    /// It is used in a header field, which must not contain line ends.
    in_header: bool,
    /// The value for everybody who has none of their own.
    common: Option<Cow<'a, str>>,
}

/// The recipient, or the message, whose variables are examined.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Owner {
    /// The location of its variables.
    Variables(Location),
    /// Its own location; it has no variables.
    Parent(Location),
}

pub(super) use super::merge::header_text;

/// Each is looked up for each recipient.
pub(super) const MOST_VALUES: usize = 1_000;
pub(super) const TOO_MANY: Refusal = Refusal::new(
    Code::InvalidTemplate,
    "The texts of a message may have at most 1,000 different placeholders.",
);

impl<'a> Sources<'a> {
    /// Parses a text and records the values that it uses.
    pub fn parse(
        &mut self,
        text: &Cow<'a, str>,
        kind: TextKind,
        field: impl FnOnce() -> FieldName,
    ) -> Result<TemplateText<'a>, Refusal> {
        let known = self.entries.len();
        let template = merge::parse(text, kind, |reference, place| {
            self.number(reference, place, kind)
        });
        if self.entries.len() > known {
            self.fields.push(field());
        }
        let template = template.and_then(|template| {
            if self.entries.len() > MOST_VALUES {
                return Err(TOO_MANY);
            }
            Ok(template)
        });
        if template.is_err() {
            self.forget_from(known);
        }
        template
    }

    /// Nobody has to give what only a refused text uses.
    fn forget_from(&mut self, known: usize) {
        self.entries.truncate(known);
        self.numbers.retain(|_, number| *number < known);
        for numbers in self.roots.values_mut() {
            numbers.retain(|number| *number < known);
        }
    }

    fn number(
        &mut self,
        reference: Reference<'a>,
        place: Place,
        kind: TextKind,
    ) -> Result<usize, Refusal> {
        let next = self.entries.len();
        let number = *self.numbers.entry(reference.clone()).or_insert(next);
        if number == next {
            let root = root(&reference.path).to_owned();
            self.roots.entry(Cow::Owned(root)).or_default().push(next);
            let absent = reference.work_out(None, &mut Work::new());
            self.entries.push(Source {
                common: absent.expect("the filters took what is absent where they were read"),
                reference,
                asked_at: (self.fields.len(), place),
                in_header: false,
            });
        }
        let source = &mut self.entries[number];
        if kind == TextKind::Header {
            source.in_header = true;
            if let Some(common) = &source.common {
                header_text(Cow::Borrowed(common), place)?;
            }
        }
        Ok(number)
    }

    /// The value for everybody who has none of their own.
    pub fn common(&self, value: usize) -> Option<&str> {
        self.entries.get(value)?.common.as_deref()
    }

    /// How many values there are.
    pub fn value_count(&self) -> usize {
        self.entries.len()
    }

    /// Takes the message's variables for everybody, after all texts were parsed.
    pub fn share(&mut self, variables: &[Variable<'a>], report: &mut ProblemReport<'a>) {
        let variables = variables.iter();
        let located = variables.map(|variable| (variable.location, variable));
        self.share_located(located.collect(), report);
    }

    /// Takes those of the message's variables, sorted by name, that are used. Problems with one are reported at
    /// `place`.
    pub fn share_asked(
        &mut self,
        sorted: &[Variable<'a>],
        place: Location,
        report: &mut ProblemReport<'a>,
    ) {
        let is_first = |(number, source): &(usize, &Source<'a>)| {
            self.roots[root(&source.reference.path)].first() == Some(number)
        };
        let sources = self.entries.iter().enumerate().filter(is_first);
        let asked = sources.flat_map(|(_, source)| {
            let name = root(&source.reference.path);
            let start = sorted.partition_point(|variable| *variable.name < *name);
            let rest = sorted[start..].iter();
            rest.take_while(move |variable| variable.name == name)
        });
        let located = asked.map(|variable| (place, variable)).collect();
        self.share_located(located, report);
    }

    fn share_located(
        &mut self,
        variables: Vec<(Location, &Variable<'a>)>,
        report: &mut ProblemReport<'a>,
    ) {
        let mut shared = Values::unknown(self.entries.len());
        let mut work = Work::new();
        for (location, variable) in variables {
            self.take(variable, location, None, &mut work, &mut shared, report);
        }
        for (source, value) in self.entries.iter_mut().zip(shared.0) {
            if value.is_some() {
                source.common = value;
            }
        }
    }

    /// The values of one recipient. `None` only if the report says what is missing or does not
    /// fit.
    pub fn resolve<'r>(
        &self,
        owner: Owner,
        variables: &[Variable<'r>],
        report: &mut ProblemReport<'r>,
    ) -> Option<Values<'r>>
    where
        'a: 'r,
    {
        let mut values = Values::unknown(self.entries.len());
        let mut all_fit = true;
        let mut work = Work::new();
        for variable in variables {
            let location = variable.location;
            let owner = Some(owner);
            all_fit &= self.take(variable, location, owner, &mut work, &mut values, report);
        }
        for (source, value) in self.entries.iter().zip(&values.0) {
            if value.is_none() && source.common.is_none() {
                self.report_missing(owner, source, report);
                all_fit = false;
            }
        }
        all_fit.then_some(values)
    }

    /// Reports that nobody has a value that is used.
    fn report_missing(&self, owner: Owner, source: &Source<'_>, report: &mut ProblemReport<'_>) {
        let (field, place) = source.asked_at;
        let detail = format!(
            "The template needs this variable in {}, {place}; give it, or a default in the template.",
            self.fields[field]
        );
        let mut location = owner.variables(report);
        for name in source.reference.path.split('.') {
            location = report.location_of_absent(location, name.to_owned().into());
        }
        report.problem(location, Code::MissingVariable, detail);
    }

    /// Inserts a variable wherever it is used; returns `false` if it does not fit there. A recipient who gives an
    /// object lacks the members of the message's variable with that name: that is reported with the `owner`.
    fn take<'r>(
        &self,
        variable: &Variable<'r>,
        location: Location,
        owner: Option<Owner>,
        work: &mut Work,
        values: &mut Values<'r>,
        report: &mut ProblemReport<'r>,
    ) -> bool
    where
        'a: 'r,
    {
        // What no text asks for may be given.
        let Some(numbers) = self.roots.get(&variable.name) else {
            return true;
        };
        let value = &variable.value;
        let mut fits = true;
        for &number in numbers {
            let source = &self.entries[number];
            let text = match source
                .reference
                .work_out(descend(value, &source.reference.path), work)
            {
                Ok(text) => text,
                Err(misfit) => {
                    report.refuse(location, self.refusal(source, misfit));
                    fits = false;
                    // It is given, so it is not missing.
                    Some(Cow::Borrowed(""))
                }
            };
            match (&text, owner) {
                (Some(text), _) if source.in_header && has_control_except_tab(text) => {
                    report.problem(location, Code::ControlCharacter, CONTROL);
                    fits = false;
                }
                (None, Some(owner)) if source.common.is_some() => {
                    self.report_missing(owner, source, report);
                    fits = false;
                }
                _ => {}
            }
            values.set(number, text);
        }
        fits
    }

    /// The refusal of a value that does not fit.
    fn refusal(&self, source: &Source<'_>, misfit: Misfit) -> Refusal {
        match misfit {
            Misfit::NoText => NO_TEXT,
            Misfit::Filter(name, ValueFault { code, takes }) => {
                let (field, place) = source.asked_at;
                let field = &self.fields[field];
                let detail =
                    format!("The filter `{name}` of the placeholder in {field}, {place}, {takes}.");
                Refusal::with_detail(code, detail)
            }
        }
    }
}

/// The refusal of a list or an object.
pub(super) const NO_TEXT: Refusal = Refusal::new(
    Code::WrongType,
    "The template inserts this value, so it must be a string, a number, true or false.",
);

pub(super) const CONTROL: &str = "This value is inserted into a header field, which may not contain \
                       line breaks or other control characters.";

/// Why a value is not inserted.
#[derive(Debug, Clone, Copy)]
enum Misfit {
    /// It is a list or an object.
    NoText,
    /// A filter does not accept it.
    Filter(&'static str, ValueFault),
}

impl Reference<'_> {
    /// What is inserted for a value; `None` if there is none and no default.
    fn work_out<'r>(
        &self,
        value: Option<&VariableValue<'r>>,
        work: &mut Work,
    ) -> Result<Option<Cow<'r, str>>, Misfit> {
        if self.filters.is_empty() {
            let text = value.map(|value| Operand::text_of(value).ok_or(Misfit::NoText));
            return text.transpose();
        }
        let mut operand = value.map_or(Operand::Absent, Operand::of);
        for (name, filter) in &self.filters {
            let applied = work.apply(filter, operand);
            operand = applied.map_err(|fault| Misfit::Filter(name, fault))?;
        }
        match operand {
            Operand::Absent => Ok(None),
            operand => operand.into_text().map(Some).ok_or(Misfit::NoText),
        }
    }
}

impl Owner {
    /// Where the variables are, or would be.
    pub fn variables(self, report: &mut ProblemReport<'_>) -> Location {
        match self {
            Self::Variables(location) => location,
            Self::Parent(parent) => report.location_of_absent(parent, "variables".into()),
        }
    }
}

fn root(path: &str) -> &str {
    path.split_once('.').map_or(path, |(root, _)| root)
}

/// The value at the end of a path.
fn descend<'v, 'r>(mut value: &'v VariableValue<'r>, path: &str) -> Option<&'v VariableValue<'r>> {
    for name in path.split('.').skip(1) {
        let VariableValue::Object(members) = value else {
            return None;
        };
        let found = members.iter().find(|(member, _)| member == name);
        value = &found?.1;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn problems(text: &str, variables: &Value) -> Vec<(String, &'static str)> {
        let message = json!({"from": "a@example.com", "template": "merge", "text": text,
                             "recipients": [{"address": "b@example.org", "variables": variables}]});
        let Err(problems) = crate::check(message.to_string().as_bytes()) else {
            return Vec::new();
        };
        let told = problems.iter();
        told.map(|problem| (problem.pointer().to_owned(), problem.code().as_str()))
            .collect()
    }

    #[test]
    fn paths_lead_into_objects() {
        let variables = json!({"a": {"b": {"c": 1}, "d": null}});
        assert_eq!(problems("{{ a.b.c }}", &variables), []);
        for (text, name, code) in [
            ("{{ a.b }}", "a", "wrong_type"),
            ("{{ a.d }}", "a/d", "missing_variable"),
            ("{{ a.b.c.d }}", "a/b/c/d", "missing_variable"),
            ("{{ b }}", "b", "missing_variable"),
        ] {
            let pointer = format!("/recipients/0/variables/{name}");
            assert_eq!(problems(text, &variables), [(pointer, code)], "{text}");
        }
    }

    #[test]
    fn filters_are_bounded_in_what_they_make() {
        let chain = " | json".repeat(40);
        let many: Vec<_> = (1..100)
            .map(|length| format!("{{{{ x | upcase | truncate: {length}0000000 }}}}"))
            .collect();
        let long = "x".repeat(1 << 20);
        for (text, value) in [
            (format!("{{{{ x{chain} }}}}"), "\""),
            (many.concat(), &long),
        ] {
            let found = problems(&text, &json!({"x": value}));
            assert_eq!(
                found[0],
                ("/recipients/0/variables/x".to_owned(), "too_long")
            );
        }
        for text in [
            format!("{{{{ '\"'{chain} }}}}"),
            format!("{{{{ x | default: '\"'{chain} }}}}"),
        ] {
            let found = problems(&text, &json!({"x": "x"}));
            assert_eq!(found[0], ("/text".to_owned(), "invalid_template"));
        }
        assert_eq!(problems("{{ x | upcase | json }}", &json!({"x": long})), []);
    }

    #[test]
    fn values_are_bounded_in_number_and_length() {
        let many: Vec<_> = (0..1_001)
            .map(|number| format!("{{{{ x{number} }}}}"))
            .collect();
        assert_eq!(
            problems(&many.concat(), &json!({})),
            [("/text".to_owned(), "invalid_template")]
        );
        let again = "{{ x }}".repeat(40_000);
        let long = "x".repeat(1_000);
        assert_eq!(
            problems(&again, &json!({"x": long})),
            [("/recipients/0/variables".to_owned(), "too_long")]
        );
        assert_eq!(problems(&again, &json!({"x": "x"})), []);
    }
}
