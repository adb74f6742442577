//! Header fields by their names, and whatever else becomes part of a header.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pmtaemail_fuzz::headers::{self, NAMES};
use pmtaemail_fuzz::mutation::{Vocabulary, mutate};
use pmtaemail_fuzz::words::HEADER;

const WORDS: Vocabulary = Vocabulary {
    names: &NAMES,
    texts: HEADER,
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &WORDS)
});

fuzz_target!(|data: &[u8]| headers::judge(data));
