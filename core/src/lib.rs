#![doc = include_str!("guide.md")]
#![forbid(unsafe_code)]

mod address;
mod builder;
mod envelope;
#[cfg(fuzzing)]
pub mod fuzzing;
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
#[cfg(test)]
mod property_cases;
mod spool;
mod submit;
mod syntax;
mod template;
mod text;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
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
#[cfg(feature = "idempotency")]
pub use pickup_directory::ClaimError;
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
#[cfg(feature = "idempotency")]
pub use submit::Claimed;
#[cfg(feature = "csv")]
pub use submit::TableStream;
pub use submit::{
    AtomicBatch, Batch, BatchEntry, BatchError, BatchFormat, BatchOutcome, BatchReader,
    BatchResults, GroupLimits, MessageStream, OverQuota, Position, Progress, Quota, Receipt,
    ReceiptSummary, Reservation, StreamFormat, StreamedMessage, Submission, SubmitError, Submitter,
};

#[cfg(feature = "queue")]
pub use virtual_mtas::VirtualMtas;

/// The version of this library and of everything built around it.
///
/// ```
/// println!("pmtaemail {}", pmtaemail::VERSION);
/// ```
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Checks a JSON message and returns all its problems.
///
/// ```
/// let problems = pmtaemail::check(br#"{"from": "a@example.com", "to": "b@", "subjekt": "Hello"}"#).unwrap_err();
/// let pointers: Vec<&str> = problems.iter().map(|problem| problem.pointer()).collect();
/// assert_eq!(pointers, ["/to", "/subjekt"]);
/// ```
///
/// # Errors
/// Everything that is wrong with the message.
pub fn check(json: &[u8]) -> Result<(), Problems> {
    Message::from_json(json).map(drop)
}

/// Returns what breaks no rule in a JSON message but may be a mistake: placeholders of other programs, which readers
/// would see; HTML without a text alternative, over 102 kB, with images without `alt` or links without `https://`; more
/// than 5,000 recipients who cannot unsubscribe. Templates are examined before their placeholders are filled in. Input
/// that is not JSON has no warnings; [`check`] reports what is wrong with it.
///
/// ```
/// let json = br#"{"from": "a@example.com", "to": "b@example.org", "subject": "Hello *|FNAME|*"}"#;
/// assert_eq!(pmtaemail::warnings(json)[0].pointer, "/subject");
/// ```
pub fn warnings(json: &[u8]) -> Vec<Warning> {
    json::read(json).map_or_else(|_| Vec::new(), |reading| message::warnings(&reading))
}

/// The [`warnings`] of a message in any serde data format that lends its strings; see [`Message::from_deserializer`].
///
/// ```
/// let message = serde_json::json!({"from": "a@example.com", "to": "b@example.org", "html": "<p>Hello</p>"});
/// let warnings = pmtaemail::warnings_from_deserializer(&message)?;
/// assert_eq!(warnings[0].code, pmtaemail::Code::MissingText);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// Those of the data format.
pub fn warnings_from_deserializer<'a, D: serde::Deserializer<'a>>(
    deserializer: D,
) -> Result<Vec<Warning>, D::Error> {
    json::read_from(deserializer).map(|reading| message::warnings(&reading))
}

/// Renders a JSON message to the bytes of a mail (RFC 5322).
///
/// Date and Message-ID are generated if the message does not give them. If it gives both, the same message always
/// yields the same bytes.
///
/// ```
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hi!"}"#;
/// let mail = String::from_utf8(pmtaemail::render(json)?).unwrap();
/// assert!(mail.contains("\r\nSubject: Hello\r\n"));
/// assert!(mail.ends_with("\r\n\r\nHi!\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
///
/// # Errors
/// Everything that is wrong with the message.
pub fn render(json: &[u8]) -> Result<Vec<u8>, Problems> {
    Message::from_json(json).map(|message| message.render())
}
