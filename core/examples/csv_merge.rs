//! A mail merge whose recipients are the rows of a table (CSV), in a file or from standard input.
//!
//! ```sh
//! printf 'email,name,city\nann@example.org,Ann Lee,Oslo\n' | cargo run --example csv_merge -- /var/pickup
//! cargo run --example csv_merge -- /var/pickup readers.csv
//! ```

use pmtaemail::{
    InvalidRecipients, Message, PickupDirectory, PickupOptions, Receipt, TableStream,
    TemplateLanguage,
};
use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let path = arguments.next().ok_or("name a pickup directory")?;
    let pickup = PickupDirectory::open(path, PickupOptions::default())?;
    let rows: Box<dyn Read> = match arguments.next() {
        Some(path) => Box::new(File::open(path)?),
        None => Box::new(io::stdin()),
    };
    // Each column is a variable of its name.
    let message = Message::builder()
        .from("Shop <shop@example.com>")
        .subject("{{ name }}, your spring offers")
        .text("Hello {{ name }}, see what is new in {{ city | default: 'your town' }}.")
        .template(TemplateLanguage::Merge)
        .job("spring")
        // One row with a wrong address keeps no other back.
        .invalid_recipients(InvalidRecipients::Skip);
    let table = read(rows, &pickup)?;
    let receipt = table
        .finish(serde_json::to_vec(&message)?)
        .submit(&pickup)?;
    // Nobody may read what is said: that is no reason to fail, as who runs it again sends the mail twice.
    drop(report(&receipt, io::stdout().lock()));
    Ok(())
}

fn report(receipt: &Receipt, mut out: impl Write) -> io::Result<()> {
    if let Some(rejected) = &receipt.rejected {
        for recipient in rejected.iter() {
            writeln!(out, "{} {}", recipient.pointer, recipient.code)?;
        }
    }
    let files = receipt.files.len();
    writeln!(out, "{} recipients in {files} files", receipt.recipients)?;
    out.flush()
}

/// There may be more rows than fit into memory: they wait on the file system of the pickup directory.
fn read(mut rows: impl Read, pickup: &PickupDirectory) -> Result<TableStream, Box<dyn Error>> {
    let mut table = TableStream::new();
    let mut piece = Vec::new();
    loop {
        // It goes on where a signal interrupts it.
        match rows.by_ref().take(64 << 10).read_to_end(&mut piece)? {
            0 => return Ok(table),
            _ => table.feed(&piece, Some(pickup))?,
        }
        piece.clear();
    }
}
