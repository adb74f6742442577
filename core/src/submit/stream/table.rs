//! One row after the other of a table of recipients (CSV, RFC 4180).
//!
//! The first row reveals the separator: the one with which it has a column of addresses. A line `sep=;` before it,
//! which Excel understands, says so explicitly. Lines end with LF, CRLF or CR.

use super::SubmitError;
use crate::json::{Columns, RecipientReading, TableRow, text_of_cells};
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::spool::{Spool, SpoolReader};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::io::{self, BufRead, BufReader, Read};

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// A longer one is not a recipient: it would take the memory that the spool saves.
const LONGEST: usize = 4 << 20;
/// As many as spreadsheet programs support.
const MOST_CELLS: usize = 16_384;
/// Possible separators, unless the table names one.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

const NO_END: Refusal = Refusal::new(
    Code::InvalidContent,
    "The row has a cell whose opening quotation mark is never closed.",
);
const TOO_LONG: Refusal = Refusal::new(Code::TooLong, "A recipient may be at most 4 MiB.");
const TOO_MANY: Refusal = Refusal::new(Code::TooLong, "A row may have at most 16,384 cells.");

/// A table whose columns are known.
pub(super) struct Table<R> {
    rows: Rows<R>,
    columns: Columns,
}

/// A row that is not blank.
pub(super) struct Row<'t> {
    pub cells: Result<TableRow<'t>, Refusal>,
    /// The line on which it starts.
    pub line: usize,
    /// The start of the next row is unknown, so there is none.
    pub is_last: bool,
}

impl Row<'_> {
    /// Reads it as element `index` of the array that the message calls `name`. If the texts of the message have
    /// placeholders, these may use any cell.
    pub fn read<'r>(
        &'r self,
        name: &'r str,
        index: usize,
        has_placeholders: bool,
    ) -> Result<RecipientReading<'r>, Problems> {
        match &self.cells {
            Ok(row) => row.with_own_variables(has_placeholders).read(name, index),
            Err(refusal) => {
                let pointer = format!("/{name}/{index}");
                Err(Problems::one(Problem::new(pointer, refusal.clone())))
            }
        }
    }

    /// Adds the line of the table to problems.
    pub fn in_line(&self, error: SubmitError) -> SubmitError {
        match error {
            SubmitError::Problems(problems) => problems.in_line(self.line).into(),
            error => error,
        }
    }
}

impl<'s> Table<SpoolReader<&'s Spool>> {
    /// How many bytes of the spool were read.
    pub fn place(&self) -> u64 {
        let source = &self.rows.source;
        source.get_ref().place() - source.buffer().len() as u64
    }

    /// Reads the first row. The inner error has everything that is wrong with it.
    pub fn open(spool: &'s Spool) -> io::Result<Result<Self, Vec<Refusal>>> {
        let said = said_delimiter(SpoolReader::new(spool))?;
        let candidates = said.map_or(DELIMITERS.to_vec(), |said| vec![said]);
        let mut refusals = None;
        for delimiter in candidates {
            // Each reader begins again.
            let mut rows = Rows::new(SpoolReader::new(spool), delimiter);
            if said.is_some() {
                rows.next()?;
            }
            let columns = match rows.columns()? {
                Ok(columns) => columns,
                Err(refusal) => {
                    refusals.get_or_insert(vec![refusal]);
                    continue;
                }
            };
            let wrong = columns.refusals();
            match (columns.name_addresses(), wrong.is_empty()) {
                (true, true) => return Ok(Ok(Self { rows, columns })),
                (true, false) => return Ok(Err(wrong)),
                (false, _) => {
                    refusals.get_or_insert(wrong);
                }
            }
        }
        Ok(Err(refusals.expect("there is a candidate")))
    }
}

impl<R: Read> Table<R> {
    /// The next row.
    pub fn next(&mut self) -> Result<Option<Row<'_>>, SubmitError> {
        let Self { rows, columns } = self;
        let end = rows.next_filled()?;
        let fault = match end {
            RowEnd::Nothing => return Ok(None),
            RowEnd::Row => None,
            RowEnd::Fault(fault) => Some(fault),
        };
        let line = rows.line();
        let is_last = fault.is_some();
        let cells = match fault {
            Some(fault) => Err(fault),
            None => TableRow::new(columns, rows.cells(), rows.ends()),
        };
        Ok(Some(Row {
            cells,
            line,
            is_last,
        }))
    }
}

