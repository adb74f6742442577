//! How much waits for how much else: the only such numbers outside of the pickup directory, whose
//! group commit has its own.

/// The files of a message whose commit is due are open, and a process may often open 1,024.
pub(super) const FILES: usize = 256;

/// Results and errors wait in memory too.
const MESSAGES: u32 = 256;

/// Rendered messages wait in memory.
const SIZE: u32 = 32 << 20;

/// The files of a mail merge stay in memory up to this size; more are written as they are made.
pub(super) const MERGE_SIZE: u64 = 1 << 20;

/// The messages of a batch in JSON that are about to be submitted together wait in memory too. They are written
/// as soon as they are rendered.
const ENTRIES: usize = FILES;
const ENTRIES_SIZE: usize = 4 << 20;

/// JavaScript's messages are written down before they are given to a [`Batch`](super::Batch), and so
/// are twice in memory.
const COLLECTED_SIZE: u32 = SIZE / 2;

/// While one group waits for the disk the next is prepared. A third was no gain, and Node has four
/// threads for all that blocks.
const GROUPS_AT_A_TIME: u32 = 2;

/// How much goes into a group of messages that are made durable together.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct GroupSize {
    pub messages: u32,
    pub files: usize,
    pub bytes: u64,
}

impl GroupSize {
    pub fn is_full(self) -> bool {
        self.messages >= MESSAGES || self.files >= FILES || self.bytes >= u64::from(SIZE)
    }
}

/// How much of a batch goes into a group that is submitted together.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryGroup {
    pub messages: usize,
    /// Of JSON.
    pub bytes: usize,
}

impl EntryGroup {
    /// As much as goes into one where nothing else is asked for.
    pub const MOST: Self = Self {
        messages: ENTRIES,
        bytes: ENTRIES_SIZE,
    };

    pub fn is_full(self, most: Self) -> bool {
        self.messages >= most.messages || self.bytes >= most.bytes
    }
}

/// Limits for a program that collects messages in a form of its own before it pushes them to a [`Batch`](super::Batch),
/// because each call costs something: the Node package is one.
///
/// ```
/// use pmtaemail::GroupLimits;
///
/// fn is_full(messages: &[Vec<u8>]) -> bool {
///     let limits = GroupLimits::get();
///     let size: usize = messages.iter().map(Vec::len).sum();
///     messages.len() >= limits.messages as usize || size >= limits.size as usize
/// }
/// assert!(!is_full(&[b"{}".to_vec()]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupLimits {
    /// A group with this many messages is full.
    pub messages: u32,
    /// A group with this many bytes is full.
    pub size: u32,
    /// How many groups should be submitted at the same time. Others wait meanwhile and grow: the busier the disk, the
    /// larger the groups.
    pub groups: u32,
}

impl GroupLimits {
    /// The limits that suit [`Batch`](super::Batch).
    pub const fn get() -> Self {
        Self {
            messages: MESSAGES,
            size: COLLECTED_SIZE,
            groups: GROUPS_AT_A_TIME,
        }
    }
}
