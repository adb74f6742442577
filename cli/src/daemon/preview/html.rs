//! A mail's HTML for a frame of the preview.
//!
//! A frame has a sandbox and a policy, which let no script run, no form be sent and nothing be loaded. But they let a
//! page lead its own frame elsewhere (`meta refresh`), resolve names of hosts ahead (`link`), and take the keyboard
//! (`autofocus`). What does so is taken out here, token by token, and each token is written anew: so a browser reads no
//! other tags than were read here. The one exception is what stands in a style sheet, which a browser takes for tags
//! within `svg`; there nothing is left that looks like one.
//!
//! Images that come with the mail (`cid:`, RFC 2392) are put in their places.

use super::css;
use html5gum::{Doctype, HtmlString, StartTag, State, Token, Tokenizer};
use percent_encoding::percent_decode_str;
use pmtaemail::outbox::{Mail, Part};
use std::collections::HashMap;
use std::fmt::Write;

/// How a mail is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether it loads what lies on other hosts.
    pub remote: bool,
    /// The colours of whoever reads it, where they are known.
    pub scheme: Option<Scheme>,
}

/// A colour scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// HTML for a frame.
#[derive(Debug, Default)]
pub struct Rewritten {
    pub html: String,
    /// How many references there are to what lies on other hosts.
    pub remote: usize,
}

/// Writes the HTML of a mail anew.
pub fn rewrite(html: &str, mail: &Mail, options: Options) -> Rewritten {
    let mut writer = Writer {
        images: Images::of(mail),
        options,
        body: String::with_capacity(html.len()),
        doctype: String::new(),
        remote: 0,
        foreign: 0,
    };
    let mut tokenizer = Tokenizer::new(html);
    while let Some(Ok(token)) = tokenizer.next() {
        match token {
            Token::StartTag(tag) => {
                let name = text_of(&tag.name).into_owned();
                let content = writer.content_of(&name, &tag);
                writer.start_tag(&name, &tag, content);
                if let Some(state) = content.state() {
                    tokenizer.set_state(state);
                    tokenizer.set_last_start_tag(Some(&name));
                    let raw = take_raw(&mut tokenizer, &name);
                    writer.content(content, &name, &raw);
                }
            }
            Token::EndTag(tag) => writer.end_tag(&text_of(&tag.name)),
            Token::String(text) => writer.text(&text_of(&text.value)),
            Token::Doctype(doctype) => writer.doctype(&doctype),
            Token::Comment(_) | Token::Error(_) => {}
        }
    }
    writer.finish()
}

/// The text up to the end tag of an element whose content has no tags.
fn take_raw<R, E>(tokenizer: &mut Tokenizer<R, E>, name: &str) -> String
where
    R: html5gum::Reader,
    E: html5gum::emitters::Emitter<Token = Token>,
{
    let mut raw = String::new();
    while let Some(Ok(token)) = tokenizer.next() {
        match token {
            Token::String(text) => raw.push_str(&text_of(&text.value)),
            Token::EndTag(tag) if text_of(&tag.name) == name => break,
            _ => {}
        }
    }
    raw
}

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Text and elements.
    Elements,
    /// A style sheet.
    Style,
    /// Text, in which characters may be written as references.
    Text,
    /// Text as it is.
    Plain,
    /// What is not shown.
    Script,
    Hidden,
}

impl Content {
    fn of(name: &str) -> Self {
        match name {
            "style" => Self::Style,
            "textarea" | "title" => Self::Text,
            "xmp" | "plaintext" => Self::Plain,
            "script" => Self::Script,
            "iframe" | "noembed" | "noframes" => Self::Hidden,
            _ => Self::Elements,
        }
    }

    /// How a browser reads it.
    fn state(self) -> Option<State> {
        match self {
            Self::Elements => None,
            Self::Text => Some(State::RcData),
            Self::Script => Some(State::ScriptData),
            Self::Style | Self::Plain | Self::Hidden => Some(State::RawText),
        }
    }
}

struct Writer<'m> {
    images: Images<'m>,
    options: Options,
    body: String,
    doctype: String,
    remote: usize,
    /// How many elements are open that are no HTML.
    foreign: usize,
}

