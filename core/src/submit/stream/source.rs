//! Recipients in the spool, one after the other, in any format.

use super::SubmitError;
use super::records::{Record, Records};
use super::splitter::{LINE, RECORD, Splitter};
#[cfg(feature = "csv")]
use super::table::{Row, Table};
use crate::json;
use crate::problem::Refusal;
use crate::spool::{Spool, SpoolReader};

/// Reads what is in a spool.
pub(super) enum Source<'s> {
    Json {
        records: Records<SpoolReader<&'s Spool>>,
        separator: u8,
    },
    #[cfg(feature = "csv")]
    Table(Box<Table<SpoolReader<&'s Spool>>>),
}

/// What may be a recipient.
pub(super) enum Item<'i> {
    Json {
        bytes: &'i [u8],
        is_line: bool,
        may_be_blank: bool,
    },
    #[cfg(feature = "csv")]
    Row(Row<'i>),
}

impl<'s> Source<'s> {
    /// Starts reading. The inner error says why that is impossible.
    #[cfg_attr(
        not(feature = "csv"),
        expect(
            clippy::unnecessary_wraps,
            reason = "only a table is read here already"
        )
    )]
    pub fn open(
        splitter: &Splitter,
        spool: &'s Spool,
    ) -> Result<Result<Self, Vec<Refusal>>, SubmitError> {
        let separator = match splitter {
            #[cfg(feature = "csv")]
            Splitter::Table => {
                return Ok(Table::open(spool)?.map(|table| Self::Table(Box::new(table))));
            }
            Splitter::Array(_) => RECORD,
            Splitter::Lines { .. } => LINE,
        };
        let records = Records::new(SpoolReader::new(spool), separator);
        Ok(Ok(Self::Json { records, separator }))
    }

    /// How many bytes were read.
    pub fn place(&self) -> u64 {
        match self {
            Self::Json { records, .. } => records.place(),
            #[cfg(feature = "csv")]
            Self::Table(table) => table.place(),
        }
    }

    /// The next item, which is element `index` of the array `name`.
    pub fn next(&mut self, name: &str, index: usize) -> Result<Option<Item<'_>>, SubmitError> {
        Ok(match self {
            Self::Json { records, separator } => {
                let is_line = *separator == LINE;
                let record = records.next(name, index)?;
                record.map(|Record { bytes, is_only }| Item::Json {
                    bytes,
                    is_line,
                    may_be_blank: is_only || is_line,
                })
            }
            #[cfg(feature = "csv")]
            Self::Table(table) => table.next()?.map(Item::Row),
        })
    }
}

impl<'i> Item<'i> {
    /// An element of an array that exists.
    pub fn array_element(bytes: &'i [u8]) -> Self {
        Self::Json {
            bytes,
            is_line: false,
            may_be_blank: false,
        }
    }

    /// Whether it is empty and that is not an error.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Json {
                bytes,
                may_be_blank,
                ..
            } => *may_be_blank && bytes.iter().all(u8::is_ascii_whitespace),
            #[cfg(feature = "csv")]
            Self::Row(_) => false,
        }
    }

    /// Whether it is a line with a message of its own.
    pub fn is_message(&self) -> bool {
        match self {
            Self::Json { bytes, is_line, .. } => *is_line && json::is_message(bytes),
            #[cfg(feature = "csv")]
            Self::Row(_) => false,
        }
    }

    /// Whether the start of the next one is unknown.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Json { .. } => false,
            #[cfg(feature = "csv")]
            Self::Row(row) => row.is_last,
        }
    }
}
