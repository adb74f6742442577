//! JSON to a pickup file, which is read back.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pmtaemail_fuzz::message;
use pmtaemail_fuzz::mutation::{MESSAGE_NAMES, Vocabulary, mutate};

const WORDS: Vocabulary = Vocabulary {
    names: &MESSAGE_NAMES,
    texts: &[],
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &WORDS)
});

fuzz_target!(|data: &[u8]| message::judge(data));
