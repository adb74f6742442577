//! Messages that come piece by piece, with more recipients than memory should hold.
//!
//! While bytes arrive they are told apart: the message itself is kept in memory, its recipients go
//! into a spool, which is a file without a name once it is large. When all is there the message is
//! read, and then one recipient after the other. Nothing is handed over before all were read.

mod records;
mod source;
mod splitter;
#[cfg(feature = "csv")]
mod table;
#[cfg(feature = "csv")]
mod table_stream;

use super::action::{Action, Check, MergeAction, Render, perform};
#[cfg(feature = "idempotency")]
use super::claimed::remember;
use super::error::SubmitError;
use super::files::{MakeFiles, Sink};
use super::progress::{Counter, Listener, Progress};
use super::receipt::Receipt;
use super::submitter::Submitter;
use crate::idempotency::Claim;
use crate::identity::Identity;
use crate::json::{self, JsonMessage, MessageReading, RecipientReading, Unreadable};
use crate::message::{
    ALL_REJECTED, Audience, FilePart, Merge, MergeReading, Message, NOBODY, OwnedFilePart,
    Recipient, RejectedRecipients, Selection, StreamedRecipients, Warning, warnings_for,
};
use crate::pickup_directory::{PickupDirectory, Transaction};
use crate::pickup_file::{Identifiers, PickupFile};
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::spool::Spool;
use source::{Item, Source};
use splitter::Splitter;
use std::convert::Infallible;
use std::fmt;
#[cfg(feature = "csv")]
pub use table_stream::TableStream;

/// How a submission that comes piece by piece is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    /// One JSON object, its recipients in `recipients`.
    Json,
    /// The message in the first line, then one recipient a line. Blank lines do not count.
    Ndjson,
}

/// Takes the bytes of one submission as they come.
///
/// ```
/// use pmtaemail::{MessageStream, StreamFormat, PickupDirectory, PickupOptions};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let mut stream = MessageStream::new(StreamFormat::Ndjson);
/// for bytes in [
///     br#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ name }}"}"#.as_slice(),
///     b"\n{\"address\": \"b@example.org\", \"variables\": {\"name\": \"Bo\"}}\n",
/// ] {
///     stream.feed(bytes, Some(&directory))?;
/// }
/// let receipt = stream.finish().submit(&directory)?;
/// assert_eq!(receipt.recipients, 1);
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug)]
pub struct MessageStream {
    head: Vec<u8>,
    splitter: Splitter,
    spool: Spool,
}

impl MessageStream {
    /// Begins a submission.
    pub fn new(format: StreamFormat) -> Self {
        Self {
            head: Vec::new(),
            splitter: Splitter::new(format),
            spool: Spool::default(),
        }
    }

    /// Takes the next bytes. Recipients may wait on the file system of `directory` where they are
    /// many; without it they are all kept in memory.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), SubmitError> {
        self.splitter.feed(bytes, &mut self.head, &mut self.spool);
        flush(&mut self.spool, directory)
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.head.len() + self.spool.buffered()
    }

    /// How many bytes the message itself has so far, its recipients not counted.
    pub fn message_len(&self) -> usize {
        self.head.len()
    }

    /// Everything is there.
    pub fn finish(self) -> StreamedMessage {
        StreamedMessage {
            stream: self,
            identity: None,
            selection: Selection::All,
            files: Vec::new(),
            listener: None,
            claim: None,
            submitter: Submitter::default(),
            translation: None,
        }
    }
}

/// A submission that is all there, and not yet read.
#[derive(Debug)]
pub struct StreamedMessage {
    stream: MessageStream,
    identity: Option<Identity>,
    selection: Selection,
    files: Vec<OwnedFilePart>,
    listener: Option<Listener>,
    claim: Option<Box<Claim>>,
    submitter: Submitter,
    translation: Option<Translation>,
}

/// Makes the JSON of a recipient from that of another service's.
type TranslateRecipient = dyn Fn(usize, &[u8], &mut Vec<u8>) -> Result<(), Problems> + Send + Sync;

/// A submission that came in another service's words.
struct Translation {
    /// The message in ours.
    head: Vec<u8>,
    /// Nothing where the message names them.
    recipient: Option<Box<TranslateRecipient>>,
}

impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Translation(…)")
    }
}

impl StreamedMessage {
    /// Gives it a time and an identifier that are known already.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Gives it the files that came with it; see [`Message::from_form`].
    #[must_use]
    pub fn with_files(mut self, files: Vec<OwnedFilePart>) -> Self {
        self.files = files;
        self
    }

    /// Gives it to some of the recipients of its mail merge alone; see [`Message::select`].
    #[must_use]
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Submits it on somebody's behalf.
    #[must_use]
    pub fn with_submitter(mut self, submitter: Submitter) -> Self {
        self.submitter = submitter;
        self
    }

    /// Submits it under a key, if there is one; see [`PickupDirectory::claim`].
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_claim(mut self, claim: impl Into<Option<Claim>>) -> Self {
        self.claim = claim.into().map(Box::new);
        self
    }

    /// Reads it by another service's dialect, whose recipients stand in an array of this name as well. `head` is
    /// the message, translated, with an empty array of `recipients`. `recipient` gets the index and the JSON of one
    /// after the other, and appends the JSON of one of ours; what it finds wrong is told as it says.
    #[must_use]
    pub fn with_translation(
        mut self,
        head: Vec<u8>,
        recipient: impl Fn(usize, &[u8], &mut Vec<u8>) -> Result<(), Problems> + Send + Sync + 'static,
    ) -> Self {
        self.translation = Some(Translation {
            head,
            recipient: Some(Box::new(recipient)),
        });
        self
    }

    /// The same for a message that names all of its recipients itself.
    #[must_use]
    pub fn with_whole_translation(mut self, message: Vec<u8>) -> Self {
        self.translation = Some(Translation {
            head: message,
            recipient: None,
        });
        self
    }

