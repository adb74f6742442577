//! Only for `bench/`; not part of any package.

use crate::messages::Messages;
use napi_derive::napi;

/// Reads and renders a message this many times without returning to JavaScript: the core's share of the cost of
/// `render`.
#[napi]
pub fn render_times(
    words: &[u32],
    text: &[u8],
    buffers: Vec<&[u8]>,
    times: u32,
) -> napi::Result<u32> {
    let messages = Messages::new(words, text, buffers)?;
    let mut bytes = 0;
    for _ in 0..times {
        bytes = messages
            .only(|message| message.render().len())?
            .unwrap_or(0);
    }
    Ok(u32::try_from(bytes).unwrap_or(u32::MAX))
}