/// The separator given in the first line, if that is exactly `sep=` and a separator.
fn said_delimiter(table: impl Read) -> io::Result<Option<u8>> {
    let mut start = Vec::new();
    table.take(16).read_to_end(&mut start)?;
    let start = start.as_slice();
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    Ok(match start {
        [
            b's' | b'S',
            b'e' | b'E',
            b'p' | b'P',
            b'=',
            delimiter,
            b'\r' | b'\n',
            ..,
        ] if delimiter.is_ascii() && !b"\"\r\n".contains(delimiter) => Some(*delimiter),
        _ => None,
    })
}

/// How a row ends.
enum RowEnd {
    /// There is no row.
    Nothing,
    Row,
    /// It does not end.
    Fault(Refusal),
}

/// Rows of cells, regardless of their meaning.
struct Rows<R> {
    source: BufReader<R>,
    reader: Reader,
    /// The cells of the current row, with room after them.
    output: Vec<u8>,
    length: usize,
    /// The ends of the cells, with room after them.
    ends: Vec<usize>,
    count: usize,
    lines: LineEnds,
    /// The line on which the current row ends.
    last_line: usize,
}

impl<R: Read> Rows<R> {
    fn new(source: R, delimiter: u8) -> Self {
        Self {
            source: BufReader::with_capacity(CHUNK, source),
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            output: vec![0; 4 << 10],
            length: 0,
            ends: vec![0; 64],
            count: 0,
            lines: LineEnds::default(),
            last_line: 0,
        }
    }

    fn columns(&mut self) -> io::Result<Result<Columns, Refusal>> {
        Ok(match self.next_filled()? {
            RowEnd::Fault(fault) => Err(fault),
            RowEnd::Nothing => Ok(Columns::new(std::iter::empty())),
            RowEnd::Row => text_of_cells(self.cells(), self.ends()).map(|text| {
                let starts = std::iter::once(0).chain(self.ends().iter().copied());
                Columns::new(
                    starts
                        .zip(self.ends())
                        .map(|(start, end)| &text[start..*end]),
                )
            }),
        })
    }

    /// The next row with a cell that is not blank: spreadsheet programs write rows that consist only of commas.
    fn next_filled(&mut self) -> io::Result<RowEnd> {
        loop {
            let end = self.next()?;
            if matches!(end, RowEnd::Row) && self.cells().iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Ok(end);
        }
    }

