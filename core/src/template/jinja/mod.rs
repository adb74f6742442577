//! The language `jinja`, with the crate minijinja: conditions, loops, filters.
//!
//! A text is evaluated as a whole for each recipient, within bounds on time and memory. The parts outside of all tags
//! are the same for everybody: `scan` finds them, and each evaluation is compared with them, so that only what differs
//! becomes a value.
//!
//! ```text
//! constants     what is the same whatever the values are
//! check         what is wrong whatever the values are
//! trials        arguments that nothing accepts
//! environment   minijinja, set up for mail
//! digits        numbers that are written as they were given
//! operands      what operators get instead of them
//! computed      filters and tests that work with numbers
//! filters       those of both languages
//! tags          the positions of its tags
//! scan  layers  what minijinja must not be given
//! refusals      how its errors are reported
//! source  value  tokens  kinds  told
//! ```

mod check;
mod computed;
mod constants;
mod digits;
mod environment;
mod filters;
mod kinds;
mod layers;
mod operands;
mod refusals;
mod scan;
mod source;
#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
mod tags;
#[cfg(test)]
mod tests;
mod tokens;
mod told;
mod trials;
mod value;

use super::place::FieldName;
use super::sources::{MOST_VALUES, Owner, TOO_MANY};
use super::{Slot, TemplateText, TextKind, Values};
use crate::problem::{Code, ProblemReport, Refusal};
use crate::syntax::{has_control_except_tab, to_lf};
use crate::variable::Variable;
use check::check;
use environment::environment;
use kinds::{CALENDAR, HTML, PLAIN};
use minijinja::value::{Value, merge_maps};
use minijinja::{Environment, OutputSpanKind};
use refusals::{no_template, not_worked_out};
use scan::{Scan, Section, scan};
use source::Source;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// Instructions, and some 64 bytes of data for each, for the texts of one recipient.
const FUEL: u64 = 400_000;
/// However many texts there are, each gets this much.
const LEAST_FUEL: u64 = 5_000;
/// For each trial when a template is parsed.
const TRIAL_FUEL: u64 = 2_000;
/// No text of a mail is longer.
const LONGEST: usize = 4 << 20;

/// The texts of one message.
#[derive(Debug)]
pub(crate) struct Programs {
    environment: Environment<'static>,
    texts: Vec<Program>,
    /// How many values there are.
    values: usize,
    /// The common values.
    shared: Option<Value>,
}

#[derive(Debug)]
struct Program {
    name: String,
    field: FieldName,
    kind: TextKind,
    sections: Vec<CutSection>,
    source: Source,
}

/// A piece of the source, in order.
#[derive(Debug)]
enum CutSection {
    /// Text outside of all tags: its range.
    Text(Range<usize>),
    /// Tags, which yield the value with this number.
    Value(usize),
}

impl Programs {
    pub fn new() -> Self {
        Self {
            environment: environment(),
            texts: Vec::new(),
            values: 0,
            shared: None,
        }
    }

    /// Without texts, sharing the common values of these.
    pub fn fresh(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            ..Self::new()
        }
    }

    /// Parses a text. An error says what is wrong with it.
    pub fn parse<'a>(
        &mut self,
        text: Cow<'a, str>,
        kind: TextKind,
        field: impl FnOnce() -> FieldName,
    ) -> Result<TemplateText<'a>, Refusal> {
        if text.len() > LONGEST {
            return Err(invalid("A text with templates may be at most 4 MiB."));
        }
        if !text.contains(['{']) {
            return Ok(TemplateText::literal(text));
        }
        let prefix = match kind {
            TextKind::Html => HTML,
            TextKind::Calendar => CALENDAR,
            TextKind::Text | TextKind::Header => PLAIN,
        };
        let name = format!("{prefix}{}", self.texts.len());
        let (source, scanned) = self.read(&text, kind)?;
        self.environment
            .add_template_owned(name.clone(), source.text.clone())
            .map_err(|error| no_template(&error, &source))?;
        let mut template = TemplateText::default();
        let mut sections = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for section in scanned {
            match section {
                Section::Text(range) => {
                    let literal = text.get(range.clone()).ok_or(UNCUT)?;
                    template.push_literal(literal.to_owned().into());
                    sections.push(CutSection::Text(source.range(&range)));
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
            source,
        });
        let fuel = FUEL / self.texts.len() as u64;
        self.environment.set_fuel(Some(fuel.max(LEAST_FUEL)));
        Ok(template)
    }

    /// Finds the tags of a text, and the faults that do not depend on values.
    fn read(&mut self, text: &str, kind: TextKind) -> Result<(Source, Vec<Section>), Refusal> {
        let Scan {
            sections,
            insertions,
            units,
        } = scan(text, self.environment.syntax())?;
        let source = Source::new(text, &insertions);
        self.environment.set_fuel(Some(TRIAL_FUEL));
        let checked = check(&self.environment, &source)?;
        self.environment.set_fuel(Some(FUEL));
        constants::work_out(&self.environment, &source, &units, &checked, kind)?;
        Ok((source, sections))
    }

    /// The positions of the placeholders, statements and comments of a text.
    #[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
    pub fn tags(&self, text: &str) -> Vec<super::Tag> {
        tags::tags(text, self.environment.syntax())
    }

    /// How many values there are.
    pub fn value_count(&self) -> usize {
        self.values
    }

    /// Takes the variables that are the same for everybody.
    pub fn share(&mut self, variables: &[Variable<'_>]) {
        self.shared = Some(value::object(variables));
    }

    /// The values of one recipient. `None` only if the report says what cannot be evaluated.
    pub fn resolve<'r>(
        &self,
        owner: Owner,
        variables: &[Variable<'r>],
        report: &mut ProblemReport<'r>,
    ) -> Option<Values<'r>> {
        let mut values = Values::unknown(self.values);
        let mut all_fit = true;
        // The last one wins.
        let own = value::object(variables);
        let context = match &self.shared {
            Some(shared) => merge_maps([shared.clone(), own]),
            None => own,
        };
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
            .map_err(|error| not_worked_out(&error, &program.field, &program.source))?;
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

/// Records a piece of the result as the value with a number, unless it is empty.
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

/// Not known to happen; a result that cannot be split is refused rather than sent.
const UNCUT: Refusal =
    invalid("This template cannot be told apart from the values it is filled with.");

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidTemplate, detail)
}

/// A header field must not contain a line end.
fn check_header(program: &Program, values: &Values<'_>) -> Result<(), Refusal> {
    let is_broken = |section: &CutSection| match section {
        CutSection::Value(value) => values.own(*value).is_some_and(has_control_except_tab),
        CutSection::Text(_) => false,
    };
    if program.kind == TextKind::Header && program.sections.iter().any(is_broken) {
        let detail = format!(
            "The template in {} writes a line break or another control character into a header field \
             for these values.",
            program.field
        );
        return Err(Refusal::with_detail(Code::ControlCharacter, detail));
    }
    Ok(())
}
