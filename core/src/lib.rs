#![doc = include_str!("guide.md")]
#![forbid(unsafe_code)]

mod address;
mod builder;
mod envelope;
mod hard_links;
mod header;
#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
#[cfg_attr(
    not(all(feature = "inline-css", feature = "mjml", feature = "text-from-html")),
    expect(
        dead_code,
        reason = "each of the three asks for a part of what they share"
    )
)]
mod html;
#[cfg_attr(not(feature = "idempotency"), path = "idempotency/absent.rs")]
mod idempotency;
mod identity;
mod interruption;
mod json;
#[cfg(any(feature = "outbox", feature = "queue"))]
mod memory_file;
mod message;
mod mime;
mod number;
#[cfg(feature = "outbox")]
pub mod outbox;
mod pickup_directory;
mod pickup_file;
mod problem;
mod spool;
mod submit;
mod syntax;
mod template;
mod text;
mod variable;
mod virtual_mtas;

pub use address::{
    AddrSpec, InvalidAddress, InvalidSenderDomain, Mailbox, SenderDomain, SenderDomains,
};
pub use builder::{
    Attachment, Calendar, DateTime, Dkim, Dsn, Mailboxes, MessageBuilder, Recipient, TemplateValue,
    Unsubscribe,
};
#[cfg(feature = "idempotency")]
pub use idempotency::{Claim, Fingerprint, Fingerprinter, IdempotencyKey, InvalidIdempotencyKey};
pub use identity::{Id, Identity, InvalidId, InvalidTime};
pub use interruption::Interruption;
pub use json::{
    InvalidRecipients, MergeForm, NotJson, NotUnicode, NotifyWord as Notify, NumberLiteral,
    Priority, ReturnWord as Return, TemplateLanguage, iterable_fields, schema,
};
pub use message::{
    FilePart, HeaderAddresses, InvalidRecipient, Message, OwnedFilePart, RecipientList,
    RejectedRecipient, RejectedRecipients, Selection, SenderDefaults, Warning, add_missing_fields,
    header_recipients, text_of_local_program,
};
#[cfg(feature = "form-data")]
pub use mime::ContentDisposition;
pub use mime::{Rendered, UnreadableName};
#[cfg(feature = "outbox")]
pub use pickup_directory::SubmittedFile;
pub use pickup_directory::{
    CommitReport, Durability, FileGroup, FileMode, Observer, PickupDirectory, PickupError,
    PickupErrorKind, PickupOptions, RollForwardReport, Transaction,
};
#[cfg(feature = "queue")]
pub use pickup_directory::{Parcel, ParcelFile, ParcelKey, Queue, QueueError};
pub use pickup_file::{EnvelopeIds, PickupFile, RecipientReceipt, RecipientReceipts};
pub use problem::{Code, Problem, Problems};
#[cfg(feature = "csv")]
pub use submit::TableStream;
pub use submit::{
    AtomicBatch, Batch, BatchEntry, BatchError, BatchFormat, BatchOutcome, BatchReader,
    BatchResults, GroupLimits, MessageStream, OverQuota, Position, Progress, Quota, Receipt,
    ReceiptSummary, Reservation, StreamFormat, StreamedMessage, Submission, SubmitError, Submitter,
};
#[cfg(feature = "idempotency")]
pub use submit::{ClaimError, Claimed};

#[cfg(feature = "queue")]
pub use virtual_mtas::VirtualMtas;

/// The version of this library, and of all that is built around it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Reads one JSON message and tells all that is wrong with it.
pub fn check(json: &[u8]) -> Result<(), Problems> {
    Message::from_json(json).map(drop)
}

/// What in one JSON message breaks no rule and may yet not be meant: placeholders of other programs, which readers
/// would see; HTML without text beside it, over 102 kB, with images without `alt`, with links without `https://`;
/// more than 5,000 recipients who cannot unsubscribe. Texts that are templates are looked at as they stand. Of what is
/// not JSON there are none; what is wrong with it tells [`check`].
///
/// ```
/// let json = br#"{"from": "a@example.com", "to": "b@example.org", "subject": "Hello *|FNAME|*"}"#;
/// assert_eq!(pmtaemail::warnings(json)[0].pointer, "/subject");
/// ```
pub fn warnings(json: &[u8]) -> Vec<Warning> {
    json::read(json).map_or_else(|_| Vec::new(), |reading| message::warnings(&reading))
}

/// The [`warnings`] of a message in any serde data format that lends its strings; see
/// [`Message::from_deserializer`].
///
/// # Errors
/// The format's own.
pub fn warnings_from_deserializer<'a, D: serde::Deserializer<'a>>(
    deserializer: D,
) -> Result<Vec<Warning>, D::Error> {
    json::read_from(deserializer).map(|reading| message::warnings(&reading))
}

/// Renders one JSON message to the bytes of a mail (RFC 5322).
///
/// Date and Message-ID are made where the message gives none; with both given, the same message
/// always yields the same bytes.
pub fn render(json: &[u8]) -> Result<Vec<u8>, Problems> {
    Message::from_json(json).map(|message| message.render())
}
