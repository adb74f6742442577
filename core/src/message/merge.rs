//! Mail merge: one personal message for each recipient.

use super::composed::{Addressees, Composed};
use super::delivery::Delivery;
use super::templates::{FilledHeader, Templates};
use crate::address::{AddrSpec, Mailbox, ReversePath};
use crate::envelope::Envelope;
use crate::identity::Identity;
use crate::json::{MergeForm, Priority};
use crate::template::Values;
use std::borrow::Cow;

/// A mail merge without its recipients: what they all share, and where they differ.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    pub form: MergeForm,
    /// Whether the message says how its texts are read.
    pub has_language: bool,
    /// From's address when absent.
    pub sender: Option<ReversePath<'a>>,
    /// What PowerMTA is told besides the addresses.
    pub delivery: Delivery<'a>,
    /// The message without its placeholders.
    pub composed: Box<Composed<'a>>,
    /// The fields with placeholders.
    pub templates: Templates<'a>,
}

/// One recipient with all that is its own. All rules hold.
#[derive(Debug)]
pub(crate) struct Recipient<'a> {
    pub mailbox: Mailbox<'a>,
    pub sender: Option<ReversePath<'a>>,
    pub envid: Option<Cow<'a, str>>,
    pub job: Option<Cow<'a, str>>,
    pub vmta: Option<Cow<'a, str>>,
    pub priority: Option<RecipientPriority>,
    pub values: Values<'a>,
    /// The header fields with placeholders.
    pub filled: FilledHeader,
}

/// How urgent one recipient's message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecipientPriority {
    /// In its header: X-Priority and Importance.
    Header(Priority),
    /// In PowerMTA's queue (`*priority`), from 1 to 100.
    Queue(u8),
}

/// The recipients that came with the message: one at least.
#[derive(Debug)]
pub(crate) struct Recipients<'a>(Vec<Recipient<'a>>);

impl<'a> Recipients<'a> {
    /// `None` if there are none.
    pub fn new(recipients: Vec<Recipient<'a>>) -> Option<Self> {
        (!recipients.is_empty()).then_some(Self(recipients))
    }

    pub fn first(&self) -> &Recipient<'a> {
        self.0.first().expect("the constructor takes no empty list")
    }

    pub fn as_slice(&self) -> &[Recipient<'a>] {
        &self.0
    }
}

impl<'a> Merge<'a> {
    /// Where bounces go, unless the recipient says otherwise; `None` is the null reverse-path.
    pub fn reverse_path(&self) -> Option<&AddrSpec<'a>> {
        match &self.sender {
            Some(sender) => sender.address(),
            None => Some(&self.composed.from.address),
        }
    }

    /// Where the bounces of one recipient's message go.
    pub fn reverse_path_for<'m>(
        &'m self,
        recipient: &'m Recipient<'m>,
    ) -> Option<&'m AddrSpec<'m>> {
        match &recipient.sender {
            Some(sender) => sender.address(),
            None => self.reverse_path(),
        }
    }

    /// The envelope of one recipient's message.
    pub fn envelope_for<'m>(&'m self, recipient: &'m Recipient<'m>) -> Envelope<'m> {
        let reverse_path = self.reverse_path_for(recipient);
        let paths = std::iter::once(&recipient.mailbox.address);
        let is_internationalized =
            self.composed.is_internationalized() || recipient.filled.is_internationalized();
        Envelope::new(reverse_path, paths, is_internationalized)
    }

    /// PowerMTA's options for one recipient's message.
    pub fn delivery_for<'m>(&'m self, recipient: &'m Recipient<'m>) -> Delivery<'m> {
        let common = &self.delivery;
        let lend = |own: &'m Option<Cow<'m, str>>, common: &'m Option<Cow<'a, str>>| {
            own.as_deref().or(common.as_deref()).map(Cow::Borrowed)
        };
        Delivery {
            envid: lend(&recipient.envid, &common.envid),
            job: lend(&recipient.job, &common.job),
            vmta: lend(&recipient.vmta, &common.vmta),
            dkim: common.dkim.as_deref().map(Cow::Borrowed),
            schedule: common.schedule.as_deref().map(Cow::Borrowed),
            verp: common.verp,
            dsn: common.dsn.clone(),
        }
    }

    /// The bytes of one recipient's message.
    pub fn render_for(&self, recipient: &Recipient<'_>, identity: &Identity) -> Vec<u8> {
        let templates = &self.templates;
        let bodies = templates
            .bodies
            .map(|text| templates.fill_text(text, &recipient.values));
        let mut message = self
            .composed
            .with_values(templates, &recipient.filled, &bodies);
        if let Some(RecipientPriority::Header(priority)) = recipient.priority {
            message.urgency = priority.into();
        }
        let to = std::slice::from_ref(&recipient.mailbox);
        message
            .render(Addressees { to, cc: &[] }, identity)
            .into_vec()
    }
}