    fn next(&mut self) -> io::Result<RowEnd> {
        (self.length, self.count) = (0, 0);
        loop {
            let unread = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            let is_end = unread.is_empty();
            // The last line need not have an end. Only an open cell takes one for a part of it.
            let input = if is_end { b"\n" } else { unread };
            let output = &mut self.output[self.length..];
            let ends = &mut self.ends[self.count..];
            let (result, taken, written, ended) = self.reader.read_record(input, output, ends);
            if !is_end {
                self.lines.count(&unread[..taken]);
                self.source.consume(taken);
            }
            self.length += written;
            self.count += ended;
            self.last_line = self.lines.number + usize::from(is_end);
            match result {
                ReadRecordResult::Record => return Ok(RowEnd::Row),
                ReadRecordResult::End => return Ok(RowEnd::Nothing),
                ReadRecordResult::InputEmpty if !is_end => {}
                ReadRecordResult::InputEmpty if self.length == 0 && self.count == 0 => {
                    return Ok(RowEnd::Nothing);
                }
                ReadRecordResult::InputEmpty => {
                    // The line end that was not there.
                    self.length = self.length.saturating_sub(1);
                    return Ok(RowEnd::Fault(NO_END));
                }
                ReadRecordResult::OutputFull if self.length >= LONGEST => {
                    self.last_line += 1;
                    return Ok(RowEnd::Fault(TOO_LONG));
                }
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.count >= MOST_CELLS => {
                    self.last_line += 1;
                    return Ok(RowEnd::Fault(TOO_MANY));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
    }

    /// The cells of the row, concatenated.
    fn cells(&self) -> &[u8] {
        &self.output[..self.length]
    }

    fn ends(&self) -> &[usize] {
        &self.ends[..self.count]
    }

    /// The line on which the row starts.
    fn line(&self) -> usize {
        let starts = std::iter::once(0).chain(self.ends().iter().copied());
        let ends = self.ends().iter().copied().chain([self.length]);
        let within: usize = starts
            .zip(ends)
            .map(|(start, end)| {
                let mut lines = LineEnds::default();
                lines.count(&self.output[start..end]);
                lines.number
            })
            .sum();
        self.last_line - within
    }
}

/// Counts lines.
#[derive(Default)]
struct LineEnds {
    number: usize,
    /// An LF would belong to it.
    after_cr: bool,
}

impl LineEnds {
    fn count(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        let mut before = None;
        for at in memchr::memchr2_iter(b'\r', b'\n', bytes) {
            let after_cr = match at.checked_sub(1) {
                Some(previous) => before == Some(previous),
                None => self.after_cr,
            };
            if bytes[at] == b'\n' && after_cr {
                before = None;
                continue;
            }
            self.number += 1;
            before = (bytes[at] == b'\r').then_some(at);
        }
        self.after_cr = *last == b'\r';
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use crate::{StreamedMessage, TableStream};

    const HEAD: &str =
        r#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ name }}"}"#;

    fn merge(table: &[u8]) -> StreamedMessage {
        let mut stream = TableStream::new();
        for piece in table.chunks(5 + table.len() / 100) {
            stream.feed(piece, None).unwrap();
        }
        stream.finish(HEAD.into())
    }

    /// What is wrong with it, with the line that is told.
    fn problems(table: &[u8]) -> Vec<(String, &'static str, Option<usize>)> {
        let Err(SubmitError::Problems(problems)) = merge(table).check() else {
            return Vec::new();
        };
        let seen = |problem: &Problem| {
            let line = problem
                .detail()
                .split_once("See line ")
                .map(|(_, rest)| rest);
            let line = line.map(|rest| rest.split(' ').next().unwrap().parse().unwrap());
            (problem.pointer().to_owned(), problem.code().as_str(), line)
        };
        problems.iter().map(seen).collect()
    }

    /// The cells of each row, and the line that it begins in.
    fn rows(table: &str, piece: usize) -> Vec<(Vec<String>, usize)> {
        /// Gives a few bytes at a time.
        struct Slow<'o>(&'o [u8], usize);

        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(self.1).min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }

        let mut rows = Rows::new(Slow(table.as_bytes(), piece), b',');
        let mut all = Vec::new();
        while let RowEnd::Row = rows.next_filled().unwrap() {
            let starts = std::iter::once(0).chain(rows.ends().iter().copied());
            let cells = starts
                .zip(rows.ends())
                .map(|(start, end)| &rows.cells()[start..*end]);
            let cells = cells.map(|cell| String::from_utf8_lossy(cell).into_owned());
            all.push((cells.collect(), rows.line()));
        }
        all
    }

    #[test]
    fn rows_and_their_lines_are_found_whatever_the_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let lines = [
                "a,b", "", ",", "c,\"d", "\"\"", "e\"", "f,g", "\"h", "\",\"i", "\"",
            ];
            let table = lines.join(end);
            let expected = [
                (["a".to_owned(), "b".to_owned()], 1),
                (["c".to_owned(), format!("d{end}\"{end}e")], 4),
                (["f".to_owned(), "g".to_owned()], 7),
                ([format!("h{end}"), format!("i{end}")], 8),
            ];
            let expected = expected.map(|(cells, line)| (cells.to_vec(), line));
            for piece in 1..table.len() {
                for ended in ["", end] {
                    let table = format!("{table}{ended}");
                    assert_eq!(rows(&table, piece), expected, "{table:?}");
                }
            }
        }
    }

    #[test]
    fn the_cell_separator_is_detected() {
        for (first, second) in [
            ("email,name", "b@example.org,Bo"),
            ("email;name", "b@example.org;Bo"),
            ("E-Mail\tname", "b@example.org\tBo"),
            ("name| ADDRESS ", "Bo|b@example.org"),
            ("\u{feff}\"email\";\"name\"", "\"b@example.org\";\"Bo\""),
            ("email;name;first,second", "b@example.org;Bo;x"),
            ("sep=;\r\nemail;name;a,b", "b@example.org;Bo;"),
            ("\u{feff}sep=:\nemail:name", "b@example.org:Bo"),
            ("\n,,\nemail,name,,", "b@example.org,Bo,,"),
        ] {
            let table = format!("{first}\n{second}\n");
            let rendered = merge(table.as_bytes()).render_recipient(0);
            let text = String::from_utf8(rendered.unwrap().unwrap()).unwrap();
            assert!(text.contains("To: Bo <b@example.org>\r\n"), "{table:?}");
            assert!(text.ends_with("\r\n\r\nHello Bo\r\n"), "{table:?}");
        }
    }

