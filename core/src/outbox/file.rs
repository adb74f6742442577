//! A pickup file, and what each of its recipients gets.

use super::batched::{self, Data};
use super::envelope::OutboxEnvelope;
use super::header_form;
use super::lines::Lines;
use super::merge::OwnVariables;
use super::recipient::Recipient;
use super::unreadable::UnreadableFile;
use crate::header::Date;
use jiff::Timestamp;
use std::borrow::Cow;
use std::time::SystemTime;

/// A pickup file that was read back.
///
/// ```
/// use pmtaemail::outbox::{Mail, OutboxFile};
/// use std::time::SystemTime;
///
/// let json = br#"{"from": "shop@example.com", "subject": "Hello {{ name }}", "template": "merge", "text": "Hi!",
///     "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}},
///                    {"address": "bo@example.org", "variables": {"name": "Bo"}}]}"#;
/// let submission = pmtaemail::Submission::from_json(json).unwrap();
/// let bytes = submission.files()[0].chunks().concat();
///
/// let file = OutboxFile::read(&bytes).unwrap();
/// assert!(file.is_merge());
/// assert_eq!(file.recipients(), 2);
/// assert_eq!(file.envelope(1).unwrap().to, "bo@example.org");
/// let mail = file.mail(1, SystemTime::now()).unwrap();
/// assert_eq!(Mail::read(&mail).unwrap().header("Subject"), Some("Hello Bo"));
/// ```
#[derive(Debug)]
pub struct OutboxFile<'a> {
    /// What applies to all recipients.
    envelope: OutboxEnvelope<'a>,
    recipients: Vec<Recipient<'a>>,
    data: Data<'a>,
}

impl<'a> OutboxFile<'a> {
    /// Reads a complete file in any of the three forms: header fields, batched SMTP, or a merge.
    ///
    /// # Errors
    /// It differs from what this library writes: it has other lines, or another order, or is cut short.
    pub fn read(file: &'a [u8]) -> Result<Self, UnreadableFile> {
        let mut lines = Lines::new(file);
        let (envelope, recipients, data) = match lines.take_if("x-sender:")? {
            Some(sender) => {
                let (envelope, recipients) = header_form::read(&mut lines, sender)?;
                let message = Cow::Borrowed(lines.rest());
                (envelope, recipients, Data::Message(message))
            }
            None => batched::read(&mut lines)?,
        };
        Ok(Self {
            envelope,
            recipients,
            data,
        })
    }

    /// The number of recipients: at least one.
    pub fn recipients(&self) -> usize {
        self.recipients.len()
    }

    /// Whether each recipient has a personal message, made from one template.
    pub fn is_merge(&self) -> bool {
        matches!(self.data, Data::Template(_))
    }

    /// The envelope of a recipient, counted from 0.
    pub fn envelope(&self, recipient: usize) -> Option<OutboxEnvelope<'_>> {
        let recipient = self.recipients.get(recipient)?;
        let mut envelope = self.envelope.clone();
        envelope.to = recipient.address.into();
        envelope.notify = recipient.notify.map(Cow::Borrowed);
        envelope.orcpt = recipient.orcpt.map(Cow::Borrowed);
        let own = |name| recipient.variable(name).map(Cow::Borrowed);
        envelope.from = own("*from").unwrap_or(envelope.from);
        envelope.envid = own("*envid").or(envelope.envid);
        envelope.job = own("*jobid").or(envelope.job);
        envelope.vmta = own("*vmta").or(envelope.vmta);
        envelope.schedule = own("*schedule").or(envelope.schedule);
        envelope.priority = own("*priority");
        envelope.subaccount_id = own("*subaccountid");
        envelope.custom_message_id = own("*custommessageid");
        Some(envelope)
    }

    /// The variables that a merge file defines for a recipient, counted from 0, exactly as written there. The names of
    /// PowerMTA's own variables begin with `*`; the others are called a, b and so on, and their values may be encoded
    /// and split.
    ///
    /// ```
    /// use pmtaemail::outbox::OutboxFile;
    /// use pmtaemail::Submission;
    ///
    /// let json = br#"{"from": "shop@example.com", "template": "merge", "text": "Hello {{ name }}",
    ///                 "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}},
    ///                                {"address": "bo@example.org", "variables": {"name": "Bo"}}]}"#;
    /// let bytes = Submission::from_json(json)?.files()[0].chunks().concat();
    /// let file = OutboxFile::read(&bytes)?;
    /// let values: Vec<&str> = file.variables(1).map(|(_, value)| value).collect();
    /// assert!(values.contains(&"Bo"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn variables(&self, recipient: usize) -> impl Iterator<Item = (&'a str, &'a str)> {
        let recipient = self.recipients.get(recipient);
        let variables = recipient
            .into_iter()
            .flat_map(|recipient| &recipient.variables);
        variables.copied()
    }

    /// The message as a recipient, counted from 0, gets it (RFC 5322). `received` is when PowerMTA took the file; it
    /// becomes the Date of a merge that gives none.
    ///
    /// # Errors
    /// There is no such recipient, or the template of a merge file differs from what this library writes.
    pub fn mail(
        &self,
        recipient: usize,
        received: SystemTime,
    ) -> Result<Cow<'_, [u8]>, UnreadableFile> {
        let Some(recipient) = self.recipients.get(recipient) else {
            return Err(UnreadableFile::new(1, "it has no such recipient"));
        };
        match &self.data {
            Data::Message(message) => Ok(Cow::Borrowed(message)),
            Data::Template(template) => {
                let own = OwnVariables {
                    from: recipient.variable("*from").unwrap_or(&self.envelope.from),
                    date: &date(received)?,
                };
                template.fill(recipient, own).map(Cow::Owned)
            }
        }
    }
}

/// The time at which a file was received, in the form of a Date field.
fn date(received: SystemTime) -> Result<String, UnreadableFile> {
    let error = |_| UnreadableFile::new(1, "the time is before the year 1 or after the year 9999");
    let date = Date::from_timestamp(Timestamp::try_from(received).map_err(error)?);
    Ok(String::from_utf8_lossy(&date.to_rfc5322().pieces().concat()).into_owned())
}
