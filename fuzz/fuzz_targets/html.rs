//! Help with HTML: style sheets put in, text made, MJML; in all languages.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pmtaemail_fuzz::html;
use pmtaemail_fuzz::mutation::{MESSAGE_NAMES, Vocabulary, mutate};
use pmtaemail_fuzz::words::HTML;

const WORDS: Vocabulary = Vocabulary {
    names: &MESSAGE_NAMES,
    texts: HTML,
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &WORDS)
});

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = serde_json::from_slice(data) {
        html::judge(message);
    }
});