    #[test]
    fn faults_are_reported_with_their_lines() {
        let at = |index: usize| format!("/recipients/{index}");
        let header = || "/recipients".to_owned();
        let fine = "b@example.org,Bo\n";
        for (table, expected) in [
            (String::new(), vec![(header(), "missing_field", None)]),
            (
                "name,city\n".to_owned(),
                vec![(header(), "missing_field", None)],
            ),
            (
                "email:name\n".to_owned(),
                vec![(header(), "missing_field", None)],
            ),
            (
                "sep=;\nemail,name\n".to_owned(),
                vec![(header(), "missing_field", None)],
            ),
            (
                "email,name".to_owned(),
                vec![(header(), "no_recipients", None)],
            ),
            (
                "email,name\n\n,\n \n".to_owned(),
                vec![(header(), "no_recipients", None)],
            ),
            (
                format!("email,Name,na_me,a b,a_b,Address\n{fine}"),
                vec![
                    (header(), "duplicate_field", None),
                    (header(), "duplicate_field", None),
                    (header(), "duplicate_field", None),
                ],
            ),
            (
                format!("email,name\n{fine}\nc@example.org\n{fine}d@example.org,D,\nnobody,N\n"),
                vec![
                    (at(1), "invalid_content", Some(4)),
                    (at(3), "invalid_content", Some(6)),
                    (format!("{}/email", at(4)), "invalid_address", Some(7)),
                ],
            ),
            (
                "email,name,\nb@example.org,Bo,x\n".to_owned(),
                vec![(at(0), "invalid_content", Some(2))],
            ),
            (
                "email,name\n,Bo\n".to_owned(),
                vec![(format!("{}/address", at(0)), "missing_field", Some(2))],
            ),
            (
                format!("email,name\n{fine}\nc@example.org,\"C\n\n{fine}"),
                vec![(at(1), "invalid_content", Some(4))],
            ),
            (
                format!("email,name\n{fine}\""),
                vec![(at(1), "invalid_content", Some(3))],
            ),
            (
                "\"email,name\n".to_owned(),
                vec![(header(), "invalid_content", None)],
            ),
        ] {
            assert_eq!(problems(table.as_bytes()), expected, "{table:?}");
        }
    }

    #[test]
    fn invalid_utf8_is_reported() {
        let found = |table: &[u8]| problems(table).remove(0);
        let header = ("/recipients".to_owned(), "invalid_content", None);
        assert_eq!(found(b"email,na\xefve\nb@example.org,Bo\n"), header);
        assert_eq!(found(b"\xff\xfee\0m\0"), header);
        let row = ("/recipients/0".to_owned(), "invalid_content", Some(2));
        assert_eq!(found(b"email,name\nb@example.org,Bj\xf6rn\n"), row);
        // Half of a character each.
        assert_eq!(found(b"name,x,email\n\xc3,\xb6,b@example.org\n"), row);
    }

    #[test]
    fn rows_are_bounded() {
        let row = |length: usize| format!("email,name\nb@example.org,{}\n", "x".repeat(length));
        let overhead = "b@example.org".len();
        assert_eq!(problems(row(LONGEST - overhead - 1).as_bytes()), []);
        let too_long = [("/recipients/0".to_owned(), "too_long", Some(2))];
        assert_eq!(problems(row(LONGEST + 1).as_bytes()), too_long);
        let quoted = format!("email,name\nb@example.org,\"{}", "\n".repeat(LONGEST + 1));
        assert_eq!(problems(quoted.as_bytes()), too_long);
        let cells = format!("email,name\nb@example.org,Bo{}\n", ",".repeat(MOST_CELLS));
        assert_eq!(problems(cells.as_bytes()), too_long);
        let columns = format!("email,name{}\n", ",".repeat(MOST_CELLS));
        assert_eq!(problems(columns.as_bytes())[0].1, "too_long");
    }
}
