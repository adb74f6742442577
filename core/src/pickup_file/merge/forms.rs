//! The forms in which recipients have a field of the header, and the parts of the template that they need.
//!
//! A line of the header cannot be empty, as a line of a body can. So a field that differs between recipients has a part
//! for each of its forms, and a form with several lines has a part for each line that only some recipients have. What
//! everybody has needs no condition:
//!
//! ```text
//! Subject: [d]      those whose subject is computed, which has two lines for some …
//!  [d2]             … and this for those with two
//! Subject: Hello [e]                those with the value as it is
//! ```

use std::fmt::Write;

/// How a field is written for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub variant: u8,
    /// The number of its lines, from 1 to [`MOST_LINES`].
    pub lines: u8,
}

/// Text that contains values, or is entirely computed.
pub(super) const INLINE: u8 = 0;
pub(super) const LINES: u8 = 1;
/// The recipient has no value of its own, so the field is the same for all of these.
pub(super) const COMMON: u8 = 2;
/// The recipient has its own field instead.
pub(super) const REPLACED: u8 = 3;
/// Those of the priority are none and five levels.
const VARIANTS: usize = 6;

/// No header field of a mail has more.
pub(super) const MOST_LINES: usize = u64::BITS as usize;

/// The maximum number of parts in a template: PowerMTA documents no limit, and programs in production stay below a
/// hundred.
const MOST_PARTS: usize = 96;

impl Form {
    /// A form of one line.
    pub const fn of(variant: u8) -> Self {
        Self { variant, lines: 1 }
    }
}

/// The forms in which the recipients of a file have one field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Forms {
    /// For each variant, a bit set of its numbers of lines; the lowest bit stands for one.
    lines: [u64; VARIANTS],
}

impl Forms {
    /// These and another one.
    pub fn with(mut self, form: Form) -> Self {
        self.lines[usize::from(form.variant)] |= 1 << (form.lines - 1);
        self
    }

    /// Whether anybody has this variant.
    pub fn has(self, variant: u8) -> bool {
        self.lines[usize::from(variant)] != 0
    }

    /// The numbers of lines that a variant has, rising.
    pub fn lines(self, variant: u8) -> impl Iterator<Item = u8> {
        let lines = self.lines[usize::from(variant)];
        (1..)
            .zip((0..u64::BITS).map(move |bit| lines >> bit & 1 == 1))
            .filter_map(|(number, is)| is.then_some(number))
    }

    /// Whether everybody has a line of a variant.
    fn is_for_all(self, variant: u8, line: u8) -> bool {
        let others = (0..)
            .zip(self.lines)
            .all(|(other, lines)| other == variant || lines == 0);
        others
            && self
                .lines(variant)
                .next()
                .is_some_and(|least| least >= line)
    }

    /// The maximum number of parts that it needs: one for each form, and what everybody has between them.
    fn parts(self) -> usize {
        let forms: u32 = self.lines.iter().map(|lines| lines.count_ones()).sum();
        match forms {
            0 | 1 => 0,
            forms => forms as usize + 2,
        }
    }
}

/// Whether a template can have this many variations.
pub(super) fn fit_parts(fields: impl Iterator<Item = Forms>) -> bool {
    fields.map(Forms::parts).sum::<usize>() < MOST_PARTS
}

/// Who has a part: those for whom a field is written in this variant with at least this many lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Condition {
    field: usize,
    variant: u8,
    line: u8,
}

/// The parts of a template.
#[derive(Debug)]
pub(super) struct Parts<'f> {
    forms: &'f [Forms],
    /// Each consists of whole lines. Those without a condition are for everybody.
    parts: Vec<(Option<Condition>, Vec<u8>)>,
}

impl<'f> Parts<'f> {
    pub fn new(forms: &'f [Forms]) -> Self {
        let parts = Vec::new();
        Self { forms, parts }
    }

    /// Appends lines for everybody.
    pub fn common(&mut self, lines: &[u8]) {
        self.push(None, lines);
    }

    /// Appends lines for those who have a line of a variant.
    pub fn lines(&mut self, field: usize, variant: u8, line: u8, lines: &[u8]) {
        if !self.forms[field].has(variant) {
            return;
        }
        let is_for_all = self.forms[field].is_for_all(variant, line);
        let condition = Condition {
            field,
            variant,
            line,
        };
        self.push((!is_for_all).then_some(condition), lines);
    }

    fn push(&mut self, condition: Option<Condition>, lines: &[u8]) {
        match self.parts.last_mut() {
            _ if lines.is_empty() => {}
            Some((known, part)) if *known == condition => part.extend_from_slice(lines),
            _ => self.parts.push((condition, lines.to_vec())),
        }
    }

    /// The parts in order; their numbers are their places, from 1.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.parts.iter().map(|(_, part)| part.as_slice())
    }

    /// The numbers of the parts for a recipient with these forms of the fields: `1,2,5`. `None` if everybody has all of
    /// them, in which case there is no list.
    pub fn list(&self, forms: &[Form]) -> Option<String> {
        if self.parts.len() == 1 {
            return None;
        }
        let mut list = String::new();
        for (number, (condition, _)) in (1..).zip(&self.parts) {
            let holds = condition.is_none_or(|condition| {
                let form = forms[condition.field];
                form.variant == condition.variant && form.lines >= condition.line
            });
            if holds {
                let comma = if list.is_empty() { "" } else { "," };
                // Writing to a String cannot fail.
                let _ = write!(list, "{comma}{number}");
            }
        }
        Some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_the_parts_of_their_forms() {
        let [one, three, inline] =
            [(LINES, 1), (LINES, 3), (INLINE, 1)].map(|(variant, lines)| Form { variant, lines });
        let forms = [one, three, inline].map(|form| Forms::default().with(form));
        assert_eq!(forms.map(Forms::parts), [0; 3]);
        let both = forms[0].with(three);
        assert!(both.is_for_all(LINES, 1) && !both.is_for_all(LINES, 2));
        assert_eq!(both.lines(LINES).collect::<Vec<_>>(), [1, 3]);
        let all = both.with(inline);
        assert!(!all.is_for_all(LINES, 1) && !all.has(COMMON));

        let fields = [all];
        let mut parts = Parts::new(&fields);
        parts.common(b"1");
        parts.lines(0, INLINE, 1, b"2");
        parts.lines(0, COMMON, 1, b"nobody");
        parts.lines(0, LINES, 1, b"3");
        parts.lines(0, LINES, 3, b"4");
        parts.lines(0, LINES, 3, b"4");
        parts.common(b"5");
        let texts: Vec<_> = parts.iter().collect();
        assert_eq!(texts, [b"1".as_slice(), b"2", b"3", b"44", b"5"]);
        assert_eq!(parts.list(&[one]).as_deref(), Some("1,3,5"));
        assert_eq!(parts.list(&[three]).as_deref(), Some("1,3,4,5"));
        assert_eq!(parts.list(&[inline]).as_deref(), Some("1,2,5"));
        assert!(parts.iter().len() <= 1 + all.parts());
    }

    #[test]
    fn a_template_is_only_so_varied() {
        let varied = |forms: u8| {
            (1..=forms).fold(Forms::default(), |all, lines| {
                let variant = LINES;
                all.with(Form { variant, lines })
            })
        };
        assert!(fit_parts(std::iter::repeat_n(varied(1), 1_000)));
        assert!(fit_parts([varied(2); 23].into_iter()));
        assert!(!fit_parts([varied(2); 24].into_iter()));
        assert!(!fit_parts([varied(50), varied(50)].into_iter()));
    }
}
