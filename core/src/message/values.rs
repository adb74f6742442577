//! Values that several fields have: a choice of words, a text of the header, an envelope sender.

use crate::address::ReversePath;
use crate::characters::has_control_except_tab;
use crate::json::Located;
use crate::problem::{Code, OrRefuse, ProblemReport};
use std::borrow::Cow;

/// The envelope's sender.
pub(super) fn read_sender<'a>(
    sender: &Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Option<ReversePath<'a>> {
    ReversePath::read(&sender.value).or_refuse(sender.location, report)
}

/// Text for an unstructured field: anything but control characters, tabs excepted.
pub(super) fn header_text<'a>(
    text: Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Cow<'a, str> {
    if has_control_except_tab(&text.value) {
        let detail = "A header field may not hold line ends or other control characters.";
        report.problem(text.location, Code::ControlCharacter, detail);
    }
    text.value
}

/// One of the words that the field knows, in any letter case.
pub(super) fn choice<T: Copy>(
    word: &Located<Cow<'_, str>>,
    choices: &[(&'static str, T)],
    report: &mut ProblemReport<'_>,
) -> Option<T> {
    let known = choices
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(&word.value));
    if known.is_none() {
        let words: Vec<String> = choices
            .iter()
            .map(|(known, _)| format!("`{known}`"))
            .collect();
        let detail = format!("This must be one of {}.", words.join(", "));
        report.problem(word.location, Code::InvalidChoice, detail);
    }
    known.map(|(_, meaning)| *meaning)
}
