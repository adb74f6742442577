//! JSON of another service, read without parsing values that only move to another place.

use pmtaemail::{Code, Problem, Problems};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// A value, and where it is.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    /// A JSON Pointer (RFC 6901) into the body.
    pub pointer: String,
    pub raw: &'a RawValue,
}

/// The members of an object that have not been taken yet, in order. `null` counts as absent.
#[derive(Debug)]
pub struct Object<'a> {
    pub pointer: String,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// Everything that is wrong with a body.
#[derive(Debug, Default)]
pub struct Found(Vec<Problem>);

impl Found {
    /// One more problem.
    pub fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// The value; or `None`, with another problem recorded.
    pub fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// What was found, as tests compare it.
    #[cfg(test)]
    pub fn told(self) -> Vec<String> {
        let told = |problem: &Problem| format!("{} {}", problem.pointer(), problem.code());
        self.0.iter().map(told).collect()
    }

    /// All problems, if there are any.
    pub fn finish(self) -> Result<(), Problems> {
        Problems::some(self.0).map_or(Ok(()), Err)
    }
}

impl<'a> Value<'a> {
    /// A whole body.
    pub fn of_body(bytes: &'a [u8]) -> Result<Self, Problem> {
        let raw = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail = format!("The body is not JSON, at line {line}, column {column}.");
            Problem::found(Code::NotJson, "", detail)
        })?;
        let pointer = String::new();
        Ok(Self { pointer, raw })
    }

    fn first(&self) -> u8 {
        self.raw.get().bytes().next().unwrap_or_default()
    }

    pub fn is_null(&self) -> bool {
        self.first() == b'n'
    }

    pub fn is_text(&self) -> bool {
        self.first() == b'"'
    }

    pub fn is_object(&self) -> bool {
        self.first() == b'{'
    }

    pub fn is_array(&self) -> bool {
        self.first() == b'['
    }

    /// The problem if it has another type.
    pub fn wrong_type(&self, expected: &str) -> Problem {
        let detail = format!("This must be {expected}.");
        Problem::found(Code::WrongType, self.pointer.clone(), detail)
    }

    /// Its text.
    pub fn text(&self) -> Result<Cow<'a, str>, Problem> {
        let text = serde_json::from_str::<Text<'a>>(self.raw.get());
        text.map(|text| text.0).map_err(|_| match self.first() {
            b'"' => {
                let detail =
                    "This contains half of a surrogate pair (`\\ud800`), which is not a character.";
                Problem::found(Code::LoneSurrogate, self.pointer.clone(), detail)
            }
            _ => self.wrong_type("a string"),
        })
    }

    /// Its text, or a number as it is written.
    pub fn text_or_number(&self) -> Result<Cow<'a, str>, Problem> {
        match self.first() {
            b'-' | b'0'..=b'9' => Ok(Cow::Borrowed(self.raw.get())),
            _ => self.text(),
        }
    }

    /// Whether it is true.
    pub fn boolean(&self) -> Result<bool, Problem> {
        serde_json::from_str(self.raw.get()).map_err(|_| self.wrong_type("true or false"))
    }

    /// Its members.
    pub fn object(&self, found: &mut Found) -> Option<Object<'a>> {
        if !self.is_object() {
            found.add(self.wrong_type("an object"));
            return None;
        }
        let members = serde_json::from_str::<Members<'a>>(self.raw.get());
        let Ok(Members(mut members)) = members else {
            let detail =
                "The name of a member contains half of a surrogate pair, which is not a character.";
            found.add(Problem::found(
                Code::LoneSurrogate,
                self.pointer.clone(),
                detail,
            ));
            return None;
        };
        // A list would take hours with as many members as a body may have.
        let mut known = HashSet::with_capacity(members.len());
        members.retain(|(name, _)| {
            let is_new = known.insert(name.clone());
            if !is_new {
                let detail = "This member is given twice.";
                let pointer = member_of(&self.pointer, name);
                found.add(Problem::found(Code::DuplicateField, pointer, detail));
            }
            is_new
        });
        Some(Object {
            pointer: self.pointer.clone(),
            members,
        })
    }

    /// Its elements.
    pub fn array(&self) -> Result<Vec<Self>, Problem> {
        if !self.is_array() {
            return Err(self.wrong_type("an array"));
        }
        let elements: Vec<&'a RawValue> =
            serde_json::from_str(self.raw.get()).expect("an array of JSON has elements");
        let element = |(index, raw): (usize, &'a RawValue)| Self {
            pointer: format!("{}/{index}", self.pointer),
            raw,
        };
        Ok(elements.into_iter().enumerate().map(element).collect())
    }
}

