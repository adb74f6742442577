//! Mail merge: the pickup files of a message that goes to many recipients, with a personal version for each.
//!
//! In PowerMTA's own form (`XMRG XDFN XPRT`, user's guide section 7.2) a file contains the text once, and a few lines
//! for each recipient. The message
//!
//! ```json
//! {"from": "shop@example.com", "subject": "Hello {{ name }}", "text": "Dear {{ name }}: {{ link }}"}
//! ```
//!
//! is written like this for Ann, and for Bø, whose name cannot be put into a subject as it is:
//!
//! ```text
//! XACK OFF                                     a recipient who is refused bounces, the others get theirs
//! XMRG FROM:<shop@example.com>
//! XDFN c="Ann" f="1ng…" e="Ann" a="Ann" b="https://example.com/short" *envid="1ng…"
//! XDFN *parts="1,2,4" b2=""                    hers: c in To, f in Message-ID, e in Subject, and the
//! RCPT TO:<ann@example.org>                    numbers of the parts of the template that she gets
//! XDFN c="=?utf-8?B?QsO4?=" d="=?utf-8?B?SGVsbG8gQsO4?=" f="1nh…" a="B=C3=B8"
//! XDFN b2="https://example.com/long…" b="…" *envid="1nh…"
//! XDFN *parts="1,3,4"
//! RCPT TO:<bo@example.org>
//! XPRT 1                                       the template: `[name]` is a variable, and `*` begins
//! Date: [*date]                                PowerMTA's own
//! From: shop@example.com
//! To: [c] <[*to]>
//! .
//! XPRT 2                                       Subject in two forms: with the value in its text …
//! Subject: Hello [e]
//! .
//! XPRT 3                                       … and where all of it has to be encoded
//! Subject: [d]
//! .
//! XPRT 4 LAST
//! Message-ID: <[f]@example.com>
//! MIME-Version: 1.0
//! Content-Type: text/plain; charset=utf-8
//! Content-Transfer-Encoding: quoted-printable
//!
//! Dear [a]: =
//! [b2]=                                        a value longer than a line is split into pieces; Ann has
//! [b]                                          an empty one where the soft line break is
//! .
//! ```
//!
//! Ann gets `To: Ann <ann@example.org>`, `Subject: Hello Ann` and `Dear Ann: https://example.com/short`.
//!
//! No file depends on what PowerMTA's user's guide does not say: whether blanks at the ends of a value are kept,
//! whether a value is searched for variables, how to write a bracket that starts none. So there are no such blanks or
//! brackets: `=20`, `=5B` and encoded words express them.
//!
//! A recipient that does not fit (a value of many kilobytes, a quote where only a quoted string could hold it) gets a
//! separate file in one of the ordinary forms. The files of this folder, each importing only from those below it:
//!
//! ```text
//! plans                           the plan of a recipient's file
//! open_files                      the files that are being built
//! file_builder                    collects recipients, and writes a file
//! template                        the template, once it is known how long the values get
//! recipient                       the lines of one recipient
//! header  body  folding           what one recipient's header defines; the pieces of the template
//! forms  usage                    in which forms a field occurs; which values of bodies are used
//! plan                            the variables, computed once for all recipients of a file
//! own_fields                      the header fields of single recipients
//! single_recipient                a file whose one recipient has no variables of the message
//! value                           a value and how it is encoded
//! envelope_ids                    the identifiers of each message
//! insertions  names  definitions  syntax  given_texts
//! ```

mod body;
mod definitions;
mod envelope_ids;
mod file_builder;
mod folding;
mod forms;
mod given_texts;
mod header;
mod insertions;
mod names;
mod open_files;
mod own_fields;
mod plan;
mod plans;
mod recipient;
mod single_recipient;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod usage;
mod value;

use super::{PickupFile, single_file};
use crate::header::MessageId;
use crate::identity::{Id, Identity, RecipientIds};
use crate::message::{Merge, Recipient, RecipientPriority};
pub(crate) use envelope_ids::Identifiers;
#[cfg(feature = "idempotency")]
pub(crate) use envelope_ids::StoredIds;
pub use envelope_ids::{EnvelopeIds, RecipientReceipt, RecipientReceipts};
use open_files::OpenFiles;
use plans::Plans;
use recipient::RecipientWriter;
use std::borrow::Cow;
use syntax::has_bracket;

/// Puts recipients into pickup files, one after the other.
///
/// `sink` takes each file as soon as it is complete.
pub(crate) struct MergePacker<'m> {
    merge: &'m Merge<'m>,
    identity: Identity,
    identifiers: Identifiers,
    names: FileNames,
    /// `None` if every recipient gets a separate file.
    plans: Option<Plans<'m>>,
    recipient: RecipientWriter,
    open: OpenFiles<'m>,
    /// The number of different seeds, once their file is made.
    seeds: Option<usize>,
}

