//! Options of the commands that take one message.

use super::{ConfigArg, PickupArgs};
use clap::Args;
use pmtaemail::{BatchFormat, Selection, StreamFormat};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub message: MessageArgs,

    /// Print each problem as one line of JSON
    #[arg(long)]
    pub json: bool,

    /// Treat warnings as problems
    #[arg(long)]
    pub strict: bool,
}

/// Options of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub message: MessageArgs,

    /// Which recipient's message of a mail merge to render, counted from 1; the first one's by default
    #[arg(long, value_name = "N", conflicts_with_all = ["pickup_file", "file"])]
    pub recipient: Option<NonZeroUsize>,

    /// Print the pickup file, which is envelope and message, instead of the message alone
    #[arg(long)]
    pub pickup_file: bool,

    /// Which pickup file, from 1, where a message has several because of its many recipients;
    /// implies --pickup-file
    #[arg(long, value_name = "N")]
    pub file: Option<usize>,
}

/// Options of `submit`.
#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// Files with one message each as JSON; standard input if absent or `-`
    #[arg(value_name = "FILE", conflicts_with_all = ["message_file", "csv", "batch"])]
    files: Vec<PathBuf>,

    /// File with many messages, a JSON array or one message per line (NDJSON); `-` is standard input. Prints a line
    /// of JSON for each: its receipt, or its problem and position (`line` from 1, or `index` from 0)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["message_file", "csv", "receipt", "recipient", "limit"]
    )]
    batch: Option<PathBuf>,

    /// Submit all messages of a batch or none: if any has problems, only the problems are printed
    #[arg(long, requires = "batch")]
    atomic: bool,

    /// As for `check`: the recipients of a message follow it, one per line; with --batch, one message per line
    #[arg(long)]
    ndjson: bool,

    /// For a test: hand over only to this recipient of a mail merge, counted from 1
    #[arg(long, value_name = "N")]
    recipient: Option<NonZeroUsize>,

    /// For a test: hand over only to the first N recipients of a mail merge
    #[arg(long, value_name = "N", conflicts_with = "recipient")]
    limit: Option<NonZeroUsize>,

    /// Write one line of JSON per recipient of a mail merge (index, envid, messageId) to this file, and the receipt
    /// as the last line; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,

    /// Add `warnings` to receipts: what is allowed but may be a mistake
    #[arg(long)]
    pub warnings: bool,

    #[command(flatten)]
    pub config: ConfigArg,

    #[command(flatten)]
    table: TableArgs,

    #[command(flatten)]
    pub pickup: PickupArgs,
}

impl RenderArgs {
    /// Whose message it is.
    pub fn selection(&self) -> Selection {
        self.recipient.map_or(Selection::All, Selection::Only)
    }
}

impl SubmitArgs {
    /// Who gets their messages.
    pub fn selection(&self) -> Selection {
        match (self.recipient, self.limit) {
            (Some(number), _) => Selection::Only(number),
            (None, Some(count)) => Selection::First(count),
            (None, None) => Selection::All,
        }
    }

    /// The batch, if it is one.
    pub fn batch(&self) -> Option<BatchArgs> {
        let file = self.batch.clone()?;
        Some(BatchArgs {
            has_lines: self.ndjson || has_lines(&file),
            file,
            atomic: self.atomic,
            warns: self.warnings,
        })
    }

    /// The messages, one after the other.
    pub fn messages(&self) -> Vec<MessageArgs> {
        let message = |json_file| MessageArgs {
            json_file,
            ndjson: self.ndjson,
            table: self.table.clone(),
        };
        if self.files.is_empty() {
            return vec![message(None)];
        }
        self.files.iter().cloned().map(Some).map(message).collect()
    }
}

/// A file with many messages.
#[derive(Debug)]
pub struct BatchArgs {
    pub file: PathBuf,
    /// According to its name or an option.
    has_lines: bool,
    /// All messages, or none.
    pub atomic: bool,
    /// Whether receipts contain warnings.
    pub warns: bool,
}

impl BatchArgs {
    /// Its format; `None` if its first character decides.
    pub fn format(&self) -> Option<BatchFormat> {
        self.has_lines.then_some(BatchFormat::Lines)
    }
}

/// Whether the name of a file says that each line is a JSON text.
fn has_lines(path: &Path) -> bool {
    let is = |name: &str| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case(name))
    };
    is("ndjson") || is("jsonl")
}

/// The message that a command works on.
#[derive(Debug, Args)]
pub struct MessageArgs {
    /// File with the message as JSON; standard input where absent or `-`
    #[arg(value_name = "FILE", conflicts_with_all = ["message_file", "csv"])]
    json_file: Option<PathBuf>,

    /// The message without its `recipients` is the first line, and each further line is a recipient;
    /// implied by a name that ends in .ndjson or .jsonl
    #[arg(long)]
    ndjson: bool,

    #[command(flatten)]
    table: TableArgs,
}

/// A message and a table of its recipients.
#[derive(Debug, Clone, Args)]
struct TableArgs {
    /// File with the message as JSON, in place of FILE; `-` is standard input
    #[arg(id = "message_file", long = "message", value_name = "FILE")]
    message: Option<PathBuf>,

    /// CSV with a recipient a row, for the message of --message; `-` is standard input. The first row names
    /// the columns: `email` or `address`, `name`, and variables
    #[arg(
        long,
        value_name = "FILE",
        requires = "message_file",
        conflicts_with = "ndjson"
    )]
    csv: Option<PathBuf>,
}

impl MessageArgs {
    /// The named file, if any.
    pub fn path(&self) -> Option<&Path> {
        self.json_file.as_deref().or(self.table.message.as_deref())
    }

    /// The table of recipients, if there is one.
    pub fn table(&self) -> Option<&Path> {
        self.table.csv.as_deref()
    }

    /// How the message is written.
    pub fn format(&self) -> StreamFormat {
        if self.ndjson || self.path().is_some_and(has_lines) {
            StreamFormat::Ndjson
        } else {
            StreamFormat::Json
        }
    }
}
