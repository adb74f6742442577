//! The identifiers that connect bounces and accounting with recipients.

#[cfg(feature = "idempotency")]
use super::given_texts::StoredTexts;
use super::given_texts::{GivenTexts, GivenTextsReader};
use crate::identity::{Id, RecipientIds};
use crate::spool::Spool;
use serde::{Serialize, Serializer};
use std::io;
use std::sync::Arc;

/// The identifiers of the recipients of a merge, while they are collected.
#[derive(Debug)]
pub(crate) struct Identifiers {
    ids: RecipientIds,
    domain: String,
    /// The envelope ID that the message gives to all who have none of their own.
    common_envid: Option<String>,
    envids: GivenTexts,
    message_ids: GivenTexts,
    /// The first index and the length of each run of consecutive indices.
    rows: Vec<(usize, usize)>,
}

impl Identifiers {
    /// `domain` is the right side of each generated Message-ID.
    pub fn new(ids: RecipientIds, domain: &str, common_envid: Option<&str>) -> Self {
        Self {
            ids,
            domain: domain.to_owned(),
            common_envid: common_envid.map(str::to_owned),
            envids: GivenTexts::default(),
            message_ids: GivenTexts::default(),
            rows: Vec::new(),
        }
    }

    /// The identifier of the next recipient, whose index is higher than all before. The envelope ID, and the Message-ID
    /// (without angle brackets), are generated from it unless the caller gives them.
    pub fn next(&mut self, index: usize, envid: Option<&str>, message_id: Option<&str>) -> Id {
        match self.rows.last_mut() {
            Some((first, count)) if *first + *count == index => *count += 1,
            _ => self.rows.push((index, 1)),
        }
        let id = self.ids.id(self.envids.recipients());
        self.envids.push(envid);
        self.message_ids.push(message_id);
        id
    }

    /// The identifier of the first recipient.
    pub(super) fn first(&self) -> Id {
        self.ids.id(0)
    }

    /// The spools of given identifiers, of which there may be many.
    pub fn spools_mut(&mut self) -> [&mut Spool; 2] {
        [self.envids.spool_mut(), self.message_ids.spool_mut()]
    }

    pub fn finish(self) -> EnvelopeIds {
        EnvelopeIds {
            ids: self.ids,
            domain: self.domain.into(),
            common_envid: self.common_envid.map(Arc::from),
            envids: Arc::new(self.envids),
            message_ids: Arc::new(self.message_ids),
            rows: self.rows.into(),
        }
    }
}

/// The envelope IDs of the recipients of a merge, in their order: those generated here, and `None` for those that the
/// caller gave. Serializes as an array of strings and nulls. [`Receipt::recipient_receipts`] also returns the IDs given
/// by the caller, and the Message-IDs.
///
/// This takes almost no memory, however many recipients there are: an ID is computed whenever it is asked for.
///
/// ```
/// use pmtaemail::Submission;
///
/// let json = br#"{"from": "shop@example.com", "text": "Hello",
///                 "recipients": ["ann@example.org", {"address": "bo@example.org", "envid": "bo-7"}]}"#;
/// let ids = Submission::from_json(json)?.receipt().envelope_ids.unwrap();
/// assert_eq!(ids.len(), 2);
/// let given: Vec<bool> = ids.iter().map(|id| id.is_none()).collect();
/// assert_eq!(given, [false, true]);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
///
/// [`Receipt::recipient_receipts`]: crate::Receipt::recipient_receipts
#[derive(Debug, Clone)]
pub struct EnvelopeIds {
    ids: RecipientIds,
    domain: Arc<str>,
    common_envid: Option<Arc<str>>,
    envids: Arc<GivenTexts>,
    message_ids: Arc<GivenTexts>,
    rows: Arc<[(usize, usize)]>,
}

impl EnvelopeIds {
    /// The number of recipients.
    pub fn len(&self) -> usize {
        self.envids.recipients()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The IDs in the order of the recipients.
    pub fn iter(&self) -> impl Iterator<Item = Option<Id>> + '_ {
        self.made(self.envids.are_given())
    }

