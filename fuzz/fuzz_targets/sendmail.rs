//! `sendmail`: arguments that end with NUL, an empty one, and standard input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaemail_fuzz::sendmail;

fuzz_target!(|data: &[u8]| sendmail::judge(data));
