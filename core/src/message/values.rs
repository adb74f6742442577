//! Values that several fields have: a choice of words, a text of the header, an envelope sender.

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

/// Text for an unstructured field: anything but control characters, tabs excepted.
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

/// What a word means; `None` if it is none that the field knows.
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

/// Notes that there are values and no word on how texts ask for them: they are not dropped without
/// one.
pub(super) fn require_language(report: &mut ProblemReport<'_>) {
    let detail = "Variables are given, so the language of the texts is required: `merge`, `jinja`, `sparkpost` or `none`.";
    report.missing(Location::ROOT, &["template"], Code::MissingField, detail);
}
