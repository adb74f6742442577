//! Submit mail to PowerMTA with JSON: the HTTP daemon and the commands.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod daemon;
mod exit;
mod go_flags;
mod input;
mod output;
mod units;

use args::Action;
use std::process::ExitCode;

fn main() -> ExitCode {
    let action = match args::parse(std::env::args_os()) {
        Ok(action) => action,
        Err(answer) => return output::usage(&answer).into(),
    };
    let ended = match action {
        Action::Serve(args) => daemon::run(args),
        Action::Check(args) => commands::check(&args),
        Action::Render(args) => commands::render(&args),
        Action::Submit(args) => commands::submit(&args),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::complain(&failure);
            failure.exit().into()
        }
    }
}
