//! A progress bar on a terminal.

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pmtaemail::Progress;
use std::io::{IsTerminal, stderr, stdout};
use std::time::{Duration, Instant};

/// Work that ends sooner needs no bar.
const SOON: Duration = Duration::from_secs(1);

const READING: &str = "{bytes} read";
const READING_A_FILE: &str = "[{bar:30}] {bytes} of {total_bytes} read";
const MERGING: &str = "[{bar:30}] {msg}, {eta} left";

/// The progress of a command with one message, on standard error; nothing if that is not a terminal. The bar vanishes
/// when this is dropped; then the listener from [`of_recipients`](Self::of_recipients) does nothing any more.
#[derive(Debug, Clone)]
pub struct ProgressDisplay(Option<Bar>);

#[derive(Debug, Clone)]
struct Bar {
    bar: ProgressBar,
    started: Instant,
}

impl ProgressDisplay {
    /// The same for a command that prints results meanwhile: on a terminal these show how far it is.
    pub fn start_beside_output() -> Self {
        if stdout().is_terminal() {
            Self(None)
        } else {
            Self::start()
        }
    }

    /// Begins, invisible until it takes long.
    pub fn start() -> Self {
        // A dumb terminal cannot move back within a line.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let bar = || Bar {
            bar: ProgressBar::hidden(),
            started: Instant::now(),
        };
        Self((stderr().is_terminal() && !is_dumb).then(bar))
    }

    /// Starts reading: a file of this size, or something of unknown size.
    pub fn begin_reading(&self, size: Option<u64>) {
        let form = size.map_or(READING, |_| READING_A_FILE);
        if let Some(Bar { bar, .. }) = &self.0 {
            begin(bar, form, size);
        }
    }

    /// This many more bytes were read.
    pub fn read(&self, count: usize) {
        if let Some(bar) = &self.0 {
            bar.bar.inc(count as u64);
            bar.show();
        }
    }

    /// The listener for the progress of the work on recipients.
    pub fn of_recipients(&self) -> impl Fn(Progress) + Send + Sync + use<> {
        let display = self.clone();
        if let Some(Bar { bar, .. }) = &display.0 {
            begin(bar, MERGING, None);
        }
        let begun = Instant::now();
        move |progress| {
            if let Some(bar) = &display.0 {
                bar.merge(progress, begun.elapsed());
                bar.show();
            }
        }
    }
}

impl Bar {
    fn merge(&self, progress: Progress, elapsed: Duration) {
        let recipients = progress.recipients as u64;
        let rate = u128::from(recipients) * 1_000 / elapsed.as_millis().max(1);
        let rate = HumanCount(rate.try_into().unwrap_or(u64::MAX));
        let recipients = HumanCount(recipients);
        self.bar.set_length(progress.total_size);
        self.bar.set_position(progress.size);
        self.bar
            .set_message(format!("{recipients} recipients, {rate}/s"));
    }

    fn show(&self) {
        if self.bar.is_hidden() && self.started.elapsed() >= SOON {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

fn begin(bar: &ProgressBar, form: &str, length: Option<u64>) {
    let style = ProgressStyle::with_template(form).expect("these are templates");
    bar.set_style(style.progress_chars("=> "));
    bar.reset();
    match length {
        Some(length) => bar.set_length(length),
        None => bar.unset_length(),
    }
}
