//! A recipient as the row of a table (CSV), whose first row names the columns.
//!
//! ```text
//! email,name,First name          {"email": "ann@example.org", "name": "Ann Lee",
//! ann@example.org,Ann Lee,Ann     "variables": {"email": …, "name": …, "First_name": "Ann"}}
//! ```
//!
//! A row is a deserializer, so there is one reading and one set of rules for recipients.

use super::names;
use super::reading::{Document, RecipientReading, read_with};
use super::recipient::JsonRecipientObject;
use super::shape::ReadState;
use crate::interruption::Interruption;
use crate::problem::{Code, Problems, Refusal};
use serde::Deserializer;
use serde::de::value::{BorrowedStrDeserializer, Error, MapDeserializer};
use serde::de::{IntoDeserializer, Visitor};
use std::collections::HashMap;

/// A cell cannot express these: a column with such a name is only a variable.
const OBJECTS: [&str; 2] = ["variables", "headers"];

/// The meaning of the columns of a table.
#[derive(Debug)]
pub(crate) struct Columns(Vec<Column>);

#[derive(Debug)]
struct Column {
    /// As spelled in the table, without blanks at either end. Empty if the column has no name.
    name: String,
    /// Its name in templates.
    variable: String,
    /// The recipient's field with that name.
    field: Option<usize>,
}

impl Columns {
    /// Takes the first row of a table.
    pub fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(Column::new).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a column contains the addresses of the recipients.
    pub fn name_addresses(&self) -> bool {
        let address = names::find(JsonRecipientObject::ROWS, "address");
        self.0.iter().any(|column| column.field == address)
    }

    /// Everything that is wrong with them.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut fields = [None; JsonRecipientObject::ROWS.len()];
        let mut variables = HashMap::new();
        let mut refusals = Vec::new();
        for (number, column) in (1..).zip(&self.0).filter(|(_, column)| column.is_named()) {
            let before = match column.field {
                Some(field) => fields[field].replace(number),
                None => variables.insert(&column.variable, number),
            };
            let Some(before) = before else { continue };
            let what = column.field.map_or("have the same name".into(), |field| {
                let name = JsonRecipientObject::ROWS[field].name;
                format!(
                    "are both the recipient's `{name}`: names are compared ignoring case, `_` and \
                     `-`"
                )
            });
            let detail = format!("Columns {before} and {number} of the table {what}.");
            refusals.push(Refusal::with_detail(Code::DuplicateField, detail));
        }
        if !self.name_addresses() {
            refusals.push(Refusal::new(Code::MissingField, NO_ADDRESSES));
        }
        refusals
    }
}

const NO_ADDRESSES: &str = "The first row of the table must name the columns, one of them `email` or \
                            `address`. Columns are separated by commas, semicolons, tabs or vertical \
                            bars.";

impl Column {
    fn new(name: &str) -> Self {
        let name = name.trim();
        let field = names::find(JsonRecipientObject::ROWS, name)
            .filter(|field| !OBJECTS.contains(&JsonRecipientObject::ROWS[*field].name));
        let is_sayable = |c: char| c.is_alphanumeric() || c == '_';
        Self {
            variable: name.replace(|c| !is_sayable(c), "_"),
            name: name.to_owned(),
            field,
        }
    }

    fn is_named(&self) -> bool {
        !self.name.is_empty()
    }
}

/// The cells of a row, as many as there are columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableRow<'a> {
    columns: &'a Columns,
    /// All cells, concatenated.
    text: &'a str,
    /// The end of each.
    ends: &'a [usize],
    /// Whether the recipient's own fields are also variables.
    has_own_variables: bool,
}

