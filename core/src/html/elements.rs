//! The open elements, with the end tags that HTML allows one to omit (its standard, section 13.1.2.4).

/// The elements that are open, the outermost first.
#[derive(Debug)]
pub(super) struct OpenElements<T> {
    open: Vec<(Box<[u8]>, T)>,
}

/// How far up an element is searched for: nobody nests deeper, and whoever does must not slow this down.
pub(super) const DEEPEST: usize = 250;

impl<T> OpenElements<T> {
    pub fn new() -> Self {
        Self { open: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// The innermost.
    pub fn last(&self) -> Option<(&[u8], &T)> {
        self.open.last().map(|(name, of)| (&**name, of))
    }

    /// The parent of the innermost.
    pub fn before_last(&self) -> Option<(&[u8], &T)> {
        let before = self.open.len().checked_sub(2)?;
        self.open.get(before).map(|(name, of)| (&**name, of))
    }

    /// Whether an element with one of these names is open.
    pub fn contains(&self, names: &[&[u8]]) -> bool {
        let mut open = self.open.iter();
        open.any(|(name, _)| names.contains(&&**name))
    }

    pub fn push(&mut self, name: &[u8], of: T) {
        self.open.push((name.into(), of));
    }

    /// Closes the innermost.
    pub fn pop(&mut self) -> Option<(Box<[u8]>, T)> {
        self.open.pop()
    }

    /// How many elements stay open when an element with this name starts.
    pub fn left_by_start(&self, name: &[u8]) -> usize {
        const TABLE: &[&[u8]] = &[b"table"];
        const CELLS: &[&[u8]] = &[b"td", b"th", b"table", b"caption", b"button"];

        let (ended, bounds): (&[&[u8]], &[&[u8]]) = match name {
            b"li" => (&[b"li"], &[b"ul", b"ol", b"menu", b"td", b"th", b"table"]),
            b"dt" | b"dd" => (&[b"dt", b"dd"], &[b"dl", b"td", b"th", b"table"]),
            b"option" => (&[b"option"], &[b"select"]),
            b"td" | b"th" => (&[b"td", b"th", b"caption"], TABLE),
            b"tr" => (&[b"tr", b"caption", b"colgroup"], TABLE),
            b"tbody" | b"thead" | b"tfoot" => (
                &[b"tbody", b"thead", b"tfoot", b"caption", b"colgroup"],
                TABLE,
            ),
            b"body" => (&[b"head"], &[]),
            b"a" => (&[b"a"], CELLS),
            name if is_block(name) => (&[b"p"], CELLS),
            _ => return self.open.len(),
        };
        let found = self.find(ended, bounds);
        // `tr` before a `tbody` is closed with it.
        let outer = match name {
            b"tbody" | b"thead" | b"tfoot" if found.is_none() => self.find(&[b"tr"], TABLE),
            b"tr" if found.is_none() => self.find(&[b"td", b"th"], TABLE),
            _ => found,
        };
        outer.unwrap_or(self.open.len())
    }

    /// How many elements stay open at an end tag with this name.
    pub fn left_by_end(&self, name: &[u8]) -> usize {
        let bounds: &[&[u8]] = match name {
            b"table" | b"html" | b"body" | b"div" | b"center" => &[],
            b"tr" | b"td" | b"th" | b"tbody" | b"thead" | b"tfoot" | b"caption" => &[b"table"],
            b"li" => &[b"ul", b"ol", b"td", b"th", b"table"],
            _ => &[b"td", b"th", b"table", b"caption"],
        };
        self.find(&[name], bounds).unwrap_or(self.open.len())
    }

    /// The index of the innermost element with one of these names, within the scope that bounds it.
    fn find(&self, names: &[&[u8]], bounds: &[&[u8]]) -> Option<usize> {
        let open = self.open.iter().enumerate().rev().take(DEEPEST);
        for (index, (name, _)) in open {
            if names.contains(&&**name) {
                return Some(index);
            }
            if bounds.contains(&&**name) {
                return None;
            }
        }
        None
    }
}

/// Whether an element has no content.
pub(super) fn is_void(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 18] = [
        b"area",
        b"base",
        b"basefont",
        b"bgsound",
        b"br",
        b"col",
        b"embed",
        b"frame",
        b"hr",
        b"img",
        b"input",
        b"keygen",
        b"link",
        b"meta",
        b"param",
        b"source",
        b"track",
        b"wbr",
    ];
    NAMES.contains(&name)
}

/// Whether an element ends a paragraph when it starts.
pub(super) fn is_block(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 38] = [
        b"address",
        b"article",
        b"aside",
        b"blockquote",
        b"center",
        b"details",
        b"dialog",
        b"dir",
        b"div",
        b"dl",
        b"dd",
        b"dt",
        b"fieldset",
        b"figcaption",
        b"figure",
        b"footer",
        b"form",
        b"h1",
        b"h2",
        b"h3",
        b"h4",
        b"h5",
        b"h6",
        b"header",
        b"hgroup",
        b"hr",
        b"li",
        b"listing",
        b"main",
        b"menu",
        b"nav",
        b"ol",
        b"p",
        b"pre",
        b"section",
        b"summary",
        b"table",
        b"ul",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, and `/name` for end tags.
    fn open_after(tags: &str) -> String {
        let mut elements = OpenElements::new();
        for tag in tags.split(' ') {
            let left = match tag.strip_prefix('/') {
                Some(name) => elements.left_by_end(name.as_bytes()),
                None => elements.left_by_start(tag.as_bytes()),
            };
            while elements.len() > left {
                elements.pop();
            }
            if !tag.starts_with('/') {
                elements.push(tag.as_bytes(), ());
            }
        }
        let names = elements
            .open
            .iter()
            .map(|(name, ())| String::from_utf8_lossy(name));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ends_may_be_left_out() {
        for (tags, expected) in [
            ("p b p", "p"),
            ("p span div", "div"),
            ("ul li p li", "ul li"),
            ("ul li ul li", "ul li ul li"),
            ("table tr td p tr", "table tr"),
            ("table tr td tr td", "table tr td"),
            ("table tbody tr td tbody", "table tbody"),
            ("table tr td table tr td", "table tr td table tr td"),
            ("table tr td b /p", "table tr td b"),
            ("b table tr td /b", "b table tr td"),
            ("div p b /div", ""),
            ("a b a", "a"),
            ("dl dt dd", "dl dd"),
            ("html head title /title body", "html body"),
            ("p table tr td p /td", "table tr"),
        ] {
            assert_eq!(open_after(tags), expected, "{tags}");
        }
    }
}
