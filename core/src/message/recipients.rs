//! Reads the recipients of a mail merge.

use super::allowed_senders::{check_filled_from, check_headers, check_own_sender};
use super::delivery::{LONGEST_ENVID, LONGEST_TOKEN, check_filled_envid, read_token};
use super::mailboxes::{read_one, read_parts};
use super::merge::{MERGE_FORM_ALONE, Merge, Recipient, RecipientPriority, Recipients};
use super::recipient_headers::read_recipient_headers;
use super::rejected::RejectedRecipients;
use super::templates::FilledHeader;
use super::values::{read_sender, require_language};
use crate::address::{AddrSpec, Mailbox, ReversePath};
use crate::interruption::Interruption;
use crate::json::{InvalidRecipients, JsonPriority, JsonRecipient, JsonRecipientObject, Located};
use crate::problem::{Code, Findings, Location, OrRefuse, ProblemReport, Refusal};
use crate::template::{Addressee, Owner, Values};
use crate::variable::Variable;
use std::borrow::Cow;

impl<'a> Merge<'a> {
    /// Interprets one recipient. `None` only if the report says why.
    pub fn read_recipient<'r>(
        &self,
        recipient: Located<JsonRecipient<'r>>,
        report: &mut ProblemReport<'r>,
    ) -> Option<Recipient<'r>>
    where
        'a: 'r,
    {
        const ONE_EACH: &str = "Each recipient must be one mailbox; this contains several.";

        let Located { location, value } = recipient;
        let (mut nothing, mut object);
        let (mailbox, parts) = match value {
            JsonRecipient::Text(text) => {
                nothing = JsonRecipientObject::default();
                (read_one(location, &text, ONE_EACH, report), &mut nothing)
            }
            JsonRecipient::Object(parts) => {
                // It is too large to be moved about.
                object = parts;
                let mailbox = read_parts(location, object.take_mailbox(), report);
                (mailbox, &mut *object)
            }
        };
        check_headers(parts.headers.as_ref(), self.senders, report);
        let variables = parts.variables.take();
        if variables.is_some() && !self.has_language {
            require_language(report);
        }
        let owner = match &variables {
            Some(variables) => Owner::Variables(variables.location),
            None => Owner::Parent(location),
        };
        let variables = variables.map_or_else(Vec::new, |field| field.value);
        let sender = self.read_own_sender(parts, report);
        let addressee = self.addressee(mailbox.as_ref(), sender.as_ref());
        let filled = self.fill((owner, addressee), &variables, parts, report);
        self.read_own((location, owner), (mailbox?, sender), parts, filled, report)
    }

    /// Who gets the message, and where its bounces go.
    fn addressee<'m>(
        &'m self,
        mailbox: Option<&'m Mailbox<'_>>,
        sender: Option<&'m ReversePath<'_>>,
    ) -> Addressee<'m> {
        let reverse_path = match sender {
            Some(sender) => sender.address().map(AddrSpec::as_str),
            None => self.reverse_path().map(AddrSpec::as_str),
        };
        Addressee {
            name: mailbox.and_then(|mailbox| mailbox.name.as_deref()),
            email: mailbox.map(|mailbox| mailbox.address.as_str()),
            reverse_path,
        }
    }

    /// The recipient's own envelope sender.
    fn read_own_sender<'r>(
        &self,
        parts: &mut JsonRecipientObject<'r>,
        report: &mut ProblemReport<'r>,
    ) -> Option<ReversePath<'r>> {
        let sender = parts.sender.take()?;
        let location = sender.location;
        let sender = read_sender(&sender, report)?;
        check_own_sender(&sender, location, self.senders, report);
        if self.delivery.verp && sender == ReversePath::Null {
            let detail =
                "VERP makes bounce addresses from the sender's address; the null sender has none.";
            report.problem(location, Code::Conflict, detail);
        }
        Some(sender)
    }

    /// The recipient's values, and the header fields with them and with those of the recipient.
    fn fill<'r>(
        &self,
        person: (Owner, Addressee<'_>),
        variables: &[Variable<'r>],
        parts: &mut JsonRecipientObject<'r>,
        report: &mut ProblemReport<'r>,
    ) -> Option<(Values<'r>, FilledHeader<'r>)>
    where
        'a: 'r,
    {
        let own = parts.headers.take().map(|headers| {
            let mut headers = headers.value.0;
            // A number is no header field.
            let priority = parts.priority.as_ref().map(|priority| &priority.value);
            let has_priority = matches!(priority, Some(JsonPriority::Word(_)));
            let filled = self
                .templates
                .fill_own_headers(&mut headers, person, variables, report);
            if filled.is_none() {
                // What is wrong with the others is told all the same.
                for header in &mut headers {
                    header.values.retain(|value| !value.value.contains('{'));
                }
            }
            read_recipient_headers(headers, has_priority, report).filter(|_| filled.is_some())
        });
        let filled = self
            .templates
            .fill(person, variables, &self.composed, report);
        let (values, mut filled): (_, FilledHeader<'r>) = filled?;
        if let Some(own) = own {
            filled.put_own(own?, &self.composed, report)?;
        }
        Some((values, filled))
    }

    fn read_own<'r>(
        &self,
        (place, owner): (Location, Owner),
        (mailbox, sender): (Mailbox<'r>, Option<ReversePath<'r>>),
        parts: &mut JsonRecipientObject<'r>,
        filled: Option<(Values<'r>, FilledHeader<'r>)>,
        report: &mut ProblemReport<'r>,
    ) -> Option<Recipient<'r>> {
        let mut token = |field: Option<Located<Cow<'r, str>>>, longest| {
            field.and_then(|text| read_token(text, longest, report))
        };
        let has_envid = parts.envid.is_some();
        let envid = token(parts.envid.take(), LONGEST_ENVID);
        let job = token(parts.job.take(), LONGEST_TOKEN);
        let vmta = token(parts.vmta.take(), LONGEST_TOKEN);
        let own_ids = [&parts.subaccount_id, &parts.custom_message_id];
        let own_ids = own_ids.map(|id| id.as_ref().map(|id| id.location));
        let subaccount_id = token(parts.subaccount_id.take(), LONGEST_TOKEN);
        let custom_message_id = token(parts.custom_message_id.take(), LONGEST_TOKEN);
        let priority_place = parts.priority.as_ref().map(|priority| priority.location);
        let priority = parts
            .priority
            .take()
            .and_then(|priority| self.read_priority(priority, report));
        let (values, mut filled) = filled?;
        let from = filled.from_address.as_deref();
        check_filled_from(from, owner.variables(report), self.senders, report);
        let filled_envid = filled.envid.take().filter(|_| !has_envid);
        if let Some(envid) = &filled_envid {
            let location = owner.variables(report);
            check_filled_envid(envid).or_refuse(location, report)?;
        }
        let envid = envid.or(filled_envid.map(Cow::Owned));
        let recipient = Recipient {
            mailbox,
            sender,
            envid,
            job,
            vmta,
            subaccount_id,
            custom_message_id,
            priority,
            values,
            filled,
        };
        if let (Some(location), Some(RecipientPriority::Queue(_))) =
            (priority_place, recipient.priority)
            && self.is_native()
            && recipient.holds_bracket()
        {
            report.refuse(location, NO_NUMBER);
        }
        self.check_ids(place, own_ids, &recipient, report);
        Some(recipient)
    }

    /// Refuses options that only PowerMTA's merge form can express if this recipient's message does not fit that form.
    /// `own` are the locations of the recipient's options.
    fn check_ids(
        &self,
        place: Location,
        own: [Option<Location>; 2],
        recipient: &Recipient<'_>,
        report: &mut ProblemReport<'_>,
    ) {
        let common = self.delivery.needs_merge_form();
        if !common && own == [None; 2] {
            return;
        }
        let is_native = self.is_native();
        if is_native && !recipient.holds_bracket() {
            return;
        }
        for location in own.into_iter().flatten() {
            report.refuse(location, MERGE_FORM_ALONE);
        }
        // What is wrong for everybody was told of the message.
        if common && is_native && own == [None; 2] {
            report.refuse(place, MERGE_FORM_ALONE);
        }
    }

    fn read_priority<'r>(
        &self,
        priority: Located<JsonPriority<'r>>,
        report: &mut ProblemReport<'r>,
    ) -> Option<RecipientPriority> {
        let Located { location, value } = priority;
        let number = match value {
            JsonPriority::Word(value) => {
                let meaning = value.meaning().map(RecipientPriority::Header);
                if meaning.is_none() {
                    let detail = "This must be `high`, `normal`, `low`, or a whole number from 1 to \
                                  100, not a string (in Python an int).";
                    report.problem(location, Code::InvalidChoice, detail);
                }
                return meaning;
            }
            JsonPriority::Number(number) => number.to_small_integer(),
        };
        let Some(number) = number.filter(|number| (1..=100).contains(number)) else {
            let detail = "PowerMTA's priority must be a whole number from 1 to 100.";
            report.problem(location, Code::InvalidChoice, detail);
            return None;
        };
        if !self.is_native() {
            report.refuse(location, NO_NUMBER);
        }
        Some(RecipientPriority::Queue(number))
    }
}

