//! Mail merge: the pickup files of a message that goes to many, a personal one to each.
//!
//! In PowerMTA's own form (`XMRG XDFN XPRT`, user's guide section 7.2) a file has the text once and
//! a few lines for each recipient. The message
//!
//! ```json
//! {"from": "shop@example.com", "subject": "Hello {{ name }}", "text": "Dear {{ name }}, {{ code }}."}
//! ```
//!
//! is written like this for Ann and for Bø, whose name cannot be put into a subject as it is:
//!
//! ```text
//! XACK OFF                                     who is refused bounces, the others get theirs
//! XMRG FROM:<shop@example.com>
//! XDFN c="Ann" e="Ann" a="Ann" b="X-1" *envid="1ng…"   Ann's variables: c in To, e in Subject
//! XDFN *parts="1,3-4,6"                        and the parts of the template that are hers
//! RCPT TO:<ann@example.org>
//! XDFN d=" =?utf-8?B?SGVsbG8gQsO4?=" a="B=C3=B8" b="X-2" *envid="1ng…"
//! XDFN *parts="1-2,5-6"
//! RCPT TO:<bo@example.org>
//! XPRT 1                                       the template: `[name]` is a variable, `[[` a `[`,
//! Date: [*date]                                and `*` begins PowerMTA's own
//! From: shop@example.com
//! .
//! XPRT 2                                       To in two variants, without a name …
//! To: [*to]
//! .
//! XPRT 3                                       … and with one
//! To: [c] <[*to]>
//! .
//! XPRT 4                                       Subject with the value in its text …
//! Subject: Hello [e]
//! .
//! XPRT 5                                       … and where all of it has to be encoded
//! Subject:[d]
//! .
//! XPRT 6 LAST
//! Message-ID: <[*envid]@example.com>
//! MIME-Version: 1.0
//! Content-Type: text/plain; charset=utf-8
//! Content-Transfer-Encoding: quoted-printable
//!
//! Dear [a], [b].
//! .
//! ```
//!
//! Ann gets `To: Ann <ann@example.org>`, `Subject: Hello Ann` and `Dear Ann, X-1.`
//!
//! Whoever does not fit (a value of many kilobytes, a quote where only a quoted string could hold it)
//! gets a file of their own in one of the ordinary forms. The files of this folder, each importing
//! only from those below it:
//!
//! ```text
//! file_builder                    collects recipients, and writes a file
//! template                        the template, once it is known how long the values get
//! header  body  folding  parts    what one recipient's header defines; the pieces of the template
//! blocks                          lines that not every recipient has
//! plan                            the variables, worked out once for all recipients
//! single_recipient                a file whose one recipient has no variables of the message
//! adjacency  value                a value: what it meets in its body, how it is encoded
//! choice  widths  names  definitions  syntax  envelope_ids
//! ```

mod adjacency;
mod blocks;
mod body;
mod choice;
mod definitions;
mod envelope_ids;
mod file_builder;
mod folding;
mod header;
mod names;
mod parts;
mod plan;
mod single_recipient;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod widths;

use super::{PickupFile, single_file};
use crate::identity::{Id, Identity, RecipientIds};
use crate::message::{Merge, MergeForm, Recipient, RecipientPriority};
pub use envelope_ids::EnvelopeIds;
use file_builder::{Added, FileBuilder};
use plan::Plan;

/// Puts recipients into pickup files, one after the other.
///
/// `sink` takes each file as soon as it is whole.
pub(crate) struct MergePacker<'m> {
    merge: &'m Merge<'m>,
    identity: Identity,
    envelope_ids: EnvelopeIds,
    names: FileNames,
    /// `None` where every recipient gets a file.
    plan: Option<Plan<'m>>,
    /// Files that are not full yet; recipients of one share what stands in it once.
    builders: Vec<FileBuilder>,
}

/// What a merge became.
#[derive(Debug)]
pub(crate) struct PackedMerge {
    pub id: Id,
    pub recipients: usize,
    pub envelope_ids: EnvelopeIds,
}

impl<'m> MergePacker<'m> {
    /// Begins with a merge whose recipients follow.
    pub fn new(merge: &'m Merge<'m>, identity: Identity) -> Self {
        Self {
            merge,
            envelope_ids: EnvelopeIds::new(RecipientIds::new(&identity)),
            names: FileNames {
                id: identity.id,
                count: 0,
            },
            plan: match merge.form {
                MergeForm::Native => Plan::new(merge),
                MergeForm::Expanded => None,
            },
            builders: Vec::new(),
            identity,
        }
    }

    /// Adds a recipient.
    pub fn add<E>(
        &mut self,
        recipient: &Recipient<'_>,
        mut sink: impl FnMut(PickupFile) -> Result<(), E>,
    ) -> Result<(), E> {
        let id = self
            .envelope_ids
            .next(recipient.envid.is_some() || self.merge.delivery.envid.is_some());
        let Some(plan) = &self.plan else {
            let file = self.single(recipient, id);
            return sink(file);
        };
        let key = plan.key(recipient);
        let index = self.builders.iter().position(|builder| builder.key == key);
        let index = index.unwrap_or_else(|| {
            self.builders.push(FileBuilder::new(key, plan));
            self.builders.len() - 1
        });
        let builder = &mut self.builders[index];
        let mut added = builder.add(plan, recipient, id);
        if added == Ok(Added::NextFile) {
            sink(builder.finish(plan, &self.identity, self.names.next()))?;
            added = builder.add(plan, recipient, id);
        }
        if added != Ok(Added::Yes) {
            let file = self.single(recipient, id);
            return sink(file);
        }
        if builder.is_full() {
            sink(builder.finish(plan, &self.identity, self.names.next()))?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish<E>(
        mut self,
        mut sink: impl FnMut(PickupFile) -> Result<(), E>,
    ) -> Result<PackedMerge, E> {
        if let Some(plan) = &self.plan {
            for builder in self
                .builders
                .iter_mut()
                .filter(|builder| !builder.is_empty())
            {
                sink(builder.finish(plan, &self.identity, self.names.next()))?;
            }
        }
        Ok(PackedMerge {
            id: self.identity.id,
            recipients: self.envelope_ids.len(),
            envelope_ids: self.envelope_ids,
        })
    }

    /// A file for one recipient alone, in one of the ordinary forms.
    fn single(&mut self, recipient: &Recipient<'_>, id: Id) -> PickupFile {
        let identity = Identity {
            time: self.identity.time,
            id,
        };
        let envelope = self.merge.envelope_for(recipient);
        let delivery = self.merge.delivery_for(recipient);
        let bytes = self.merge.render_for(recipient, &identity);
        let name = self.names.next();
        if let Some(RecipientPriority::Queue(priority)) = recipient.priority {
            return single_recipient::file(name, &envelope, &delivery, &id, priority, &bytes);
        }
        single_file(name, &envelope, &delivery, &id, bytes)
    }
}

/// The files of a merge are always numbered: when the first is written, nobody knows of a second.
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
