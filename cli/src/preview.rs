//! The command `preview`: only the daemon's preview, on a free port of this host, with a browser that shows it.

use crate::args::PreviewArgs;
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::progress::ProgressDisplay;
use crate::{daemon, output};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// The program that opens an address as the desktop does.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// Shows a message in a browser until a signal asks to stop.
pub fn run(args: &PreviewArgs) -> Result<Exit, Failure> {
    let file = args.file.as_deref().map(message).transpose()?;
    // Recipients of a large mail merge wait there.
    let scratch = tempfile::tempdir().map_err(Failure::Spool)?;
    let serve_args = PreviewArgs::serve_args(scratch.path());
    daemon::run_preview(serve_args, file, args.pickup.as_deref(), |address| {
        let url = format!("http://{address}/preview");
        output::print(format!("{url}\n").as_bytes()).map_err(Failure::Write)?;
        if args.open {
            open(&url);
        }
        Ok(())
    })
}

/// The message in JSON, as the page shows it; a finished message is wrapped in JSON.
fn message(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let progress = ProgressDisplay::start();
    Input::open(Some(path))?.read(&progress, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    drop(progress);
    Ok(in_json(bytes))
}

fn in_json(bytes: Vec<u8>) -> String {
    let begins_json = |text: &str| text.trim_start().starts_with(['{', '[']);
    let raw = match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            if begins_json(text) || text.trim().is_empty() {
                return text.to_owned();
            }
            json!(text)
        }
        Err(error) => {
            let content = encodify::base64::STANDARD.encode(error.as_bytes());
            json!({"encoding": "base64", "content": content})
        }
    };
    format!("{:#}", json!({"raw": raw}))
}

/// Starts the browser. Without one, the address is on standard output.
fn open(url: &str) {
    let mut command = Command::new(OPENER);
    command.arg(url);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = command.stderr(Stdio::null()).spawn();
    let waited = started.and_then(|mut child| {
        // It may run as long as the browser does.
        thread::Builder::new().spawn(move || child.wait()).map(drop)
    });
    if let Err(error) = waited {
        output::print_warnings([format!("{OPENER} cannot be started: {error}")]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_finished_message_is_put_into_json() {
        for (bytes, expected) in [
            (&b"{\"from\": 1}"[..], json!({"from": 1})),
            (b"\xef\xbb\xbf {}", json!({})),
            (
                b"From: a@b\r\n\r\nHi",
                json!({"raw": "From: a@b\r\n\r\nHi"}),
            ),
            (
                b"\xff",
                json!({"raw": {"encoding": "base64", "content": "/w=="}}),
            ),
        ] {
            let text = in_json(bytes.to_vec());
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        }
        // Errors in the message stay: the page reports them.
        assert_eq!(in_json(b"{\"from\":".to_vec()), "{\"from\":");
    }
}
