//! The language `sparkpost`, as SparkPost documents it: `{{ name or 'friend' }}`, `{{ if x > 1 }} … {{ end }}`, `{{
//! each orders }} {{ loop_var.price }} {{ end }}`.
//!
//! Text outside of statements is the same for everybody, and each placeholder there is a value, as in the language
//! `merge`. An outermost statement, with everything in it, is one value.
//!
//! ```text
//! reader        parses a text
//! parser        parses what is between the braces
//! segments      finds the braces
//! formula       a value, and what it is without variables
//! evaluation    evaluates it
//! value         what it works with
//! links         where values are percent-encoded
//! mustache      where braces are left to mail programs
//! names  fault  expression  work
//! ```

mod evaluation;
mod expression;
mod fault;
mod formula;
mod links;
mod mustache;
mod names;
mod parser;
mod reader;
mod segments;
#[cfg(test)]
mod tests;
mod value;
mod work;

use super::place::{FieldName, Place};
use super::sources::{CONTROL, MOST_VALUES, NO_TEXT, Owner, TOO_MANY, header_text};
use super::{Addressee, Slot, TemplateText, TextKind, Values};
use crate::problem::{Code, Location, ProblemReport, Refusal};
use crate::syntax::{has_control_except_tab, to_lf};
use crate::variable::{Variable, VariableValue};
use evaluation::{Evaluation, Failure, Given};
use expression::{Expression, Writing};
use formula::{Formula, constant, evaluation_of_nothing, work_out};
use names::{BuiltIn, Names};
use reader::{Piece, Reader};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use work::Misfit;

/// The values that the texts of one message use, by number.
#[derive(Debug, Default)]
pub(crate) struct Substitutions<'a> {
    entries: Vec<Entry<'a>>,
    numbers: HashMap<(Expression<'a>, Writing), usize>,
    names: Names<'a>,
    /// The common variables.
    shared: Arc<Shared<'a>>,
    /// The index among them of the variable of each name.
    shared_numbers: Vec<Option<usize>>,
    /// The fields that use something.
    fields: Vec<FieldName>,
}

#[derive(Debug, Default)]
struct Shared<'a> {
    variables: Vec<Variable<'a>>,
    numbers: HashMap<Cow<'a, str>, usize>,
}

#[derive(Debug)]
struct Entry<'a> {
    formula: Formula<'a>,
    /// Its first position: the number of the field, and the position in it.
    asked_at: (usize, Place),
    /// It is used in a header field, which must not contain line ends.
    in_header: bool,
    /// The numbers of the names that it uses.
    names: Vec<usize>,
    /// It uses something that each recipient has of their own.
    is_personal: bool,
    /// The value for everybody who has none of these variables, if it can be evaluated.
    common: Option<Cow<'a, str>>,
}

/// The variables of a recipient by the numbers of their names, which precede the common ones.
struct Lookup<'v, 'a, 'r> {
    substitutions: &'v Substitutions<'a>,
    own: &'v [Option<&'v Variable<'r>>],
}

impl<'v, 'a: 'r, 'r> Given<'v, 'r> for Lookup<'v, 'a, 'r> {
    fn variable(&self, number: usize) -> Option<&'v VariableValue<'r>> {
        let own = self.own.get(number).copied().flatten();
        let value: Option<&'v VariableValue<'r>> = own.map(|own| &own.value);
        value.or_else(|| Some(&self.substitutions.shared_variable(number)?.value))
    }

    fn built_in(&self, number: usize) -> Option<BuiltIn> {
        self.substitutions.names.built_in(number)
    }
}

