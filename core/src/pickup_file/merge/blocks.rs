//! The template in blocks of whole lines, some of which not every recipient has.

use super::choice::Choice;
use super::plan::Plan;

/// Who has a block: those for whom what stands at a marker is written in this variant and, for the
/// lines beyond its first, who have this bit in their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    pub marker: usize,
    pub variant: u8,
    pub bit: Option<u32>,
}

impl Condition {
    /// Whether it holds for a recipient with these choices.
    pub fn holds(self, choices: &[Choice]) -> bool {
        let choice = &choices[self.marker];
        choice.variant == self.variant && self.bit.is_none_or(|bit| choice.more >> bit & 1 == 1)
    }
}

/// Lines of the template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub bytes: Vec<u8>,
    /// `None`: everybody has it.
    pub condition: Option<Condition>,
}

/// Those of the urgency are none and five levels.
const VARIANTS: usize = 6;
const BITS: usize = 8;

/// For how many recipients of a file each condition holds.
#[derive(Debug)]
pub(super) struct Counts {
    recipients: usize,
    markers: Vec<MarkerCounts>,
    /// Whether anything is written in another variant than its first.
    are_varied: bool,
}

#[derive(Debug, Clone)]
struct MarkerCounts {
    /// How many blocks a condition on this marker stands for.
    weight: usize,
    variants: [usize; VARIANTS],
    bits: [[usize; BITS]; VARIANTS],
}

/// The list of a recipient's parts must fit in a line.
const MOST_CONDITIONS: usize = 96;

impl Counts {
    pub fn new(plan: &Plan<'_>) -> Self {
        let fields = plan.fields.iter().map(|_| 1);
        let bodies = plan.bodies.iter().map(|variable| variable.occurrences);
        let markers = fields.chain(bodies).map(|weight| MarkerCounts {
            weight,
            variants: [0; VARIANTS],
            bits: [[0; BITS]; VARIANTS],
        });
        Self {
            recipients: 0,
            markers: markers.collect(),
            are_varied: false,
        }
    }

    pub fn add(&mut self, choices: &[Choice]) {
        self.recipients += 1;
        self.change(choices, |count| *count += 1);
    }

    pub fn remove(&mut self, choices: &[Choice]) {
        self.recipients -= 1;
        self.change(choices, |count| *count -= 1);
    }

    fn change(&mut self, choices: &[Choice], change: impl Fn(&mut usize)) {
        for (marker, choice) in self.markers.iter_mut().zip(choices) {
            let variant = usize::from(choice.variant);
            change(&mut marker.variants[variant]);
            if *choice == Choice::default() {
                continue;
            }
            self.are_varied = true;
            for (bit, count) in marker.bits[variant].iter_mut().enumerate() {
                if choice.more >> bit & 1 == 1 {
                    change(count);
                }
            }
        }
    }

    /// Whether there would be more conditions than a recipient could list.
    pub fn are_too_many(&self) -> bool {
        if !self.are_varied {
            return false;
        }
        let is_mixed = |count: &&usize| **count > 0 && **count < self.recipients;
        let of_marker = |marker: &MarkerCounts| {
            let counts = marker.variants.iter().chain(marker.bits.as_flattened());
            counts.filter(is_mixed).count() * marker.weight
        };
        self.markers.iter().map(of_marker).sum::<usize>() > MOST_CONDITIONS
    }

    /// Whether what stands at a marker has more than one line for anybody.
    pub fn has_lines(&self, marker: usize) -> bool {
        let bits = self.markers[marker].bits.as_flattened();
        bits.iter().any(|count| *count > 0)
    }

    fn count(&self, condition: Condition) -> usize {
        let marker = &self.markers[condition.marker];
        let variant = usize::from(condition.variant);
        match condition.bit {
            None => marker.variants[variant],
            Some(bit) => marker.bits[variant][bit as usize],
        }
    }
}

/// Collects blocks.
pub(super) struct Blocks<'c> {
    counts: &'c Counts,
    done: Vec<Block>,
    /// What everybody has and is not yet a block.
    common: Vec<u8>,
}

impl<'c> Blocks<'c> {
    pub fn new(counts: &'c Counts) -> Self {
        Self {
            counts,
            done: Vec::new(),
            common: Vec::new(),
        }
    }

    /// Where what everybody has is appended.
    pub fn common(&mut self) -> &mut Vec<u8> {
        &mut self.common
    }

    /// Takes the line that is not ended yet.
    pub fn take_line(&mut self) -> Vec<u8> {
        let start = memchr::memrchr(b'\n', &self.common).map_or(0, |at| at + 1);
        self.common.split_off(start)
    }

    /// Whether the condition holds for anybody.
    pub fn has(&self, condition: Condition) -> bool {
        self.counts.count(condition) > 0
    }

    /// Appends whole lines for those for whom the condition holds.
    pub fn lines(&mut self, condition: Condition, lines: &[u8]) {
        let count = self.counts.count(condition);
        if count == 0 || lines.is_empty() {
            return;
        }
        if count == self.counts.recipients {
            return self.common.extend_from_slice(lines);
        }
        self.end_common();
        match self.done.last_mut() {
            Some(block) if block.condition == Some(condition) => {
                block.bytes.extend_from_slice(lines);
            }
            _ => self.done.push(Block {
                bytes: lines.to_vec(),
                condition: Some(condition),
            }),
        }
    }

    pub fn finish(mut self) -> Vec<Block> {
        self.end_common();
        self.done
    }

    fn end_common(&mut self) {
        if !self.common.is_empty() {
            self.done.push(Block {
                bytes: std::mem::take(&mut self.common),
                condition: None,
            });
        }
    }
}
