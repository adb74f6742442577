//! Commands on standard input, a line each, and their answers on standard output.

use std::error::Error;
use std::io::{self, BufRead, Write};

/// What a command answers behind `ok`, or the sentence behind `error`.
pub type Answer = Result<String, Box<dyn Error>>;

/// Answers each line until the input ends, words being separated by single spaces.
pub fn serve(mut answer: impl FnMut(&[&str]) -> Answer) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "ok")?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match answer(&words) {
            Ok(text) => writeln!(out, "{}", format!("ok {text}").trim_end())?,
            Err(error) => writeln!(out, "error {error}")?,
        }
        out.flush()?;
    }
    Ok(())
}