impl Writer<'_> {
    /// What an element holds. In SVG one may end with its own tag.
    fn content_of(&self, name: &str, tag: &StartTag<()>) -> Content {
        if tag.self_closing && self.foreign > 0 {
            Content::Elements
        } else {
            Content::of(name)
        }
    }

    fn start_tag(&mut self, name: &str, tag: &StartTag<()>, content: Content) {
        if is_foreign(name) && !tag.self_closing {
            self.foreign += 1;
        }
        let is_written = match name {
            // A browser asks other hosts for all but style sheets even where nothing may be loaded.
            "link" => self.is_style_sheet(tag),
            "meta" => is_named_meta(tag),
            // What they would show is not there; what stands in them for that case is.
            "base" | "object" | "embed" | "applet" | "frame" | "frameset" | "portal"
            | "fencedframe" | "script" | "iframe" | "noembed" | "noframes" => false,
            _ => is_plain_name(name) && content != Content::Plain,
        };
        if is_written {
            self.write_tag(name, tag);
        } else {
            self.count_only(tag);
        }
    }

    /// What an element refers to that is not written.
    fn count_only(&mut self, tag: &StartTag<()>) {
        for (name, value) in &tag.attributes {
            if ["src", "data"].contains(&&*text_of(name)) && is_remote(&text_of(value)) {
                self.remote += 1;
            }
        }
    }

    fn write_tag(&mut self, name: &str, tag: &StartTag<()>) {
        self.body.push('<');
        self.body.push_str(name);
        let is_link = ["a", "area"].contains(&name);
        for (attribute, value) in &tag.attributes {
            let attribute = text_of(attribute);
            if is_plain_name(&attribute) && !is_active(&attribute) {
                let value = text_of(value);
                if let Some(value) = self.attribute(name, &attribute, &value) {
                    self.push_attribute(&attribute, &value);
                }
            }
        }
        if is_link {
            // A frame with a sandbox opens no other, so nothing happens.
            self.push_attribute("target", "_blank");
        }
        self.body
            .push_str(if tag.self_closing { "/>" } else { ">" });
    }

    fn push_attribute(&mut self, name: &str, value: &str) {
        self.body.push(' ');
        self.body.push_str(name);
        self.body.push_str("=\"");
        push_escaped(&mut self.body, value);
        self.body.push('"');
    }

    /// The value that an attribute gets, if it is written.
    fn attribute(&mut self, element: &str, name: &str, value: &str) -> Option<String> {
        let is_image = ["image", "feimage", "use"].contains(&element);
        match name {
            "style" => Some(self.style_sheet(value)),
            "src" | "background" | "poster" | "lowsrc" | "dynsrc" => Some(self.address(value)),
            "href" if element == "link" => Some(self.address(value)),
            "href" | "xlink:href" if is_image => Some(self.address(value)),
            // A browser would take one of these in place of an image that came with the mail.
            "srcset" | "imagesrcset" => {
                self.remote += value.split(',').filter(|one| is_remote(one)).count();
                self.options.remote.then(|| value.to_owned())
            }
            // Those of SVG: fill="url(…)".
            _ if value.to_ascii_lowercase().contains("url(") => Some(self.style_sheet(value)),
            _ => Some(value.to_owned()),
        }
    }

    fn address(&mut self, address: &str) -> String {
        let found = self.images.changed(&mut self.remote, address);
        found.unwrap_or_else(|| address.to_owned())
    }

    fn style_sheet(&mut self, css: &str) -> String {
        css::rewrite(css, |address| {
            self.images.changed(&mut self.remote, address)
        })
    }

    /// What stands in an element whose content has no tags.
    fn content(&mut self, content: Content, name: &str, raw: &str) {
        match content {
            Content::Style => {
                let css = self.style_sheet(raw);
                push_without_tags(&mut self.body, &css);
                self.end_tag(name);
            }
            Content::Text => {
                push_escaped(&mut self.body, raw);
                self.end_tag(name);
            }
            Content::Plain => {
                self.body.push_str("<pre>");
                push_escaped(&mut self.body, raw);
                self.body.push_str("</pre>");
            }
            Content::Script | Content::Hidden | Content::Elements => {}
        }
    }

    fn end_tag(&mut self, name: &str) {
        if is_foreign(name) {
            self.foreign = self.foreign.saturating_sub(1);
        }
        if is_plain_name(name) {
            let _ = write!(self.body, "</{name}>");
        }
    }

    fn text(&mut self, text: &str) {
        push_escaped(&mut self.body, text);
    }

    /// Keeps the document type where it counts: it says how the style sheets are read.
    fn doctype(&mut self, doctype: &Doctype<()>) {
        if !self.doctype.is_empty() || !self.body.trim().is_empty() {
            return;
        }
        self.doctype.push_str("<!DOCTYPE");
        if doctype.force_quirks {
            self.doctype.push('>');
            return;
        }
        let _ = write!(self.doctype, " {}", plain(&doctype.name));
        let public = doctype.public_identifier.as_ref();
        let system = doctype.system_identifier.as_ref();
        match (public, system) {
            (None, None) => {}
            (Some(public), None) => {
                let _ = write!(self.doctype, " PUBLIC \"{}\"", plain(public));
            }
            (Some(public), Some(system)) => {
                let (public, system) = (plain(public), plain(system));
                let _ = write!(self.doctype, " PUBLIC \"{public}\" \"{system}\"");
            }
            (None, Some(system)) => {
                let _ = write!(self.doctype, " SYSTEM \"{}\"", plain(system));
            }
        }
        self.doctype.push('>');
    }

    fn is_style_sheet(&mut self, tag: &StartTag<()>) -> bool {
        let value = |name: &str| {
            let value = tag.attributes.get(name.as_bytes())?;
            Some(text_of(value).to_ascii_lowercase())
        };
        let is_one = value("rel").is_some_and(|rel| rel.trim() == "stylesheet");
        if is_one && !self.options.remote && value("href").is_some_and(|href| is_remote(&href)) {
            self.remote += 1;
            return false;
        }
        is_one
    }

    fn finish(self) -> Rewritten {
        let scheme = match self.options.scheme {
            None => "",
            Some(Scheme::Light) => "<meta name=\"color-scheme\" content=\"light\">",
            Some(Scheme::Dark) => "<meta name=\"color-scheme\" content=\"dark\">",
        };
        Rewritten {
            html: [&self.doctype, scheme, &self.body].concat(),
            remote: self.remote,
        }
    }
}

