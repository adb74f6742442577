//! A mail merge whose recipients are parsed one after the other.

use super::super::action::{Action, MergeAction};
use super::super::error::SubmitError;
use super::super::progress::Counter;
use super::source::{Item, Source};
use super::{MessageStream, StreamedMessage};
use crate::json::{self, MessageReading, RecipientReading, Unreadable};
use crate::message::{
    ALL_REJECTED, FilePart, Merge, MergeReading, Message, NOBODY, Recipient, Selection,
    StreamedRecipients,
};
use crate::problem::{Code, Problem, Problems, Refusal};

impl StreamedMessage {
    /// Performs an action on a mail merge whose recipients are parsed one after the other.
    pub(super) fn perform_merge<A: Action>(
        &self,
        action: A,
        head: MessageReading<'_>,
        recipients: StreamedRecipients,
        files: &[FilePart<'_>],
    ) -> Result<A::Output, SubmitError>
    where
        SubmitError: From<A::Error>,
    {
        let MergeReading {
            merge,
            mut report,
            location,
            name,
            mut rejected,
        } = Message::read_merge(head, recipients, files, self.submitter.senders());
        let merge = merge.as_deref();
        let mut begun = merge.map(|merge| action.merge(merge));
        let MessageStream {
            splitter, spool, ..
        } = &self.stream;
        let mut source = match Source::open(splitter, spool)? {
            Ok(source) => source,
            Err(refusals) => {
                for refusal in refusals {
                    report.refuse(location, refusal);
                }
                return Ok(report.finish(begun)?.finish(rejected)?);
            }
        };
        let mut counter = Counter::new(self.listener.as_ref(), spool.len());
        let mut translated = Vec::new();
        let mut index = 0;
        let mut count = 0;
        let mut is_nobody = true;
        let mut is_found = false;
        loop {
            counter.tell(index, source.place());
            let Some(item) = source.next(&name, index)? else {
                break;
            };
            if item.is_blank() {
                continue;
            }
            let is_selected = self.selection.selects(index, count);
            let said = self.translate(index, &item, &mut translated);
            let item = match &said {
                Ok(true) => Item::array_element(&translated),
                _ => item,
            };
            let read = said.and_then(|_| {
                read_recipient(&item, &name, index, merge, |recipient| {
                    is_found |= is_selected;
                    match (&mut begun, report.len()) {
                        _ if !is_selected => Ok(()),
                        (Some(begun), 0) => Ok(begun.recipient(index, recipient)?),
                        // With a problem nothing is submitted.
                        _ => Ok(()),
                    }
                })
            });
            index += 1;
            match read {
                // `null` is as absent.
                Ok(is_there) => count += usize::from(is_there),
                Err(SubmitError::Problems(problems))
                    if problems.is_not_json() || item.is_last() =>
                {
                    return Err(problems.into());
                }
                Err(SubmitError::Problems(_)) if item.is_message() => {
                    let pointer = format!("/recipients/{}", index - 1);
                    return Err(Problems::one(Problem::new(pointer, ANOTHER_MESSAGE)).into());
                }
                Err(SubmitError::Problems(problems)) => {
                    is_nobody = false;
                    let others = match &mut rejected {
                        Some(rejected) => rejected.take_own(index - 1, problems),
                        None => Some(problems),
                    };
                    if let Some(problems) = others {
                        report.adopt(location, problems);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if merge.is_some() && count == 0 {
            let has_rejected = rejected.as_ref().is_some_and(|all| !all.is_empty());
            match (is_nobody, has_rejected) {
                (true, _) => report.problem(location, Code::NoRecipients, NOBODY),
                (false, true) => report.problem(location, Code::NoRecipients, ALL_REJECTED),
                // That nobody is left cannot be said where another rule is broken.
                (false, false) => {}
            }
        }
        let begun = report.finish(begun)?;
        if let (Selection::Only(number), false) = (self.selection, is_found) {
            let rejected = rejected.as_ref();
            let problem = rejected.and_then(|rejected| rejected.problem_of(number.get() - 1));
            let missing = || Problem::new(format!("/{name}"), Selection::MISSING);
            return Err(Problems::one(problem.unwrap_or_else(missing)).into());
        }
        Ok(begun.finish(rejected)?)
    }
}

/// The refusal if each line is a message.
const ANOTHER_MESSAGE: Refusal = Refusal::new(
    Code::WrongType,
    "This line is a message, not a recipient of the message in the first line. To send several \
     messages as a batch, post them to /messages/batch or use `submit --batch`.",
);

/// Parses one recipient and passes it to `then` if it is valid; returns `false` if there is none.
fn read_recipient(
    item: &Item<'_>,
    name: &str,
    index: usize,
    merge: Option<&Merge<'_>>,
    then: impl FnOnce(&Recipient<'_>) -> Result<(), SubmitError>,
) -> Result<bool, SubmitError> {
    let understood = |reading: RecipientReading<'_>| {
        let RecipientReading {
            value: recipient,
            mut report,
        } = reading;
        // Where the message is not understood, only what the JSON says can be judged.
        let Some(merge) = merge else {
            let is_there = recipient.is_some();
            return Ok(report.finish(Some(is_there))?);
        };
        let recipient = recipient.map(|recipient| merge.read_recipient(recipient, &mut report));
        match recipient {
            None if report.len() == 0 => Ok(false),
            recipient => then(&report.finish(recipient.flatten())?).map(|()| true),
        }
    };
    let record = match item {
        Item::Json { bytes, .. } => *bytes,
        #[cfg(feature = "csv")]
        Item::Row(row) => {
            let takes_variables = merge.is_some_and(|merge| merge.has_language);
            let reading = row.read(name, index, takes_variables);
            let read = reading.map_err(SubmitError::from).and_then(understood);
            return read.map_err(|error| row.in_line(error));
        }
    };
    match json::read_recipient(record, name, index) {
        Ok(reading) => understood(reading),
        Err(Unreadable::NotJson(problems)) => Err(problems.into()),
        Err(Unreadable::LoneSurrogates(marked)) => understood(marked.read_recipient(name, index)?),
    }
}
