//! multipart/form-data: the first line is the media type, what follows the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaemail_fuzz::http;

fuzz_target!(|data: &[u8]| {
    let end = data
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(data.len());
    let (kind, body) = data.split_at(end);
    // Other bytes are no value of a field, and hyper refuses them before anybody sees them.
    if kind.iter().all(|byte| (b' '..0x7f).contains(byte)) {
        http::post("/messages", kind, body.get(1..).unwrap_or_default());
    }
});
