//! How much memory the daemon may take, and how much a message takes.
//!
//! Memory goes to what clients send, and to what is made of it. Room for both is reserved before a body is read, so
//! that a limit holds whatever arrives at once:
//!
//! ```text
//! limit     --memory, or three quarters of what the control group (cgroup) allows
//!   reserve   the program, its threads and its connections
//!   views     what the preview keeps, where there is one
//!   bodies    for each body its bytes, and what reading it and rendering the message take at most
//! ```

use crate::args::LimitArgs;
use std::fs;
use std::path::Path;

/// What the program takes besides bodies, for threads and connections: a quarter, and at least this much.
const LEAST_RESERVE: usize = 24 << 20;

/// How many halves of its size a body takes until its message is submitted: itself, the rendered message, in which a
/// file in base64 has line ends, and some to spare.
const HALVES: usize = 5;

/// How much more texts take for each byte: they are decoded, up to three times as large if everything has to be
/// encoded, and copied once more if dots have to be doubled (BSMTP).
const TEXT: usize = 2;

/// What views of the preview take at most, and no more than an eighth of what bodies may.
const MOST_FOR_VIEWS: usize = 64 << 20;

/// A longer run without a blank, a quotation mark or a backslash is a file in base64.
const FILE: usize = 1 << 10;

/// The memory of an address in the header of a finished message once it is parsed, by the character after it.
const ADDRESS: usize = 160;

/// What a value of JSON takes at most once it is read, by the character that announces it.
const OBJECT: usize = 640;
const ARRAY: usize = 256;
const NEXT: usize = 240;

/// What one of the octets of a file takes that are written as numbers: as a byte, in base64, and room to grow.
const OCTET: usize = 6;

/// No cgroup has this much: v1 reports it if there is no limit.
const NO_LIMIT: usize = 1 << 60;

/// The effective limits: without an option for memory it is the control group's, and a body may not be larger than
/// there is memory for.
pub fn settle(limits: &mut LimitArgs, has_preview: bool) {
    limits.memory = limits.memory.or_else(of_cgroup);
    if has_preview {
        limits.views = MOST_FOR_VIEWS.min(for_bodies(limits) / 8);
    }
    let largest = largest_body(for_bodies(limits));
    limits.body_limit = limits.body_limit.min(largest);
}

/// How much memory bodies may take at once: no more than the maximum number of them needs, and no more than --memory
/// leaves. There is always room for one of the largest requested size.
pub fn for_bodies(limits: &LimitArgs) -> usize {
    let bodies = limits.max_bytes_in_flight.max(limits.body_limit);
    room(bodies, limits.memory, limits.views)
}

fn room(bodies: usize, memory: Option<usize>, views: usize) -> usize {
    let needed = needed(bodies);
    match memory {
        Some(memory) => {
            let reserve = (memory / 4).max(LEAST_RESERVE).saturating_add(views);
            needed.min(memory.saturating_sub(reserve))
        }
        None => needed,
    }
}

/// The largest body that fits if bodies may take this much memory.
fn largest_body(memory: usize) -> usize {
    memory / HALVES * 2
}

/// How much memory a body of this size needs until its message is submitted.
pub fn needed(bytes: usize) -> usize {
    bytes.saturating_mul(HALVES) / 2
}

/// How much more a message needs than its body, once it is read: for its texts, and for its values. An address, a
/// variable or a header field is larger in memory than in the JSON.
pub fn needed_for_json(json: &[u8]) -> usize {
    needed_for_values(json, 0)
}

/// The same where arrays of numbers that are called `content` or `data` are files, and never read as anything else.
pub fn needed_for_json_with_octets(json: &[u8]) -> usize {
    let octets = [b"\"content\"".as_slice(), b"\"data\""];
    let octets = octets.map(|name| octets_of(json, name)).iter().sum();
    needed_for_values(json, octets) + octets * OCTET
}

/// What values need, and texts. So many of the values are octets of files, which need none of it.
fn needed_for_values(json: &[u8], octets: usize) -> usize {
    let count = |byte| memchr::memchr_iter(byte, json).count();
    let next = count(b',').saturating_sub(octets);
    let values = count(b'{') * OBJECT + count(b'[') * ARRAY + next * NEXT;
    values.max(needed_for_text(json.len() - files(json)))
}

/// How many commas there are between the numbers of arrays of this name.
fn octets_of(json: &[u8], name: &[u8]) -> usize {
    let is_number =
        |byte: &u8| byte.is_ascii_digit() || *byte == b',' || byte.is_ascii_whitespace();
    let mut octets = 0;
    for start in memchr::memmem::find_iter(json, name) {
        let value = json[start + name.len()..].trim_ascii_start();
        let value = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        let Some(numbers) = value.and_then(|value| value.strip_prefix(b"[")) else {
            continue;
        };
        let length = numbers.iter().take_while(|byte| is_number(byte)).count();
        octets += memchr::memchr_iter(b',', &numbers[..length]).count();
    }
    octets
}

/// The same for a finished message, whose header may name very many recipients.
pub fn needed_for_mail(mail: &[u8]) -> usize {
    let before = |end: &[u8], text| memchr::memmem::find(text, end).unwrap_or(text.len());
    let header = &mail[..before(b"\n\r\n", mail)];
    let header = &header[..before(b"\n\n", header)];
    needed_for_text(mail.len()) + memchr::memchr2_iter(b',', b';', header).count() * ADDRESS
}

