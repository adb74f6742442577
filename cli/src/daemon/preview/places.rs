//! Where values are in a JSON text that somebody writes: what a JSON Pointer (RFC 6901) names, as line and column.

use crate::place::Place;
use bytes::Bytes;
use pmtaemail::Warning;
use serde::Serialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::HashMap;

/// A warning, and where it is in the text.
#[derive(Debug, Clone, Serialize)]
pub struct PlacedWarning {
    #[serde(flatten)]
    pub warning: Warning,
    #[serde(flatten)]
    pub place: Option<Place>,
}

/// Warnings with their places in the text of their message, where that is there.
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

/// Finds the places of values. One that is not there is where the innermost is that it would lie in. In a text that is
/// not JSON each is where that ends.
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
    let mut offsets = HashMap::new();
    for pointer in pointers.iter().flat_map(|pointer| ways(pointer)) {
        offsets.insert(pointer, None);
    }
    Walk {
        text,
        at: 0,
        pointer: String::new(),
        offsets: &mut offsets,
    }
    .value();
    let found = pointers.iter().map(|pointer| {
        let mut ways = ways(pointer);
        ways.find_map(|pointer| offsets[pointer])
    });
    in_order(text, &found.collect::<Vec<_>>())
}

/// A pointer and those of all that it lies in, the innermost first.
fn ways(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |pointer| {
        pointer.rfind('/').map(|end| &pointer[..end])
    })
}

/// Places of offsets, for which the text is read once.
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
struct Walk<'t, 'p> {
    text: &'t str,
    at: usize,
    /// That of the value that is read.
    pointer: String,
    /// Where those are that are wanted.
    offsets: &'t mut HashMap<&'p str, Option<usize>>,
}

impl Walk<'_, '_> {
    /// Reads a value. serde has seen that they are not too deep in each other.
    fn value(&mut self) {
        self.skip(|byte| byte.is_ascii_whitespace());
        if let Some(offset) = self.offsets.get_mut(&*self.pointer) {
            *offset = Some(self.at);
        }
        match self.byte() {
            Some(b'{') => self.members(b'}', |walk, _| {
                let name = walk.string();
                walk.push(&name);
                walk.skip(|byte| byte.is_ascii_whitespace() || byte == b':');
            }),
            Some(b'[') => self.members(b']', |walk, index| walk.push(&index.to_string())),
            Some(b'"') => drop(self.string()),
            _ => self.skip(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)),
        }
    }

    /// Reads what is between two brackets; `begin` reads what stands before each value, and names it.
    fn members(&mut self, end: u8, begin: impl Fn(&mut Self, usize)) {
        let length = self.pointer.len();
        self.at += 1;
        for index in 0.. {
            self.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
            match self.byte() {
                Some(byte) if byte != end => {}
                _ => break,
            }
            begin(self, index);
            self.value();
            self.pointer.truncate(length);
        }
        self.at += 1;
    }

    fn push(&mut self, name: &str) {
        self.pointer.push('/');
        for character in name.chars() {
            match character {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                other => self.pointer.push(other),
            }
        }
    }

    /// Reads a string, and gives what it says.
    fn string(&mut self) -> Cow<'static, str> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte()
            && byte != b'"'
        {
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let written = self.text.get(start..self.at).unwrap_or_default();
        // No name that is a lone surrogate is one of a pointer.
        serde_json::from_str::<String>(written).map_or(Cow::Borrowed(""), Cow::Owned)
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
    fn what_is_not_json_is_told_where_it_ends() {
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
