//! A mail's HTML for a frame of the preview.
//!
//! A frame has a sandbox and a policy, under which no script runs, no form is sent and nothing is loaded. But they
//! allow a page to navigate its own frame elsewhere (`meta refresh`), to prefetch names of hosts (`link`), and to take
//! the keyboard focus (`autofocus`). Whatever does that is removed here, token by token, and each token is written
//! anew: so a browser reads no tags other than those that were read here. The one exception is the text of a style
//! sheet, in which a browser sees tags within `svg`; nothing that looks like a tag is left there.
//!
//! Images that come with the mail (`cid:`, RFC 2392) are inserted.
//!
//! ```text
//! mod        token by token
//!   rules    what is kept, and how it is written
//!   images   images of the mail, and addresses of other hosts
//! ```

mod images;
mod rules;

use super::css;
use html5gum::{Doctype, StartTag, Token, Tokenizer};
use images::{Images, is_remote};
use pmtaemail::outbox::Mail;
use rules::{
    Content, is_active, is_animation_of_link, is_foreign, is_link, is_named_meta, is_plain_name,
    plain, push_escaped, push_without_tags, text_of,
};
use std::fmt::Write;

/// How a mail is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether it loads content from other hosts.
    pub remote: bool,
    /// The reader's color scheme, if known.
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
    /// The number of references to other hosts.
    pub remote: usize,
}

/// Writes the HTML of a mail anew.
pub fn rewrite(html: &str, mail: &Mail, options: Options) -> Rewritten {
    let mut writer = Writer {
        images: Images::of(mail),
        options,
        body: String::with_capacity(html.len()),
        doctype: String::new(),
        has_doctype: false,
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

struct Writer<'m> {
    images: Images<'m>,
    options: Options,
    body: String,
    doctype: String,
    has_doctype: bool,
    remote: usize,
    /// How many open elements are not HTML.
    foreign: usize,
}

impl Writer<'_> {
    /// The kind of content of an element. In SVG an element may be self-closing.
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
            // A browser contacts other hosts for anything but style sheets, even if nothing may be loaded.
            "link" => self.is_style_sheet(tag),
            "meta" => is_named_meta(tag),
            // What they would show is not available; the fallback inside them is.
            "base" | "object" | "embed" | "applet" | "frame" | "frameset" | "portal"
            | "fencedframe" | "script" | "iframe" | "noembed" | "noframes" => false,
            _ => {
                is_plain_name(name) && content != Content::Plain && !is_animation_of_link(name, tag)
            }
        };
        if is_written {
            self.write_tag(name, tag);
        } else {
            self.count_only(tag);
        }
    }

    /// Counts the references of an element that is not written.
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
        for (attribute, value) in &tag.attributes {
            let attribute = text_of(attribute);
            if is_plain_name(&attribute) && !is_active(&attribute) {
                let value = text_of(value);
                if let Some(value) = self.attribute(name, &attribute, &value) {
                    self.push_attribute(&attribute, &value);
                }
            }
        }
        if is_link(name) {
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

    /// The new value of an attribute, if it is written.
    fn attribute(&mut self, element: &str, name: &str, value: &str) -> Option<String> {
        let is_image = ["image", "feimage", "use"].contains(&element);
        match name {
            "style" => Some(self.style_sheet(value)),
            "src" | "background" | "poster" | "lowsrc" | "dynsrc" => Some(self.address(value)),
            "href" if element == "link" => Some(self.address(value)),
            "href" | "xlink:href" if is_image => Some(self.address(value)),
            // To some browsers, any MathML element can be a link, which opens in the frame itself.
            "href" | "xlink:href" if !is_link(element) && !value.trim().starts_with('#') => None,
            // A browser would prefer one of these to an image that came with the mail.
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

    /// The content of an element that cannot contain tags.
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

    /// Keeps the document type where it counts: it determines how style sheets are read.
    fn doctype(&mut self, doctype: &Doctype<()>) {
        // Only the first one counts; if there are very many, none may search the whole text before it.
        let is_first = !std::mem::replace(&mut self.has_doctype, true);
        if !is_first || !self.body.trim().is_empty() {
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

#[cfg(test)]
mod tests;