    /// The IDs in the order of the recipients, as an iterator that borrows nothing.
    ///
    /// ```
    /// use pmtaemail::Submission;
    ///
    /// let json = br#"{"from": "shop@example.com", "text": "Hello", "recipients": ["ann@example.org"]}"#;
    /// let ids = Submission::from_json(json)?.receipt().envelope_ids.unwrap().into_ids();
    /// let writer = std::thread::spawn(move || ids.flatten().map(|id| format!("{id}\n")).collect::<String>());
    /// assert_eq!(writer.join().unwrap().len(), 27);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn into_ids(self) -> impl Iterator<Item = Option<Id>> + Send + 'static {
        let are_given = Arc::clone(&self.envids).into_are_given();
        self.made(are_given)
    }

    fn made<I: Iterator<Item = bool>>(
        &self,
        are_given: I,
    ) -> impl Iterator<Item = Option<Id>> + use<I> {
        let ids = self.ids;
        let all_are_given = self.common_envid.is_some();
        let numbered = are_given.enumerate();
        numbered.map(move |(recipient, is_given)| {
            (!is_given && !all_are_given).then(|| ids.id(recipient))
        })
    }

    /// The identifiers of each recipient's message, given or generated.
    pub fn recipient_receipts(&self) -> RecipientReceipts {
        RecipientReceipts {
            ids: self.clone(),
            envids: GivenTextsReader::new(Arc::clone(&self.envids)),
            message_ids: GivenTextsReader::new(Arc::clone(&self.message_ids)),
            number: 0,
            row: 0,
            in_row: 0,
        }
    }
}

/// The stored form of a merge's identifiers, without the strings that the caller gave.
#[cfg(feature = "idempotency")]
#[derive(Debug, Serialize, serde::Deserialize)]
pub(crate) struct StoredIds {
    ids: RecipientIds,
    domain: String,
    common_envid: Option<String>,
    envids: StoredTexts,
    message_ids: StoredTexts,
    rows: Vec<(usize, usize)>,
}

#[cfg(feature = "idempotency")]
impl StoredIds {
    /// The size of the strings that the caller gave.
    pub(crate) fn size_of_texts(&self) -> u64 {
        self.envids.size() + self.message_ids.size()
    }
}

#[cfg(feature = "idempotency")]
impl EnvelopeIds {
    /// The stored form, and the strings that the caller gave.
    pub(crate) fn store(&self) -> (StoredIds, Box<dyn io::Read + Send + Sync>) {
        let (envids, given_envids) = self.envids.store();
        let (message_ids, given_message_ids) = self.message_ids.store();
        let stored = StoredIds {
            ids: self.ids,
            domain: self.domain.as_ref().to_owned(),
            common_envid: self.common_envid.as_deref().map(str::to_owned),
            envids,
            message_ids,
            rows: self.rows.to_vec(),
        };
        let given = io::Read::chain(given_envids, given_message_ids);
        (stored, Box::new(given))
    }

    /// Reads the stored form. Strings that are too many for memory go into a file that `create` makes.
    pub(crate) fn restore(
        stored: StoredIds,
        texts: &mut dyn io::Read,
        create: &mut dyn FnMut() -> io::Result<std::fs::File>,
    ) -> io::Result<Self> {
        Ok(Self {
            ids: stored.ids,
            domain: stored.domain.into(),
            common_envid: stored.common_envid.map(Arc::from),
            envids: Arc::new(GivenTexts::restore(stored.envids, texts, create)?),
            message_ids: Arc::new(GivenTexts::restore(stored.message_ids, texts, create)?),
            rows: stored.rows.into(),
        })
    }
}

impl PartialEq for EnvelopeIds {
    /// Whether both belong to the same submission: no two submissions have the same IDs.
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids && self.len() == other.len()
    }
}

impl Eq for EnvelopeIds {}

impl Serialize for EnvelopeIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// The identifiers of one recipient's message of a mail merge. Serializes as `{index, envid, messageId}`.
///
/// ```
/// use pmtaemail::Submission;
///
/// let json = br#"{"from": "shop@example.com", "text": "Hello", "recipients": ["ann@example.org"]}"#;
/// let receipt = Submission::from_json(json)?.receipt();
/// for recipient in receipt.recipient_receipts().expect("it is a mail merge") {
///     let recipient = recipient.unwrap();
///     println!("{}: {} {}", recipient.index, recipient.envid, recipient.message_id);
/// }
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Hash)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RecipientReceipt {
    /// The index of the recipient, counted from 0, in the order in which recipients were given.
    pub index: usize,
    /// The envelope ID, which bounces and accounting contain: given by the caller or generated here.
    pub envid: String,
    /// The Message-ID without angle brackets.
    pub message_id: String,
}

