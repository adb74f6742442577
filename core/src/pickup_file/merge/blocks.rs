//! The template in blocks of whole lines, some of which not every recipient has.

use super::header::Choice;
use super::plan::Plan;

/// Who has a block: those for whom a place of the template has this form and, for the lines beyond
/// its first, this bit in their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    pub spot: usize,
    pub form: u8,
    pub bit: Option<u32>,
}

impl Condition {
    /// Whether it holds for a recipient with these choices.
    pub fn holds(self, choices: &[Choice]) -> bool {
        choices.get(self.spot).is_some_and(|choice| {
            choice.form == self.form && self.bit.is_none_or(|bit| choice.more >> bit & 1 == 1)
        })
    }
}

/// Lines of the template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub octets: Vec<u8>,
    /// `None`: everybody has it.
    pub condition: Option<Condition>,
}

const FORMS: usize = 4;
const BITS: usize = 8;

/// For how many recipients of a file each condition holds.
#[derive(Debug)]
pub(super) struct Counts {
    recipients: usize,
    spots: Vec<SpotCounts>,
    /// Whether any place has another form than its first.
    are_varied: bool,
}

#[derive(Debug, Clone)]
struct SpotCounts {
    /// How many blocks a condition on this place stands for.
    weight: usize,
    forms: [usize; FORMS],
    bits: [[usize; BITS]; FORMS],
}

/// The list of a recipient's parts must fit in a line.
const MOST_CONDITIONS: usize = 96;

impl Counts {
    pub fn new(plan: &Plan<'_>) -> Self {
        let fields = plan.fields.iter().map(|_| 1);
        let bodies = plan.bodies.iter().map(|variable| variable.occurrences);
        let spots = fields.chain(bodies).map(|weight| SpotCounts {
            weight,
            forms: [0; FORMS],
            bits: [[0; BITS]; FORMS],
        });
        Self {
            recipients: 0,
            spots: spots.collect(),
            are_varied: false,
        }
    }

    pub fn add(&mut self, choices: &[Choice]) {
        self.recipients += 1;
        self.change(choices, |count| *count += 1);
    }

    pub fn take_back(&mut self, choices: &[Choice]) {
        self.recipients -= 1;
        self.change(choices, |count| *count -= 1);
    }

    fn change(&mut self, choices: &[Choice], change: impl Fn(&mut usize)) {
        for (spot, choice) in self.spots.iter_mut().zip(choices) {
            let form = usize::from(choice.form) % FORMS;
            change(&mut spot.forms[form]);
            if *choice == Choice::default() {
                continue;
            }
            self.are_varied = true;
            for (bit, count) in spot.bits[form].iter_mut().enumerate() {
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
        let of_spot = |spot: &SpotCounts| {
            let counts = spot.forms.iter().chain(spot.bits.as_flattened());
            counts.filter(is_mixed).count() * spot.weight
        };
        self.spots.iter().map(of_spot).sum::<usize>() > MOST_CONDITIONS
    }

    /// Whether a place has more than one line for anybody.
    pub fn has_lines(&self, spot: usize) -> bool {
        let spot = self.spots.get(spot);
        spot.is_some_and(|spot| spot.bits.as_flattened().iter().any(|count| *count > 0))
    }

    fn count(&self, condition: Condition) -> usize {
        let form = usize::from(condition.form) % FORMS;
        self.spots
            .get(condition.spot)
            .map_or(0, |spot| match condition.bit {
                None => spot.forms[form],
                Some(bit) => spot.bits[form].get(bit as usize).copied().unwrap_or(0),
            })
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
                block.octets.extend_from_slice(lines);
            }
            _ => self.done.push(Block {
                octets: lines.to_vec(),
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
                octets: std::mem::take(&mut self.common),
                condition: None,
            });
        }
    }
}
