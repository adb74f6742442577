//! Addresses and lists of them, wherever they come from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaemail_fuzz::address;

fuzz_target!(|data: &[u8]| address::judge(&String::from_utf8_lossy(data)));
