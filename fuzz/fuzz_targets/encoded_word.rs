//! Any text in a header, and any header as text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaemail_fuzz::encoded_word;

fuzz_target!(|data: &[u8]| encoded_word::judge(data));