impl<'a> Substitutions<'a> {
    /// Without texts, sharing the common values of these.
    pub fn fresh(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ..Self::default()
        }
    }

    /// Parses a text and records the values that it uses. An error says what is wrong with it.
    pub fn parse(
        &mut self,
        text: Cow<'a, str>,
        kind: TextKind,
        field: impl FnOnce() -> FieldName,
    ) -> Result<TemplateText<'a>, Refusal> {
        let text = to_lf(text);
        let known = self.entries.len();
        let mut names = std::mem::take(&mut self.names);
        let template = self.read(&text, kind, &mut names);
        self.names = names;
        if template.is_err() {
            // What a text asks for that is refused, nobody has to give.
            self.entries.truncate(known);
            self.numbers.retain(|_, number| *number < known);
        } else if self.entries.len() > known {
            self.fields.push(field());
        }
        template
    }

    fn read(
        &mut self,
        text: &Cow<'a, str>,
        kind: TextKind,
        names: &mut Names<'a>,
    ) -> Result<TemplateText<'a>, Refusal> {
        let mut template = TemplateText::default();
        let mut reader = Reader::new(text, kind, names)?;
        while let Some((piece, asked)) = reader.next_piece()? {
            let (formula, escaped, place) = match piece {
                Piece::Text(text) => {
                    template.push_literal(text);
                    continue;
                }
                Piece::Value {
                    expression,
                    writing,
                    place,
                } if asked.is_empty() => {
                    // What the template says itself is no value that would have to be escaped in a calendar.
                    let is_own = kind == TextKind::Calendar;
                    let writing = if is_own { Writing::Plain } else { writing };
                    let text = constant(&Formula::Expression(expression, writing), place)?;
                    push_constant(&mut template, text, kind, place)?;
                    continue;
                }
                Piece::Value {
                    expression,
                    writing,
                    place,
                } => {
                    let escaped = matches!(writing, Writing::Html | Writing::Calendar);
                    let writing = if escaped { Writing::Plain } else { writing };
                    (Formula::Expression(expression, writing), escaped, place)
                }
                Piece::Statement { node, place }
                    if asked.is_empty() && kind != TextKind::Calendar =>
                {
                    let text = constant(&Formula::Statement(node), place)?;
                    push_constant(&mut template, text, kind, place)?;
                    continue;
                }
                Piece::Statement { node, place } => (Formula::Statement(node), false, place),
            };
            let is_personal = asked
                .iter()
                .any(|name| reader.names().built_in(*name).is_some());
            let value = self.number(formula, place, asked, is_personal);
            self.note_place(value, kind, place)?;
            template.push_slot(Slot { value, escaped });
        }
        Ok(template)
    }

    /// The number of a value.
    fn number(
        &mut self,
        formula: Formula<'a>,
        place: Place,
        names: Vec<usize>,
        is_personal: bool,
    ) -> usize {
        let next = self.entries.len();
        if let Formula::Expression(expression, writing) = &formula {
            let key = (expression.clone(), *writing);
            let number = *self.numbers.entry(key).or_insert(next);
            if number != next {
                return number;
            }
        }
        let common = work_out(&formula, &mut evaluation_of_nothing(), place).ok();
        self.entries.push(Entry {
            formula,
            asked_at: (self.fields.len(), place),
            in_header: false,
            names,
            is_personal,
            common: common.filter(|_| !is_personal),
        });
        next
    }

    /// Records that a value occurs in a text of this kind.
    fn note_place(&mut self, value: usize, kind: TextKind, place: Place) -> Result<(), Refusal> {
        if self.entries.len() > MOST_VALUES {
            return Err(TOO_MANY);
        }
        let entry = &mut self.entries[value];
        if kind == TextKind::Header {
            entry.in_header = true;
            if let Some(common) = &entry.common {
                header_text(Cow::Borrowed(common), place)?;
            }
        }
        Ok(())
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
        let names = variables.iter().map(|variable| variable.name.clone());
        self.shared = Arc::new(Shared {
            numbers: names
                .enumerate()
                .map(|(number, name)| (name, number))
                .collect(),
            variables: variables.to_vec(),
        });
        self.put_in_shared(None, report);
    }

    /// Evaluates what is common. Problems with a variable are reported at `place`, or at its own location.
    pub fn put_in_shared(&mut self, place: Option<Location>, report: &mut ProblemReport<'a>) {
        let names = self.names.as_slice().iter();
        let numbers = names.map(|name| self.shared.numbers.get(name).copied());
        self.shared_numbers = numbers.collect();
        // One for all, so that all together have a bound.
        let mut evaluation = Evaluation::new(self.lookup(&[]), Addressee::default());
        let mut found = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            let mut shared = entry.names.iter();
            let shared = shared.find_map(|name| self.shared_variable(*name));
            if let (Some(variable), false) = (shared, entry.is_personal) {
                let text = work_out(&entry.formula, &mut evaluation, entry.asked_at.1);
                found.push((number, variable.location, self.checked(entry, text)));
            }
        }
        for (number, location, text) in found {
            let entry = &mut self.entries[number];
            entry.common = match text {
                Ok(text) => Some(text),
                Err(refusal) if entry.names.len() == 1 => {
                    report.refuse(place.unwrap_or(location), refusal);
                    // It is given, so it is not missing.
                    Some(Cow::Borrowed(""))
                }
                // Where several are asked for, it is told of those for whom it is wrong.
                Err(_) => None,
            };
        }
    }

    fn shared_variable(&self, name: usize) -> Option<&Variable<'a>> {
        let number = self.shared_numbers.get(name).copied().flatten()?;
        self.shared.variables.get(number)
    }

    /// The values of one recipient. `None` only if the report says what does not fit.
    pub fn resolve<'r>(
        &self,
        owner: Owner,
        variables: &[Variable<'r>],
        addressee: Addressee<'_>,
        report: &mut ProblemReport<'r>,
    ) -> Option<Values<'r>>
    where
        'a: 'r,
    {
        let mut values = Values::unknown(self.entries.len());
        let mut own: Vec<Option<&Variable<'r>>> = vec![None; self.names.as_slice().len()];
        for variable in variables {
            // What no text asks for may be given.
            if let Some(number) = self.names.known(&variable.name) {
                own[number] = Some(variable);
            }
        }
        let mut evaluation = Evaluation::new(self.lookup(&own), addressee);
        let mut all_fit = true;
        for (number, entry) in self.entries.iter().enumerate() {
            let has_own = entry.names.iter().any(|name| own[*name].is_some());
            if !has_own && entry.common.is_some() {
                continue;
            }
            let text = work_out(&entry.formula, &mut evaluation, entry.asked_at.1);
            match self.checked(entry, text) {
                Ok(text) => values.set(number, Some(text)),
                Err(refusal) => {
                    let location = match entry.names.as_slice() {
                        [name] => own[*name].map(|variable| variable.location),
                        _ => None,
                    };
                    let location = location.unwrap_or_else(|| owner.variables(report));
                    report.refuse(location, refusal);
                    all_fit = false;
                }
            }
        }
        all_fit.then_some(values)
    }

    fn lookup<'v, 'r>(&'v self, own: &'v [Option<&'v Variable<'r>>]) -> Lookup<'v, 'a, 'r>
    where
        'a: 'r,
    {
        Lookup {
            substitutions: self,
            own,
        }
    }

    fn checked<'r>(
        &self,
        entry: &Entry<'_>,
        text: Result<Cow<'r, str>, Failure>,
    ) -> Result<Cow<'r, str>, Refusal> {
        let field = &self.fields[entry.asked_at.0];
        let text = text.map_err(|failure| match (&entry.formula, failure.misfit) {
            (Formula::Expression(expression, _), Misfit::NoText) if expression.is_path() => NO_TEXT,
            _ => failure.refusal(field),
        })?;
        if !entry.in_header || !has_control_except_tab(&text) {
            return Ok(text);
        }
        Err(match &entry.formula {
            Formula::Expression(expression, _) if expression.is_path() => {
                Refusal::new(Code::ControlCharacter, CONTROL)
            }
            _ => Refusal::with_detail(
                Code::ControlCharacter,
                format!(
                    "The template in {field} writes a line break or another control character into a \
                     header field for these values."
                ),
            ),
        })
    }
}

/// The positions of the placeholders and statements of an HTML text whose lines end with LF.
#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
pub(super) fn tags(html: &str) -> Vec<super::Tag> {
    use super::TagKind;
    use segments::Segment;

    let segments = segments::segments(html, true)
        .unwrap_or_default()
        .into_iter();
    let tags = segments.filter_map(|segment| {
        let Segment::Tag { inner, is_raw, .. } = segment else {
            return None;
        };
        let kind = match parser::statement_of(&html[inner.clone()]) {
            Some("if" | "each") => TagKind::Opens,
            Some("end") => TagKind::Closes,
            Some(_) => TagKind::Branches,
            None => TagKind::Value { is_html: is_raw },
        };
        let braces = if is_raw { 3 } else { 2 };
        Some(super::Tag {
            range: inner.start - braces..inner.end + braces,
            kind,
        })
    });
    tags.collect()
}

fn push_constant<'a>(
    template: &mut TemplateText<'a>,
    text: Cow<'a, str>,
    kind: TextKind,
    place: Place,
) -> Result<(), Refusal> {
    let text = if kind == TextKind::Header {
        header_text(text, place)?
    } else {
        text
    };
    template.push_literal(text);
    Ok(())
}
