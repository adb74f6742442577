//! Bodies in the words of Resend's API, single and in batches.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pmtaemail_fuzz::compat::{RESEND_NAMES, judge_resend};
use pmtaemail_fuzz::mutation::{Vocabulary, mutate};

const WORDS: Vocabulary = Vocabulary {
    names: &RESEND_NAMES,
    texts: &[],
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, &WORDS)
});

fuzz_target!(|data: &[u8]| judge_resend(data));
