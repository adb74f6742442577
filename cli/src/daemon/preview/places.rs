//! The positions of values in a JSON text that somebody is writing: JSON Pointers (RFC 6901) as lines and columns.

use crate::place::Place;
use bytes::Bytes;
use pmtaemail::Warning;
use serde::Serialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::HashMap;

/// A warning, and its position in the text.
#[derive(Debug, Clone, Serialize)]
pub struct PlacedWarning {
    #[serde(flatten)]
    pub warning: Warning,
    #[serde(flatten)]
    pub place: Option<Place>,
}

/// Warnings with their positions in the text of their message, if that is available.
pub fn placed(json: Option<&Bytes>, warnings: Vec<Warning>) -> Vec<PlacedWarning> {
    let pointers = warnings.iter().map(|warning| &*warning.pointer);
    let places = match json {
        Some(json) => places(json, pointers),
        None => vec![None; warnings.len()],
    };
    (warnings.into_iter().zip(places))
        .map(|(warning, place)| PlacedWarning { warning, place })
        .collect()
}

/// Finds the positions of values. A missing value has the position of the innermost existing one that would contain it.
/// In a text that is not JSON, each has the position of its end.
pub fn places<'p>(text: &[u8], pointers: impl Iterator<Item = &'p str>) -> Vec<Option<Place>> {
    let pointers: Vec<_> = pointers.collect();
    let text = match str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let valid = str::from_utf8(&text[..error.valid_up_to()]);
            let place = valid.ok().map(|valid| Place::of(valid, valid.len()));
            return vec![place; pointers.len()];
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return vec![Some(place_of_error(text, &error)); pointers.len()];
    }
    let mut wanted = Wanted::default();
    let nodes: Vec<_> = pointers.iter().map(|pointer| wanted.add(pointer)).collect();
    Walk { text, at: 0 }.find(&mut wanted);
    let found = nodes.into_iter().map(|node| wanted.offset(node));
    in_order(text, &found.collect::<Vec<_>>())
}

/// The requested values, and those that contain them, as a tree. It is as deep as the pointers are: a text may be much
/// deeper.
struct Wanted<'p>(Vec<Node<'p>>);

/// A requested value, or one that contains one.
#[derive(Default)]
struct Node<'p> {
    /// The value that contains it; `None` for the whole text.
    parent: Option<usize>,
    /// The requested values within it, by name or index.
    children: HashMap<Cow<'p, str>, usize>,
    /// Where it is.
    offset: Option<usize>,
}

impl Default for Wanted<'_> {
    /// The whole text.
    fn default() -> Self {
        Self(vec![Node::default()])
    }
}

impl<'p> Wanted<'p> {
    /// Adds the value that a pointer names. Returns its node.
    fn add(&mut self, pointer: &'p str) -> usize {
        let mut node = 0;
        // There is nothing before the first `/`.
        for token in pointer.split('/').skip(1) {
            let name = if token.contains('~') {
                Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
            } else {
                Cow::Borrowed(token)
            };
            let new = self.0.len();
            let child = *self.0[node].children.entry(name).or_insert(new);
            if child == new {
                self.0.push(Node {
                    parent: Some(node),
                    ..Node::default()
                });
            }
            node = child;
        }
        node
    }

    /// The position of a node, or of the innermost existing one that would contain it.
    fn offset(&self, node: usize) -> Option<usize> {
        let mut ways = std::iter::successors(Some(node), |node| self.0[*node].parent);
        ways.find_map(|node| self.0[node].offset)
    }
}

/// Converts offsets to lines and columns, reading the text once.
fn in_order(text: &str, offsets: &[Option<usize>]) -> Vec<Option<Place>> {
    let mut order: Vec<_> = (0..offsets.len()).collect();
    order.sort_unstable_by_key(|index| offsets[*index]);
    let mut places = vec![None; offsets.len()];
    let (mut place, mut read) = (Place::of("", 0), 0);
    for index in order {
        let Some(offset) = offsets[index] else {
            continue;
        };
        for character in text[read..offset].chars() {
            place = place.behind(character);
        }
        read = offset;
        places[index] = Some(place);
    }
    places
}

/// serde counts bytes of the line.
fn place_of_error(text: &str, error: &serde_json::Error) -> Place {
    let line = error.line().max(1);
    let words = text.split('\n').nth(line - 1).unwrap_or_default();
    let bytes = words.as_bytes();
    let before = &bytes[..error.column().saturating_sub(1).min(bytes.len())];
    Place {
        line,
        column: String::from_utf8_lossy(before).chars().count() + 1,
    }
}

/// A walk through a text that is JSON.
struct Walk<'t> {
    text: &'t str,
    at: usize,
}

/// An object or array that contains a requested value.
struct Open {
    node: usize,
    /// The bracket that ends it.
    end: u8,
    /// How many values were read.
    read: usize,
}

