//! Mail merge: one personal message for each recipient.

use super::composed::{Addressees, Composed};
use super::delivery::Delivery;
use super::rejected::RejectedRecipients;
use super::selection::Selection;
use super::templates::{FilledHeader, Templates};
use crate::address::{AddrSpec, Mailbox, ReversePath, SenderDomains};
use crate::envelope::Envelope;
use crate::identity::Identity;
use crate::json::{InvalidRecipients, MergeForm, Priority};
use crate::problem::{Code, Problem, Refusal};
use crate::template::Values;
use std::borrow::Cow;
use std::sync::OnceLock;

pub(super) const MERGE_FORM_ALONE: Refusal = Refusal::new(
    Code::Conflict,
    "PowerMTA takes this only in its own merge format, which cannot express `dkim`, more than 11 delivery windows, or a bracket that \
     cannot be encoded, as in `a@[192.0.2.1]`; leave it out.",
);

/// A mail merge without its recipients: what they share, and where they differ.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    pub form: MergeForm,
    /// Those who get a copy of the first recipient's message.
    pub seeds: Vec<Mailbox<'a>>,
    /// What happens if recipients are invalid.
    pub invalid_recipients: InvalidRecipients,
    /// Whether the message names the language of its texts.
    pub has_language: bool,
    /// The allowed senders of recipients.
    pub senders: &'a SenderDomains,
    /// The address of From if absent.
    pub sender: Option<ReversePath<'a>>,
    /// What PowerMTA is told besides the addresses.
    pub delivery: Delivery<'a>,
    /// The message without its placeholders.
    pub composed: Box<Composed<'a>>,
    /// The fields with placeholders.
    pub templates: Templates<'a>,
    /// Computed when it is first needed.
    pub(super) holds_bracket: OnceLock<bool>,
}

/// One recipient with everything of its own. All rules have been checked.
#[derive(Debug)]
pub(crate) struct Recipient<'a> {
    pub mailbox: Mailbox<'a>,
    pub sender: Option<ReversePath<'a>>,
    pub envid: Option<Cow<'a, str>>,
    pub job: Option<Cow<'a, str>>,
    pub vmta: Option<Cow<'a, str>>,
    pub subaccount_id: Option<Cow<'a, str>>,
    pub custom_message_id: Option<Cow<'a, str>>,
    pub priority: Option<RecipientPriority>,
    pub values: Values<'a>,
    /// The header fields with placeholders.
    pub filled: FilledHeader<'a>,
}

impl Recipient<'_> {
    /// Whether the recipient's own part contains a bracket that cannot be encoded.
    pub fn holds_bracket(&self) -> bool {
        self.mailbox.address.as_str().contains('[') || self.filled.holds_bracket()
    }
}

/// The priority of one recipient's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecipientPriority {
    /// In its header: X-Priority and Importance.
    Header(Priority),
    /// In PowerMTA's queue (`*priority`), from 1 to 100.
    Queue(u8),
}

/// The recipients that came with the message: at least one who gets it.
#[derive(Debug)]
pub(crate) struct Recipients<'a> {
    list: Vec<Recipient<'a>>,
    /// Their indices in the message; empty if these equal their positions in the list.
    indices: Vec<usize>,
    /// Those who get nothing; `None` if nobody may be rejected.
    rejected: Option<RejectedRecipients>,
}

impl<'a> Recipients<'a> {
    /// `None` if there are none. `indices` are those in the message; it may be empty if they equal the positions in the
    /// list.
    pub fn new(
        list: Vec<Recipient<'a>>,
        indices: Vec<usize>,
        rejected: Option<RejectedRecipients>,
    ) -> Option<Self> {
        debug_assert!(indices.is_empty() || indices.len() == list.len());
        (!list.is_empty()).then_some(Self {
            list,
            indices,
            rejected,
        })
    }

    /// Those who are selected: at least one.
    pub fn select(mut self, selection: Selection) -> Result<Self, Problem> {
        match selection {
            Selection::All => {}
            Selection::First(count) => {
                self.list.truncate(count.get());
                self.indices.truncate(count.get());
            }
            Selection::Only(number) => {
                let index = number.get() - 1;
                let place = match self.indices.as_slice() {
                    [] => Some(index).filter(|index| *index < self.list.len()),
                    indices => indices.binary_search(&index).ok(),
                };
                let Some(place) = place else {
                    return Err(self.missing(index));
                };
                self.list = vec![self.list.swap_remove(place)];
                self.indices = vec![index];
            }
        }
        Ok(self)
    }

