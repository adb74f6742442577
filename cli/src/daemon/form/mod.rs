//! `multipart/form-data` (RFC 7578): a part `message` with the JSON, files, and a part `recipients` with a table (CSV).
//!
//! A form is parsed as it arrives: only the part of a table that is not spooled yet is in memory.
//!
//! ```text
//! mod      a form while its bytes arrive, and what it is to be read as
//! parts    from the pieces of a form to its parts
//! ```

mod parts;

use super::error::ApiError;
use bytes::Bytes;
use parts::{BROKEN, Exchange, lock, parse};
use pmtaemail::{
    FilePart, Message, OwnedFilePart, PickupDirectory, Problems, SenderDomains, SubmitError,
    TableStream,
};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// The maximum size of the head of a part, apart from some of what was read with it.
const LONGEST_HEAD: usize = 64 << 10;

/// How a form is to be read.
pub enum FormKind {
    /// A message, with all of its recipients in it.
    Whole(WholeForm),
    /// A mail merge whose recipients are separate.
    Merge(Box<pmtaemail::StreamedMessage>),
}

/// The parts of a form without a table.
#[derive(Debug)]
pub struct WholeForm {
    message: Vec<u8>,
    files: Vec<OwnedFilePart>,
}

impl WholeForm {
    /// The JSON.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The size of its parts in bytes.
    pub fn len(&self) -> usize {
        let files = self.files.iter().map(|file| file.content.len());
        self.message.len() + files.sum::<usize>()
    }

    /// Reads its message and passes it to `then`.
    pub fn read<T>(
        &self,
        senders: &SenderDomains,
        then: impl FnOnce(Message<'_>) -> Result<T, Problems>,
    ) -> Result<T, Problems> {
        let files: Vec<FilePart<'_>> = self.files.iter().map(OwnedFilePart::lend).collect();
        then(Message::from_form_within(&self.message, &files, senders)?)
    }
}

/// Parses a form while its bytes arrive.
pub struct FormReader {
    exchange: Arc<Mutex<Exchange>>,
    parser: Parser,
    /// How many bytes have arrived.
    length: usize,
}

enum Parser {
    Running(Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send>>),
    Done(Result<(), ApiError>),
}

impl FormReader {
    pub fn new(boundary: String) -> Self {
        let exchange = Arc::<Mutex<Exchange>>::default();
        let parser = parse(boundary, Arc::clone(&exchange));
        Self {
            exchange,
            parser: Parser::Running(Box::pin(parser)),
            length: 0,
        }
    }

    /// Takes the next bytes. Errors in them are reported at the end, when the client reads the response.
    pub fn push(&mut self, data: Bytes) {
        self.length += data.len();
        let mut exchange = lock(&self.exchange);
        if let Some(searched) = &mut exchange.searched {
            *searched += data.len();
            if *searched > LONGEST_HEAD {
                drop(exchange);
                return self.end(Err(BROKEN));
            }
        }
        exchange.pieces.push_back(data);
        drop(exchange);
        self.advance();
    }

    /// How many bytes are in memory at most.
    pub fn buffered(&self) -> usize {
        let table = lock(&self.exchange)
            .table
            .as_ref()
            .map_or(0, TableStream::buffered);
        self.length_apart() + table
    }

    /// How many bytes have arrived, not counting the table.
    pub fn length_apart(&self) -> usize {
        let fed = lock(&self.exchange)
            .table
            .as_ref()
            .map_or(0, TableStream::fed);
        let fed = usize::try_from(fed).unwrap_or(usize::MAX);
        self.length.saturating_sub(fed)
    }

    /// Whether it has a table of recipients.
    pub fn has_table(&self) -> bool {
        lock(&self.exchange).table.is_some()
    }

    /// Spools rows that are too many for memory. May block.
    pub fn spool(&mut self, pickup: &PickupDirectory) -> Result<(), SubmitError> {
        match &mut lock(&self.exchange).table {
            Some(table) => table.feed(&[], Some(pickup)),
            None => Ok(()),
        }
    }

    /// The form has arrived completely.
    pub fn finish(mut self) -> Result<FormKind, ApiError> {
        lock(&self.exchange).has_ended = true;
        self.advance();
        match self.parser {
            Parser::Done(result) => result?,
            // All bytes are there, so the parser does not wait.
            Parser::Running(_) => return Err(ApiError::Internal),
        }
        let Exchange {
            message,
            files,
            table,
            ..
        } = std::mem::take(&mut *lock(&self.exchange));
        let Some(message) = message else {
            let detail = "The form has no part named `message`, which must contain the JSON.";
            return Err(ApiError::Form(detail));
        };
        Ok(match table {
            None => FormKind::Whole(WholeForm { message, files }),
            Some(table) => FormKind::Merge(Box::new(table.finish(message).with_files(files))),
        })
    }

    fn advance(&mut self) {
        let Parser::Running(parser) = &mut self.parser else {
            lock(&self.exchange).pieces.clear();
            return;
        };
        // It waits only for pieces, and is polled again when there are some.
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(result) = parser.as_mut().poll(&mut context) {
            self.end(result);
        }
    }

