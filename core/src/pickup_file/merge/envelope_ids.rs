//! The identifiers by which bounces and accounting are joined with recipients.

use crate::identity::{Id, RecipientIds};
use serde::{Serialize, Serializer};

/// The envelope ids of a merge's recipients, in their order: those that were made here, and `None`
/// for each that the caller gave. Serializes as an array of strings and nulls.
///
/// However many recipients there are, this takes next to no memory: an id is made again each time it
/// is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeIds {
    ids: RecipientIds,
    /// How many in a row were made, were given, were made, …
    runs: Vec<usize>,
}

impl EnvelopeIds {
    pub(super) fn new(ids: RecipientIds) -> Self {
        Self { ids, runs: vec![0] }
    }

    /// The identifier of the next recipient. It is not an envelope id where one was given.
    pub(super) fn next(&mut self, given: bool) -> Id {
        let id = self.ids.id(self.len());
        let is_given = self.runs.len().is_multiple_of(2);
        match self.runs.last_mut() {
            Some(run) if is_given == given => *run += 1,
            _ => self.runs.push(1),
        }
        id
    }

    /// The identifier of the first recipient.
    pub(super) fn first(&self) -> Id {
        self.ids.id(0)
    }

    /// How many recipients there are.
    pub fn len(&self) -> usize {
        self.runs.iter().sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids in the order of the recipients.
    pub fn iter(&self) -> impl Iterator<Item = Option<Id>> + '_ {
        made_ids(self.ids.clone(), self.runs.iter().copied())
    }

    /// The ids in the order of the recipients, for who hands them on bit by bit.
    pub fn into_ids(self) -> impl Iterator<Item = Option<Id>> + Send + 'static {
        made_ids(self.ids, self.runs.into_iter())
    }
}

fn made_ids(
    ids: RecipientIds,
    runs: impl Iterator<Item = usize>,
) -> impl Iterator<Item = Option<Id>> {
    runs.enumerate()
        .flat_map(|(index, run)| std::iter::repeat_n(index % 2 == 1, run))
        .enumerate()
        .map(move |(recipient, given)| (!given).then(|| ids.id(recipient)))
}

impl Serialize for EnvelopeIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    #[test]
    fn envelope_ids_are_made_again_as_they_were() {
        let mut envids = EnvelopeIds::new(RecipientIds::new(&Identity::now()));
        let given = [true, false, false, true, true, false];
        let ids = given.map(|given| envids.next(given));
        let expected = given.into_iter().zip(ids);
        let expected: Vec<_> = expected.map(|(given, id)| (!given).then_some(id)).collect();
        assert_eq!(envids.iter().collect::<Vec<_>>(), expected);
        assert_eq!(envids.clone().into_ids().collect::<Vec<_>>(), expected);
        assert_eq!((envids.len(), envids.is_empty()), (6, false));
        let distinct: std::collections::HashSet<_> = ids.into_iter().collect();
        assert_eq!(distinct.len(), 6);
    }
}
