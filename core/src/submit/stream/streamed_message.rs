//! A submission that is all there: what can be done with it.

use super::super::action::Action;
use super::super::action::{Check, Render, perform};
use super::super::error::SubmitError;
use super::super::files::{MakeFiles, Sink};
use super::super::progress::{Listener, Progress};
use super::super::receipt::Receipt;
use super::super::remember::remember;
use super::super::submission::{FilesWithin, Submission};
use super::super::submitter::Submitter;
use super::source::{Item, Source};
use super::translation::Translation;
use super::{MessageStream, flush};
use crate::idempotency::Claim;
use crate::identity::Identity;
use crate::json::{self, JsonMessage, Unreadable};
use crate::message::{
    Audience, Message, OwnedFilePart, RejectedRecipients, Selection, StreamedRecipients, Warning,
    warnings_for,
};
use crate::pickup_directory::{PickupDirectory, Transaction};
use crate::pickup_file::{Identifiers, PickupFile};
use crate::problem::Problems;
use crate::spool::Spool;
use std::convert::Infallible;

/// A submission that has arrived completely but is not parsed yet; see [`MessageStream`].
///
/// ```
/// use pmtaemail::{MessageStream, Selection, StreamFormat};
///
/// let stream = || -> Result<_, pmtaemail::SubmitError> {
///     let mut stream = MessageStream::new(StreamFormat::Ndjson);
///     stream.feed(b"{\"from\": \"a@example.com\", \"text\": \"Hello\"}\n\"b@example.org\"\n\"c@example.org\"\n", None)?;
///     Ok(stream.finish())
/// };
/// stream()?.check()?;
/// let second = Selection::Only(2.try_into().unwrap());
/// let mail = String::from_utf8(stream()?.with_selection(second).render()?).unwrap();
/// assert!(mail.contains("To: c@example.org\r\n"));
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug)]
pub struct StreamedMessage {
    pub(super) stream: MessageStream,
    pub(super) identity: Option<Identity>,
    pub(super) selection: Selection,
    pub(super) files: Vec<OwnedFilePart>,
    pub(super) listener: Option<Listener>,
    pub(super) claim: Option<Box<Claim>>,
    pub(super) submitter: Submitter,
    pub(super) translation: Option<Translation>,
}

impl StreamedMessage {
    /// Uses a time and an identifier that you already have.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Adds the files that came with it; see [`Message::from_form`].
    ///
    /// ```
    /// use pmtaemail::{MessageStream, OwnedFilePart, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org"], "attachments": [{"part": "invoice"}]}"#;
    /// stream.feed(json, None)?;
    /// let file = OwnedFilePart {
    ///     name: "invoice".to_owned(),
    ///     filename: Some(Ok("invoice.pdf".to_owned())),
    ///     content_type: None,
    ///     content: b"%PDF-1.7".to_vec(),
    /// };
    /// let mail = stream.finish().with_files(vec![file]).render()?;
    /// assert!(String::from_utf8_lossy(&mail).contains("filename=invoice.pdf"));
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    #[must_use]
    pub fn with_files(mut self, files: Vec<OwnedFilePart>) -> Self {
        self.files = files;
        self
    }

