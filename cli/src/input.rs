//! The sources of a command's message.

use crate::args::MessageArgs;
use crate::exit::Failure;
use crate::progress::ProgressDisplay;
use pmtaemail::{
    BatchFormat, MessageStream, PickupDirectory, StreamFormat, StreamedMessage, SubmitError,
    TableStream,
};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Recipients of fewer bytes than this stay in memory.
const MANY: usize = 1 << 20;

/// Reads the message and its recipients from the named files or from standard input. Many recipients are kept on the
/// file system of `scratch`, which is called only then.
pub fn receive<'d>(
    message: &MessageArgs,
    scratch: impl Fn() -> Option<&'d PickupDirectory>,
    progress: &ProgressDisplay,
) -> Result<StreamedMessage, Failure> {
    match message.table() {
        Some(table) => receive_table(message.path(), table, scratch, progress),
        None => receive_stream(message.path(), message.format(), scratch, progress),
    }
}

fn receive_stream<'d>(
    path: Option<&Path>,
    format: StreamFormat,
    scratch: impl Fn() -> Option<&'d PickupDirectory>,
    progress: &ProgressDisplay,
) -> Result<StreamedMessage, Failure> {
    let mut stream = MessageStream::new(format);
    Input::open(path)?.read(progress, |piece| {
        let are_many = stream.buffered() - stream.message_len() >= MANY;
        stream.feed(piece, are_many.then(&scratch).flatten())
    })?;
    Ok(stream.finish().with_progress(progress.of_recipients()))
}

fn receive_table<'d>(
    path: Option<&Path>,
    table: &Path,
    scratch: impl Fn() -> Option<&'d PickupDirectory>,
    progress: &ProgressDisplay,
) -> Result<StreamedMessage, Failure> {
    if is_standard_input(path) && is_standard_input(Some(table)) {
        let detail = "the message and the table cannot both come from standard input: give a file for one of them";
        return Err(Failure::Usage(detail.to_owned()));
    }
    let mut message = Vec::new();
    Input::open(path)?.read(progress, |piece| {
        message.extend_from_slice(piece);
        Ok(())
    })?;
    let mut rows = TableStream::new();
    Input::open(Some(table))?.read(progress, |piece| {
        let are_many = rows.buffered() >= MANY;
        rows.feed(piece, are_many.then(&scratch).flatten())
    })?;
    let received = rows.finish(message);
    Ok(received.with_progress(progress.of_recipients()))
}

/// Whether messages or their tables are read from this file.
pub fn is_read(messages: &[MessageArgs], file: &Metadata) -> bool {
    let is_it = |path: Option<&Path>| {
        let found = if let Some(path) = path.filter(|path| !is_standard_input(Some(path))) {
            fs::metadata(path)
        } else {
            let standard_input = io::stdin().as_fd().try_clone_to_owned();
            standard_input.and_then(|input| File::from(input).metadata())
        };
        found.is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
    };
    messages.iter().any(|message| {
        is_it(message.path()) || message.table().is_some_and(|table| is_it(Some(table)))
    })
}

fn is_standard_input(path: Option<&Path>) -> bool {
    path.is_none_or(|path| path == Path::new("-"))
}

/// What is read.
pub struct Input {
    name: String,
    from: Box<dyn Read>,
    /// In bytes, if known.
    size: Option<u64>,
}

impl Input {
    /// Opens the named file, or standard input.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| !is_standard_input(Some(path))) else {
            return Ok(Self {
                name: "standard input".to_owned(),
                from: Box::new(io::stdin().lock()),
                size: None,
            });
        };
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Self {
                name,
                size: size_of(&file),
                from: Box::new(file),
            }),
            Err(source) => Err(Failure::Open { name, source }),
        }
    }

    /// The format of a batch, by its first character: anything but an array consists of lines.
    pub fn batch_format(&mut self) -> Result<BatchFormat, Failure> {
        let mut begun = Vec::new();
        let mut piece = vec![0; PIECE];
        let format = loop {
            let text = begun.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&begun);
            match text.trim_ascii_start().first() {
                Some(b'[') => break BatchFormat::Array,
                Some(_) if begun.len() > "\u{feff}".len() => break BatchFormat::Lines,
                _ => {}
            }
            match self.from.read(&mut piece) {
                Ok(0) => break BatchFormat::Lines,
                Ok(count) => begun.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failure(source)),
            }
        };
        let rest = mem::replace(&mut self.from, Box::new(io::empty()));
        self.from = Box::new(io::Cursor::new(begun).chain(rest));
        Ok(format)
    }

    /// Passes all input to `take`, piece by piece.
    pub fn read(
        mut self,
        progress: &ProgressDisplay,
        mut take: impl FnMut(&[u8]) -> Result<(), SubmitError>,
    ) -> Result<(), Failure> {
        progress.begin_reading(self.size);
        let mut piece = vec![0; PIECE];
        loop {
            match self.from.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    take(&piece[..count])?;
                    progress.read(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failure(source)),
            }
        }
    }

    fn failure(&self, source: io::Error) -> Failure {
        let name = self.name.clone();
        // A directory opens like a file and fails only now.
        if source.kind() == io::ErrorKind::IsADirectory {
            Failure::Open { name, source }
        } else {
            Failure::Read { name, source }
        }
    }
}

/// `None` for anything but a file, such as a pipe.
fn size_of(file: &File) -> Option<u64> {
    let metadata = file.metadata().ok()?;
    metadata.is_file().then_some(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn exit(path: &Path) -> Exit {
        let progress = ProgressDisplay::start();
        let received = receive_stream(Some(path), StreamFormat::Json, || None, &progress);
        received.unwrap_err().exit()
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_not_an_input() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.json");
        assert_eq!(exit(&missing), Exit::NoInput);
        assert_eq!(exit(folder.path()), Exit::NoInput);
    }

    #[test]
    fn a_file_is_read_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("merge.ndjson");
        let recipient = "\"ann@example.org\"\n";
        let count = 2 * PIECE / recipient.len();
        let lines = "{\"from\": \"bo@example.com\"}\n".to_owned() + &recipient.repeat(count);
        fs::write(&path, lines).unwrap();
        let progress = ProgressDisplay::start();
        let received =
            || receive_stream(Some(&path), StreamFormat::Ndjson, || None, &progress).unwrap();
        assert!(received().render_recipient(count - 1).unwrap().is_some());
        assert!(received().render_recipient(count).unwrap().is_none());
    }
}
