//! The sender's priority, in the header.

use crate::header::HeaderSection;
use crate::json::{Choice, Priority};
use crate::problem::{Code, Refusal};
use crate::syntax::without_comments;

/// The values of X-Priority and Importance. If only one is given, the other follows from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Urgency {
    /// From 1, the highest, to 5.
    number: Option<u8>,
    word: Option<Priority>,
}

impl From<Priority> for Urgency {
    fn from(word: Priority) -> Self {
        Self {
            number: None,
            word: Some(word),
        }
    }
}

impl Urgency {
    /// Parses the body of X-Priority, including its comment: `1 (Highest)`.
    pub fn from_number(text: &str) -> Result<Self, Refusal> {
        match without_comments(text).as_deref().map(str::as_bytes) {
            Ok([digit @ b'1'..=b'5']) => Ok(Self {
                number: Some(digit - b'0'),
                word: None,
            }),
            _ => Err(Refusal::new(
                Code::InvalidChoice,
                "X-Priority must be a number from 1, the highest, to 5, optionally followed by a comment.",
            )),
        }
    }

    /// Parses the body of Importance.
    pub fn from_word(text: &str) -> Result<Self, Refusal> {
        let text = without_comments(text).ok();
        let known = text.and_then(|text| {
            let mut known = Priority::WORDS.iter();
            known.find(|(word, _)| word.eq_ignore_ascii_case(&text))
        });
        known.map(|(_, word)| Self::from(*word)).ok_or_else(|| {
            let detail = format!("This must be {}.", Priority::expected());
            Refusal::with_detail(Code::InvalidChoice, detail)
        })
    }

    /// What both say together.
    pub fn and(self, other: Self) -> Result<Self, Refusal> {
        let both = Self {
            number: self.number.or(other.number),
            word: self.word.or(other.word),
        };
        let agree = match (both.number, both.word) {
            (Some(number), Some(word)) => word_of(number) == word,
            _ => true,
        };
        if agree {
            Ok(both)
        } else {
            Err(Refusal::new(
                Code::Conflict,
                "X-Priority and Importance contradict each other: 1 and 2 are high, 3 is normal, 4 \
                 and 5 are low.",
            ))
        }
    }

    /// The number for X-Priority; `None` if nothing is given.
    pub fn number(self) -> Option<u8> {
        self.number.or(self.word.map(|word| match word {
            Priority::High => 1,
            Priority::Normal => 3,
            Priority::Low => 5,
        }))
    }

    /// Writes X-Priority and Importance, if anything is given.
    pub fn write(self, header: &mut HeaderSection<'_>) {
        if let Some(number) = self.number() {
            write_number(number, header);
        }
    }
}

/// Writes X-Priority with this number, and Importance.
pub(crate) fn write_number(number: u8, header: &mut HeaderSection<'_>) {
    let digit = [b'0' + number];
    let number_text = std::str::from_utf8(&digit).expect("a digit is ASCII");
    header.tokens("X-Priority", [number_text]);
    let word = match word_of(number) {
        Priority::High => "high",
        Priority::Normal => "normal",
        Priority::Low => "low",
    };
    header.tokens("Importance", [word]);
}

fn word_of(number: u8) -> Priority {
    match number {
        ..=2 => Priority::High,
        3 => Priority::Normal,
        4.. => Priority::Low,
    }
}
