//! What all public types can, by the API guidelines for Rust (C-COMMON-TRAITS, C-SEND-SYNC, C-DEBUG, C-GOOD-ERR).
//!
//! One list says it of each type. It is compared with what the crate exports: a new type has to be in it.

use pmtaemail::{outbox, tokio, *};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

fn every<T: Send + Sync + Unpin + Debug>() {}

fn cloneable<T: Clone>() {}

fn comparable<T: Clone + Eq>() {}

fn hashable<T: Clone + Eq + Hash>() {}

fn ordered<T: Clone + Eq + Hash + Ord>() {}

fn error<T: Error + Send + Sync + 'static>() {}

/// A list of types, of which each has what a function asks for, and their names.
macro_rules! types {
    ($names:ident, $is:ident: $($(#[$attribute:meta])* $type:ty,)+) => {
        $(
            every::<$type>();
            $is::<$type>();
            $names.insert(stringify!($type).replace(' ', ""));
        )+
    };
}

/// The types as this file names them, without what they are generic in.
fn listed() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // Each is something that happens once, or owns what cannot be copied.
    types!(names, every:
        AtomicBatch, Batch<'static>, BatchEntry, BatchOutcome, BatchReader, BatchResults, Claim, Claimed, Message<'static>,
        MessageStream, Parcel, ParcelFile, ParcelKey, PickupDirectory, RecipientReceipts, Rendered<'static>, Reservation,
        StreamedMessage, TableStream, Transaction<'static>, outbox::Capture, outbox::OutboxFile<'static>, outbox::Pickup,
    );
    types!(names, cloneable:
        CommitReport, EnvelopeIds, FilePart<'static>, Fingerprinter, Interruption<'static>, OwnedFilePart, PickupFile,
        PickupOptions, RollForwardReport, SenderDefaults<'static>, Submission, SubmittedFile, Submitter,
        outbox::SentMessage, tokio::PickupDirectory,
    );
    types!(names, comparable:
        ContentDisposition, GroupLimits, InvalidRecipient, MessageBuilder<'static>, Problems, Receipt, ReceiptSummary,
        RecipientList, RejectedRecipients, SenderDomains, VirtualMtas, outbox::Mail, outbox::OutboxEnvelope<'static>,
        outbox::Part,
    );
    types!(names, hashable:
        BatchFormat, Durability, FileGroup, FileMode, Fingerprint, HeaderAddresses, IdempotencyKey, Identity,
        InvalidRecipients, MergeForm, NotJson, NotUnicode<'static>, Notify, NumberLiteral<'static>, Priority, Problem,
        Progress, RecipientReceipt, RejectedRecipient, Return, Selection, StreamFormat, TemplateLanguage, Warning,
        outbox::MailField, outbox::MailMailbox,
    );
    types!(names, ordered:
        AddrSpec<'static>, Attachment<'static>, Calendar<'static>, Code, DateTime<'static>, Dkim<'static>, Dsn, Id,
        Mailbox<'static>, Mailboxes<'static>, PickupErrorKind, Position, Recipient<'static>, SenderDomain,
        TemplateValue<'static>, Unsubscribe<'static>,
    );
    types!(names, error:
        BatchError, ClaimError, InvalidAddress, InvalidId, InvalidIdempotencyKey, InvalidSenderDomain, InvalidTime,
        OverQuota, PickupError, QueueError, SubmitError, UnreadableName, outbox::UnreadableFile,
    );
    let bare = |name: String| name.split('<').next().unwrap_or_default().to_owned();
    names.into_iter().map(bare).collect()
}

/// The types and traits that a file of the crate exports.
fn exported(source: &str, module: &str) -> Vec<String> {
    let statements = source.split(";\n");
    let exports = statements.filter_map(|statement| {
        let (_, export) = statement.rsplit_once("pub use ")?;
        Some(export)
    });
    let names = exports.flat_map(|export| {
        export.split([',', '{', '}', '\n']).filter_map(|name| {
            let name = name.rsplit("::").next()?;
            let name = name.rsplit(" as ").next()?.trim();
            let is_type = name.starts_with(|first: char| first.is_ascii_uppercase());
            is_type.then(|| name.to_owned())
        })
    });
    names.map(|name| format!("{module}{name}")).collect()
}

#[test]
fn each_public_type_is_in_the_list() {
    const TRAITS: [&str; 3] = ["Observer", "Queue", "Quota"];
    let mut names: BTreeSet<_> = exported(include_str!("../src/lib.rs"), "")
        .into_iter()
        .collect();
    names.extend(exported(include_str!("../src/outbox/mod.rs"), "outbox::"));
    names.extend(exported(include_str!("../src/tokio/mod.rs"), "tokio::"));
    for name in TRAITS {
        assert!(names.remove(name), "{name}");
    }
    assert!(names.len() > 100);
    assert_eq!(names, listed());
}

#[test]
fn values_are_read_and_written_as_text_and_by_serde() {
    fn text<T: FromStr + Display>() {}
    fn parsed<T: FromStr>() {}
    fn serialized<T: serde::Serialize>() {}
    fn by_serde<T: serde::Serialize + serde::de::DeserializeOwned>() {}
    text::<AddrSpec<'_>>();
    text::<Id>();
    text::<Mailbox<'_>>();
    parsed::<IdempotencyKey>();
    parsed::<Recipient<'_>>();
    parsed::<SenderDomain>();
    by_serde::<AddrSpec<'_>>();
    by_serde::<Id>();
    by_serde::<Mailbox<'_>>();
    serialized::<Attachment<'_>>();
    serialized::<Code>();
    serialized::<Mailboxes<'_>>();
    serialized::<MessageBuilder<'_>>();
    serialized::<Problems>();
    serialized::<Receipt>();
    serialized::<Recipient<'_>>();
    serialized::<Warning>();
}