    /// The JSON of the recipients who wait elsewhere, one after the other with their index, until one is refused.
    pub fn try_for_each_recipient(
        &self,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), Problems>,
    ) -> Result<(), SubmitError> {
        let MessageStream {
            splitter, spool, ..
        } = &self.stream;
        if splitter.recipients().is_none() {
            return Ok(());
        }
        let Ok(mut source) = Source::open(splitter, spool)? else {
            return Ok(());
        };
        let mut index = 0;
        while let Some(item) = source.next("recipients", index)? {
            if let Item::Json { bytes, .. } = item
                && !item.is_blank()
            {
                take(index, bytes)?;
                index += 1;
            }
        }
        Ok(())
    }

    /// Tells a listener now and then how far the work on the recipients of a mail merge has come.
    #[must_use]
    pub fn with_progress(mut self, listener: impl Fn(Progress) + Send + 'static) -> Self {
        self.listener = Some(Listener::new(listener));
        self
    }

    /// The JSON of the message itself; recipients that wait elsewhere are not in it.
    pub fn json(&self) -> &[u8] {
        &self.stream.head
    }

    /// What may not be meant in it; see [`warnings`](crate::warnings).
    ///
    /// # Errors
    /// As far as its recipients have to be looked at, those of [`check`](Self::check).
    pub fn warnings(&self) -> Result<Vec<Warning>, SubmitError> {
        match json::read(self.head()) {
            Ok(head) => warnings_for(&head, |message| self.audience(message)),
            // What is wrong with it is a problem.
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Who gets it, unless it is for all recipients alike.
    fn audience(&self, message: &JsonMessage<'_>) -> Result<Audience, SubmitError> {
        const NAME: &str = "recipients";
        let mut audience = Audience::default();
        let MessageStream {
            splitter, spool, ..
        } = &self.stream;
        if self.streamed().is_none() {
            for recipient in message.recipients.iter().flat_map(|list| &list.value) {
                audience.add(Some(&recipient.value));
            }
            return Ok(audience);
        }
        let Ok(mut source) = Source::open(splitter, spool)? else {
            return Ok(audience);
        };
        let mut translated = Vec::new();
        while audience.recipients <= Audience::MOST {
            let index = audience.recipients;
            let Some(item) = source.next(NAME, index)? else {
                break;
            };
            let is_first = index == 0;
            let item = if is_first && self.translate(index, &item, &mut translated)? {
                Item::array_element(&translated)
            } else {
                item
            };
            match item {
                _ if item.is_blank() => {}
                Item::Json { bytes, .. } if bytes.trim_ascii() == b"null" => {}
                Item::Json { bytes, .. } if is_first => {
                    // One that cannot be read is a problem.
                    let read = json::read_recipient(bytes, NAME, index).ok();
                    let recipient = read.and_then(|reading| reading.value);
                    audience.add(recipient.map(|recipient| recipient.value).as_ref());
                }
                Item::Json { .. } => audience.add(None),
                #[cfg(feature = "csv")]
                Item::Row(_) => audience.add(None),
            }
        }
        Ok(audience)
    }

    /// Tells all that is wrong with it, or which recipients it leaves out because they break rules; `None`
    /// where it leaves out nobody.
    pub fn check(self) -> Result<Option<RejectedRecipients>, SubmitError> {
        self.perform(Check)
    }

    /// The bytes of the message; of a mail merge, those of the first recipient who is selected.
    pub fn render(self) -> Result<Vec<u8>, SubmitError> {
        let identity = self.identity();
        let rendered = self.perform(Render { index: 0, identity })?;
        Ok(of_somebody(rendered))
    }

    /// The bytes of the message that one recipient gets; see [`Message::render_recipient`].
    pub fn render_recipient(self, index: usize) -> Result<Option<Vec<u8>>, SubmitError> {
        let identity = self.identity();
        self.perform(Render { index, identity })
    }

    /// Its pickup file of this number, counted from 1, if there are so many; and how many there are.
    pub fn pickup_file(self, number: usize) -> Result<(Option<PickupFile>, usize), SubmitError> {
        let mut finding = FindFile {
            number,
            found: None,
            count: 0,
        };
        self.perform(MakeFiles::new(self.identity(), &mut finding))?;
        Ok((finding.found, finding.count))
    }

    /// Submits it: all of its files, or none. See [`PickupDirectory::submit`].
    pub fn submit(mut self, directory: &PickupDirectory) -> Result<Receipt, SubmitError> {
        let identity = self.identity();
        let mut transaction =
            directory.begin_claimed(identity.id(), self.claim.take().map(|claim| *claim));
        let sink = WriteFiles {
            directory,
            transaction: &mut transaction,
        };
        let receipt = self.perform(MakeFiles::new(identity, sink))?;
        let reserved = self.submitter.reserve_for(&receipt)?;
        #[cfg(feature = "idempotency")]
        remember(&mut transaction, &receipt);
        let committed = transaction.commit();
        reserved.settle(&committed);
        committed?;
        Ok(receipt)
    }

    /// The message itself, in our words.
    fn head(&self) -> &[u8] {
        let translation = self.translation.as_ref();
        translation.map_or(&self.stream.head, |translation| &translation.head)
    }

    /// Where its recipients are, if they are not in the message.
    fn streamed(&self) -> Option<StreamedRecipients> {
        let translation = self.translation.as_ref();
        let is_whole = translation.is_some_and(|translation| translation.recipient.is_none());
        self.stream.splitter.recipients().filter(|_| !is_whole)
    }

    fn identity(&self) -> Identity {
        self.identity.unwrap_or_else(Identity::now)
    }

    fn perform<A: Action>(&self, action: A) -> Result<A::Output, SubmitError>
    where
        SubmitError: From<A::Error>,
    {
        let head = self.head();
        let files: Vec<_> = self.files.iter().map(OwnedFilePart::lend).collect();
        let Some(recipients) = self.streamed() else {
            let senders = self.submitter.senders();
            let message =
                Message::from_form_within(head, &files, senders)?.select(self.selection)?;
            return Ok(perform(action, &message)?);
        };
        if self.stream.splitter.is_broken() {
            let detail = "The recipients are not JSON: they hold a control character.";
            return Err(json::not_json(detail).into());
        }
        match json::read(head) {
            Ok(head) => self.perform_merge(action, head, recipients, &files),
            Err(Unreadable::NotJson(problems)) => Err(problems.into()),
            Err(Unreadable::LoneSurrogates(marked)) => {
                self.perform_merge(action, marked.read()?, recipients, &files)
            }
        }
    }

    /// Says a recipient in our words; false where it is said so.
    fn translate(
        &self,
        index: usize,
        item: &Item<'_>,
        translated: &mut Vec<u8>,
    ) -> Result<bool, SubmitError> {
        let translation = self.translation.as_ref();
        let recipient = translation.and_then(|translation| translation.recipient.as_ref());
        let (Some(recipient), Item::Json { bytes, .. }) = (recipient, item) else {
            return Ok(false);
        };
        translated.clear();
        recipient(index, bytes, translated)?;
        Ok(true)
    }

    /// Performs an action on a mail merge whose recipients are read one after the other.
    fn perform_merge<A: Action>(
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

/// What was rendered for the first recipient of a message that was not refused.
fn of_somebody(rendered: Option<Vec<u8>>) -> Vec<u8> {
    rendered.expect("a mail merge without recipients is refused")
}

/// Keeps one file.
struct FindFile {
    /// Counted from 1.
    number: usize,
    found: Option<PickupFile>,
    count: usize,
}

impl Sink for &mut FindFile {
    type Error = Infallible;

    fn put(&mut self, file: PickupFile) -> Result<(), Infallible> {
        self.count += 1;
        if self.count == self.number {
            self.found = Some(file);
        }
        Ok(())
    }

    /// Nobody asks for the receipt.
    fn spool(&mut self, identifiers: &mut Identifiers) -> Result<(), Infallible> {
        identifiers.spools_mut().into_iter().for_each(Spool::clear);
        Ok(())
    }
}

/// Writes the files, and what recipients are known by to the same file system.
struct WriteFiles<'t, 'd> {
    directory: &'d PickupDirectory,
    transaction: &'t mut Transaction<'d>,
}

impl Sink for WriteFiles<'_, '_> {
    type Error = SubmitError;

    fn put(&mut self, file: PickupFile) -> Result<(), SubmitError> {
        Ok(self.transaction.write(file.name(), &file.chunks())?)
    }

    fn spool(&mut self, identifiers: &mut Identifiers) -> Result<(), SubmitError> {
        for spool in identifiers.spools_mut() {
            flush(spool, Some(self.directory))?;
        }
        Ok(())
    }
}

/// Moves what is too much for memory to the file system of the directory.
fn flush(spool: &mut Spool, directory: Option<&PickupDirectory>) -> Result<(), SubmitError> {
    match directory {
        Some(directory) => spool.flush(|| Ok(directory.scratch_file()?)),
        None => Ok(()),
    }
}

/// What is said where each line is a message.
const ANOTHER_MESSAGE: Refusal = Refusal::new(
    Code::WrongType,
    "This line is a message, and not a recipient of the message in the first line. Several messages \
     are a batch, which is posted to /messages/batch, or given to `submit --batch`.",
);

/// Reads one recipient and hands it to `then` if all its rules hold; false if there is none.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PickupOptions;

    fn streamed(text: &str, format: StreamFormat) -> StreamedMessage {
        let mut stream = MessageStream::new(format);
        for bytes in text.as_bytes().chunks(7) {
            stream.feed(bytes, None).unwrap();
        }
        stream.finish()
    }

    const HEAD: &str = r#""from": "a@example.com", "text": "Hello", "template": "merge""#;
    const RAW: &str = r#"{"raw": "Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n\r\nHello\r\n", "to": "b@example.org"}"#;

    /// The same merge as one object, and as lines.
    fn merges() -> [StreamedMessage; 2] {
        let recipients = [r#""b@example.org""#, r#"{"address": "c@example.org"}"#];
        let object = format!("{{{HEAD}, \"recipients\": [{}]}}", recipients.join(","));
        let lines = format!("{{{HEAD}}}\n\n{}\n", recipients.join("\n"));
        [
            streamed(&object, StreamFormat::Json),
            streamed(&lines, StreamFormat::Ndjson),
        ]
    }

    fn codes(result: Result<impl Sized, SubmitError>) -> Vec<String> {
        match result {
            Err(SubmitError::Problems(problems)) => {
                let code = |problem: &Problem| {
                    format!("{} {}", problem.pointer(), problem.code().as_str())
                };
                problems.iter().map(code).collect()
            }
            Err(error) => panic!("{error}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn a_merge_is_rendered_for_one_recipient() {
        for index in 0..3 {
            for merge in merges() {
                let rendered = merge.render_recipient(index).unwrap();
                let text = rendered.map(|bytes| String::from_utf8(bytes).unwrap());
                let expected = match index {
                    0 => Some("To: b@example.org\r\n"),
                    1 => Some("To: c@example.org\r\n"),
                    _ => None,
                };
                assert_eq!(text.is_some(), expected.is_some());
                assert!(text.is_none_or(|text| text.contains(expected.unwrap())));
            }
        }
        let plain = || streamed(RAW, StreamFormat::Json);
        let rendered = plain().render_recipient(9).unwrap();
        assert!(rendered.unwrap().ends_with(b"Hello\r\n"));
    }

    #[test]
    fn files_are_counted() {
        for merge in merges() {
            let (file, count) = merge.pickup_file(1).unwrap();
            assert_eq!((file.unwrap().name().contains("-1"), count), (true, 1));
        }
        let (file, count) = streamed(RAW, StreamFormat::Json).pickup_file(2).unwrap();
        assert!(file.is_none() && count == 1);
    }

    #[test]
    fn lines_that_are_messages_are_told() {
        let one = r#"{"from": "a@example.com", "to": "b@example.org"}"#;
        let lines = format!("{one}\n{one}\n{one}\n");
        let told = |json: &str, format| match streamed(json, format).check() {
            Err(SubmitError::Problems(problems)) => problems.to_string(),
            other => panic!("{other:?}"),
        };
        let problems = told(&lines, StreamFormat::Ndjson);
        assert!(
            problems.starts_with("/recipients/0: wrong_type: This line is a message, "),
            "{problems}"
        );
        assert_eq!(problems.lines().count(), 1);
        assert!(told(&lines, StreamFormat::Json).contains("there is more JSON"));
        let merge = "{\"from\": \"a@example.com\"}\n{\"address\": \"b@example.org\", \"too\": 1}";
        assert!(told(merge, StreamFormat::Ndjson).contains("unknown_field"));
    }

    #[test]
    fn recipients_may_come_in_the_words_of_others() {
        let text =
            r#"{"content": 1, "recipients": [{"a": "b@example.org"}, {"a": "nobody"}, {"x": 1}]}"#;
        let message = streamed(text, StreamFormat::Json);
        assert_eq!(message.json(), br#"{"content": 1, "recipients": []}"#);
        let head = format!(r#"{{{HEAD}, "recipients": []}}"#).into_bytes();
        let translate = |index: usize, bytes: &[u8], out: &mut Vec<u8>| {
            let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let address = value.get("a").ok_or_else(|| {
                let pointer = format!("/recipients/{index}/a");
                Problems::one(Problem::found(
                    Code::MissingField,
                    pointer,
                    "There is no `a`.",
                ))
            })?;
            out.extend(serde_json::to_vec(&serde_json::json!({"address": address})).unwrap());
            Ok(())
        };
        let problems = codes(message.with_translation(head, translate).check());
        let expected = [
            "/recipients/1/address invalid_address",
            "/recipients/2/a missing_field",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn many_recipients_want_to_unsubscribe_wherever_they_come_from() {
        let warnings = |head: &str, first: &str, count: usize, lines: bool| {
            let others = vec!["\"b@example.org\""; count - 1];
            let recipients: Vec<_> = [first].into_iter().chain(others).collect();
            let (text, format) = if lines {
                let text = format!("{{{head}}}\nnull\n\n{}\n", recipients.join("\n"));
                (text, StreamFormat::Ndjson)
            } else {
                let recipients = recipients.join(",");
                (
                    format!(r#"{{{head}, "recipients": [null, {recipients}]}}"#),
                    StreamFormat::Json,
                )
            };
            let found = streamed(&text, format).warnings().unwrap();
            let whole = format!(r#"{{{head}, "recipients": [{}]}}"#, recipients.join(","));
            assert_eq!(found, crate::warnings(whole.as_bytes()));
            found
                .into_iter()
                .map(|warning| warning.code)
                .collect::<Vec<_>>()
        };
        let way = r#""headers": {"List-Unsubscribe": "<mailto:a@example.com>"}"#;
        let own = format!(r#"{{"address": "b@example.org", {way}}}"#);
        let head_with_way = format!("{HEAD}, {way}");
        let plain = "\"b@example.org\"";
        for lines in [false, true] {
            assert_eq!(
                warnings(HEAD, plain, 5_001, lines),
                [Code::MissingUnsubscribe]
            );
            assert_eq!(warnings(HEAD, plain, 5_000, lines), []);
            assert_eq!(warnings(HEAD, &own, 5_001, lines), []);
            assert_eq!(warnings(&head_with_way, plain, 5_001, lines), []);
        }
        let text = r#"{"content": 1, "recipients": [{"a": 1}]}"#;
        let head = format!(r#"{{{HEAD}, "subject": "*|X|*", "recipients": []}}"#).into_bytes();
        let translated =
            streamed(text, StreamFormat::Json).with_translation(head, |_, _, _| Ok(()));
        let found = translated.warnings().unwrap();
        assert_eq!(found[0].code, Code::ForeignPlaceholder);
    }

    #[test]
    fn blank_lines_count_for_no_recipient() {
        let long = format!("\"{}\"", "x".repeat(5 << 20));
        let lines = format!("{{{HEAD}}}\n\"b@example.org\"\n\n \n\n{long}\n");
        let problems = codes(streamed(&lines, StreamFormat::Ndjson).check());
        assert_eq!(problems, ["/recipients/1 too_long"]);
    }

    #[test]
    fn what_is_submitted_is_what_the_receipt_says() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
        let [object, lines] = merges().map(|merge| merge.submit(&directory).unwrap());
        let plain = streamed(RAW, StreamFormat::Json).submit(&directory);
        for (receipt, recipients) in [(object, 2), (lines, 2), (plain.unwrap(), 1)] {
            let [name] = &receipt.files[..] else {
                panic!("not one file")
            };
            assert!(name.starts_with(receipt.id.as_str()));
            let size = std::fs::metadata(temporary.path().join(name))
                .unwrap()
                .len();
            assert_eq!((receipt.recipients, receipt.size), (recipients, size));
            assert_eq!(receipt.message_id.is_none(), recipients == 2);
            assert_eq!(receipt.envelope_ids.is_some(), recipients == 2);
        }
    }

    #[test]
    fn an_identity_may_be_given() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
        let [one, other] = merges().map(|merge| {
            let identity = Identity::now();
            let receipt = merge.with_identity(identity).submit(&directory).unwrap();
            assert_eq!(receipt.id, identity.id());
            identity
        });
        assert_ne!(one, other);
        for merge in merges() {
            let rendered = merge
                .with_identity(one)
                .render_recipient(0)
                .unwrap()
                .unwrap();
            assert!(
                String::from_utf8(rendered)
                    .unwrap()
                    .contains(one.id().as_str())
            );
        }
        for merge in merges() {
            let (file, _) = merge.with_identity(one).pickup_file(1).unwrap();
            assert!(file.unwrap().name().starts_with(one.id().as_str()));
        }
        let message = Message::from_json(RAW.as_bytes()).unwrap();
        let receipt = directory.submit_message_with(&message, one).unwrap();
        assert_eq!(receipt.id, one.id());
        let again = directory.submit_message_with(&message, one).unwrap_err();
        assert_eq!(again.kind(), crate::PickupErrorKind::AlreadyExists);
    }

    #[test]
    fn recipients_behind_a_finished_message_are_refused() {
        for lines in ["\"c@example.org\"", "\n1", "{}"] {
            let text = format!("{RAW}\n{lines}");
            let found = codes(streamed(&text, StreamFormat::Ndjson).check());
            assert!(!found.is_empty(), "{lines}");
        }
        let text = format!("{RAW}\n\"c@example.org\"\n");
        let found = codes(streamed(&text, StreamFormat::Ndjson).render_recipient(0));
        assert_eq!(found, ["/raw conflict"]);
        let array = RAW.replace('}', r#", "recipients": ["c@example.org"]}"#);
        let found = codes(streamed(&array, StreamFormat::Json).check());
        assert_eq!(found, ["/recipients conflict"]);
    }
}
