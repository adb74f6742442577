//! Mail merge: one personal message for each recipient.

use super::composed::{Addressees, Priority};
use super::delivery::{Delivery, LONGEST_ENVID, LONGEST_TOKEN, read_token};
use super::templated::require_language;
use super::templates::{Filled, Templates};
use super::values::{choice, read_sender};
use super::{Composed, Content, Message};
use crate::address::{AddrSpec, Mailbox, ReversePath, read_mailbox};
use crate::envelope::Envelope;
use crate::json::{
    JsonMailbox, JsonNumber, JsonPriority, JsonRecipient, JsonRecipientParts, JsonVariables,
    Located,
};
use crate::problem::{Code, Location, ProblemReport};
use crate::stamp::{Id, Stamp};
use crate::template::{Owner, Values};
use std::borrow::Cow;

/// What makes a message one for many.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    pub form: MergeForm,
    /// Whether the message says how its texts are read.
    pub has_language: bool,
    pub templates: Templates<'a>,
    /// Those that came with the message.
    pub recipients: Vec<Recipient<'a>>,
}

/// How a merge is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeForm {
    /// In PowerMTA's own form, the text once for many recipients.
    Native,
    /// A file for each recipient.
    Expanded,
}

impl MergeForm {
    pub const CHOICES: [(&'static str, Self); 2] =
        [("native", Self::Native), ("expanded", Self::Expanded)];
}

/// One recipient with all that is its own. All rules hold.
#[derive(Debug)]
pub(crate) struct Recipient<'a> {
    pub mailbox: Mailbox<'a>,
    pub sender: Option<ReversePath<'a>>,
    pub envid: Option<Cow<'a, str>>,
    pub job: Option<Cow<'a, str>>,
    pub vmta: Option<Cow<'a, str>>,
    pub priority: Option<OwnPriority>,
    pub values: Values<'a>,
    pub filled: Filled,
}

impl Recipient<'_> {
    /// Where bounces go, which is `common` if the recipient says nothing else.
    pub fn reverse_path<'m>(
        &'m self,
        common: Option<&'m AddrSpec<'m>>,
    ) -> Option<&'m AddrSpec<'m>> {
        match &self.sender {
            None => common,
            Some(ReversePath::Address(address)) => Some(address),
            Some(ReversePath::Null) => None,
        }
    }
}

/// How urgent one recipient's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnPriority {
    /// What the message says of itself.
    Said(Priority),
    /// PowerMTA's own, from 1 to 100.
    Queue(u8),
}

impl<'a> Message<'a> {
    /// What makes it a mail merge, if it is one.
    pub(crate) fn merge(&self) -> Option<&Merge<'a>> {
        self.merge.as_deref()
    }

    /// Those who get a message each.
    pub(crate) fn recipients(&self) -> &[Recipient<'a>] {
        self.merge().map_or(&[], |merge| &merge.recipients)
    }

    /// Header and bodies that were put together here.
    pub(crate) fn composed(&self) -> Option<&Composed<'a>> {
        match &self.content {
            Content::Composed(composed) => Some(composed),
            Content::Raw(_) => None,
        }
    }

    /// What the recipients must keep to, if it is a mail merge.
    pub(crate) fn rules(&self) -> Option<Rules<'_, 'a>> {
        Some(Rules {
            merge: self.merge()?,
            composed: self.composed()?,
            delivery: &self.delivery,
        })
    }

    /// The envelope of one recipient's message.
    pub(crate) fn envelope_for<'m>(&'m self, recipient: &'m Recipient<'m>) -> Envelope<'m> {
        let reverse_path = recipient.reverse_path(self.reverse_path());
        let paths = std::iter::once(&recipient.mailbox.address);
        Envelope::new(reverse_path, paths, self.is_internationalized())
    }

    /// PowerMTA's options for one recipient's message; `id` is its envelope id where none is given.
    pub(crate) fn delivery_for<'m>(
        &'m self,
        recipient: &'m Recipient<'m>,
        id: &'m Id,
    ) -> Delivery<'m> {
        let common = &self.delivery;
        let lend = |own: &'m Option<Cow<'m, str>>, common: &'m Option<Cow<'a, str>>| {
            own.as_deref().or(common.as_deref()).map(Cow::Borrowed)
        };
        Delivery {
            envid: lend(&recipient.envid, &common.envid).or(Some(Cow::Borrowed(id.as_str()))),
            job: lend(&recipient.job, &common.job),
            vmta: lend(&recipient.vmta, &common.vmta),
            dkim: common.dkim.as_deref().map(Cow::Borrowed),
            schedule: common.schedule.as_deref().map(Cow::Borrowed),
            verp: common.verp,
            dsn: common.dsn.clone(),
        }
    }

    /// The octets of one recipient's message.
    pub(crate) fn render_for(&self, recipient: &Recipient<'_>, stamp: &Stamp) -> Vec<u8> {
        let (Some(merge), Some(composed)) = (self.merge(), self.composed()) else {
            return Vec::new();
        };
        let templates = &merge.templates;
        let bodies = templates
            .bodies
            .map(|text| templates.fill_text(text, &recipient.values));
        let mut message = composed.filled(templates, &recipient.filled, &bodies);
        if let Some(OwnPriority::Said(priority)) = recipient.priority {
            message.priority = Some(priority);
        }
        let to = std::slice::from_ref(&recipient.mailbox);
        message.render(Addressees { to, cc: &[] }, stamp)
    }
}

