//! What HTML looks like to those who get it.
//!
//! It is examined as it was given: in a template, placeholders are not filled in. They are covered first, byte for
//! byte, so that they count neither as tags nor as attributes.

use crate::problem::Code;
use crate::template::Place;
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use std::borrow::Cow;
use std::ops::Range;

/// Gmail shows this many bytes of the HTML of a message, and a link to the rest.
const MOST_BYTES: usize = 102_000;

/// Covers a placeholder that may become any text. Nobody's HTML contains either of these.
const VALUE: u8 = 1;
/// Covers a statement or a comment.
const STATEMENT: u8 = 2;

/// The code and sentence for HTML that is too large.
pub(super) fn too_large(html: &str) -> Option<(Code, String)> {
    (html.len() > MOST_BYTES).then(|| (Code::LargeHtml, TOO_LARGE.to_owned()))
}

/// The code and sentence for each fault in it.
pub(super) fn faults(html: &str) -> Vec<(Code, String)> {
    let faults = Faults::of(&covered(html));
    let told = FAULTS.iter().zip(faults.0);
    let told = told.filter_map(|(fault, found)| Some((fault.code, found?.tell(html, fault))));
    told.collect()
}

const TOO_LARGE: &str = "The HTML is larger than 102 kB, beyond which Gmail cuts the message off and shows a link to the rest.";

/// What is wrong somewhere, and what to do.
struct Fault {
    code: Code,
    what: &'static str,
}

/// In the order of [`Faults`].
static FAULTS: [Fault; 3] = [
    Fault {
        code: Code::MissingAlt,
        what: "an image has no `alt`: describe it for those who do not see it; `alt=\"\"` if it is decoration.",
    },
    Fault {
        code: Code::InsecureLink,
        what: "a link does not start with `https://`: write out the whole URL.",
    },
    Fault {
        code: Code::ScriptLink,
        what: "a link is a script: mail programs do not run scripts, and filters reject such mail.",
    },
];

const ALT: usize = 0;
const INSECURE: usize = 1;
const SCRIPT: usize = 2;

/// The first position of each fault, and their number.
#[derive(Debug, Default, PartialEq, Eq)]
struct Faults([Option<Found>; 3]);

#[derive(Debug, PartialEq, Eq)]
struct Found {
    offset: usize,
    others: usize,
}

impl Found {
    fn tell(&self, html: &str, fault: &Fault) -> String {
        let place = Place::of(html, self.offset);
        let what = fault.what;
        match self.others {
            0 => format!("In {place} {what}"),
            1 => format!("In {place}, and in 1 other place, {what}"),
            others => format!("In {place}, and in {others} other places, {what}"),
        }
    }
}

impl Faults {
    fn of(html: &[u8]) -> Self {
        let mut faults = Self::default();
        let mut emitter = DefaultEmitter::new_with_span();
        // In scripts and style sheets there are no tags.
        emitter.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(html, emitter) {
            let Ok(token) = token;
            if let Token::StartTag(tag) = token {
                faults.look_at(&tag);
            }
        }
        faults
    }