/// What a merge became.
#[derive(Debug)]
pub(crate) struct PackedMerge {
    pub id: Id,
    pub recipients: usize,
    pub seeds: Option<usize>,
    pub envelope_ids: EnvelopeIds,
}

impl<'m> MergePacker<'m> {
    /// Starts a merge whose recipients follow.
    pub fn new(merge: &'m Merge<'m>, identity: Identity) -> Self {
        Self {
            merge,
            identifiers: Identifiers::new(
                RecipientIds::new(&identity),
                merge.composed.from.address.domain(),
                merge.delivery.envid.as_deref(),
            ),
            names: FileNames {
                id: identity.id,
                count: 0,
            },
            plans: merge.is_native().then(|| Plans::new(merge, &identity)),
            recipient: RecipientWriter::default(),
            open: OpenFiles::default(),
            seeds: None,
            identity,
        }
    }

    /// Adds a recipient, with its index in the message.
    pub fn add<E>(
        &mut self,
        index: usize,
        recipient: &Recipient<'_>,
        mut sink: impl FnMut(PickupFile) -> Result<(), E>,
    ) -> Result<(), E> {
        let message_id = recipient.filled.message_id.as_ref();
        let id = self.identifiers.next(
            index,
            recipient.envid.as_deref(),
            message_id.map(MessageId::as_str),
        );
        // The names of header fields stand in the template, where a bracket starts a variable.
        let mut own = recipient.filled.own_fields();
        let has_variable = own.any(|field| has_bracket(field.name.as_bytes()));
        let Some(plans) = self.plans.as_mut().filter(|_| !has_variable) else {
            let file = self.single(recipient, id);
            return sink(file);
        };
        let plan = plans.plan_for(recipient, &self.identity);
        if self.recipient.write(&plan, recipient, &id).is_err() {
            let file = self.single(recipient, id);
            return sink(file);
        }
        let (names, identity) = (&mut self.names, &self.identity);
        self.open.add(&plan, &self.recipient, |file| {
            sink(file.finish(identity, names.next()))
        })
    }

    /// The file with the first recipient's message for the seeds, if there are any, before that recipient is added. Its
    /// envelope ID is never that of a recipient, which identifies bounces.
    pub fn seeds(&mut self, first: &Recipient<'_>) -> Option<PickupFile> {
        if self.merge.seeds.is_empty() {
            return None;
        }
        let identity = Identity {
            time: self.identity.time,
            id: self.identifiers.first(),
        };
        let envelope = self.merge.envelope_of_seeds(first);
        self.seeds = Some(envelope.forward_paths.len());
        let mut delivery = self.merge.delivery_for(first);
        delivery.envid = self.merge.delivery.envid.as_deref().map(Cow::Borrowed);
        let (name, id) = (self.names.next(), self.identity.id);
        if delivery.needs_merge_form() {
            let message = self.merge.render_template_for(first, &identity);
            let file = single_recipient::file(name, &envelope, &delivery, &id, None, &message);
            return Some(file);
        }
        let bytes = self.merge.render_for(first, &identity);
        Some(single_file(name, &envelope, &delivery, &id, bytes))
    }

    /// Writes what is left.
    pub fn finish<E>(
        mut self,
        mut sink: impl FnMut(PickupFile) -> Result<(), E>,
    ) -> Result<PackedMerge, E> {
        for file in self.open.into_files() {
            sink(file.finish(&self.identity, self.names.next()))?;
        }
        let envelope_ids = self.identifiers.finish();
        Ok(PackedMerge {
            id: self.identity.id,
            recipients: envelope_ids.len(),
            seeds: self.seeds,
            envelope_ids,
        })
    }

    /// The identifiers of the recipients so far.
    pub fn identifiers_mut(&mut self) -> &mut Identifiers {
        &mut self.identifiers
    }

    /// A file for a single recipient, in one of the ordinary forms.
    fn single(&mut self, recipient: &Recipient<'_>, id: Id) -> PickupFile {
        let identity = Identity {
            time: self.identity.time,
            id,
        };
        let envelope = self.merge.envelope_for(recipient);
        let delivery = self.merge.delivery_for(recipient);
        let name = self.names.next();
        let priority = match recipient.priority {
            Some(RecipientPriority::Queue(priority)) => Some(priority),
            Some(RecipientPriority::Header(_)) | None => None,
        };
        if priority.is_some() || delivery.needs_merge_form() {
            let message = self.merge.render_template_for(recipient, &identity);
            return single_recipient::file(name, &envelope, &delivery, &id, priority, &message);
        }
        let bytes = self.merge.render_for(recipient, &identity);
        single_file(name, &envelope, &delivery, &id, bytes)
    }
}

/// The files of a merge are always numbered: when the first one is written, nobody knows whether there will be a
/// second.
struct FileNames {
    id: Id,
    count: usize,
}

impl FileNames {
    fn next(&mut self) -> String {
        self.count += 1;
        format!("{}-{}.eml", self.id, self.count)
    }
}
