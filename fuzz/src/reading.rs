//! What a reader makes of a message, in terms that all readers share.

/// A mailbox: display name and address.
pub type Mailbox = (String, String);

/// A part that is neither the text nor the HTML.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Its name.
    pub name: Option<String>,
    /// Its content.
    pub content: Vec<u8>,
    /// Whether it says that it is text, or a message: what ends its lines does not count.
    pub is_text: bool,
}

/// The parts of a message that a person, or a program, acts on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The names of all header fields in lower case, sorted.
    pub names: Vec<String>,
    /// Subject; empty where there is none.
    pub subject: String,
    /// From, Reply-To, To, Cc.
    pub addresses: [Vec<Mailbox>; 4],
    /// The text/plain body, with LF at the ends of lines but for the last.
    pub text: String,
    /// The text/html body.
    pub html: String,
    /// Everything else.
    pub files: Vec<File>,
    /// The fields whose names begin with `X-`, sorted.
    pub own: Vec<(String, String)>,
}

/// The fields whose mailboxes are read.
pub const ADDRESS_FIELDS: [&str; 4] = ["from", "reply-to", "to", "cc"];

/// A text with LF at the ends of its lines; the end of the last is no content of a body.
pub fn normal_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
}

/// An address whose domain is in A-labels and in lower case.
pub fn normal_address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let ascii = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
            format!("{local}@{ascii}")
        }
        None => address.to_owned(),
    }
}

impl File {
    /// Its content where what ends the lines does not count.
    pub fn normal_content(&self) -> Vec<u8> {
        let mut normal = Vec::with_capacity(self.content.len());
        let mut bytes = self.content.iter().peekable();
        while let Some(byte) = bytes.next() {
            if *byte == b'\r' {
                bytes.next_if(|next| **next == b'\n');
                normal.push(b'\n');
            } else {
                normal.push(*byte);
            }
        }
        let end = normal.trim_ascii_end().len();
        normal.truncate(end);
        normal
    }

    /// Whether it is that other one, which says what it is.
    pub fn is(&self, other: &Self) -> bool {
        let is_content = self.content == other.content
            || other.is_text && self.normal_content() == other.normal_content();
        self.name == other.name && is_content
    }
}
