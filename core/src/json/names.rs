//! Field names, compared without regard to letter case, `_` and `-`: `replyTo`, `reply_to` and `ReplyTo` are one field.

use super::row::Row;
use crate::problem::{Code, Location, ProblemReport};
use crate::text::{nearest, same_name};

/// The index of the field that `name` means.
pub(super) fn find(rows: &[Row], name: &str) -> Option<usize> {
    rows.iter()
        .position(|row| row.names().any(|known| same_name(known, name)))
}

/// The index of the field with this documented name, for constants.
pub(super) const fn index_of(rows: &[Row], name: &str) -> usize {
    let mut index = 0;
    while !is_same(rows[index].name.as_bytes(), name.as_bytes()) {
        index += 1;
    }
    index
}

const fn is_same(name: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() && at < other.len() && name[at] == other[at] {
        at += 1;
    }
    at == name.len() && at == other.len()
}

/// Reports that no field has the name of `location`, and the most similar name.
pub(super) fn unknown(report: &mut ProblemReport<'_>, location: Location, rows: &[Row]) {
    let known = rows.iter().flat_map(Row::names);
    // Among very many problems a hint is read by nobody, and takes the longest.
    let name = report.name(location).filter(|_| !report.is_full());
    let nearest = name.and_then(|name| nearest(known, name));
    let detail = match nearest {
        Some(known) => format!("There is no field with this name; did you mean `{known}`?"),
        None => "There is no field with this name.".to_owned(),
    };
    report.problem(location, Code::UnknownField, detail);
}

/// Reports that the field of `location` was given before.
pub(super) fn duplicate(report: &mut ProblemReport<'_>, location: Location) {
    let detail = "This field is given twice; names are compared ignoring case, `_` and `-`.";
    report.problem(location, Code::DuplicateField, detail);
}

/// Reports that an object contains a name of the caller twice.
pub(super) fn repeated(report: &mut ProblemReport<'_>, location: Location) {
    let detail = "This name is given twice.";
    report.problem(location, Code::DuplicateField, detail);
}