    /// Ends the parser. If the form is broken, nothing of it is kept.
    fn end(&mut self, result: Result<(), ApiError>) {
        if result.is_err() {
            *lock(&self.exchange) = Exchange::default();
        }
        self.parser = Parser::Done(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(body: &[u8], piece: usize) -> Result<FormKind, ApiError> {
        let mut reader = FormReader::new("b".to_owned());
        for piece in body.chunks(piece) {
            reader.push(Bytes::copy_from_slice(piece));
        }
        reader.finish()
    }

    fn whole(body: &[u8]) -> Result<WholeForm, ApiError> {
        match received(body, body.len().max(1))? {
            FormKind::Whole(form) => Ok(form),
            FormKind::Merge(_) => panic!("a merge"),
        }
    }

    fn parsed(body: &str) -> Result<WholeForm, ApiError> {
        whole(body.as_bytes())
    }

    #[test]
    fn parts_are_found() {
        let form = parsed(
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n\r\n--c\r\n\
             --b\r\nContent-Disposition: form-data; name=message\r\n\r\n{}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n--b--\r\n",
        )
        .unwrap();
        assert_eq!(form.message(), b"{}");
        let files = &form.files;
        assert_eq!(files[0].name, "f");
        assert_eq!(files[0].filename, Some(Ok("a b.pdf".to_owned())));
        assert_eq!(files[0].content_type.as_deref(), Some("application/pdf"));
        assert_eq!(files[0].content, b"\r\n--c");
        assert_eq!(
            (files[1].name.as_str(), files[1].content.as_slice()),
            ("", &b""[..])
        );
    }

    #[test]
    fn pieces_do_not_matter() {
        let rows = "email,word\r\na@example.org,\"A\r\n--c\"\r\nb@example.org,B";
        let message =
            r#"{"from": "c@example.com", "template": "merge", "text": "Hello {{ word }}"}"#;
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=recipients\r\nContent-Type: Text/CSV\r\n\r\n{rows}\r\n\
             --b\r\nContent-Disposition: form-data; name=message\r\n\r\n{message}\r\n--b--\r\n"
        );
        for piece in 1..body.len() {
            let mut reader = FormReader::new("b".to_owned());
            for piece in body.as_bytes().chunks(piece) {
                reader.push(Bytes::copy_from_slice(piece));
            }
            assert!(reader.has_table());
            assert_eq!(reader.length_apart(), body.len() - rows.len());
            assert_eq!(reader.buffered(), body.len());
            let Ok(FormKind::Merge(merge)) = reader.finish() else {
                panic!("no merge")
            };
            let text = merge.render_recipient(0).unwrap().unwrap();
            assert!(text.ends_with(b"\r\n\r\nHello A\r\n--c\r\n"), "{piece}");
        }
    }

    #[test]
    fn a_broken_form_is_not_buffered() {
        let mut reader = FormReader::new("b".to_owned());
        reader.push(Bytes::from_static(b"--b\r\nX: "));
        for _ in 0..100 {
            reader.push(Bytes::from(vec![b'x'; 10_000]));
        }
        assert!(lock(&reader.exchange).pieces.is_empty());
        assert!(matches!(reader.finish(), Err(ApiError::Form(_))));
    }

    #[test]
    fn a_content_type_is_not_lost() {
        let part = |content_type: &[u8]| {
            let head = b"--b\r\nContent-Disposition: form-data; name=f\r\nContent-Type: ";
            let message = b"\r\n--b\r\nContent-Disposition: form-data; name=message\r\n\r\n{}";
            let body = [
                &head[..],
                content_type,
                b"\r\n\r\nx",
                message,
                b"\r\n--b--\r\n",
            ]
            .concat();
            whole(&body)
        };
        for content_type in ["pdf", "a/b; c=\u{fc}", "text/plain; charset=", "a/b;", ""] {
            let form = part(content_type.as_bytes()).unwrap();
            assert_eq!(form.files[0].content_type.as_deref(), Some(content_type));
        }
        assert!(matches!(part(b"a/b; c=\xfc"), Err(ApiError::Form(_))));
    }

    #[test]
    fn broken_forms_are_refused() {
        let message = "--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{}\r\n";
        let headers = "X: y\r\n".repeat(100);
        for body in [
            String::new(),
            "{}".to_owned(),
            "--b".to_owned(),
            "--b--\r\n".to_owned(),
            message.to_owned(),
            format!("{message}--b\r\n"),
            format!("{message}--bx\r\n"),
            format!("{message}{message}--b--\r\n"),
            format!("--b\r\nContent-Disposition: form-data\r\n\r\n\r\n{message}--b--\r\n"),
            format!("--b\r\n\r\n\r\n{message}--b--\r\n"),
            format!("--b\r\n{headers}\r\n\r\n{message}--b--\r\n"),
            format!("--b\r\nno field\r\n\r\n{message}--b--\r\n"),
            format!("{}--b--\r\n", message.replace("message", "file")),
            format!(
                "{message}{}--b--\r\n",
                message.replace("message", "f").repeat(1_001)
            ),
        ] {
            assert!(
                matches!(parsed(&body), Err(ApiError::Form(_))),
                "{body:.200}"
            );
        }
        assert!(parsed(&format!("{message}--b--")).is_ok());
    }
}
