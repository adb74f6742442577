//! The recipients of a mail merge who get nothing because they break a rule and the message says `"invalidRecipients":
//! "skip"`.

use super::selection::Selection;
use crate::problem::{Code, Problem, Problems};
use serde::{Serialize, Serializer};

/// A recipient of a mail merge who gets nothing; see [`RejectedRecipients`].
///
/// ```
/// use pmtaemail::{Code, Message};
///
/// let json = br#"{"from": "shop@example.com", "text": "Hello", "invalidRecipients": "skip",
///                 "recipients": ["ann@example.org", {"address": "bo@"}]}"#;
/// let message = Message::from_json(json)?;
/// let bo = message.rejected().unwrap().iter().next().unwrap();
/// assert_eq!((bo.index, bo.code), (1, Code::InvalidDomain));
/// assert_eq!(bo.pointer, "/recipients/1/address");
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Hash)]
#[non_exhaustive]
pub struct RejectedRecipient {
    /// The index of the recipient, counted from 0, in the order in which recipients were given.
    pub index: usize,
    /// Location of the first problem: a JSON Pointer (RFC 6901) into the message. If there are too many different ones,
    /// it is the location of the recipient.
    pub pointer: String,
    /// The code of that problem.
    pub code: Code,
}

/// The recipients of a mail merge who get nothing because they break a rule, in their order. Serializes as an array of
/// `{index, pointer, code}`.
///
/// A million of them take two megabytes: what they have in common is stored once.
///
/// ```
/// use pmtaemail::{InvalidRecipients, Message, Recipient};
///
/// let message = Message::builder()
///     .from("shop@example.com")
///     .text("Hello")
///     .recipients(["ann@example.org", "nobody", "bo@example.org"].map(Recipient::new))
///     .invalid_recipients(InvalidRecipients::Skip)
///     .build()?;
/// let rejected = message.rejected().unwrap();
/// assert_eq!(rejected.len(), 1);
/// assert_eq!(rejected.iter().next().unwrap().index, 1);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecipients {
    /// The pointer of the array.
    list: String,
    /// What is wrong, and where in a recipient: the end of the pointer.
    kinds: Vec<(Code, Box<str>)>,
    /// For each recipient, the distance of its index from the one before, and the number of its kind; see
    /// [`push_number`].
    numbers: Vec<u8>,
    count: usize,
    /// One more than the index of the last recipient.
    next: usize,
}

/// With more kinds than this, only the pointer of the recipient is kept.
const MOST_KINDS: usize = 256;
/// A longer end of a pointer is not kept either.
const LONGEST_END: usize = 1_024;

impl RejectedRecipients {
    /// An empty list. `list` is the pointer of the array.
    pub(crate) fn new(list: String) -> Self {
        Self {
            list,
            kinds: Vec::new(),
            numbers: Vec::new(),
            count: 0,
            next: 0,
        }
    }

    /// Appends a recipient. `pointer` is below the recipient's own.
    pub(crate) fn push(&mut self, index: usize, pointer: &str, code: Code) {
        let own = self.pointer(index, "").len();
        let kind = self.kind(code, pointer.get(own..).unwrap_or_default());
        debug_assert!(index >= self.next, "recipients come in their order");
        push_number(&mut self.numbers, index - self.next);
        push_number(&mut self.numbers, kind);
        self.next = index + 1;
        self.count += 1;
    }

    /// Appends the recipient with this index if some of its problems are its own; returns the others.
    pub(crate) fn take_own(&mut self, index: usize, problems: Problems) -> Option<Problems> {
        let (first, others) = problems.first_in(&self.pointer(index, ""));
        if let Some(first) = first {
            self.push(index, first.pointer(), first.code());
        }
        others
    }

    /// The number of a kind, adding it if it is new.
    fn kind(&mut self, code: Code, end: &str) -> usize {
        let is_kept = self.kinds.len() < MOST_KINDS && end.len() <= LONGEST_END;
        let mut number = self.number_of(code, end);
        if number.is_none() && !is_kept {
            number = self.number_of(code, "");
        }
        number.unwrap_or_else(|| {
            self.kinds
                .push((code, if is_kept { end } else { "" }.into()));
            self.kinds.len() - 1
        })
    }

    fn number_of(&self, code: Code, end: &str) -> Option<usize> {
        let is_it = |(known, kind): &(Code, Box<str>)| *known == code && **kind == *end;
        self.kinds.iter().position(is_it)
    }

    /// The pointer of what is in a recipient.
    fn pointer(&self, index: usize, end: &str) -> String {
        format!("{}/{index}{end}", self.list)
    }

    /// The number of recipients.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The problem that is reported if this recipient is asked for; `None` if it is not rejected.
    pub(crate) fn problem_of(&self, index: usize) -> Option<Problem> {
        let found = self.iter().find(|recipient| recipient.index == index)?;
        Some(Selection::rejected(found.pointer, found.code))
    }

