//! Bodies in the words of SparkPost's API.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pmtaemail_fuzz::compat::{SPARKPOST_NAMES, judge_sparkpost};
use pmtaemail_fuzz::mutation::{Vocabulary, mutate};
use pmtaemail_fuzz::words::TEMPLATE;

const WORDS: Vocabulary = Vocabulary {
    names: &SPARKPOST_NAMES,
    texts: TEMPLATE,
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &WORDS)
});

fuzz_target!(|data: &[u8]| judge_sparkpost(data));