    /// Restricts a mail merge to some of its recipients; see [`Message::select`].
    #[must_use]
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Submits it for this submitter.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, PickupDirectory, PickupOptions, SenderDomains, StreamFormat, Submitter};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let shop = Submitter::named("shop").with_senders(SenderDomains::from_iter(["example.com".parse()?]));
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// stream.feed(br#"{"from": "ann@example.org", "recipients": ["bo@example.org"], "text": "Hello"}"#, Some(&directory))?;
    /// assert!(stream.finish().with_submitter(shop).submit(&directory).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Translates it from another service's format, whose recipients are also in an array with this name. `head` is the
    /// translated message with an empty array of `recipients`. `recipient` is called with the index and the JSON of one
    /// recipient after the other, and appends the JSON of the translated one; the problems that it returns are reported
    /// unchanged.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// stream.feed(br#"{"sender": "shop@example.com", "body": "Hello", "recipients": [{"email": "ann@example.org"}]}"#, None)?;
    /// let head = br#"{"from": "shop@example.com", "text": "Hello", "recipients": []}"#.to_vec();
    /// let message = stream.finish().with_translation(head, |_, json, ours| {
    ///     let theirs: serde_json::Value = serde_json::from_slice(json).unwrap();
    ///     serde_json::to_writer(ours, &serde_json::json!({"address": theirs["email"]})).unwrap();
    ///     Ok(())
    /// });
    /// assert!(String::from_utf8(message.render()?).unwrap().contains("To: ann@example.org\r\n"));
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
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

    /// Like [`with_translation`](Self::with_translation), for a translated message that names all of its recipients
    /// itself.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// stream.feed(br#"{"sender": "shop@example.com", "receiver": "ann@example.org", "body": "Hello"}"#, None)?;
    /// let ours = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#.to_vec();
    /// let mail = stream.finish().with_whole_translation(ours).render()?;
    /// assert!(mail.ends_with(b"\r\n\r\nHello\r\n"));
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    #[must_use]
    pub fn with_whole_translation(mut self, message: Vec<u8>) -> Self {
        self.translation = Some(Translation {
            head: message,
            recipient: None,
        });
        self
    }

    /// Calls `take` with the index and the JSON of each spooled recipient, until it returns an error.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// stream.feed(br#"{"from": "a@example.com", "recipients": ["b@example.org","c@example.org"]}"#, None)?;
    /// let mut seen = Vec::new();
    /// stream.finish().try_for_each_recipient(|index, json| {
    ///     seen.push((index, json.to_vec()));
    ///     Ok(())
    /// })?;
    /// assert_eq!(seen[1], (1, br#""c@example.org""#.to_vec()));
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
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

    /// Calls a listener now and then with the progress of the work on the recipients of a mail merge.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    /// use std::sync::mpsc;
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Ndjson);
    /// stream.feed(b"{\"from\": \"a@example.com\", \"text\": \"Hello\"}\n", None)?;
    /// for number in 0..1_000 {
    ///     stream.feed(format!("\"{number}@example.org\"\n").as_bytes(), None)?;
    /// }
    /// let (sender, progress) = mpsc::channel();
    /// stream.finish().with_progress(move |progress| sender.send(progress).unwrap()).check()?;
    /// assert!(progress.iter().all(|progress| progress.recipients <= 1_000));
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    #[must_use]
    pub fn with_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Some(Listener::new(listener));
        self
    }

    /// The JSON of the message itself, without spooled recipients.
    pub fn json(&self) -> &[u8] {
        &self.stream.head
    }

    /// Whether [`json`](Self::json) is the complete message as it was written: no recipients were spooled.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "text": "Hello"}"#;
    /// stream.feed(json, None)?;
    /// let message = stream.finish();
    /// assert!(message.is_whole());
    /// assert_eq!(message.json(), json);
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    pub fn is_whole(&self) -> bool {
        self.stream.splitter.recipients().is_none()
    }

    /// Its [`warnings`](crate::warnings).
    ///
    /// # Errors
    /// Those of [`check`](Self::check), as far as its recipients have to be examined.
    pub fn warnings(&self) -> Result<Vec<Warning>, SubmitError> {
        match json::read(self.head()) {
            Ok(head) => warnings_for(&head, |message| self.audience(message)),
            // What is wrong with it is a problem.
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Who gets it, unless it is the same for all recipients.
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
            let is_last = item.is_last();
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
            if is_last {
                break;
            }
        }
        Ok(audience)
    }

    /// Checks it. Returns the recipients who are rejected, or `None` if it does not skip invalid recipients.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(self) -> Result<Option<RejectedRecipients>, SubmitError> {
        self.perform(Check)
    }

    /// The bytes of the message; of a mail merge, those of the first selected recipient.
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

    /// Its pickup file with this number, counted from 1, if there is one; and the number of files.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Json);
    /// stream.feed(br#"{"from": "a@example.com", "recipients": ["b@example.org"], "text": "Hello"}"#, None)?;
    /// let (file, count) = stream.finish().pickup_file(1)?;
    /// assert_eq!(count, 1);
    /// assert!(file.unwrap().chunks().concat().starts_with(b"XACK OFF"));
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    pub fn pickup_file(self, number: usize) -> Result<(Option<PickupFile>, usize), SubmitError> {
        let mut finding = FindFile {
            number,
            found: None,
            count: 0,
        };
        self.perform(MakeFiles::new(self.identity(), &mut finding))?;
        Ok((finding.found, finding.count))
    }

    /// Its pickup files in memory, or only a receipt if they exceed `most` bytes; see [`Submission::within`].
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Ndjson);
    /// stream.feed(b"{\"from\": \"a@example.com\", \"text\": \"Hello\"}\n\"b@example.org\"\n", None)?;
    /// let message = stream.finish();
    /// assert_eq!(message.submission_within(1 << 20)?.unwrap().files().len(), 1);
    /// assert_eq!(message.submission_within(10)?.unwrap_err().files.len(), 1);
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    pub fn submission_within(
        &self,
        most: u64,
    ) -> Result<Result<Submission, Box<Receipt>>, SubmitError> {
        let mut files = FilesWithin::new(most);
        let receipt = self.perform(MakeFiles::new(self.identity(), &mut files))?;
        Ok(files.submission(receipt))
    }

    /// Submits all of its files, or none; see [`PickupDirectory::submit`].
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
        remember(&mut transaction, &receipt);
        let committed = transaction.commit();
        reserved.settle(&committed);
        committed?;
        Ok(receipt)
    }

    /// The message itself in our format.
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

    /// Translates a recipient; `false` if none is needed.
    pub(super) fn translate(
        &self,
        index: usize,
        item: &Item<'_>,
        translated: &mut Vec<u8>,
    ) -> Result<bool, SubmitError> {
        match &self.translation {
            Some(translation) => translation.of_recipient(index, item, translated),
            None => Ok(false),
        }
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
            let detail = "The recipients are not JSON: they contain a control character.";
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
