//! Suggestions for misspelled names.

/// The name that is most similar to an unknown word.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &&str| strsim::damerau_levenshtein(name, word);
    names.into_iter().min_by_key(distance)
}
