//! Messages with placeholders, with personal recipients, or both.

use super::composed::Composed;
use super::delivery::{Delivery, read_envid};
use super::file_parts::FileParts;
use super::headers::{HeaderScope, take_message_id};
use super::html_help::{language_of, make_bodies};
use super::mailboxes::read_mailboxes;
use super::merge::{MERGE_FORM_ALONE, Merge};
use super::read_composed::read_composed;
use super::template_reader::NameLocations;
use super::templates::Templates;
use super::values::{choice, require_language};
use crate::address::{AddrSpec, Mailbox, ReversePath, SenderDomains};
use crate::json::{InvalidRecipients, JsonMailboxes, JsonMessage, Located, MergeForm};
use crate::problem::{Code, Location, ProblemReport, Refusal};
use crate::template::{Addressee, Owner};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Interprets a message with placeholders that is the same for all recipients. `None` only if the report says why.
pub(super) fn read_templated<'a>(
    json: &mut JsonMessage<'a>,
    delivery: &mut Delivery<'a>,
    (to, sender): (Option<&Mailbox<'a>>, Option<&ReversePath<'a>>),
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Box<Composed<'a>>> {
    let (mut composed, templates) = read_texts(json, false, delivery, files, report)?;
    let variables = json.variables.take().map(|field| field.location);
    let owner = variables.map_or(Owner::Parent(Location::ROOT), Owner::Variables);
    let from = composed.from.address.clone();
    let addressee = Addressee {
        name: to.and_then(|to| to.name.as_deref()),
        email: to.map(|to| to.address.as_str()),
        reverse_path: match sender {
            Some(sender) => sender.address().map(AddrSpec::as_str),
            None => Some(from.as_str()),
        },
    };
    let envid = composed.put_in_common(&templates, owner, addressee, report);
    delivery.envid = envid.map(Cow::Owned).or(delivery.envid.take());
    Some(composed)
}

/// Interprets a mail merge, except its recipients. `None` only if the report says why.
pub(super) fn read_merge<'a>(
    json: &mut JsonMessage<'a>,
    (sender, mut delivery): (Option<ReversePath<'a>>, Delivery<'a>),
    senders: &'a SenderDomains,
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Box<Merge<'a>>> {
    let form = json.merge.take();
    let form = form.and_then(|word| choice(&word, report));
    let seeds = json.seeds.take();
    let seeds = seeds.map_or_else(Vec::new, |seeds| read_seeds(seeds, report));
    let invalid_recipients = json.invalid_recipients.take();
    let invalid_recipients = invalid_recipients.and_then(|word| choice(&word, report));
    let has_language = json.template.is_some();
    let (composed, templates) = read_texts(json, true, &mut delivery, files, report)?;
    let merge = Box::new(Merge {
        form: form.unwrap_or(MergeForm::Native),
        seeds,
        invalid_recipients: invalid_recipients.unwrap_or(InvalidRecipients::Refuse),
        has_language,
        senders,
        sender,
        delivery,
        composed,
        templates,
        holds_bracket: OnceLock::new(),
    });
    if merge.delivery.needs_merge_form() && !merge.is_native() {
        for location in json.merge_form_alone() {
            report.refuse(location, MERGE_FORM_ALONE);
        }
    }
    Some(merge)
}

/// Interprets the seeds, who are all in one pickup file.
fn read_seeds<'a>(
    seeds: Located<JsonMailboxes<'a>>,
    report: &mut ProblemReport<'a>,
) -> Vec<Mailbox<'a>> {
    /// As many recipients as a pickup file has at most.
    const MOST: usize = 5_000;
    const TOO_MANY: Refusal = Refusal::new(
        Code::TooManyMailboxes,
        "A mail merge may have at most 5,000 seeds.",
    );

    let location = seeds.location;
    let seeds = read_mailboxes(seeds, report);
    if seeds.len() > MOST {
        report.refuse(location, TOO_MANY);
    }
    seeds
}

/// The message without its placeholders, and the placeholders.
fn read_texts<'a>(
    json: &mut JsonMessage<'a>,
    is_merge: bool,
    delivery: &mut Delivery<'a>,
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<(Box<Composed<'a>>, Templates<'a>)> {
    if json.template.is_none() && json.variables.is_some() {
        require_language(report);
    }
    let language = json.template.take();
    let language = language.and_then(|word| choice(&word, report));
    let language = language_of(language);
    make_bodies(json, &language, report);
    let names = NameLocations::of(json);
    take_message_id(json, report);
    let (mut templates, values, calendar) = Templates::take(language, json, report);
    read_envid(json, delivery, report);
    if let (true, Some(id)) = (is_merge, &json.message_id) {
        let detail = "Each message of a merge needs its own identifier: use a variable in this one, \
                      or leave it out.";
        report.problem(id.location, Code::Conflict, detail);
    }
    let scope = if is_merge {
        HeaderScope::Merge
    } else {
        HeaderScope::Single
    };
    let (mut composed, headers) = read_composed(json, values, scope, files, report)?;
    templates.headers.add(headers);
    templates.take_names(&names, &mut composed, report);
    templates.take_calendar(calendar, &composed);
    if let Some(variables) = &mut json.variables {
        let mut variables = std::mem::take(&mut variables.value);
        templates.language.share(&variables, report);
        if is_merge {
            variables.sort_by(|one, other| one.name.cmp(&other.name));
            templates.shared = variables;
        }
    }
    Some((composed, templates))
}