/// The images that came with a mail.
struct Images<'m> {
    /// By their Content-IDs.
    parts: HashMap<&'m str, &'m Part>,
    /// How many more bytes may be written: a mail that shows one image very often could become very large.
    room: usize,
}

impl<'m> Images<'m> {
    fn of(mail: &'m Mail) -> Self {
        let parts = || mail.root.walk().filter(|part| is_shown(part));
        let size: usize = parts().map(|part| part.octets).sum();
        let by_id = |part: &'m Part| Some((part.content_id.as_deref()?, part));
        Self {
            parts: parts().filter_map(by_id).collect(),
            room: LEAST_ROOM.max(size.saturating_mul(2)),
        }
    }

    /// What stands in place of an address: an image that came with the mail. Counts those of other hosts.
    fn changed(&mut self, remote: &mut usize, address: &str) -> Option<String> {
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
        self.room = self.room.checked_sub(part.octets.max(1))?;
        let content = encodify::base64::STANDARD.encode(&part.content);
        Some(format!("data:{};base64,{content}", part.media_type))
    }
}

/// How many bytes of images may be written where all together have fewer.
const LEAST_ROOM: usize = 1 << 20;

/// Whether a part may take the place of an address.
fn is_shown(part: &Part) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
    let kinds = ["image/", "font/", "audio/", "video/"];
    let is_one = kinds.iter().any(|kind| part.media_type.starts_with(kind));
    is_one && part.media_type.bytes().all(is_plain)
}

/// Whether an address is on another host, as a browser reads it: it overlooks blanks and line ends, and takes `\` for
/// `/`.
fn is_remote(address: &str) -> bool {
    let is_overlooked = |c: char| ['\t', '\n', '\r'].contains(&c);
    let kept = address.trim_start_matches(|c: char| c <= ' ').chars();
    let start = kept.filter(|c| !is_overlooked(*c)).take(6);
    let start = start
        .collect::<String>()
        .to_ascii_lowercase()
        .replace('\\', "/");
    start.starts_with("http:") || start.starts_with("https:") || start.starts_with("//")
}

/// Whether an attribute does something, or takes the keyboard.
fn is_active(name: &str) -> bool {
    const ACTIVE: [&str; 6] = [
        "accesskey",
        "action",
        "autofocus",
        "formaction",
        "ping",
        "target",
    ];
    ACTIVE.contains(&name) || name.starts_with("on") || name == "srcdoc" || name == "nonce"
}

fn is_foreign(name: &str) -> bool {
    name == "svg" || name == "math"
}

