//! The result of a submission.

use crate::identity::Id;
use crate::message::{RejectedRecipients, Warning};
use crate::pickup_file::{EnvelopeIds, RecipientReceipts};
use crate::virtual_mtas::VirtualMtas;
use serde::Serialize;
use std::convert::Infallible;
use std::{io, iter};

/// The result of a submission. Serializes as `{id, messageId, files, recipients, octets}`, plus `envids` for a mail
/// merge, `seeds` if it has some, `rejected` if it skips invalid recipients, and `warnings` if they were asked for.
///
/// ```
/// use pmtaemail::Submission;
///
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "messageId": "4711@example.com"}"#;
/// let receipt = Submission::from_json(json)?.receipt();
/// assert_eq!(receipt.message_id.as_deref(), Some("4711@example.com"));
/// assert_eq!(receipt.files, [format!("{}.eml", receipt.id)]);
/// assert_eq!(receipt.recipients, 1);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Receipt {
    /// Unique; sorts by time.
    pub id: Id,
    /// The Message-ID without angle brackets. `None` for a mail merge, in which each message has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The names of the files in the pickup directory.
    pub files: Vec<String>,
    /// The number of different recipients.
    pub recipients: usize,
    /// The number of different seeds that get a copy of a mail merge, if it has seeds. They do not count as recipients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeds: Option<usize>,
    /// The size of all files, in bytes.
    #[serde(rename = "octets")]
    pub size: u64,
    /// The message's job, for the log; not part of the JSON.
    #[serde(skip)]
    pub job: Option<String>,
    /// Its virtual MTA or pool; not part of the JSON either.
    #[serde(skip)]
    pub vmta: Option<String>,
    /// This is the receipt of an earlier submission under the same idempotency key; nothing was submitted this time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// The envelope IDs of the recipients of a mail merge.
    #[serde(rename = "envids", skip_serializing_if = "Option::is_none")]
    pub envelope_ids: Option<EnvelopeIds>,
    /// The recipients who get nothing, if the mail merge skips invalid recipients. They have no envelope IDs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<RejectedRecipients>,
    /// All that it names, for those who choose its route.
    #[serde(skip)]
    pub(super) virtual_mtas: Uncompared<VirtualMtas>,
    /// Warnings about the message; `None` if nobody asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Warning>>,
}

/// A part of a receipt that is not stored with it. A replayed receipt equals the first one nevertheless.
#[derive(Debug, Clone, Default)]
pub(super) struct Uncompared<T>(pub T);

impl<T> PartialEq for Uncompared<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Uncompared<T> {}

