//! Parts of strings, borrowed if the string is, and names that are compared loosely.

use std::borrow::Cow;
use std::ops::Range;

/// The part `range` of `text`.
pub(crate) fn part<'a>(text: &Cow<'a, str>, range: Range<usize>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    }
}

/// The string, if it is borrowed.
pub(crate) fn borrowed<'a>(text: &Cow<'a, str>) -> Option<&'a str> {
    match text {
        Cow::Borrowed(text) => Some(text),
        Cow::Owned(_) => None,
    }
}

/// The string without surrounding angle brackets; `None` if only one of them is there.
pub(crate) fn without_angle_brackets<'a>(text: &Cow<'a, str>) -> Option<Cow<'a, str>> {
    match (text.starts_with('<'), text.ends_with('>')) {
        (true, true) => Some(part(text, 1..text.len() - 1)),
        (true, false) => None,
        (false, _) => Some(text.clone()),
    }
}

/// The bytes of a text.
pub(crate) fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Whether a string starts with another, ignoring letter case.
pub(crate) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Appends the pieces, one after the other.
pub(crate) fn put(out: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// Whether two field names are the same, ignoring letter case, `_` and `-`.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

/// The name that differs from `name` in at most a third of its letters.
pub(crate) fn nearest(
    names: impl Iterator<Item = &'static str>,
    name: &str,
) -> Option<&'static str> {
    // Longer than any name there is: nothing is near, and the distance would cost its square.
    const LONGEST: usize = 32;
    let name: String = folded(name).take(LONGEST + 1).collect();
    if name.len() > LONGEST {
        return None;
    }
    names
        .map(|known| {
            let folded: String = folded(known).collect();
            (strsim::osa_distance(&folded, &name), known)
        })
        .filter(|(distance, known)| *distance * 3 <= known.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The part of a field name that counts.
pub(crate) fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
}