/// The same for a body that is all text.
fn needed_for_text(bytes: usize) -> usize {
    bytes.saturating_mul(TEXT)
}

/// How many bytes are those of files in base64.
fn files(json: &[u8]) -> usize {
    // A small body needs no closer look.
    if json.len() < 64 * FILE {
        return 0;
    }
    let mut files = 0;
    let mut start = 0;
    for end in memchr::memchr3_iter(b' ', b'"', b'\\', json).chain([json.len()]) {
        if end - start >= FILE {
            files += end - start;
        }
        start = end + 1;
    }
    files
}

/// Three quarters of what the control groups of this process allow, if they have a limit. The rest is for what is not
/// the daemon's alone: the page cache of the files that it writes counts too.
fn of_cgroup() -> Option<usize> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_of(&groups, Path::new("/sys/fs/cgroup")).map(|limit| limit / 4 * 3)
}

/// The smallest limit of the groups, given as /proc/self/cgroup has them, and of those above them. A container may see
/// names that hold outside of it alone; then what it has at the top are its own.
fn limit_of(groups: &str, root: &Path) -> Option<usize> {
    let limits = groups.lines().filter_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (controllers, path) = line.split_once(':')?;
        let path = Path::new(path.trim_start_matches('/'));
        let is_memory = controllers.split(',').any(|name| name == "memory");
        let (root, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ if is_memory => (root.join("memory"), "memory.limit_in_bytes"),
            _ => return None,
        };
        let limits = path.ancestors().filter_map(|group| {
            let text = fs::read_to_string(root.join(group).join(file)).ok()?;
            // `max` is none.
            text.trim().parse::<usize>().ok()
        });
        limits.filter(|limit| *limit < NO_LIMIT).min()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_of_all_groups_holds() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let limit = |groups| limit_of(groups, root.path());
        assert_eq!(limit("0::/a/b\n"), None);
        write("a/b/memory.max", "max\n");
        write("a/memory.max", "268435456\n");
        assert_eq!(limit("0::/a/b\n"), Some(256 << 20));
        assert_eq!(limit("0::/\n"), None);
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit("4:memory:/docker/0123\n0::/\n"), None);
        // A container sees its own limit at the top.
        write("memory/memory.limit_in_bytes", "134217728\n");
        let groups = "4:cpu,memory:/docker/0123\n3:cpuset:/a\n0::/a/b\n";
        assert_eq!(limit(groups), Some(128 << 20));
        write("a/b/memory.max", "67108864\n");
        assert_eq!(limit(groups), Some(64 << 20));
    }

    #[test]
    fn bodies_have_what_the_reserve_leaves() {
        for (bodies, memory, views, expected) in [
            (256 << 20, None, 0, 640 << 20),
            (256 << 20, Some(256 << 20), 0, 192 << 20),
            (256 << 20, Some(256 << 20), 24 << 20, 168 << 20),
            (256 << 20, Some(64 << 20), 0, 40 << 20),
            (1 << 20, Some(256 << 20), 0, (1 << 20) * 5 / 2),
            (256 << 20, Some(0), 1, 0),
            (usize::MAX, None, 0, usize::MAX / 2),
        ] {
            assert_eq!(room(bodies, memory, views), expected);
        }
        assert_eq!(largest_body(needed(1 << 20)), 1 << 20);
    }

    #[test]
    fn texts_and_values_need_more_than_files() {
        assert_eq!(needed_for_json(b"a text"), 12);
        assert_eq!(needed_for_json(b"[1,{}]"), ARRAY + NEXT + OBJECT);
        let file = "Z".repeat(100_000);
        assert_eq!(needed_for_json(format!("\"{file}\"").as_bytes()), 4);
        let text = "Hello ".repeat(20_000);
        assert_eq!(needed_for_json(text.as_bytes()), 240_000);
        let both = format!("{text}\"{file}\"{text}");
        assert_eq!(needed_for_json(both.as_bytes()), 480_004);
    }

    #[test]
    fn octets_that_are_numbers_need_less_than_other_values() {
        let needed = |json: &str| needed_for_json_with_octets(json.as_bytes());
        assert_eq!(needed("[1,{}]"), ARRAY + NEXT + OBJECT);
        for (json, commas, octets) in [
            (r#"{"content":[1,2,3],"x":1}"#, 1, 2),
            ("{\"data\" :\n[ 1 , 22\t, 255 ] }", 0, 2),
            (r#"{"content":[1,2,"a",3]}"#, 1, 2),
            (r#"{"contents":[1,2,3]}"#, 2, 0),
            (r#"{"content":{"type":"Buffer","data":[1,2,3,4]}}"#, 1, 3),
            (r#"{"content"  "#, 0, 0),
        ] {
            let (objects, arrays) = (json.matches('{').count(), json.matches('[').count());
            let values = objects * OBJECT + arrays * ARRAY + commas * NEXT;
            assert_eq!(needed(json), values + octets * OCTET, "{json}");
        }
    }

    #[test]
    fn addresses_of_a_header_need_more_than_text() {
        for (mail, addresses) in [
            ("", 0),
            ("To: a@b, c@d", 1),
            ("To: a@b,\n c:d@e;\n\n1, 2, 3", 2),
            ("To: a@b, c@d\r\nCc: e@f\r\n\r\n1, 2\n\n3", 1),
        ] {
            let needed = needed_for_mail(mail.as_bytes());
            assert_eq!(needed, 2 * mail.len() + addresses * ADDRESS, "{mail}");
        }
    }
}