impl Walk<'_> {
    /// Finds the requested values. Others are only skipped, and nothing is recursive: where serde ignores values, they
    /// may be nested arbitrarily deep.
    fn find(mut self, wanted: &mut Wanted<'_>) {
        let mut open = Vec::new();
        open.extend(self.value(0, wanted));
        while let Some(Open { node, end, read }) = open.last_mut() {
            self.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
            if self.byte().is_none_or(|byte| byte == *end) {
                self.at += 1;
                open.pop();
                continue;
            }
            let children = &wanted.0[*node].children;
            let child = if *end == b'}' {
                let name = self.string();
                self.skip(|byte| byte.is_ascii_whitespace() || byte == b':');
                children.get(&*name)
            } else {
                *read += 1;
                children.get(&*(*read - 1).to_string())
            };
            match child.copied() {
                Some(child) => open.extend(self.value(child, wanted)),
                None => self.skip_value(),
            }
        }
    }

    /// Finds a value: skips it, or enters it if it contains a requested value.
    fn value(&mut self, node: usize, wanted: &mut Wanted<'_>) -> Option<Open> {
        self.skip(|byte| byte.is_ascii_whitespace());
        let Node {
            children, offset, ..
        } = &mut wanted.0[node];
        *offset = Some(self.at);
        let end = match self.byte() {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => 0,
        };
        if end == 0 || children.is_empty() {
            self.skip_value();
            return None;
        }
        self.at += 1;
        Some(Open { node, end, read: 0 })
    }

    /// Skips a value with everything in it.
    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => self.skip_string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                _ if is_of_scalar(byte) => self.skip(is_of_scalar),
                // What is between values.
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Reads a string, and returns its content.
    fn string(&mut self) -> Cow<'static, str> {
        let start = self.at;
        self.skip_string();
        let written = self.text.get(start..self.at).unwrap_or_default();
        // A pointer contains no name with a lone surrogate.
        serde_json::from_str::<String>(written).map_or(Cow::Borrowed(""), Cow::Owned)
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.byte()
            && byte != b'"'
        {
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&is_skipped) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Whether a byte belongs to a number or a literal name.
fn is_of_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, pointer: &str) -> Option<(usize, usize)> {
        let place = places(text.as_bytes(), [pointer].into_iter())[0]?;
        Some((place.line, place.column))
    }

    #[test]
    fn a_value_is_where_its_pointer_leads() {
        let text = "{\n  \"to\": [\"a\", {\"é\": \"ü\", \"address\" : 1}],\r\n\t\"a/b~\": {\"\\u0061\": -1.5e+3},\"\":null }";
        for (pointer, expected) in [
            ("", (1, 1)),
            ("/to", (2, 9)),
            ("/to/0", (2, 10)),
            ("/to/1", (2, 15)),
            ("/to/1/é", (2, 21)),
            ("/to/1/address", (2, 38)),
            // Not there.
            ("/to/2", (2, 9)),
            ("/to/1/name", (2, 15)),
            ("/subject", (1, 1)),
            ("/a~1b~0", (3, 10)),
            ("/a~1b~0/a", (3, 21)),
            ("/", (3, 33)),
        ] {
            assert_eq!(place(text, pointer), Some(expected), "{pointer}");
        }
        let all = places(text.as_bytes(), ["/to/1", "/nothing", "/to/0"].into_iter());
        let lines: Vec<_> = all.iter().map(|place| place.unwrap().column).collect();
        assert_eq!(lines, [15, 1, 10]);
        assert_eq!(place("\u{feff} {\"a\": 1}", "/a"), Some((1, 8)));
    }

    #[test]
    fn of_several_with_one_name_the_last_is_meant() {
        assert_eq!(place(r#"{"a": 1, "a": [2]}"#, "/a"), Some((1, 15)));
        assert_eq!(place(r#"{"a": [1], "a": 2}"#, "/a/0"), Some((1, 8)));
    }

    #[test]
    fn values_may_be_as_deep_as_they_like() {
        const DEPTH: usize = 200_000;
        let deep = ["[".repeat(DEPTH), "]".repeat(DEPTH)].concat();
        assert_eq!(place(&deep, ""), Some((1, 1)));
        let text = format!("{{\"a\": {deep},\n\"b\": {{\"c\": {deep}}}, \"d\": 1}}");
        for (pointer, expected) in [
            ("/a", (1, 7)),
            ("/a/0/0", (1, 9)),
            ("/b/c", (2, 12)),
            ("/d", (2, 12 + 2 * DEPTH + 8)),
        ] {
            assert_eq!(place(&text, pointer), Some(expected), "{pointer}");
        }
        let all = "/0".repeat(DEPTH - 1);
        assert_eq!(place(&deep, &all), Some((1, DEPTH)));
    }

    /// Each value used to be looked up by its whole pointer, so that the time grew with the product of both, to hours.
    #[test]
    fn a_long_name_of_many_values_takes_no_longer_than_both() {
        let name = "n".repeat(1 << 20);
        let text = format!("{{\"{name}\": [{}0], \"a\": 1}}", "0,".repeat(1 << 20));
        let column = text.len() - 1;
        assert_eq!(place(&text, "/a"), Some((1, column)));
        assert_eq!(place(&text, &format!("/{name}")), Some((1, name.len() + 6)));
    }

    #[test]
    fn invalid_json_is_reported_where_it_ends() {
        for (text, expected) in [
            ("", (1, 1)),
            ("{\"a\": 1,\n \"bé\": x}", (2, 8)),
            ("{\"a\": 1", (1, 7)),
        ] {
            assert_eq!(place(text, ""), Some(expected), "{text}");
        }
        let bytes = places(b"{\"a\":\n \"\xff\"}", [""].into_iter());
        assert_eq!(bytes, [Some(Place { line: 2, column: 3 })]);
    }
}
