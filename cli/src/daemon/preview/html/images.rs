//! Images that come with a mail (`cid:`, RFC 2392), and addresses of other hosts.

use percent_encoding::percent_decode_str;
use pmtaemail::outbox::{Mail, Part};
use std::collections::HashMap;

/// The images that came with a mail.
pub struct Images<'m> {
    /// By their Content-IDs.
    parts: HashMap<&'m str, &'m Part>,
    /// How many more bytes may be written: a mail that repeats one image very often could become very large.
    room: usize,
}

impl<'m> Images<'m> {
    /// Those of a mail.
    pub fn of(mail: &'m Mail) -> Self {
        let parts = || mail.root.walk().filter(|part| is_shown(part));
        let size: usize = parts().map(|part| part.octets).sum();
        let by_id = |part: &'m Part| Some((part.content_id.as_deref()?, part));
        Self {
            parts: parts().filter_map(by_id).collect(),
            room: LEAST_ROOM.max(size.saturating_mul(2)),
        }
    }

    /// The replacement of an address: an image that came with the mail. Counts addresses on other hosts.
    pub fn changed(&mut self, remote: &mut usize, address: &str) -> Option<String> {
        if is_remote(address) {
            *remote += 1;
            return None;
        }
        let trimmed = address.trim();
        let scheme = trimmed.get(..4)?;
        if !scheme.eq_ignore_ascii_case("cid:") {
            return None;
        }
        let id = percent_decode_str(&trimmed[4..]).decode_utf8_lossy();
        let part = self.parts.get(&*id)?;
        // The size as written: most of a small image is its media type, which may be long.
        let size = "data:;base64,".len() + part.media_type.len() + part.octets.div_ceil(3) * 4;
        self.room = self.room.checked_sub(size)?;
        let content = encodify::base64::STANDARD.encode(&part.content);
        Some(format!("data:{};base64,{content}", part.media_type))
    }
}

/// At least this many bytes of images may be written, even if a mail's images have fewer in total.
pub const LEAST_ROOM: usize = 1 << 20;

/// Whether a part may replace an address.
fn is_shown(part: &Part) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
    let kinds = ["image/", "font/", "audio/", "video/"];
    let is_one = kinds.iter().any(|kind| part.media_type.starts_with(kind));
    is_one && part.media_type.bytes().all(is_plain)
}

/// Whether an address is on another host, as a browser reads it: it overlooks blanks and line ends, and takes `\` for
/// `/`.
pub fn is_remote(address: &str) -> bool {
    let is_overlooked = |c: char| ['\t', '\n', '\r'].contains(&c);
    let kept = address.trim_start_matches(|c: char| c <= ' ').chars();
    let start = kept.filter(|c| !is_overlooked(*c)).take(6);
    let start = start
        .collect::<String>()
        .to_ascii_lowercase()
        .replace('\\', "/");
    start.starts_with("http:") || start.starts_with("https:") || start.starts_with("//")
}
