//! Values that several fields have: a choice of words, a header text, an envelope sender.

use crate::address::ReversePath;
use crate::json::{Choice, JsonWord, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport};
use crate::syntax::has_control_except_tab;
use std::borrow::Cow;

/// The envelope's sender.
pub(super) fn read_sender<'a>(
    sender: &Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Option<ReversePath<'a>> {
    ReversePath::read(&sender.value).or_refuse(sender.location, report)
}

/// Text for an unstructured field: anything except control characters other than tabs.
pub(super) fn header_text<'a>(
    text: Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Cow<'a, str> {
    if has_control_except_tab(&text.value) {
        let detail = "A header field may not contain line breaks or other control characters.";
        report.problem(text.location, Code::ControlCharacter, detail);
    }
    text.value
}

/// The meaning of a word; `None` if the field does not accept it.
pub(super) fn choice<C: Choice>(
    word: &Located<JsonWord<'_, C>>,
    report: &mut ProblemReport<'_>,
) -> Option<C> {
    let meaning = word.value.meaning();
    if meaning.is_none() {
        let detail = format!("This must be {}.", C::expected());
        report.problem(word.location, Code::InvalidChoice, detail);
    }
    meaning
}

/// Reports values if no template language is given: they are not dropped silently.
pub(super) fn require_language(report: &mut ProblemReport<'_>) {
    let detail = "Variables are given, so the language of the texts is required: `merge`, `jinja`, `sparkpost` or `none`.";
    report.missing(Location::ROOT, &["template"], Code::MissingField, detail);
}
