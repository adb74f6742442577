//! A message in our format, made from another service's.

use super::object::{Value, member_of};
use pmtaemail::Problems;
use serde::Serialize;
use std::collections::HashMap;

/// An object that is written member by member, with the origin of each.
#[derive(Debug)]
pub struct Translated {
    json: Vec<u8>,
    places: Places,
}

/// The origin of each part of our message.
#[derive(Debug, Default)]
pub struct Places {
    places: Vec<(String, String)>,
    /// Within one of the recipients, which have the same order in both messages.
    of_recipients: &'static [(&'static str, &'static str)],
}

impl Translated {
    /// No member yet.
    pub fn new() -> Self {
        Self {
            json: vec![b'{'],
            places: Places::default(),
        }
    }

    /// A member whose value is unchanged.
    pub fn put(&mut self, name: &str, value: &Value<'_>) {
        self.begin(name);
        self.json.extend_from_slice(value.raw.get().as_bytes());
        self.places.add(member_of("", name), &value.pointer);
    }

    /// A member whose value was made from the one at `pointer`.
    pub fn put_made(&mut self, name: &str, value: &impl Serialize, pointer: &str) {
        self.begin(name);
        serde_json::to_writer(&mut self.json, value).expect("texts and lists are JSON");
        self.places.add(member_of("", name), pointer);
    }

    /// A member that is JSON already.
    pub fn put_json(&mut self, name: &str, json: &[u8]) {
        self.begin(name);
        self.json.extend_from_slice(json);
    }

    /// A member that is an array of objects, made from those at `pointer`. They are written in place: each may be as
    /// large as a whole message.
    pub fn put_each<'v, 'a: 'v>(
        &mut self,
        name: &str,
        list: impl IntoIterator<Item = &'v Value<'a>>,
        pointer: &str,
        mut write: impl FnMut(&'v Value<'a>, &mut Self),
    ) {
        self.begin(name);
        self.json.push(b'[');
        let own = member_of("", name);
        self.places.add(own.clone(), pointer);
        for (index, value) in list.into_iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            let mut json = std::mem::take(&mut self.json);
            json.push(b'{');
            let places = Places::default();
            let mut element = Self { json, places };
            element.place("", &value.pointer);
            write(value, &mut element);
            let (json, places) = element.finish();
            self.json = json;
            for (ours, theirs) in places.places {
                self.places.add(format!("{own}/{index}{ours}"), &theirs);
            }
        }
        self.json.push(b']');
    }

    /// Records the origin of the value at a pointer in our message.
    pub fn place(&mut self, ours: impl Into<String>, theirs: &str) {
        self.places.add(ours.into(), theirs);
    }

    fn begin(&mut self, name: &str) {
        // No value ends so.
        if self.json.last() != Some(&b'{') {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, name).expect("a text is JSON");
        self.json.push(b':');
    }

    /// The message, and the origins of its parts.
    pub fn finish(mut self) -> (Vec<u8>, Places) {
        self.json.push(b'}');
        (self.json, self.places)
    }
}

impl Places {
    fn add(&mut self, ours: String, theirs: &str) {
        self.places.push((ours, theirs.to_owned()));
    }

    /// The origins within recipients, of which there may be very many.
    pub fn with_recipients(self, of_recipients: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            of_recipients,
            ..self
        }
    }

    /// Problems of our message, mapped to the original: to the source of the nearest known enclosing value, or else to
    /// the pointer itself.
    pub fn relocate(&self, problems: Problems) -> Problems {
        // There may be very many of both.
        let places = self.places.iter();
        let places: Known<'_> = places
            .map(|(ours, theirs)| (ours.as_str(), theirs.as_str()))
            .collect();
        let of_recipients = self.of_recipients.iter().copied().collect();
        problems.relocated(|pointer| match within_recipient(pointer) {
            Some((start, inner)) => format!("{start}{}", nearest(inner, &of_recipients)),
            None => nearest(pointer, &places),
        })
    }
}

/// Origins by pointer into our message.
type Known<'p> = HashMap<&'p str, &'p str>;

/// The nearest known origin that encloses a pointer, and the rest of the pointer.
fn nearest(pointer: &str, places: &Known<'_>) -> String {
    let mut around = pointer;
    loop {
        if let Some(theirs) = places.get(around) {
            return format!("{theirs}{}", &pointer[around.len()..]);
        }
        let Some(end) = around.rfind('/') else {
            return pointer.to_owned();
        };
        around = &around[..end];
    }
}

/// The pointer of a recipient, and the rest of the pointer.
fn within_recipient(pointer: &str) -> Option<(&str, &str)> {
    let rest = pointer.strip_prefix("/recipients/")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let end = pointer.len() - rest.len() + digits;
    (digits > 0).then(|| pointer.split_at(end))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use pmtaemail::{Code, Problem};

    /// The origin of the value at a pointer in our message.
    pub fn place_of(pointer: &str, places: &Places) -> String {
        let problem = Problem::found(Code::Conflict, pointer, "");
        let told = places.relocate(problem.into());
        told.iter().next().unwrap().pointer().to_owned()
    }

    #[test]
    fn translated_fields_know_their_origin() {
        let body = Value::of_body(br#" "x" "#).unwrap();
        let mut message = Translated::new();
        message.put(
            "text",
            &Value {
                pointer: "/content/text".to_owned(),
                ..body.clone()
            },
        );
        message.put_made("to", &["a@b", "c@d"], "/recipients");
        message.place("/to/1", "/recipients/1/address");
        message.put_json("template", br#""none""#);
        let (json, places) = message.finish();
        assert_eq!(
            json,
            br#"{"text":"x","to":["a@b","c@d"],"template":"none"}"#
        );
        for (ours, theirs) in [
            ("/text", "/content/text"),
            ("/to", "/recipients"),
            ("/to/0", "/recipients/0"),
            ("/to/1/address", "/recipients/1/address/address"),
            ("/textual", "/textual"),
            ("", ""),
        ] {
            assert_eq!(place_of(ours, &places), theirs);
        }
    }
}