impl Receipt {
    /// The JSON in pieces: that of a mail merge contains the envelope ID of each recipient, which can be megabytes.
    /// Joined, the pieces are what [`serde`] writes.
    ///
    /// ```
    /// # use pmtaemail::Submission;
    /// # let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// # let receipt = Submission::from_json(json)?.receipt();
    /// let whole = serde_json::to_vec(&receipt).unwrap();
    /// assert_eq!(receipt.into_json().collect::<Vec<_>>().concat(), whole);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn into_json(self) -> impl Iterator<Item = Vec<u8>> + Send {
        let mut start = member(b"{", "id", &self.id);
        if let Some(message_id) = &self.message_id {
            start.extend(member(b",", "messageId", message_id));
        }
        start.extend(b",\"files\":[");
        let mut middle = member(b"],", "recipients", &self.recipients);
        if let Some(seeds) = &self.seeds {
            middle.extend(member(b",", "seeds", seeds));
        }
        middle.extend(member(b",", "octets", &self.size));
        if self.replayed {
            middle.extend(member(b",", "replayed", &true));
        }
        let envelope_ids = self.envelope_ids.map(|ids| {
            iter::once(b",\"envids\":[".to_vec())
                .chain(elements(ids.into_ids()))
                .chain(iter::once(b"]".to_vec()))
        });
        let rejected = self.rejected.map(|rejected| {
            iter::once(b",\"rejected\":[".to_vec())
                .chain(elements(rejected.into_recipients()))
                .chain(iter::once(b"]".to_vec()))
        });
        let end = match &self.warnings {
            None => b"}".to_vec(),
            Some(warnings) => [member(b",", "warnings", warnings), b"}".to_vec()].concat(),
        };
        let parts = iter::once(start)
            .chain(elements(self.files.into_iter()))
            .chain(iter::once(middle))
            .chain(envelope_ids.into_iter().flatten())
            .chain(rejected.into_iter().flatten())
            .chain(iter::once(end));
        pieces(parts.map(Ok))
            .map(|piece: Result<_, Infallible>| piece.unwrap_or_else(|e| match e {}))
    }

    /// The receipt without its details about each recipient: small, however many there are.
    ///
    /// ```
    /// # use pmtaemail::Submission;
    /// let json = br#"{"from": "shop@example.com", "text": "Hello", "invalidRecipients": "skip",
    ///                 "recipients": ["ann@example.org", "nobody"]}"#;
    /// let summary = Submission::from_json(json)?.receipt().into_summary();
    /// assert_eq!((summary.receipt.recipients, summary.rejected_recipients), (1, Some(1)));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn into_summary(mut self) -> ReceiptSummary {
        self.envelope_ids = None;
        let rejected = self.rejected.take();
        ReceiptSummary {
            rejected_recipients: rejected.map(|rejected| rejected.len()),
            receipt: self,
        }
    }

    /// The identifiers of each recipient's message of a mail merge. `None` for a message that all recipients share.
    ///
    /// ```
    /// # use pmtaemail::Submission;
    /// let json = br#"{"from": "shop@example.com", "text": "Hello",
    ///                 "recipients": ["ann@example.org", {"address": "bo@example.org", "envid": "bo-7"}]}"#;
    /// let receipt = Submission::from_json(json)?.receipt();
    /// let bo = receipt.recipient_receipts().unwrap().nth(1).unwrap().unwrap();
    /// assert_eq!((bo.index, bo.envid.as_str()), (1, "bo-7"));
    /// assert!(bo.message_id.ends_with("@example.com"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn recipient_receipts(&self) -> Option<RecipientReceipts> {
        self.envelope_ids
            .as_ref()
            .map(EnvelopeIds::recipient_receipts)
    }

    /// The JSON as lines, in pieces: one line for each recipient of a mail merge, `{"index": 0, "envid": "…",
    /// "messageId": "…"}` or, if it is rejected, `{"index": 1, "pointer": "…", "code": "…"}`; the last line is the
    /// [summary](Self::into_summary).
    ///
    /// ```
    /// # use pmtaemail::Submission;
    /// # let json = br#"{"from": "shop@example.com", "text": "Hello", "recipients": ["ann@example.org"]}"#;
    /// # let receipt = Submission::from_json(json)?.receipt();
    /// let lines: Vec<Vec<u8>> = receipt.into_json_lines().collect::<Result<_, _>>().unwrap();
    /// let lines = String::from_utf8(lines.concat()).unwrap();
    /// assert_eq!(lines.lines().count(), 2);
    /// assert!(lines.starts_with(r#"{"index":0,"envid":""#) && lines.ends_with("}\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`RecipientReceipts`]. The lines end there, without the last one.
    pub fn into_json_lines(self) -> impl Iterator<Item = io::Result<Vec<u8>>> + Send {
        let recipients = self.recipient_receipts();
        let rejected = self.rejected.clone();
        let summary = self.into_summary();
        let rejected = rejected.map(RejectedRecipients::into_recipients);
        let mut rejected = rejected.into_iter().flatten().peekable();
        let mut recipients = recipients.into_iter().flatten().peekable();
        let lines = iter::from_fn(move || {
            let next = match recipients.peek() {
                Some(Ok(receipt)) => receipt.index,
                Some(Err(_)) => 0,
                None => usize::MAX,
            };
            if let Some(recipient) = rejected.next_if(|recipient| recipient.index < next) {
                return Some(Ok(line(&recipient)));
            }
            recipients
                .next()
                .map(|receipt| receipt.map(|receipt| line(&receipt)))
        });
        let last = iter::once_with(move || Ok(line(&summary)));
        let mut failed = false;
        let lines = lines.chain(last);
        pieces(lines.take_while(move |line| !std::mem::replace(&mut failed, line.is_err())))
    }
}