const NO_NUMBER: Refusal = Refusal::new(
    Code::Conflict,
    "PowerMTA takes a number only in its own merge format, which cannot express `dkim`, more than 11 \
     delivery windows, or a bracket that cannot be encoded, as in `a@[192.0.2.1]`; use `high`, \
     `normal` or `low`.",
);

/// Interprets the recipients that came with the message. `None` only if the report says why, and if it is interrupted.
pub(super) fn read_recipients<'a>(
    merge: &Merge<'a>,
    field: Located<Vec<Located<JsonRecipient<'a>>>>,
    interruption: Interruption<'_>,
    report: &mut ProblemReport<'a>,
) -> Option<Recipients<'a>> {
    // Where a recipient is faulty it cannot be said that there is none.
    if field.value.is_empty() && !report.has_problem_at(field.location) {
        report.problem(field.location, Code::NoRecipients, NOBODY);
        return None;
    }
    let mut rejected = match merge.invalid_recipients {
        InvalidRecipients::Refuse => None,
        InvalidRecipients::Skip => Some(RejectedRecipients::new(report.pointer(field.location))),
    };
    // Those with a value of the wrong type may be absent from the list by now.
    let mut faulty = report.take_elements(field.location).into_iter().peekable();
    let mut recipients = Vec::with_capacity(field.value.len());
    // Some may be absent, or left out.
    let last = field.value.last().map(|last| report.index(last.location));
    let has_gaps = rejected.is_some() || last.is_some_and(|at| at != Some(field.value.len() - 1));
    let mut indices = Vec::new();
    for recipient in field.value {
        if interruption.is_wanted() {
            return None;
        }
        let location = recipient.location;
        let mut known = Findings::default();
        if faulty.peek().is_some() {
            let index = report.index(location);
            let index = index.expect("a recipient is an element of an array");
            while let Some((before, findings)) = faulty.next_if(|(at, _)| *at < index) {
                note(before, field.location, findings, &mut rejected, report);
            }
            if let Some((_, findings)) = faulty.next_if(|(at, _)| *at == index) {
                known = findings;
            }
        }
        // Only what is its own is looked through for what was found in it already.
        let others = report.replace(known);
        let recipient = merge.read_recipient(recipient, report);
        let found = report.replace(others);
        if found.is_empty() {
            if has_gaps && recipient.is_some() {
                indices.extend(report.index(location));
            }
            recipients.extend(recipient);
        } else {
            let index = report.index(location);
            let index = index.expect("a recipient is an element of an array");
            note(index, field.location, found, &mut rejected, report);
        }
    }
    for (index, findings) in faulty {
        note(index, field.location, findings, &mut rejected, report);
    }
    let are_all_rejected =
        recipients.is_empty() && rejected.as_ref().is_some_and(|all| !all.is_empty());
    if are_all_rejected {
        report.problem(field.location, Code::NoRecipients, ALL_REJECTED);
    }
    Recipients::new(recipients, indices, rejected)
}

/// Records what was found while the recipient with this index was read: it is rejected because of its own problems, if
/// that is allowed.
fn note(
    index: usize,
    list: Location,
    found: Findings,
    rejected: &mut Option<RejectedRecipients>,
    report: &mut ProblemReport<'_>,
) {
    let Some(rejected) = rejected else {
        report.append(found);
        return;
    };
    let (others, first) = report.first_in(list, index, found);
    report.append(others);
    if let Some((code, pointer)) = first {
        rejected.push(index, &pointer, code);
    }
}

/// The problem if there is no recipient.
pub(crate) const NOBODY: &str = "The message has no recipients; give at least one.";

/// The problem if all recipients are skipped.
pub(crate) const ALL_REJECTED: &str = "The message has no recipients left, because every recipient \
                                       is invalid; leave out `invalidRecipients` to see why.";