/// An iterator over the identifiers of each recipient's message, in the order of the recipients; see
/// [`RecipientReceipt`]. Each is computed or read when it is asked for.
///
/// ```
/// use pmtaemail::{RecipientReceipts, Submission};
///
/// let json = br#"{"from": "shop@example.com", "text": "Hello", "recipients": ["ann@example.org", "bo@example.org"]}"#;
/// let receipts: RecipientReceipts = Submission::from_json(json)?.receipt().recipient_receipts().unwrap();
/// let envids: Vec<String> = receipts.map(|receipt| receipt.unwrap().envid).collect();
/// assert_eq!(envids.len(), 2);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
///
/// # Errors
/// If the caller gave very many identifiers, they are in an unnamed file, and reading it can fail.
#[derive(Debug)]
pub struct RecipientReceipts {
    ids: EnvelopeIds,
    envids: GivenTextsReader,
    message_ids: GivenTextsReader,
    /// How many were returned.
    number: usize,
    /// The current run of consecutive indices, and how many of it were returned.
    row: usize,
    in_row: usize,
}

impl Iterator for RecipientReceipts {
    type Item = io::Result<RecipientReceipt>;

    fn next(&mut self) -> Option<Self::Item> {
        let (envid, message_id) = (self.envids.next()?, self.message_ids.next()?);
        let number = self.number;
        self.number += 1;
        let (first, count) = self.ids.rows[self.row];
        let index = first + self.in_row;
        self.in_row += 1;
        if self.in_row == count {
            self.row += 1;
            self.in_row = 0;
        }
        let EnvelopeIds { ids, domain, .. } = &self.ids;
        Some(envid.and_then(|envid| {
            let message_id = message_id?;
            let common = || self.ids.common_envid.as_deref().map(str::to_owned);
            Ok(RecipientReceipt {
                index,
                envid: envid
                    .or_else(common)
                    .unwrap_or_else(|| ids.id(number).to_string()),
                message_id: message_id.unwrap_or_else(|| format!("{}@{domain}", ids.id(number))),
            })
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ids.len() - self.number;
        (left, Some(left))
    }
}

impl ExactSizeIterator for RecipientReceipts {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn identifiers(common_envid: Option<&str>) -> Identifiers {
        let ids = RecipientIds::new(&Identity::now());
        Identifiers::new(ids, "example.com", common_envid)
    }

    #[test]
    fn envelope_ids_are_made_again_as_they_were() {
        let mut made = identifiers(None);
        let given = [true, false, false, true, true, false];
        let ids = given.map(|given| made.next(0, given.then_some("own"), None));
        let envids = made.finish();
        let expected = given.into_iter().zip(ids);
        let expected: Vec<_> = expected.map(|(given, id)| (!given).then_some(id)).collect();
        assert_eq!(envids.iter().collect::<Vec<_>>(), expected);
        assert_eq!(envids.clone().into_ids().collect::<Vec<_>>(), expected);
        assert_eq!((envids.len(), envids.is_empty()), (6, false));
        let distinct: std::collections::HashSet<_> = ids.into_iter().collect();
        assert_eq!(distinct.len(), 6);
    }

    #[test]
    fn each_recipient_has_both_identifiers() {
        for common in [None, Some("all")] {
            let mut made = identifiers(common);
            let given = [
                (None, None),
                (Some("e1"), None),
                (None, Some("m2@x")),
                (Some("e3"), Some("m3@x")),
            ];
            let indices = [0, 1, 5, 6];
            let mut rest = indices.into_iter();
            let ids =
                given.map(|(envid, message_id)| made.next(rest.next().unwrap(), envid, message_id));
            let envids = made.finish();
            let receipts = envids.recipient_receipts();
            assert_eq!(receipts.len(), 4);
            for ((index, receipt), ((envid, message_id), id)) in indices
                .into_iter()
                .zip(receipts)
                .zip(given.into_iter().zip(ids))
            {
                let envid = envid.or(common).map_or(id.to_string(), str::to_owned);
                let made = format!("{id}@example.com");
                let message_id = message_id.map_or(made, str::to_owned);
                let expected = RecipientReceipt {
                    index,
                    envid,
                    message_id,
                };
                assert_eq!(receipt.unwrap(), expected);
            }
            assert_eq!(envids.iter().flatten().count(), 2 - common.map_or(0, |_| 2));
        }
    }
}