    /// The recipient at this place in the list; see [`Place`].
    fn next(&self, at: &mut Place) -> Option<RejectedRecipient> {
        if at.read == self.numbers.len() {
            return None;
        }
        let index = at.next + read_number(&self.numbers, &mut at.read);
        let (code, end) = &self.kinds[read_number(&self.numbers, &mut at.read)];
        at.next = index + 1;
        Some(RejectedRecipient {
            index,
            pointer: self.pointer(index, end),
            code: *code,
        })
    }

    /// The recipients in their order.
    pub fn iter(&self) -> impl Iterator<Item = RejectedRecipient> + '_ {
        let mut at = Place::default();
        std::iter::from_fn(move || self.next(&mut at))
    }

    /// The recipients in their order, as an iterator that owns them.
    ///
    /// ```
    /// use pmtaemail::Submission;
    ///
    /// let json = br#"{"from": "shop@example.com", "text": "Hello", "invalidRecipients": "skip",
    ///                 "recipients": ["ann@example.org", "nobody"]}"#;
    /// let rejected = Submission::from_json(json)?.receipt().rejected.unwrap().into_recipients();
    /// for recipient in rejected {
    ///     println!("recipient {} gets nothing: {}", recipient.index, recipient.code);
    /// }
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn into_recipients(self) -> impl Iterator<Item = RejectedRecipient> + Send + 'static {
        let mut at = Place::default();
        std::iter::from_fn(move || self.next(&mut at))
    }
}

/// The stored form of the list.
#[cfg(feature = "idempotency")]
#[derive(Debug, Serialize, serde::Deserialize)]
pub(crate) struct StoredRejected {
    list: String,
    kinds: Vec<(String, String)>,
    numbers: Vec<u8>,
    count: usize,
    next: usize,
}

#[cfg(feature = "idempotency")]
impl RejectedRecipients {
    /// The stored form of the list.
    pub(crate) fn store(&self) -> StoredRejected {
        let kinds = self.kinds.iter();
        StoredRejected {
            list: self.list.clone(),
            kinds: kinds
                .map(|(code, end)| (code.as_str().to_owned(), end.to_string()))
                .collect(),
            numbers: self.numbers.clone(),
            count: self.count,
            next: self.next,
        }
    }

    /// Reads the stored form; `None` if it contains an unknown code.
    pub(crate) fn restore(stored: StoredRejected) -> Option<Self> {
        let kinds = stored.kinds.into_iter().map(|(word, end)| {
            let code = Code::ALL.iter().find(|code| code.as_str() == word)?;
            Some((*code, end.into()))
        });
        Some(Self {
            list: stored.list,
            kinds: kinds.collect::<Option<_>>()?,
            numbers: stored.numbers,
            count: stored.count,
            next: stored.next,
        })
    }
}

/// A position in the numbers.
#[derive(Debug, Default)]
struct Place {
    read: usize,
    next: usize,
}

/// Seven bits per byte, the lowest first; all bytes but the last have the highest bit set.
fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = number & 0x7f;
        number >>= 7;
        let has_more = usize::from(number > 0) << 7;
        bytes.push(u8::try_from(low | has_more).expect("it has eight bits"));
        if number == 0 {
            break;
        }
    }
}

fn read_number(bytes: &[u8], at: &mut usize) -> usize {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = bytes[*at];
        *at += 1;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

impl Serialize for RejectedRecipients {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_returned_as_they_were_recorded() {
        let mut rejected = RejectedRecipients::new("/recipients".to_owned());
        let mut expected = Vec::new();
        for (index, end, code) in [
            (0, "", Code::WrongType),
            (1, "/address", Code::InvalidAddress),
            (300, "/address", Code::InvalidAddress),
            (301, "/address", Code::InvalidDomain),
            (5_000_000, "/variables/name", Code::MissingVariable),
        ] {
            let pointer = format!("/recipients/{index}{end}");
            rejected.push(index, &pointer, code);
            expected.push(RejectedRecipient {
                index,
                pointer,
                code,
            });
        }
        assert_eq!((rejected.len(), rejected.is_empty()), (5, false));
        assert_eq!(rejected.iter().collect::<Vec<_>>(), expected);
        let json = serde_json::to_value(&rejected).unwrap();
        let second = serde_json::json!({"index": 1, "pointer": "/recipients/1/address", "code": "invalid_address"});
        assert_eq!(json[1], second);
        assert_eq!(rejected.into_recipients().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_million_take_little_memory() {
        let mut rejected = RejectedRecipients::new("/recipients".to_owned());
        for index in 0..1_000_000 {
            let pointer = format!("/recipients/{index}/variables/{index}");
            rejected.push(index, &pointer, Code::WrongType);
        }
        assert!(rejected.numbers.len() < 4_000_000 && rejected.kinds.len() <= MOST_KINDS + 1);
        let pointer = |index: usize| rejected.iter().nth(index).unwrap().pointer;
        assert_eq!(pointer(9), "/recipients/9/variables/9");
        assert_eq!(pointer(999_999), "/recipients/999999");
    }
}
