//! A mail merge whose recipients are read separately.

use super::read::{self, StreamedRecipients};
use super::{FilePart, Merge, Message, RejectedRecipients};
use crate::address::SenderDomains;
use crate::json::MessageReading;
use crate::problem::{Location, ProblemReport};

/// A mail merge whose recipients are read one by one, by [`Merge::read_recipient`].
pub(crate) struct MergeReading<'a> {
    /// `None` only if the report says why. It must not be sent if the report is not empty.
    pub merge: Option<Box<Merge<'a>>>,
    pub report: ProblemReport<'a>,
    /// The location by which the problems of recipients are sorted.
    pub location: Location,
    /// What the message calls the recipients.
    pub name: String,
    /// Those who get nothing, if the message says that invalid recipients are skipped.
    pub rejected: Option<RejectedRecipients>,
}

impl<'a> Message<'a> {
    /// Reads a mail merge whose recipients are read separately, and the files that came with it.
    pub(crate) fn read_merge(
        reading: MessageReading<'a>,
        recipients: StreamedRecipients,
        files: &'a [FilePart<'a>],
        senders: &'a SenderDomains,
    ) -> MergeReading<'a> {
        const NAME: &str = "recipients";
        let mut report = reading.report;
        let message = reading.value.map(|message| message.value);
        let field = message.as_ref().and_then(|m| m.recipients.as_ref());
        let location = match field {
            Some(field) => field.location,
            None => report.location_of_absent(Location::ROOT, NAME.into()),
        };
        let skips = message
            .as_deref()
            .is_some_and(read::skips_invalid_recipients);
        let merge = message.and_then(|message| {
            read::understand_merge(message, recipients, files, senders, &mut report)
        });
        let rejected = skips.then(|| RejectedRecipients::new(report.pointer(location)));
        MergeReading {
            name: report
                .name(location)
                .expect("a field of the message has a name")
                .to_owned(),
            merge,
            report,
            location,
            rejected,
        }
    }
}
