//! Texts in the language `jinja`: both forms of a merge say the same.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pmtaemail_fuzz::merge;
use pmtaemail_fuzz::mutation::{MESSAGE_NAMES, Vocabulary, mutate};
use pmtaemail_fuzz::words::TEMPLATE;
use serde_json::{Value, json};

const WORDS: Vocabulary = Vocabulary {
    names: &MESSAGE_NAMES,
    texts: TEMPLATE,
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &WORDS)
});

fuzz_target!(|data: &[u8]| {
    if let Ok(Value::Object(mut message)) = serde_json::from_slice(data) {
        message.insert("template".to_owned(), json!("jinja"));
        merge::judge(Value::Object(message), !data.len().is_multiple_of(4));
    }
});
