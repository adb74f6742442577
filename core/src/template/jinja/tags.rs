//! The positions of the tags of a template.

use super::super::{Tag, TagKind};
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use std::ops::Range;

/// The tags of a valid template, in order, each with the white space that it strips.
pub(super) fn tags(source: &str, syntax: &SyntaxConfig) -> Vec<Tag> {
    let mut reader = Reader {
        source,
        at: 0,
        tag: None,
        tags: Vec::new(),
        unescaped: Vec::new(),
    };
    for token in tokenize(source, false, syntax.clone()) {
        let Ok((token, span)) = token else { break };
        reader.take(&token, span.start_offset as usize..span.end_offset as usize);
    }
    reader.gap(source.len());
    reader.tags
}

struct Reader<'s> {
    source: &'s str,
    /// The end of what was passed.
    at: usize,
    tag: Option<Open>,
    tags: Vec<Tag>,
    /// For each open `autoescape`, whether values in it are HTML.
    unescaped: Vec<bool>,
}

/// The current tag.
struct Open {
    start: usize,
    is_block: bool,
    kind: Option<TagKind>,
    word: Word,
    /// A value that is HTML, or `autoescape` with `false`.
    is_safe: bool,
    last: Last,
}

/// The first word of a block, if it matters.
#[derive(PartialEq)]
enum Word {
    Other,
    /// It has a body if nothing is assigned.
    Set,
    Autoescape,
}

/// The previous token, if it matters.
#[derive(Default, PartialEq)]
enum Last {
    #[default]
    Other,
    Pipe,
}

impl Reader<'_> {
    fn take(&mut self, token: &Token<'_>, range: Range<usize>) {
        match token {
            Token::TemplateData(_) => {
                self.gap(range.start);
                self.at = range.end;
            }
            Token::VariableStart | Token::BlockStart => {
                self.gap(range.start);
                self.tag = Some(Open {
                    start: range.start,
                    is_block: matches!(token, Token::BlockStart),
                    kind: None,
                    word: Word::Other,
                    is_safe: false,
                    last: Last::Other,
                });
            }
            Token::VariableEnd | Token::BlockEnd => {
                let Some(tag) = self.tag.take() else { return };
                if tag.is_block {
                    self.note_escaping(&tag, range.end);
                }
                let is_html = tag.is_safe || self.unescaped.last() == Some(&true);
                let kind = if tag.is_block {
                    tag.kind.unwrap_or(TagKind::Silent)
                } else {
                    TagKind::Value { is_html }
                };
                self.tags.push(Tag {
                    range: tag.start..range.end,
                    kind,
                });
                self.at = range.end;
            }
            token => {
                if let Some(tag) = &mut self.tag {
                    tag.take(token);
                }
            }
        }
    }

    /// Records what `autoescape` says about the values in it.
    fn note_escaping(&mut self, tag: &Open, end: usize) {
        if tag.word == Word::Autoescape {
            self.unescaped.push(tag.is_safe);
        } else if self.source[tag.start..end].contains("endautoescape") {
            self.unescaped.pop();
        }
    }

    /// What is neither text nor a tag with tokens: a comment, `raw`, or stripped white space.
    fn gap(&mut self, end: usize) {
        let range = self.at..end;
        let Some(text) = self
            .source
            .get(range.clone())
            .filter(|text| !text.is_empty())
        else {
            return;
        };
        let mut rest = text.trim_start();
        while let Some(behind) = rest.strip_prefix("{#") {
            rest = behind
                .split_once("#}")
                .map_or("", |(_, rest)| rest)
                .trim_start();
        }
        let kind = if rest.starts_with("{%") {
            TagKind::Verbatim
        } else {
            TagKind::Silent
        };
        self.tags.push(Tag { range, kind });
    }
}

impl Open {
    fn take(&mut self, token: &Token<'_>) {
        match token {
            Token::Ident(word) if self.is_block && self.kind.is_none() => {
                self.word = match *word {
                    "set" => Word::Set,
                    "autoescape" => Word::Autoescape,
                    _ => Word::Other,
                };
                self.kind = Some(match *word {
                    "if" | "for" | "filter" | "macro" | "call" | "set" => TagKind::Opens,
                    "elif" | "else" => TagKind::Branches,
                    "endif" | "endfor" | "endfilter" | "endmacro" | "endcall" | "endset" => {
                        TagKind::Closes
                    }
                    _ => TagKind::Silent,
                });
            }
            Token::Ident("safe") if self.last == Last::Pipe => self.is_safe = true,
            Token::Ident("false" | "False") if self.word == Word::Autoescape => self.is_safe = true,
            Token::Assign if self.word == Word::Set => self.kind = Some(TagKind::Silent),
            _ => {}
        }
        self.last = if matches!(token, Token::Pipe) {
            Last::Pipe
        } else {
            Last::Other
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TagKind::{Branches, Closes, Opens, Silent, Value, Verbatim};

    #[test]
    fn tags_are_found_with_what_they_do() {
        let value = Value { is_html: false };
        for (source, expected) in [
            ("a {{ b }} c", &[("{{ b }}", value)] as &[_]),
            (
                "{% if a -%}\n b {%- else %}{% endif %}",
                &[
                    ("{% if a -%}", Opens),
                    ("\n ", Silent),
                    (" ", Silent),
                    ("{%- else %}", Branches),
                    ("{% endif %}", Closes),
                ],
            ),
            (
                "{% set a = 1 %}{% set b %}c{% endset %}{{ '{{' }}",
                &[
                    ("{% set a = 1 %}", Silent),
                    ("{% set b %}", Opens),
                    ("{% endset %}", Closes),
                    ("{{ '{{' }}", value),
                ],
            ),
            (
                "a{# {{ #}b{% raw %}{{ c }}{% endraw %}{{ d|safe }}",
                &[
                    ("{# {{ #}", Silent),
                    ("{% raw %}", Verbatim),
                    ("{% endraw %}", Verbatim),
                    ("{{ d|safe }}", Value { is_html: true }),
                ],
            ),
            (
                "{{ safe }}{% autoescape false %}{{ a }}{% endautoescape %}{{ a.safe }}",
                &[
                    ("{{ safe }}", value),
                    ("{% autoescape false %}", Silent),
                    ("{{ a }}", Value { is_html: true }),
                    ("{% endautoescape %}", Silent),
                    ("{{ a.safe }}", value),
                ],
            ),
        ] {
            let found = tags(source, &SyntaxConfig::default());
            let found: Vec<_> = found
                .iter()
                .map(|tag| (&source[tag.range.clone()], tag.kind))
                .collect();
            assert_eq!(found, expected, "{source}");
        }
    }
}
