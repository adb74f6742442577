//! Finished messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaemail_fuzz::finished;

fuzz_target!(|data: &[u8]| finished::judge(data));