    /// Why the recipient with this index does not exist.
    fn missing(&self, index: usize) -> Problem {
        let rejected = self.rejected.as_ref();
        rejected
            .and_then(|rejected| rejected.problem_of(index))
            .unwrap_or_else(|| Problem::new("/recipients".to_owned(), Selection::MISSING))
    }

    pub fn first(&self) -> &Recipient<'a> {
        self.list
            .first()
            .expect("the constructor takes no empty list")
    }

    /// Each with its index in the message.
    pub fn with_indices(&self) -> impl Iterator<Item = (usize, &Recipient<'a>)> {
        let index = |place| self.indices.get(place).copied().unwrap_or(place);
        self.list
            .iter()
            .enumerate()
            .map(move |(place, recipient)| (index(place), recipient))
    }

    pub fn as_slice(&self) -> &[Recipient<'a>] {
        &self.list
    }

    pub fn rejected(&self) -> Option<&RejectedRecipients> {
        self.rejected.as_ref()
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
            None => match (&self.sender, &recipient.filled.from_address) {
                (None, Some(from)) => Some(from),
                _ => self.reverse_path(),
            },
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

    /// The envelope of the seeds' copy of a recipient's message.
    pub fn envelope_of_seeds<'m>(&'m self, recipient: &'m Recipient<'m>) -> Envelope<'m> {
        let seeds = self.seeds.iter().map(|seed| &seed.address);
        Envelope {
            forward_paths: Envelope::new(None, seeds.clone(), false).forward_paths,
            is_internationalized: self.envelope_for(recipient).is_internationalized
                || Envelope::new(None, seeds, false).is_internationalized,
            ..self.envelope_for(recipient)
        }
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
            subaccount_id: lend(&recipient.subaccount_id, &common.subaccount_id),
            custom_message_id: lend(&recipient.custom_message_id, &common.custom_message_id),
            dkim: common.dkim.as_deref().map(Cow::Borrowed),
            schedule: common.schedule.as_deref().map(Cow::Borrowed),
            verp: common.verp,
            dsn: common.dsn.clone(),
        }
    }

    /// Whether PowerMTA's merge form is used for those whom it fits.
    pub fn is_native(&self) -> bool {
        self.form == MergeForm::Native && self.fits_merge_form()
    }

    /// Whether the message can be written in PowerMTA's merge form, whoever it is for. PowerMTA does not document
    /// whether DKIM options work in that form, or how to write a bracket that does not start a variable; and a
    /// definition must fit in a line. If the address of From differs between recipients, so does what is made of it:
    /// the envelope sender and the domain of the Message-ID.
    pub fn fits_merge_form(&self) -> bool {
        self.delivery.dkim.is_none()
            && self.templates.from_address.is_none()
            && !self.delivery.has_long_schedule()
            && !self.holds_bracket()
    }

    /// Whether the common part of all messages contains a bracket that cannot be encoded, as in `a@[192.0.2.1]`.
    fn holds_bracket(&self) -> bool {
        *self.holds_bracket.get_or_init(|| {
            let composed = &self.composed;
            composed
                .render_for_template(Addressees::NOBODY, &Identity::now())
                .holds_bracket()
        })
    }

    /// The bytes of one recipient's message.
    pub fn render_for(&self, recipient: &Recipient<'_>, identity: &Identity) -> Vec<u8> {
        self.with_message(recipient, |message, addressees| {
            message.render(addressees, identity).into_vec()
        })
    }

    /// The same for a template of PowerMTA, without brackets wherever they can be avoided.
    pub fn render_template_for(&self, recipient: &Recipient<'_>, identity: &Identity) -> Vec<u8> {
        self.with_message(recipient, |message, addressees| {
            message.render_for_template(addressees, identity).into_vec()
        })
    }

    /// Makes one recipient's message and passes it to `take`.
    fn with_message<T>(
        &self,
        recipient: &Recipient<'_>,
        take: impl FnOnce(&Composed<'_>, Addressees<'_>) -> T,
    ) -> T {
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
        let to = match &recipient.filled.headers {
            Some(own) if own.replace("To") => &[],
            _ => std::slice::from_ref(&recipient.mailbox),
        };
        take(&message, Addressees { to, cc: &[] })
    }
}