impl<'a> TableRow<'a> {
    /// Takes the cells of a row; `ends` has the end of each in `text`.
    pub fn new(columns: &'a Columns, text: &'a [u8], ends: &'a [usize]) -> Result<Self, Refusal> {
        const NO_NAME: &str = "The row has a cell in a column that has no name in the first row.";

        let text = text_of_cells(text, ends)?;
        if ends.len() != columns.len() {
            let detail = format!(
                "The row has {} cells and the first row has {}. A cell that contains the separator, a line break or a quotation mark \
                 must be quoted.",
                ends.len(),
                columns.len()
            );
            return Err(Refusal::with_detail(Code::InvalidContent, detail));
        }
        let row = Self {
            columns,
            text,
            ends,
            has_own_variables: false,
        };
        if (row.cells()).any(|(column, cell)| !column.is_named() && !cell.is_empty()) {
            return Err(Refusal::new(Code::InvalidContent, NO_NAME));
        }
        Ok(row)
    }

    /// Lets templates use every cell, including the mailbox.
    pub fn with_own_variables(self, has_own_variables: bool) -> Self {
        Self {
            has_own_variables,
            ..self
        }
    }

    /// Reads it as element `index` of the array that the message calls `name`.
    pub fn read(self, name: &'a str, index: usize) -> Result<RecipientReading<'a>, Problems> {
        let document = Document::Recipient { name, index };
        let state = ReadState::new(None, Interruption::NEVER);
        // The deserializer has no errors of its own, and what one says may quote the input.
        read_with(Value::Recipient(self), state, document)
            .map_err(|_: Error| super::not_json("The row cannot be read."))
    }

    fn cells(self) -> impl Iterator<Item = (&'a Column, &'a str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cells = starts
            .zip(self.ends)
            .map(move |(start, end)| &self.text[start..*end]);
        self.columns.0.iter().zip(cells)
    }

    /// The recipient's own fields, and the values for templates. An empty cell is not a field.
    fn members(self) -> impl Iterator<Item = (BorrowedStrDeserializer<'a, Error>, Value<'a>)> {
        let own = self.cells().filter_map(|(column, cell)| {
            let field = column.field.filter(|_| !cell.is_empty())?;
            let value = match JsonRecipientObject::ROWS[field].name {
                "priority" => cell.parse().map_or(Value::Text(cell), Value::Number),
                _ => Value::Text(cell),
            };
            Some((column.name.as_str(), value))
        });
        let has_variables = self.variables().next().is_some();
        let variables = has_variables.then_some(("variables", Value::Variables(self)));
        own.chain(variables)
            .map(|(name, value)| (BorrowedStrDeserializer::new(name), value))
    }

    fn variables(self) -> impl Iterator<Item = (BorrowedStrDeserializer<'a, Error>, Value<'a>)> {
        let is_variable = move |column: &Column| {
            column.is_named() && (column.field.is_none() || self.has_own_variables)
        };
        self.cells()
            .filter(move |(column, _)| is_variable(column))
            .map(|(column, cell)| {
                let name = BorrowedStrDeserializer::new(&column.variable);
                (name, Value::Text(cell))
            })
    }
}

/// The cells of a row as a string.
pub(crate) fn text_of_cells<'a>(cells: &'a [u8], ends: &[usize]) -> Result<&'a str, Refusal> {
    const NOT_UTF8: Refusal = Refusal::new(
        Code::InvalidContent,
        "The table is not valid UTF-8. Spreadsheet programs let you choose the encoding when they \
         save CSV; in Excel choose `CSV UTF-8`.",
    );
    let text = simdutf8::basic::from_utf8(cells).map_err(|_| NOT_UTF8)?;
    // Two halves of a character, each in a cell of its own, are none.
    let are_whole = ends.iter().all(|end| text.is_char_boundary(*end));
    if are_whole { Ok(text) } else { Err(NOT_UTF8) }
}

enum Value<'a> {
    Recipient(TableRow<'a>),
    Variables(TableRow<'a>),
    Text(&'a str),
    Number(u64),
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Recipient(row) => visitor.visit_map(MapDeserializer::new(row.members())),
            Self::Variables(row) => visitor.visit_map(MapDeserializer::new(row.variables())),
            Self::Text(text) => visitor.visit_borrowed_str(text),
            Self::Number(number) => visitor.visit_u64(number),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> IntoDeserializer<'de> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