/// What the recipients of a message must keep to.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'m, 'a> {
    pub merge: &'m Merge<'a>,
    pub composed: &'m Composed<'a>,
    pub delivery: &'m Delivery<'a>,
}

impl<'a> Rules<'_, 'a> {
    pub fn read<'r>(
        self,
        recipient: Located<JsonRecipient<'r>>,
        report: &mut ProblemReport<'r>,
    ) -> Option<Recipient<'r>>
    where
        'a: 'r,
    {
        let Located { location, value } = recipient;
        let (mailbox, mut parts) = match value {
            JsonRecipient::Text(text) => (JsonMailbox::Text(text), Box::default()),
            JsonRecipient::Parts(mut parts) => {
                let mailbox = JsonMailbox::Parts(Box::new(parts.take_mailbox()));
                (mailbox, parts)
            }
        };
        let several = "Each recipient is one mailbox; this is several.";
        let mailbox = Located {
            location,
            value: mailbox,
        };
        let mailbox = read_mailbox(mailbox, several, report);
        let variables = parts.variables.take();
        if variables.is_some() && !self.merge.has_language {
            require_language(report);
        }
        let owner = match &variables {
            Some(variables) => Owner::Variables(variables.location),
            None => Owner::Parent(location),
        };
        let variables = variables.map_or_else(JsonVariables::default, |field| field.value);
        let templates = &self.merge.templates;
        let (values, filled) = templates.fill(owner, variables, self.composed, report);
        Some(self.read_own(mailbox?, *parts, values, filled, report))
    }

    fn read_own<'r>(
        self,
        mailbox: Mailbox<'r>,
        parts: JsonRecipientParts<'r>,
        values: Values<'r>,
        filled: Filled,
        report: &mut ProblemReport<'r>,
    ) -> Recipient<'r> {
        let sender_place = parts.sender.as_ref().map(|sender| sender.location);
        let sender = parts.sender.and_then(|sender| read_sender(&sender, report));
        if let (Some(location), Some(ReversePath::Null), true) =
            (sender_place, &sender, self.delivery.verp)
        {
            let detail = "VERP makes bounce addresses from the sender's; the null sender has none.";
            report.problem(location, Code::Conflict, detail);
        }
        let mut token = |field: Option<Located<Cow<'r, str>>>, longest| {
            field.and_then(|text| read_token(text, longest, report))
        };
        let envid = token(parts.envid, LONGEST_ENVID);
        let job = token(parts.job, LONGEST_TOKEN);
        let vmta = token(parts.vmta, LONGEST_TOKEN);
        let priority = parts
            .priority
            .and_then(|priority| self.read_priority(priority, report));
        Recipient {
            mailbox,
            sender,
            envid,
            job,
            vmta,
            priority,
            values,
            filled,
        }
    }

    fn read_priority<'r>(
        self,
        priority: Located<JsonPriority<'r>>,
        report: &mut ProblemReport<'r>,
    ) -> Option<OwnPriority> {
        let Located { location, value } = priority;
        let number = match value {
            JsonPriority::Word(value) => {
                let word = Located { location, value };
                return choice(&word, &Priority::CHOICES, report).map(OwnPriority::Said);
            }
            JsonPriority::Number(JsonNumber::Integer(number)) => u8::try_from(number).ok(),
            JsonPriority::Number(JsonNumber::Float(_)) => None,
        };
        let Some(number) = number.filter(|number| (1..=100).contains(number)) else {
            let detail = "PowerMTA's priority is a whole number from 1 to 100.";
            report.problem(location, Code::InvalidChoice, detail);
            return None;
        };
        if self.merge.form == MergeForm::Expanded || self.delivery.has_long_schedule() {
            let detail = "PowerMTA takes a number in its own merge form alone, which has no room \
                          for more than 11 delivery windows; say `high`, `normal` or `low`.";
            report.problem(location, Code::Conflict, detail);
        }
        Some(OwnPriority::Queue(number))
    }
}

/// Understands the recipients that came with the message.
pub(super) fn read_recipients<'a>(
    rules: Rules<'_, 'a>,
    location: Location,
    recipients: Vec<Located<JsonRecipient<'a>>>,
    report: &mut ProblemReport<'a>,
) -> Vec<Recipient<'a>> {
    if recipients.is_empty() {
        report.problem(location, Code::NoRecipients, NOBODY);
    }
    recipients
        .into_iter()
        .filter_map(|recipient| rules.read(recipient, report))
        .collect()
}

/// What is said where there is no recipient.
pub(crate) const NOBODY: &str = "The message goes to nobody; give at least one recipient.";
