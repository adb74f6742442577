//! The template as `XPRT` parts, and the lists of those that a recipient has.

use super::blocks::Block;
use super::choice::Choice;
use crate::pickup_file::bsmtp;
use std::fmt::Write;

/// `XPRT N` and the data of each part; their numbers are their places, from 1.
pub(super) fn write(parts: &[Block], out: &mut Vec<u8>) {
    for (index, part) in parts.iter().enumerate() {
        let number = index + 1;
        let last = if number == parts.len() { " LAST" } else { "" };
        out.extend_from_slice(format!("XPRT {number}{last}\r\n").as_bytes());
        out.extend_from_slice(&bsmtp::data(&part.bytes));
    }
}

/// The numbers of the parts that a recipient with these choices has: `1-3,5`.
pub(super) fn list(parts: &[Block], choices: &[Choice]) -> String {
    let mut list = String::new();
    let mut first = None;
    for (number, part) in (1..).zip(parts) {
        if part.condition.is_none_or(|it| it.holds(choices)) {
            first.get_or_insert(number);
        } else if let Some(first) = first.take() {
            push_range(&mut list, first, number - 1);
        }
    }
    if let Some(first) = first {
        push_range(&mut list, first, parts.len());
    }
    list
}

fn push_range(list: &mut String, first: usize, end: usize) {
    let comma = if list.is_empty() { "" } else { "," };
    // Writing to a String cannot fail.
    let _ = if first == end {
        write!(list, "{comma}{first}")
    } else {
        write!(list, "{comma}{first}-{end}")
    };
}
