//! The virtual MTAs that the mail of a submission is for.

use std::collections::BTreeSet;

/// The virtual MTAs, or pools of them, that a submission names: its own, and those of the recipients of a merge.
///
#[cfg_attr(feature = "queue", doc = "```")]
#[cfg_attr(not(feature = "queue"), doc = "```ignore")]
/// use pmtaemail::{Parcel, VirtualMtas};
///
/// fn describe(parcel: &Parcel) -> String {
///     let vmtas: &VirtualMtas = &parcel.virtual_mtas;
///     if vmtas.is_cut() {
///         return format!("more than {} virtual MTAs", VirtualMtas::MOST);
///     }
///     let names: Vec<&str> = vmtas.iter().flatten().collect();
///     names.join(", ")
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VirtualMtas {
    /// `None` stands for messages that name none.
    names: BTreeSet<Option<Box<str>>>,
    is_cut: bool,
}

impl VirtualMtas {
    /// How many different ones are kept. No PowerMTA has this many, but a merge could name a different one for each
    /// recipient.
    pub const MOST: usize = 256;

    /// Each of them once; `None` stands for mail that names none.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.names.iter().map(Option::as_deref)
    }

    /// Whether there are more than [`MOST`](Self::MOST).
    #[cfg(any(feature = "queue", test))]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Adds that of one message.
    pub(crate) fn add(&mut self, name: Option<&str>) {
        if self.is_cut {
            return;
        }
        // There are few, most often one.
        if self.iter().any(|known| known == name) {
            return;
        }
        if self.names.len() == Self::MOST {
            self.is_cut = true;
        } else {
            self.names.insert(name.map(Box::from));
        }
    }

    /// Adds those of another submission.
    #[cfg(feature = "queue")]
    pub(crate) fn add_all(&mut self, other: &Self) {
        other.iter().for_each(|name| self.add(name));
        self.is_cut |= other.is_cut;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once_and_not_too_many() {
        let mut all = VirtualMtas::default();
        for name in [Some("b"), None, Some("a"), Some("b"), None] {
            all.add(name);
        }
        assert_eq!(all.iter().collect::<Vec<_>>(), [None, Some("a"), Some("b")]);
        assert!(!all.is_cut());
        for number in 0..VirtualMtas::MOST {
            all.add(Some(&number.to_string()));
        }
        assert_eq!(
            (all.iter().count(), all.is_cut()),
            (VirtualMtas::MOST, true)
        );
    }
}
