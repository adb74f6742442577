//! Finds what of a template stands outside of all its tags.

use std::ops::Range;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Section {
    /// Text that is written as it stands, once.
    Text(Range<usize>),
    /// One or more tags and what stands between a block's.
    Tags {
        range: Range<usize>,
        /// It is one `{{ … }}`, in a template where nothing is set.
        is_pure: bool,
    },
}

/// Blocks with a body, up to the tag of the same name with `end` before it.
const BLOCKS: [&str; 8] = [
    "if",
    "for",
    "with",
    "filter",
    "autoescape",
    "macro",
    "call",
    "set",
];

/// The pieces of a template that can be compiled. Where it holds a tag that is not known here, all of
/// it is one piece.
pub(super) fn scan(source: &str) -> Vec<Section> {
    let mut scanner = Scanner {
        source,
        sections: Vec::new(),
        depth: 0,
        sets: false,
        trims: false,
    };
    if scanner.run().is_none() {
        let range = 0..source.len();
        return vec![Section::Tags {
            range,
            is_pure: false,
        }];
    }
    let sets = scanner.sets;
    let mut sections = scanner.sections;
    for section in &mut sections {
        if let Section::Tags { is_pure, .. } = section {
            *is_pure &= !sets;
        }
    }
    sections
}

struct Scanner<'s> {
    source: &'s str,
    sections: Vec<Section>,
    /// How many blocks are open.
    depth: usize,
    /// Variables get other values on the way.
    sets: bool,
    /// The tag before takes away white space that follows.
    trims: bool,
}

