//! Messages with placeholders, with recipients of their own, or with both.

use super::composed::Composed;
use super::delivery::Delivery;
use super::form::FileParts;
use super::read::read_composed_with;
use super::recipients::{Merge, MergeForm, Rules, read_recipients};
use super::templates::{NamePlaces, Templates};
use super::values::choice;
use super::{Apart, Beside};
use crate::json::{JsonMessage, JsonRecipient, Located};
use crate::problem::{Code, Location, ProblemReport};
use crate::template::{Language, LanguageKind, Owner};

/// What was read.
pub(super) struct Templated<'a> {
    pub composed: Box<Composed<'a>>,
    /// Absent where there are no recipients: the message is filled in, and one like any other.
    pub merge: Option<Box<Merge<'a>>>,
}

/// Notes fields that cannot stand beside recipients, or without them.
pub(super) fn refuse_strangers(
    json: &JsonMessage<'_>,
    is_merge: bool,
    report: &mut ProblemReport<'_>,
) {
    if is_merge {
        let locations =
            [&json.to, &json.cc, &json.bcc].map(|field| field.as_ref().map(|f| f.location));
        for location in locations.into_iter().flatten() {
            let detail = "Beside `recipients`, each of whom gets a message of their own, nobody \
                          else can be named.";
            report.problem(location, Code::Conflict, detail);
        }
    } else if let Some(form) = &json.merge {
        let detail = "This says how `recipients` are written down, and there are none.";
        report.problem(form.location, Code::Conflict, detail);
    }
}

/// Understands the message. `None` only where the report tells why.
pub(super) fn read_templated<'a>(
    json: &mut JsonMessage<'a>,
    beside: &mut Beside<'a>,
    delivery: &Delivery<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Templated<'a>> {
    let recipients = json.recipients.take();
    let is_merge = recipients.is_some() || beside.apart != Apart::No;
    let form = json.merge.take();
    let form = form.and_then(|word| choice(&word, &MergeForm::CHOICES, report));
    let has_language = json.template.is_some();
    let (mut composed, templates) = read_texts(json, is_merge, &mut beside.files, report)?;
    if !is_merge {
        let variables = json.variables.take().map(|field| field.location);
        let owner = variables.map_or(Owner::Parent(Location::ROOT), Owner::Variables);
        composed.fill_in(&templates, owner, report);
        return Some(Templated {
            composed,
            merge: None,
        });
    }
    let mut merge = Box::new(Merge {
        form: form.unwrap_or(MergeForm::Native),
        has_language,
        templates,
        recipients: Vec::new(),
    });
    let rules = Rules {
        merge: &merge,
        composed: &composed,
        delivery,
    };
    merge.recipients = read_own_recipients(recipients, rules, beside.apart, report);
    Some(Templated {
        composed,
        merge: Some(merge),
    })
}

/// The message with its placeholders taken out, and these.
fn read_texts<'a>(
    json: &mut JsonMessage<'a>,
    is_merge: bool,
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<(Box<Composed<'a>>, Templates<'a>)> {
    if json.template.is_none() && json.variables.is_some() {
        require_language(report);
    }
    let language = json.template.take();
    let language = language.and_then(|word| choice(&word, LanguageKind::CHOICES, report));
    let language = language.map_or(Language::None, Language::new);
    let names = NamePlaces::of(json);
    let has_unsubscribe = json.unsubscribe.is_some();
    let mut templates = Templates::take(language, json, report);
    if let (true, Some(id)) = (is_merge, &json.message_id) {
        let detail = "Each message of a merge needs an identifier of its own: put a variable into \
                      this one, or leave it out.";
        report.problem(id.location, Code::Conflict, detail);
    }
    let mut composed = read_composed_with(json, has_unsubscribe, files, report)?;
    templates.take_names(&names, &mut composed, report);
    if let Some(variables) = &mut json.variables {
        templates.share(std::mem::take(&mut variables.value), report);
    }
    Some((composed, templates))
}

/// The recipients that stand in the message itself.
fn read_own_recipients<'a>(
    recipients: Option<Located<Vec<Located<JsonRecipient<'a>>>>>,
    rules: Rules<'_, 'a>,
    apart: Apart,
    report: &mut ProblemReport<'a>,
) -> Vec<super::Recipient<'a>> {
    match (recipients, apart) {
        (Some(Located { location, value }), Apart::No) => {
            read_recipients(rules, location, value, report)
        }
        (Some(Located { location, .. }), Apart::Lines) => {
            let detail = "The recipients stand in the lines behind the message.";
            report.problem(location, Code::Conflict, detail);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Notes that there are values and no word on how texts ask for them: they are not dropped without
/// one.
pub(super) fn require_language(report: &mut ProblemReport<'_>) {
    let detail = "Variables are given; say how the texts are read: `merge`, `jinja` or `none`.";
    report.missing(Location::ROOT, &["template"], Code::MissingField, detail);
}