/// A `meta` that says how wide a screen is, or which colours there may be.
fn is_named_meta(tag: &StartTag<()>) -> bool {
    const KEPT: [&str; 3] = ["viewport", "color-scheme", "supported-color-schemes"];
    let is_http = tag.attributes.contains_key(b"http-equiv".as_slice());
    let name = tag.attributes.get(b"name".as_slice());
    let is_kept = |name: &str| KEPT.contains(&name.trim().to_ascii_lowercase().as_str());
    !is_http && name.is_some_and(|name| is_kept(&text_of(name)))
}

/// Names that are written as they are.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(is_plain)
}

fn text_of(value: &HtmlString) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value)
}

/// Letters and what identifiers of document types have.
fn plain(identifier: &HtmlString) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || " -_.:/+,()".contains(*c);
    text_of(identifier).chars().filter(is_plain).collect()
}

fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

/// A style sheet in which nothing looks like a tag or a comment of HTML: its own `<` are either alone, as in
/// `(width < 600px)`, or `<!--`, which means nothing there.
fn push_without_tags(out: &mut String, css: &str) {
    let css = css.replace("<!--", "");
    let mut characters = css.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek();
        match character {
            '<' if next.is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(*next)) => {
                out.push_str("\\3c ");
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mail with an image, `cid:a@b`, and a text, `cid:t`.
    fn mail() -> Mail {
        let mail = b"Content-Type: multipart/related; boundary=x\r\n\r\n\
            --x\r\nContent-Type: text/html\r\n\r\n<p>\r\n\
            --x\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\n\r\nPNG\r\n\
            --x\r\nContent-Type: text/html\r\nContent-ID: <t>\r\n\r\n<p>\r\n--x--\r\n";
        Mail::read(mail).unwrap()
    }

    fn rewritten(html: &str) -> (String, usize) {
        let Rewritten { html, remote } = rewrite(html, &mail(), Options::default());
        (html, remote)
    }

    #[test]
    fn what_does_nothing_stays() {
        for html in [
            "<!DOCTYPE html><html lang=\"de\"><head><title>&lt;a&gt; &amp; b</title></head><body>Grüße</body></html>",
            "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\"><p>",
            "<table><tr><td bgcolor=\"#fff\" style=\"color: red\">&quot;x&quot;</td></tr></table><br/>",
            "<style media=\"(width < 600px)\">p > a { content: '<'; width: calc(1px) }</style>",
            "<meta content=\"width=device-width\" name=\"viewport\"><p hidden=\"\">",
            "<svg viewBox=\"0 0 1 1\"><title/><path d=\"M0 0\"/></svg><textarea>a&lt;/b</textarea>",
            "<img alt=\"\" src=\"data:image/png;base64,AAAA\">",
            "",
        ] {
            let expected = html.replace("media=\"(width <", "media=\"(width &lt;");
            let expected = expected.replace("viewBox", "viewbox");
            assert_eq!(rewritten(html), (expected, 0));
        }
    }

    #[test]
    fn what_leaves_the_frame_is_taken_out() {
        for (html, expected) in [
            ("<meta http-equiv=refresh content='0;url=//x'>a", "a"),
            ("<META HTTP-EQUIV=Refresh NAME=viewport content=0>a", "a"),
            ("<base href=//x target=_top>a", "a"),
            ("<script>alert('</p>')</script>a", "a"),
            ("<link rel=preconnect href=//x>a", "a"),
            (
                "<iframe src=//x><meta></iframe><object><p>a</object>",
                "<p>a</object>",
            ),
            ("<p onclick=x onerror='y' autofocus accesskey=a>", "<p>"),
            (
                "<form action=//x target=_top><button formaction=//y>",
                "<form><button>",
            ),
            (
                "<a href=\"https://x/?a=1&amp;b\" target=_top ping=//y>a</a>",
                "<a href=\"https://x/?a=1&amp;b\" target=\"_blank\">a</a>",
            ),
            ("<!-- <meta> --><![if !mso]>a<![endif]><?php ?>", "a"),
            ("<plaintext><meta>", "<pre>&lt;meta&gt;</pre>"),
            (
                "<svg><style><meta></style>",
                "<svg><style>\\3c meta></style>",
            ),
            ("<style><!-- a{} --></style>", "<style> a{} --></style>"),
            (
                "<noscript><b>a</b></noscript>",
                "<noscript><b>a</b></noscript>",
            ),
            ("<p \"=x <=y>a", "<p>a"),
            ("a<b", "a"),
        ] {
            assert_eq!(rewritten(html).0, expected, "{html}");
        }
    }

    #[test]
    fn images_of_the_mail_are_in_their_places() {
        const IMAGE: &str = "data:image/png;base64,UE5H";
        for html in [
            "<img src=\"cid:a@b\">",
            "<img src=\" CID:a%40b \">",
            "<td background=\"cid:a@b\">",
            "<td style=\"background: url(&quot;cid:a@b&quot;)\">",
            "<style>td{background:url(\"cid:a@b\")}</style>",
        ] {
            let shown = rewritten(html).0;
            assert!(shown.contains(IMAGE) && !shown.contains("cid"), "{shown}");
        }
        for html in [
            "<img src=\"cid:b\">",
            "<img src=\"cid:t\">",
            "<img src=\"a@b\">",
        ] {
            assert_eq!(rewritten(html), (html.to_owned(), 0));
        }
    }

    #[test]
    fn an_image_is_not_written_without_end() {
        let image = "A".repeat(LEAST_ROOM / 4);
        let mail = format!("Content-Type: image/png\r\nContent-ID: <a>\r\n\r\n{image}");
        let mail = Mail::read(mail.as_bytes()).unwrap();
        let html = "<img src=cid:a>".repeat(9);
        let shown = rewrite(&html, &mail, Options::default()).html;
        assert_eq!(shown.matches("data:").count(), 4);
        assert_eq!(shown.matches("<img").count(), 9);
    }

    #[test]
    fn references_to_other_hosts_are_counted() {
        for (html, remote) in [
            ("<img src=http://x/>", 1),
            (
                "<img src=' ht\ntps://x/'><img src=//x/><img src='\\\\x'>",
                3,
            ),
            (
                "<img srcset='http://x/a 1x, https://x/b 2x' src=cid:a@b>",
                2,
            ),
            ("<p style='background: url(http://x/)'>", 1),
            (
                "<style>@import '//x/a.css'; a{b:url(https://x/)}</style>",
                2,
            ),
            ("<link rel=stylesheet href=http://x/>", 1),
            (
                "<svg><image href=http://x/ /><image xlink:href=http://x/ /></svg>",
                2,
            ),
            (
                "<iframe src=http://x/></iframe><object data=http://x/></object>",
                2,
            ),
            ("<video poster=http://x/a src=http://x/b>", 2),
            ("<a href=http://x/>", 0),
            ("<img src=x><img src=data:,http://x><p title=http://x/>", 0),
        ] {
            assert_eq!(rewritten(html).1, remote, "{html}");
            let options = Options {
                remote: true,
                ..Options::default()
            };
            assert_eq!(rewrite(html, &mail(), options).remote, remote, "{html}");
        }
    }

    #[test]
    fn whoever_asks_gets_a_scheme_and_what_lies_on_other_hosts() {
        let options = Options {
            remote: true,
            scheme: Some(Scheme::Dark),
        };
        let html = "<!doctype html><link rel=stylesheet href=https://x/><img srcset=https://x/>";
        assert_eq!(
            rewrite(html, &mail(), options).html,
            "<!DOCTYPE html><meta name=\"color-scheme\" content=\"dark\">\
             <link href=\"https://x/\" rel=\"stylesheet\"><img srcset=\"https://x/\">"
        );
    }

    /// Whatever is put together of these, a browser reads no other tag than was written.
    #[test]
    fn nothing_makes_a_tag_of_text() {
        const PIECES: [&str; 24] = [
            "<svg>",
            "</svg>",
            "<math>",
            "<style>",
            "</style>",
            "<title>",
            "</title>",
            "<script>",
            "</script>",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<textarea>",
            "</textarea>",
            "<xmp>",
            "</xmp>",
            "<p a='",
            "'>",
            "<meta http-equiv=refresh content=0>",
            "<base href=x>",
            "&lt;meta&gt;",
            "<style/>",
            "<noscript>",
        ];
        let mail = mail();
        let mut state: u64 = 1;
        for _ in 0..5_000 {
            let mut html = String::new();
            for _ in 0..8 {
                // Knuth's MMIX: a test needs no better numbers.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                html.push_str(PIECES[(state >> 33) as usize % PIECES.len()]);
            }
            let shown = rewrite(&html, &mail, Options::default()).html;
            for tag in ["<meta", "<base", "<script", "<!--", "<![", "<xmp"] {
                assert!(!shown.contains(tag), "{html}\n{shown}");
            }
        }
    }
}
