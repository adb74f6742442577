//! What a power cut leaves.

use std::str::FromStr;

use super::tree::{Body, Tree};

/// What is on the disk of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    Nothing,
    /// Names, but no data: files are as they were synced last, or empty.
    Names,
    /// Data, but no names.
    Data,
    /// All.
    Everything,
    /// Some changes of names, and some pages of each file.
    Random,
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "nothing" => Self::Nothing,
            "names" => Self::Names,
            "data" => Self::Data,
            "everything" => Self::Everything,
            "random" => Self::Random,
            _ => {
                return Err(format!(
                    "{word} is none of nothing, names, data, everything, random"
                ));
            }
        })
    }
}

/// Leaves of the tree what is on the disk.
pub fn crash(tree: &mut Tree, policy: Policy, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let changes = tree.take_pending(|_| match policy {
        Policy::Names | Policy::Everything => true,
        Policy::Random => random.bool(),
        Policy::Nothing | Policy::Data => false,
    });
    tree.make_durable(&changes);
    let mut numbers: Vec<_> = tree.nodes.keys().copied().collect();
    // In an order that a seed brings about again.
    numbers.sort_unstable();
    for number in numbers {
        if let Some(Body::File(content)) = tree.nodes.get_mut(&number).map(|node| &mut node.body) {
            content.crash(|| match policy {
                Policy::Data | Policy::Everything => true,
                Policy::Random => random.bool(),
                Policy::Nothing | Policy::Names => false,
            });
        }
    }
    tree.restart();
}
