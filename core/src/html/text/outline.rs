//! What must be known about a table or a list when it starts.

use super::super::elements::{DEEPEST, is_block};
use super::super::marks::Marked;
use html5gum::{StartTag, Token};
use std::collections::HashSet;

/// Tables and lists, by the number of the token that they start with.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Tables with aligned columns. All others only arrange their content.
    pub columns: HashSet<usize>,
    /// Tables with one cell per row, so that each is a paragraph.
    pub stacked: HashSet<usize>,
    /// Ordered lists whose items get no numbers, because statements decide which of them exist.
    pub without_numbers: HashSet<usize>,
}

/// An open table or list.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a finding of its own"
)]
struct Container {
    start: usize,
    is_table: bool,
    /// It has something that only tables of data have.
    is_data: bool,
    /// It cannot be a table of data.
    is_arranged: bool,
    rows: usize,
    /// In the row, and the maximum of all rows.
    cells: usize,
    most_cells: usize,
    /// It has statements outside of its items.
    has_statements: bool,
    is_in_item: bool,
}

/// A larger table has its rows as lines.
const MOST_ROWS: usize = 200;
const MOST_CELLS: usize = 10;

impl Outline {
    pub fn of(tokens: &[Token<usize>], marked: &Marked<'_>) -> Self {
        let mut outline = Self::default();
        let mut open: Vec<Container> = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                Token::StartTag(tag) => match tag.name.as_slice() {
                    b"table" => {
                        if let Some(outer) = open.iter_mut().rfind(|outer| outer.is_table) {
                            outer.is_arranged = true;
                        }
                        open.push(Container::new(index, true, tag));
                    }
                    b"ol" | b"ul" => {
                        if let Some(table) = open.last_mut().filter(|last| last.is_table) {
                            table.is_arranged = true;
                        }
                        open.push(Container::new(index, false, tag));
                    }
                    b"li" => {
                        if let Some(list) = open.last_mut() {
                            list.is_in_item = true;
                        }
                    }
                    name => {
                        if let Some(table) = open.last_mut().filter(|last| last.is_table) {
                            table.look_at(name);
                            let whole = marked.text.get(tag.span.start..tag.span.end);
                            let mut marks = whole.into_iter().flat_map(|whole| marked.kinds(whole));
                            table.is_arranged |= marks.next().is_some();
                        }
                    }
                },
                Token::EndTag(tag) => match tag.name.as_slice() {
                    name @ (b"table" | b"ol" | b"ul") => {
                        let is_table = name == b"table";
                        if open.last().is_some_and(|last| last.is_table == is_table) {
                            outline.close(open.pop());
                        }
                    }
                    b"li" => {
                        if let Some(list) = open.last_mut() {
                            list.is_in_item = false;
                        }
                    }
                    _ => {}
                },
                Token::String(text) => {
                    let text = String::from_utf8_lossy(text);
                    if let Some(last) = open.last_mut()
                        && marked.kinds(&text).next().is_some()
                    {
                        last.is_arranged = true;
                        last.has_statements |= !last.is_in_item
                            && marked.kinds(&text).any(|(_, kind)| !kind.is_value());
                    }
                }
                _ => {}
            }
            // Of so many, the inner ones are no tables that anybody reads.
            if open.len() > DEEPEST {
                open.remove(0);
            }
        }
        for container in open {
            outline.close(Some(container));
        }
        outline
    }

    fn close(&mut self, container: Option<Container>) {
        let Some(closed) = container else { return };
        if closed.is_table {
            if closed.is_data && !closed.is_arranged && closed.rows <= MOST_ROWS {
                self.columns.insert(closed.start);
            } else if closed.most_cells <= 1 {
                self.stacked.insert(closed.start);
            }
        } else if closed.has_statements {
            self.without_numbers.insert(closed.start);
        }
    }
}

impl Container {
    fn new(start: usize, is_table: bool, tag: &StartTag<usize>) -> Self {
        let attribute = |name: &[u8]| tag.attributes.get(name).map(|value| value.as_slice());
        let role = attribute(b"role");
        let has_border = attribute(b"border").is_some_and(|border| !matches!(border, b"" | b"0"));
        Self {
            start,
            is_table,
            is_data: has_border || matches!(role, Some(b"table" | b"grid")),
            is_arranged: matches!(role, Some(b"presentation" | b"none")),
            rows: 0,
            cells: 0,
            most_cells: 0,
            has_statements: false,
            is_in_item: false,
        }
    }

    fn look_at(&mut self, name: &[u8]) {
        match name {
            b"tr" => {
                self.rows += 1;
                self.cells = 0;
            }
            b"td" | b"th" => {
                self.cells += 1;
                self.most_cells = self.most_cells.max(self.cells);
                self.is_data |= name == b"th";
                self.is_arranged |= self.cells > MOST_CELLS;
            }
            b"thead" => self.is_data = true,
            // Lines in a cell would not stay in their column.
            name => self.is_arranged |= is_block(name) || name == b"img",
        }
    }
}
