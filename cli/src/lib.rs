//! The program `pmtaemailapi`, as a library for its `main` and for what is generated from its options: tables, manual
//! pages, completions. It is not a public interface: use the crate `pmtaemail`.
#![forbid(unsafe_code)]

#[cfg(not(unix))]
compile_error!(
    "pmtaemailapi needs a Unix system; on other systems use the library from Rust, Python or Node"
);

mod access;
mod args;
mod batch;
mod commands;
mod daemon;
mod exit;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(fuzzing)]
pub mod fuzzing;
mod go_flags;
mod input;
mod journal;
mod nearest;
mod output;
mod place;
#[cfg(feature = "preview")]
mod preview;
mod progress;
mod receipts;
mod sendmail;
mod units;

use args::{Action, Refusal};
pub use args::{command, options_table, sample_configuration};
use exit::{Exit, Failure};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let action = match args::parse(std::env::args_os()) {
        Ok(action) => action,
        Err(Refusal::Answer(answer)) => return output::usage(&answer).into(),
        Err(Refusal::Config(problems)) => return output::print_config_problems(&problems).into(),
    };
    match survive_file_size_limit().and_then(|()| run(action)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::print_failure(&failure);
            failure.exit().into()
        }
    }
}

fn run(action: Action) -> Result<Exit, Failure> {
    match action {
        Action::Serve(args) => daemon::run(*args),
        Action::Check(args) => commands::check(&args),
        Action::Render(args) => commands::render(&args),
        Action::Submit(args) => commands::submit(&args),
        Action::Config(action) => commands::config(&action),
        Action::Keys(command) => commands::keys(&command),
        #[cfg(feature = "fleet")]
        Action::Consume(args) => daemon::consume(&args),
        #[cfg(feature = "fleet")]
        Action::Fleet(command) => fleet::run(&command),
        #[cfg(feature = "preview")]
        Action::Preview(args) => preview::run(&args),
        Action::Schema => commands::print_json(&pmtaemail::schema()),
        Action::OpenApi => commands::print_json(&daemon::openapi_document()),
        Action::Version => commands::version(),
        Action::Sendmail(line) => sendmail::run(line),
    }
}

/// Keeps a limit on file sizes from killing the program: with a handler for SIGXFSZ the write fails
/// instead (EFBIG), and one submission is refused.
fn survive_file_size_limit() -> Result<(), Failure> {
    let nobody_asks = Arc::default();
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, nobody_asks)
        .map(drop)
        .map_err(Failure::Start)
}
