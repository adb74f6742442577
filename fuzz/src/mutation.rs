//! Changes JSON so that it stays JSON: what the fuzzer's own changes of bytes break at once gets through to the rules of
//! mail.

use crate::words::EVIL;
use fastrand::Rng;
use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// What a target's inputs are made of.
#[derive(Debug)]
pub struct Vocabulary {
    /// Names of members.
    pub names: &'static LazyLock<Vec<String>>,
    /// Texts beside those that are evil everywhere.
    pub texts: &'static [&'static str],
}

/// The names of all fields of a message, and of what it is made of: from its schema, so that none is forgotten.
pub static MESSAGE_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema = serde_json::to_value(pmtaemail::schema()).expect("a schema is JSON");
    let mut names = vec!["x".to_owned(), "items".to_owned(), "X-A".to_owned()];
    let definitions = schema["$defs"].as_object().expect("it has definitions");
    for object in definitions.values().chain([&schema]) {
        let properties = object["properties"].as_object();
        for (name, property) in properties.into_iter().flatten() {
            names.push(name.clone());
            let aliases = property["x-aliases"].as_array();
            names.extend(
                aliases
                    .into_iter()
                    .flatten()
                    .filter_map(|alias| alias.as_str().map(str::to_owned)),
            );
        }
    }
    names
});

/// A custom mutator: see `LLVMFuzzerCustomMutator`.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    words: &Vocabulary,
) -> usize {
    let mut random = Rng::with_seed(seed.into());
    if random.u8(..5) > 0
        && let Ok(mut value) = serde_json::from_slice::<Value>(&data[..size])
        && (value.is_object() || value.is_array())
    {
        for _ in 0..=random.u8(..3) {
            change(&mut value, &mut random, words);
        }
        let json = value.to_string();
        if json.len() <= max_size {
            data[..json.len()].copy_from_slice(json.as_bytes());
            return json.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
}

fn change(root: &mut Value, random: &mut Rng, words: &Vocabulary) {
    let count = count(root);
    // Copied before anything is changed: what stands elsewhere is often right here as well.
    let donor = nth(root, &mut random.usize(..count)).map(|donor| donor.clone());
    let donor = donor
        .filter(|donor| donor.to_string().len() < 1_000)
        .unwrap_or_default();
    let Some(place) = nth(root, &mut random.usize(..count)) else {
        return;
    };
    match place {
        _ if random.u8(..12) == 0 => *place = fresh(random, words, donor),
        Value::String(text) => change_text(text, random, words, &donor),
        Value::Array(list) => change_list(list, random, words, donor),
        Value::Object(members) => change_members(members, random, words, donor),
        scalar => *scalar = fresh(random, words, donor),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value of this number, each before those in it.
fn nth<'v>(value: &'v mut Value, number: &mut usize) -> Option<&'v mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|inner| nth(inner, number)),
        Value::Object(members) => members.values_mut().find_map(|inner| nth(inner, number)),
        _ => None,
    }
}

fn word<'w>(random: &mut Rng, words: &'w Vocabulary) -> &'w str {
    let list = if words.texts.is_empty() || random.bool() {
        EVIL
    } else {
        words.texts
    };
    list[random.usize(..list.len())]
}

fn name(random: &mut Rng, words: &Vocabulary) -> String {
    let names = &**words.names;
    names[random.usize(..names.len())].clone()
}

fn fresh(random: &mut Rng, words: &Vocabulary, donor: Value) -> Value {
    match random.u8(..12) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => json!(random.i32(-3..200)),
        3 => json!(random.f64() * 1e9),
        4 => json!([donor]),
        5 => json!([]),
        6 => json!({}),
        7 => json!({ (name(random, words)): donor }),
        8 | 9 => word(random, words).into(),
        _ => donor,
    }
}

fn change_text(text: &mut String, random: &mut Rng, words: &Vocabulary, donor: &Value) {
    let at = boundary(text, random);
    match random.u8(..8) {
        0..3 => text.insert_str(at, word(random, words)),
        3 => text.truncate(at),
        4 => drop(text.drain(..at)),
        5 => {
            let end = boundary(text, random).max(at);
            let piece = text[at..end].repeat(random.usize(1..60));
            if piece.len() < 5_000 {
                text.insert_str(at, &piece);
            }
        }
        6 => {
            let mut bytes = text.clone().into_bytes();
            let size = bytes.len();
            bytes.resize(size + 16, 0);
            let room = bytes.len();
            let size = fuzzer_mutate(&mut bytes, size, room);
            *text = String::from_utf8_lossy(&bytes[..size]).into_owned();
        }
        _ => match donor {
            Value::String(other) => text.insert_str(at, other),
            _ => word(random, words).clone_into(text),
        },
    }
}

fn boundary(text: &str, random: &mut Rng) -> usize {
    let mut at = random.usize(..=text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn change_list(list: &mut Vec<Value>, random: &mut Rng, words: &Vocabulary, donor: Value) {
    let at = random.usize(..=list.len());
    match random.u8(..4) {
        0 if at < list.len() => drop(list.remove(at)),
        1 if at < list.len() => {
            let element = list[at].clone();
            let times = if random.u8(..8) == 0 { 30 } else { 1 };
            list.extend(std::iter::repeat_n(element, times));
        }
        2 => list.insert(at, fresh(random, words, donor)),
        _ => list.insert(at, donor),
    }
}

fn change_members(
    members: &mut Map<String, Value>,
    random: &mut Rng,
    words: &Vocabulary,
    donor: Value,
) {
    let some = members.keys().nth(random.usize(..=members.len())).cloned();
    match (random.u8(..6), some) {
        (0, Some(some)) => drop(members.remove(&some)),
        (1, Some(some)) => {
            let value = members.remove(&some).unwrap_or_default();
            let renamed = if random.bool() {
                name(random, words)
            } else {
                some + EVIL[random.usize(3..EVIL.len())]
            };
            members.insert(renamed, value);
        }
        (2, _) => drop(members.insert(name(random, words), fresh(random, words, donor))),
        _ => drop(members.insert(name(random, words), donor)),
    }
}