/// A receipt without its details about each recipient. Serializes like the receipt, but with the number
/// `rejectedRecipients` in place of `rejected`, and without `envids`.
///
/// ```
/// use pmtaemail::{ReceiptSummary, Submission};
///
/// let json = br#"{"from": "shop@example.com", "text": "Hello", "recipients": ["ann@example.org"]}"#;
/// let summary: ReceiptSummary = Submission::from_json(json)?.receipt().into_summary();
/// let json = serde_json::to_value(&summary).unwrap();
/// assert_eq!(json["recipients"], 1);
/// assert!(json.get("envids").is_none());
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReceiptSummary {
    /// The receipt, with `envelope_ids` and `rejected` set to `None`.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// The number of recipients of a mail merge who get nothing; `None` if it does not skip invalid recipients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_recipients: Option<usize>,
}

/// Joins parts to larger pieces. What comes before an error is yielded before it.
fn pieces<E>(
    parts: impl Iterator<Item = Result<Vec<u8>, E>>,
) -> impl Iterator<Item = Result<Vec<u8>, E>> {
    let mut parts = parts.peekable();
    iter::from_fn(move || {
        let mut piece = match parts.next()? {
            Ok(part) => part,
            error => return Some(error),
        };
        while piece.len() < PIECE
            && let Some(Ok(part)) = parts.next_if(Result::is_ok)
        {
            piece.extend(part);
        }
        Some(Ok(piece))
    })
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = json(value);
    line.push(b'\n');
    line
}

/// How large a piece of a receipt is, about.
const PIECE: usize = 64 << 10;

/// A member of an object, after what comes before its name.
fn member(before: &[u8], name: &str, value: &impl Serialize) -> Vec<u8> {
    [before, &json(name), b":", &json(value)].concat()
}

/// The elements of an array, with a comma before each but the first.
fn elements<T: Serialize>(values: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<u8>> {
    values.enumerate().map(|(index, value)| {
        let mut element = json(&value);
        if index > 0 {
            element.insert(0, b',');
        }
        element
    })
}

fn json(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers can be written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Submission};

    fn receipt(json: &str) -> Receipt {
        Submission::new(&Message::from_json(json.as_bytes()).unwrap()).receipt()
    }

    #[test]
    fn pieces_are_what_serde_writes() {
        let merge = |form: &str, recipients: usize| {
            let recipients: Vec<_> = (0..recipients)
                .map(|number| {
                    let envid = (number % 3 > 0).then_some("own");
                    serde_json::json!({"address": format!("b{number}@example.org"), "envid": envid})
                })
                .collect();
            let message = serde_json::json!({"from": "a@example.com", "merge": form, "recipients": recipients});
            receipt(&message.to_string())
        };
        let mut skipped = vec![serde_json::json!(1); 5_000];
        skipped.extend(["b@example.org", "nobody"].map(serde_json::Value::from));
        let skipped = serde_json::json!(
            {"from": "a@example.com", "invalidRecipients": "skip", "seeds": ["s@example.net"], "recipients": skipped}
        );
        let mut strange = receipt(r#"{"from": "a@example.com", "to": "b@example.org"}"#);
        strange.replayed = true;
        strange.message_id = Some("\"\\\u{1}å".to_owned());
        let mut warned = strange.clone();
        warned.warnings = Some(crate::warnings(br#"{"subject": "*|X|*", "html": "a"}"#));
        let mut unwarned = strange.clone();
        unwarned.warnings = Some(Vec::new());
        for (receipt, has_message_id, has_ids) in [
            (strange, true, false),
            (warned, true, false),
            (unwarned, true, false),
            (merge("native", 1), false, true),
            (merge("native", 5_001), false, true),
            (merge("expanded", 3), false, true),
            (receipt(&skipped.to_string()), false, true),
        ] {
            let whole = serde_json::to_string(&receipt).unwrap();
            let pieces: Vec<_> = receipt.into_json().collect();
            assert_eq!(String::from_utf8(pieces.concat()).unwrap(), whole);
            assert!(pieces.iter().all(|piece| piece.len() < PIECE + 100));
            assert_eq!(pieces.len() > 1, whole.len() > PIECE);
            let value: serde_json::Value = serde_json::from_str(&whole).unwrap();
            let has = |name| value.get(name).is_some();
            assert_eq!((has("messageId"), has("envids")), (has_message_id, has_ids));
        }
    }

    #[test]
    fn an_error_follows_what_was_read_before_it() {
        let parts = [Ok(b"a".to_vec()), Ok(b"b".to_vec()), Err("broken")];
        let pieces: Vec<_> = pieces(parts.into_iter()).collect();
        assert_eq!(pieces, [Ok(b"ab".to_vec()), Err("broken")]);
    }
}
