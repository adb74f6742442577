//! Problems: that they say where, and repeat nothing.

use crate::words::CANARY;
use pmtaemail::Problems;
use serde_json::Value;

/// Judges what is said of a message in JSON.
pub fn judge(json: &[u8], problems: &Problems) {
    assert!(problems.len() > 0 && problems.total() >= problems.len());
    // Of a member that is there twice, this is the last one.
    let mut codes = problems.iter().map(|problem| problem.code().as_str());
    let is_twice = codes.any(|code| code == "duplicate_field");
    let value: Option<Value> = serde_json::from_slice(json).ok().filter(|_| !is_twice);
    for problem in problems {
        check_sentence(problem.detail());
        if let Some(value) = &value {
            let pointer = problem.pointer();
            assert!(is_place(value, pointer), "{pointer:?} points to nothing");
        }
    }
}

/// A sentence has fixed words, and no control character of a caller's.
pub fn check_sentence(sentence: &str) {
    assert!(!sentence.is_empty(), "a problem without a sentence");
    assert!(!sentence.contains(CANARY), "a caller's value in a sentence");
    assert!(
        !sentence.contains(char::is_control),
        "a control character in a sentence"
    );
}

/// Whether there is such a place in the value, or something around it that lacks it: all but an array, whose elements
/// are those that are there.
fn is_place(value: &Value, pointer: &str) -> bool {
    let mut around = pointer;
    let mut lacked = "";
    while value.pointer(around).is_none() {
        let Some((parent, name)) = around.rsplit_once('/') else {
            return false;
        };
        (around, lacked) = (parent, name);
    }
    let is_array = value.pointer(around).is_some_and(Value::is_array);
    !is_array || lacked.parse::<usize>().is_err()
}
