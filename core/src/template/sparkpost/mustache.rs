//! AMP templates within HTML (`<template type="amp-mustache">`): mail programs fill them in, and nearly all of their
//! braces are kept.

use crate::text::starts_with_ignoring_case;
use std::ops::Range;

/// The positions of such templates in a text.
#[derive(Debug, Default)]
pub(super) struct Mustache {
    /// In order.
    ranges: Vec<Range<usize>>,
}

impl Mustache {
    pub fn find(html: &str) -> Self {
        const WORD: &[u8] = b"amp-mustache";

        let mut ranges = Vec::new();
        let mut at = 0;
        if memchr::memmem::find(html.as_bytes(), WORD).is_none() {
            return Self::default();
        }
        while let Some((open, end_tag)) = next_element(html, at) {
            let Some(length) = html[open..].find('>') else {
                break;
            };
            at = open + length + 1;
            if memchr::memmem::find(&html.as_bytes()[open..at], WORD).is_none() {
                continue;
            }
            let end = find_ignoring_case(&html[at..], end_tag);
            let end = end.map_or(html.len(), |length| at + length);
            ranges.push(at..end);
            at = end;
        }
        Self { ranges }
    }

    /// Whether the braces that open at `open` are left to mail programs.
    pub fn keeps(&self, open: usize, inner: &str) -> bool {
        let next = self.ranges.partition_point(|range| range.end <= open);
        let is_within = self
            .ranges
            .get(next)
            .is_some_and(|range| range.start <= open);
        is_within && !is_ours(inner.trim())
    }
}

/// Whether braces are interpreted here nevertheless, as SparkPost documents.
fn is_ours(inner: &str) -> bool {
    let macros = [
        "opening_double_curly",
        "closing_double_curly",
        "opening_triple_curly",
        "closing_triple_curly",
    ];
    inner.contains("sparkpost")
        || inner.contains("loop_var")
        || matches!(inner, "else" | "end")
        || macros.iter().any(|name| inner.starts_with(name))
}

/// The position of the next element that may contain a template, and how its end tag starts.
fn next_element(html: &str, from: usize) -> Option<(usize, &'static str)> {
    const ELEMENTS: [(&str, &str); 2] = [("<template", "</template"), ("<script", "</script")];

    let mut opens = memchr::memchr_iter(b'<', &html.as_bytes()[from..]).map(|at| from + at);
    opens.find_map(|open| {
        let is = |name| starts_with_ignoring_case(&html[open..], name);
        let mut elements = ELEMENTS.into_iter();
        elements.find_map(|(name, end_tag)| is(name).then_some((open, end_tag)))
    })
}

fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    let mut starts = memchr::memchr_iter(b'<', text.as_bytes());
    starts.find(|at| starts_with_ignoring_case(&text[*at..], word))
}