impl<'a> Object<'a> {
    /// An object without members, at this place.
    pub fn empty(pointer: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            members: Vec::new(),
        }
    }

    /// Takes a member, unless it is absent.
    pub fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        let (name, raw) = self.members.remove(at);
        let pointer = member_of(&self.pointer, &name);
        Some(Value { pointer, raw }).filter(|value| !value.is_null())
    }

    /// Takes all remaining members.
    pub fn take_all(&mut self) -> Vec<(Cow<'a, str>, Value<'a>)> {
        let members = std::mem::take(&mut self.members).into_iter();
        let value = |(name, raw): (Cow<'a, str>, &'a RawValue)| {
            let pointer = member_of(&self.pointer, &name);
            (name, Value { pointer, raw })
        };
        members.map(value).collect()
    }

    /// Refuses all remaining members, as unknown.
    pub fn finish(mut self, found: &mut Found) {
        for (_, value) in self.take_all() {
            let detail = "This service has no field with this name.";
            found.add(Problem::found(Code::UnknownField, value.pointer, detail));
        }
    }

    /// The problem if a member is missing.
    pub fn missing(&self, name: &str) -> Problem {
        let detail = format!("The field `{name}` is missing.");
        Problem::found(Code::MissingField, member_of(&self.pointer, name), detail)
    }
}

/// The pointer of a member.
pub fn member_of(pointer: &str, name: &str) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{name}")
}

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// Names and values in order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    members.push((name.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> (Option<Object<'_>>, Found) {
        let mut found = Found::default();
        let object = Value::of_body(json.as_bytes()).unwrap().object(&mut found);
        (object, found)
    }

    #[test]
    fn members_are_taken_as_they_are_written() {
        let json = r#"{"a": [1, {"b" : 2}], "c\u002f~": "x\n", "d": null, "e": 1.50, "a": 3}"#;
        let (object, mut found) = object(json);
        let mut object = object.unwrap();
        let elements = object.take("a").unwrap().array().unwrap();
        let all: Vec<_> = elements
            .iter()
            .map(|it| (it.pointer.as_str(), it.raw.get()))
            .collect();
        assert_eq!(all, [("/a/0", "1"), ("/a/1", r#"{"b" : 2}"#)]);
        let text = object.take("c/~").unwrap();
        assert_eq!(
            (text.pointer.as_str(), text.text().unwrap().as_ref()),
            ("/c~1~0", "x\n")
        );
        assert!(object.take("d").is_none() && object.take("f").is_none());
        object.finish(&mut found);
        assert_eq!(found.told(), ["/a duplicate_field", "/e unknown_field"]);
    }

    #[test]
    fn a_wrong_type_is_reported_with_its_location() {
        let (object, mut found) =
            object(r#"{"a": 1, "b": "\ud800", "c": "x", "d": {"\ud800": 1}}"#);
        let mut object = object.unwrap();
        let mut value = |name: &str| object.take(name).unwrap();
        found.keep(value("a").text());
        found.keep(value("b").text());
        let c = value("c");
        found.keep(c.boolean());
        found.keep(c.array());
        assert!(c.object(&mut found).is_none());
        assert!(value("d").object(&mut found).is_none());
        let expected = [
            "/a wrong_type",
            "/b lone_surrogate",
            "/c wrong_type",
            "/c wrong_type",
            "/c wrong_type",
            "/d lone_surrogate",
        ];
        assert_eq!(found.told(), expected);
        for broken in ["", "{", "{\"a\": }", "[1,]", "nul", "\u{feff}{}"] {
            assert_eq!(
                Value::of_body(broken.as_bytes()).unwrap_err().code(),
                Code::NotJson
            );
        }
    }
}