    fn look_at(&mut self, tag: &StartTag<usize>) {
        let at = tag.span.start;
        let name = tag.name.as_slice();
        let attributes = || {
            let attributes = tag.attributes.iter();
            attributes.map(|(name, value)| (name.as_slice(), value.as_slice()))
        };
        if name == b"img" {
            // A placeholder among the attributes may be one.
            let may_be_alt =
                |name: &[u8]| name == b"alt" || name.iter().any(|byte| is_cover(*byte));
            if !attributes().any(|(name, _)| may_be_alt(name)) {
                self.add(ALT, at);
            }
        }
        let addresses =
            attributes().map(|(name, value)| (without_covers(name), Address::of(value)));
        for (attribute, address) in addresses {
            match (attribute, address) {
                (b"href", Address::Insecure) if matches!(name, b"a" | b"area") => {
                    self.add(INSECURE, at);
                }
                (b"href" | b"xlink:href" | b"src" | b"action" | b"formaction", Address::Script) => {
                    self.add(SCRIPT, at);
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, fault: usize, offset: usize) {
        match &mut self.0[fault] {
            Some(found) => found.others += 1,
            none => *none = Some(Found { offset, others: 0 }),
        }
    }
}

/// Where the URL in an attribute leads.
#[derive(Debug, PartialEq, Eq)]
enum Address {
    /// To a web page over http, or nowhere because it has no host.
    Insecure,
    Script,
    /// Elsewhere, or a placeholder decides.
    Other,
}

impl Address {
    /// Reads it as a browser does: surrounding white space, and all line breaks and tabs, are ignored.
    fn of(value: &[u8]) -> Self {
        const LONGEST: usize = 64;
        let ignored = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | &STATEMENT);
        let bytes = value.iter().copied().filter(|byte| !ignored(byte));
        let blank = |byte: &u8| *byte <= b' ' && *byte != VALUE;
        let start: Vec<u8> = bytes.skip_while(blank).take(LONGEST).collect();
        let is_start = |byte: &u8| byte.is_ascii_alphanumeric() || b"/.?".contains(byte);
        if !start.first().is_some_and(is_start) {
            return Self::Other;
        }
        let end = start
            .iter()
            .position(|byte| b":/?#".contains(byte) || *byte == VALUE);
        match end.map(|end| (start[end], start[..end].to_ascii_lowercase())) {
            Some((VALUE, _)) => Self::Other,
            Some((b':', scheme)) => match scheme.as_slice() {
                b"http" => Self::Insecure,
                b"javascript" | b"vbscript" => Self::Script,
                _ => Self::Other,
            },
            _ => Self::Insecure,
        }
    }
}

fn is_cover(byte: u8) -> bool {
    matches!(byte, VALUE | STATEMENT)
}

/// The name of an attribute without a statement right before or after it.
fn without_covers(name: &[u8]) -> &[u8] {
    let start = name.iter().position(|byte| !is_cover(*byte));
    let end = name.iter().rposition(|byte| !is_cover(*byte));
    match (start, end) {
        (Some(start), Some(end)) => &name[start..=end],
        _ => &[],
    }
}

/// The HTML with its placeholders covered, whatever the language: even if nothing fills them in, they are not tags.
fn covered(html: &str) -> Cow<'_, [u8]> {
    let bytes = html.as_bytes();
    let mut covered = Cow::Borrowed(bytes);
    let mut ends = [("}}", VALUE), ("%}", STATEMENT)].map(|(end, cover)| {
        let ends = memchr::memmem::find_iter(bytes, end).map(|at| at + end.len());
        (ends.peekable(), cover)
    });
    let mut place = 0;
    while let Some((start, kind)) = next_start(bytes, place) {
        let (ends, cover) = &mut ends[kind];
        while ends.next_if(|end| *end < start + 4).is_some() {}
        let Some(end) = ends.peek() else {
            place = start + 2;
            continue;
        };
        let range: Range<usize> = start..*end;
        covered.to_mut()[range].fill(*cover);
        place = *end;
    }
    covered
}

/// The start of the next placeholder or statement, and which of them it is.
fn next_start(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut braces = memchr::memchr_iter(b'{', &bytes[from..]).map(|at| from + at);
    braces.find_map(|at| match bytes.get(at + 1)? {
        b'{' => Some((at, 0)),
        b'%' => Some((at, 1)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(html: &str) -> impl Iterator<Item = (Code, String)> {
        too_large(html).into_iter().chain(faults(html))
    }

    fn codes(html: &str) -> Vec<&'static str> {
        look(html).map(|(code, _)| code.as_str()).collect()
    }

    fn of_link(address: &str) -> Vec<&'static str> {
        codes(&format!("<a href=\"{address}\">a</a>"))
    }

    #[test]
    fn html_may_have_102_kilobytes() {
        assert_eq!(codes(&"x".repeat(102_000)), [""; 0]);
        assert_eq!(codes(&"x".repeat(102_001)), ["large_html"]);
    }

    #[test]
    fn images_want_a_text() {
        for html in [
            "<img src=a alt='b'>",
            "<IMG ALT=''>",
            "<img alt>",
            "<img {{ attributes }}>",
            "<img {% if alt %}alt=\"{{ alt }}\"{% endif %} src='a'>",
            "<img src=\"{{ a | default: \"b\" }}\" alt=\"{{ c }}\">",
            "<!-- <img> --><style>/* <img> */</style><script>'<img>'</script><title><img></title>",
            "<p alt>&lt;img&gt;",
            "",
        ] {
            assert_eq!(codes(html), [""; 0], "{html}");
        }
        for html in [
            "<img>",
            "<img src=\"alt\">",
            "<div><Img/></div>",
            "<img src='{{ a }}'>",
            "{% if a <b %}<img>{% endif %}",
        ] {
            assert_eq!(codes(html), ["missing_alt"], "{html}");
        }
    }

    #[test]
    fn links_want_https() {
        for address in [
            "https://example.com",
            " HTTPS://example.com",
            "mailto:a@example.com",
            "tel:1",
            "#top",
            "",
            "{{ url }}",
            "{% if a %}{{ a }}{% endif %}",
            "https{{ rest }}",
            "x{{ a }}:b",
            "*|URL|*",
            "%recipient.url%",
            "%%url%%",
            "[[var:url]]",
        ] {
            assert_eq!(of_link(address), [""; 0], "{address}");
        }
        for address in [
            "http://example.com",
            "HTTP://{{ host }}/",
            "&#104;ttp://example.com",
            "ht\ntp://example.com",
            "//example.com",
            "/a",
            "example.com",
            "www.example.com/{{ a }}",
            "{% if a %}http://example.com{% else %}{{ b }}{% endif %}",
        ] {
            assert_eq!(of_link(address), ["insecure_link"], "{address}");
        }
        for html in [
            "<link href='http://example.com'>",
            "<a name='http://example.com'>",
            "<img alt='' src='http://example.com'>",
        ] {
            assert_eq!(codes(html), [""; 0], "{html}");
        }
        let html = "<a {% if a %}href='http://a'{% else %}href='https://b'{% endif %}>";
        assert_eq!(codes(html), ["insecure_link"]);
    }

    #[test]
    fn scripts_are_no_addresses() {
        for address in [
            "javascript:alert(1)",
            " \u{1f}JavaScript:",
            "java\tscript:a",
            "&#x6a;avascript&colon;a",
            "vbscript:a",
        ] {
            assert_eq!(of_link(address), ["script_link"], "{address:?}");
        }
        for html in [
            "<form action=javascript:a>",
            "<button formaction='javascript:a'>",
            "<svg><a xlink:href='javascript:a'>",
            "<iframe src='javascript:a'>",
        ] {
            assert_eq!(codes(html), ["script_link"], "{html}");
        }
        assert_eq!(of_link("https://example.com/javascript:a"), [""; 0]);
    }

    #[test]
    fn places_are_those_of_the_first() {
        let html = "é\r\n<b>{{ n }}</b> é <img>\n<img>";
        let found: Vec<_> = look(html).map(|(_, detail)| detail).collect();
        let [detail] = &found[..] else {
            panic!("{found:?}")
        };
        let start = "In line 2, column 18, and in 1 other place, an image has no `alt`";
        assert!(detail.starts_with(start), "{detail}");
        let others = look("<img><img><img>").next().unwrap().1;
        assert!(others.starts_with("In line 1, column 1, and in 2 other places, an image"));
    }

    #[test]
    fn unclosed_braces_are_not_a_placeholder() {
        assert_eq!(*covered("{{ a <img> }"), *b"{{ a <img> }");
        assert_eq!(
            *covered("a{{b}}c{%d%}{{{e}}}"),
            *b"a\x01\x01\x01\x01\x01c\x02\x02\x02\x02\x02\x01\x01\x01\x01\x01\x01}"
        );
        assert_eq!(codes(&"{{".repeat(100_000)), ["large_html"]);
        assert_eq!(codes(&"{% {{ ".repeat(100_000)), ["large_html"]);
    }
}
