//! The mail of one recipient, as it is read back from its pickup file.

use super::super::error::ApiError;
use super::values::Variables;
use super::views::{MailPlace, Mails, View};
use bytes::Bytes;
use pmtaemail::outbox::{Mail, OutboxEnvelope, OutboxFile, UnreadableFile};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

/// The mail of one recipient.
pub struct Shown<'v> {
    view: &'v View,
    /// How many mails there are.
    pub recipients: usize,
    /// Its pickup file.
    pub pickup_file: &'v Bytes,
    place: MailPlace,
    /// Why there is nothing else, if so.
    pub content: Result<Content<'v>, UnreadableFile>,
}

/// What a pickup file of ours says.
pub struct Content<'v> {
    file: OutboxFile<'v>,
    /// The octets that the recipient gets.
    pub source: Vec<u8>,
    /// `None` if these bytes are not a message.
    pub mail: Option<Mail>,
}

impl<'v> Shown<'v> {
    /// The name of its pickup file, where it is one of the outbox.
    pub fn file_name(&self) -> Option<&str> {
        self.view.file.as_deref()
    }

    /// The mail of a recipient, counted from 0.
    pub fn new(view: &'v View, recipient: usize) -> Result<Self, ApiError> {
        let place = place(view, recipient).ok_or(ApiError::NotFound)?;
        let pickup_file = &view.files[place.file as usize];
        let file = OutboxFile::read(pickup_file);
        let recipients = match (&view.mails, &file) {
            (Mails::OfFile, Ok(file)) if file.is_merge() => file.recipients(),
            (Mails::OfFile | Mails::One, _) => 1,
            (Mails::Each(places), _) => places.len(),
            (Mails::Only { of, .. }, _) => *of,
        };
        if recipient >= recipients {
            return Err(ApiError::NotFound);
        }
        Ok(Self {
            content: file.and_then(|file| Content::new(file, view, place)),
            view,
            recipients,
            pickup_file,
            place,
        })
    }

    /// The envelope, with all that go with the same mail.
    pub fn envelope(&self, content: &Content<'_>) -> Map<String, Value> {
        let own = content.file.envelope(self.place.recipient as usize);
        let own = own.expect("its mail was read");
        let mut envelope = members(&own);
        let to = if content.file.is_merge() || matches!(self.view.mails, Mails::Each(_)) {
            vec![own.to.into_owned()]
        } else {
            let files = self.view.files.iter();
            let read = files.filter_map(|file| OutboxFile::read(file).ok());
            read.flat_map(|file| addresses(&file)).collect()
        };
        envelope.insert("to".to_owned(), to.into());
        envelope
    }

    /// What was put into the template for the recipient: values by the names that the message has for them, or PowerMTA's
    /// variables of a merge file.
    pub fn variables(&self, content: &Content<'_>) -> Variables {
        let given = self.view.values.of(self.place.index as usize);
        if !given.is_empty() {
            return given;
        }
        let variables = content.file.variables(self.place.recipient as usize);
        variables
            .map(|(name, value)| {
                let value = to_raw_value(value).expect("a text is JSON");
                (name.to_owned(), value)
            })
            .collect()
    }
}

impl<'v> Content<'v> {
    fn new(file: OutboxFile<'v>, view: &View, place: MailPlace) -> Result<Self, UnreadableFile> {
        let source = file.mail(place.recipient as usize, view.received)?;
        let source = source.into_owned();
        Ok(Self {
            mail: Mail::read(&source),
            source,
            file,
        })
    }
}

/// What the header section of a mail says.
pub fn header_of(source: &[u8]) -> Option<Mail> {
    let end = memchr::memmem::find(source, b"\r\n\r\n")?;
    Mail::read(&source[..end + 4])
}

/// Where the mail of a recipient is; of the one file that there is, the place may not be there.
fn place(view: &View, recipient: usize) -> Option<MailPlace> {
    let index = u32::try_from(recipient).ok()?;
    let in_first = |recipient| MailPlace {
        file: 0,
        recipient,
        index,
    };
    match &view.mails {
        Mails::OfFile => Some(in_first(index)),
        Mails::One => (recipient == 0).then(|| in_first(0)),
        Mails::Each(places) => places.get(recipient).copied(),
        Mails::Only { recipient: own, .. } => (recipient == *own).then(|| in_first(0)),
    }
}

/// All recipients of a file, each once.
fn addresses(file: &OutboxFile<'_>) -> Vec<String> {
    let envelopes = (0..file.recipients()).filter_map(|number| file.envelope(number));
    envelopes.map(|envelope| envelope.to.into_owned()).collect()
}

fn members(envelope: &OutboxEnvelope<'_>) -> Map<String, Value> {
    match serde_json::to_value(envelope) {
        Ok(Value::Object(members)) => members,
        other => unreachable!("an envelope has members: {other:?}"),
    }
}