impl Scanner<'_> {
    fn run(&mut self) -> Option<()> {
        let mut at = 0;
        while let Some(open) = self.next_tag(at) {
            let kind = self.source.as_bytes().get(open + 1)?;
            let trims_before = self.source.as_bytes().get(open + 2) == Some(&b'-');
            self.text(at..open, trims_before);
            let end = match kind {
                b'#' => self.comment(open)?,
                b'{' => self.expression(open)?,
                _ => self.block(open)?,
            };
            self.trims = self.source.as_bytes().get(end - 3) == Some(&b'-');
            at = end;
        }
        self.text(at..self.source.len(), false);
        (self.depth == 0).then_some(())
    }

    /// Where the next tag opens.
    fn next_tag(&self, from: usize) -> Option<usize> {
        let rest = self.source.get(from..)?;
        let mut braces = rest.match_indices('{').map(|(at, _)| at);
        let at = braces.find(|at| {
            let next = rest.as_bytes().get(at + 1);
            matches!(next, Some(b'{' | b'%' | b'#'))
        })?;
        Some(from + at)
    }

    /// Text outside of all blocks, less the white space that tags beside it take away.
    fn text(&mut self, range: Range<usize>, trims_after: bool) {
        let trims_before = std::mem::take(&mut self.trims);
        if self.depth > 0 {
            return;
        }
        let mut text = self.source.get(range.clone()).unwrap_or_default();
        let mut start = range.start;
        if trims_before {
            start += text.len() - text.trim_start().len();
            text = text.trim_start();
        }
        if trims_after {
            text = text.trim_end();
        }
        if !text.is_empty() {
            self.sections.push(Section::Text(start..start + text.len()));
        }
    }

    fn comment(&self, open: usize) -> Option<usize> {
        let end = self.source.get(open + 2..)?.find("#}")?;
        Some(open + 2 + end + 2)
    }

    fn expression(&mut self, open: usize) -> Option<usize> {
        let end = self.tag_end(open + 2, "}}")?;
        self.tags(open..end, true);
        Some(end)
    }

    fn block(&mut self, open: usize) -> Option<usize> {
        let end = self.tag_end(open + 2, "%}")?;
        let content = self.source.get(open + 2..end - 2)?;
        let content = content.trim_start_matches(['-', '+']).trim_start();
        let word_end = content.find(|c: char| !c.is_ascii_alphabetic());
        let (word, rest) = content.split_at(word_end.unwrap_or(content.len()));
        match word {
            "raw" => {
                let end = self.raw_end(end)?;
                self.tags(open..end, false);
                return Some(end);
            }
            // `{% set x = 1 %}` has no body.
            "set" | "do" => self.sets = true,
            _ => {}
        }
        let is_inline_set = word == "set" && rest.contains('=');
        if BLOCKS.contains(&word) && !is_inline_set {
            self.tags(open..end, false);
            self.depth += 1;
        } else if word
            .strip_prefix("end")
            .is_some_and(|of| BLOCKS.contains(&of))
        {
            self.depth = self.depth.checked_sub(1)?;
            self.tags(open..end, false);
        } else if matches!(word, "elif" | "else" | "do") || is_inline_set {
            self.tags(open..end, false);
        } else {
            return None;
        }
        Some(end)
    }

    /// Behind `{% endraw %}`.
    fn raw_end(&self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let open = at + self.source.get(at..)?.find("{%")?;
            let end = open + self.source.get(open..)?.find("%}")? + 2;
            let content = self.source.get(open + 2..end - 2)?;
            if content.trim_matches(['-', '+']).trim() == "endraw" {
                return Some(end);
            }
            at = open + 2;
        }
    }

    /// Behind the end of a tag; what stands in quotes or brackets does not end it.
    fn tag_end(&self, from: usize, close: &str) -> Option<usize> {
        let octets = self.source.as_bytes();
        let mut at = from;
        let mut open = 0_usize;
        loop {
            if open == 0 && octets.get(at..)?.starts_with(close.as_bytes()) {
                return Some(at + close.len());
            }
            match octets.get(at)? {
                quote @ (b'"' | b'\'') => at = self.string_end(at, *quote)?,
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open = open.checked_sub(1)?,
                _ => {}
            }
            at += 1;
        }
    }

    /// Where the quote that closes a string stands.
    fn string_end(&self, open: usize, quote: u8) -> Option<usize> {
        let octets = self.source.as_bytes();
        let mut at = open + 1;
        loop {
            match octets.get(at)? {
                b'\\' => at += 1,
                octet if *octet == quote => return Some(at),
                _ => {}
            }
            at += 1;
        }
    }

    /// Adds tags to those that stand just before.
    fn tags(&mut self, range: Range<usize>, is_pure: bool) {
        match self.sections.last_mut() {
            Some(Section::Tags {
                range: before,
                is_pure,
            }) => {
                before.end = range.end;
                *is_pure = false;
            }
            _ if self.depth == 0 => self.sections.push(Section::Tags { range, is_pure }),
            // Cannot be: a block that is open began with a tag.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(source: &str) -> Vec<&str> {
        scan(source)
            .into_iter()
            .map(|section| match section {
                Section::Text(range) | Section::Tags { range, .. } => &source[range],
            })
            .collect()
    }

    #[test]
    fn text_and_tags_are_told_apart() {
        for (source, expected) in [
            ("a", &["a"] as &[_]),
            ("a {{ b }} c", &["a ", "{{ b }}", " c"]),
            (
                "{{ '}}' }}{{ {\"a\": {}}.b }}",
                &["{{ '}}' }}{{ {\"a\": {}}.b }}"],
            ),
            (
                "a{% if b %}c{% else %}d{% endif %}e",
                &["a", "{% if b %}c{% else %}d{% endif %}", "e"],
            ),
            ("a{# {{ #}b", &["a", "b"]),
            (
                "a \n{%- if b -%} c {%- endif -%}\n d {# #} e",
                &["a", "{%- if b -%} c {%- endif -%}", "d ", " e"],
            ),
            (
                "a{% raw %}{{ b }}{% if %}{% endraw %}c",
                &["a", "{% raw %}{{ b }}{% if %}{% endraw %}", "c"],
            ),
            (
                "{% set a = 1 %}b{% set c %}d{% endset %}",
                &["{% set a = 1 %}", "b", "{% set c %}d{% endset %}"],
            ),
            ("a { b } {", &["a { b } {"]),
            (
                "a{% block b %}c{% endblock %}",
                &["a{% block b %}c{% endblock %}"],
            ),
            (
                "{% for a in b %}{{ c }}d{% endfor %}",
                &["{% for a in b %}{{ c }}d{% endfor %}"],
            ),
        ] {
            assert_eq!(sections(source), expected, "{source}");
        }
    }
}
