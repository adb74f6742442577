//! The signals that the daemon handles, and those that would end it without a drain or a message.

use super::blocking::run_blocking;
use super::error::ApiError;
use super::log;
use super::reload::Reload;
use signal_hook::consts;
use std::io;
use std::sync::Arc;
use tokio::signal::unix::{self, SignalKind, signal};

/// Signals that people send to daemons, such as `kill -USR1` to open a log file again. They mean nothing here, which
/// the log says.
const WITHOUT_MEANING: [(i32, &str); 2] =
    [(consts::SIGUSR1, "SIGUSR1"), (consts::SIGUSR2, "SIGUSR2")];

/// Others that end a program by default. SIGQUIT is not changed, for a core dump. Because SIGXFSZ is ignored, a file
/// over the limit of `ulimit -f` is an error of its submission.
const IGNORED: [i32; 6] = [
    consts::SIGALRM,
    consts::SIGVTALRM,
    consts::SIGPROF,
    consts::SIGIO,
    consts::SIGXCPU,
    consts::SIGXFSZ,
];

/// Signals that end a program, and that only Linux has: SIGSTKFLT, SIGPWR and those of real time.
#[cfg(target_os = "linux")]
fn ignored_under_linux() -> impl Iterator<Item = i32> {
    [libc::SIGSTKFLT, libc::SIGPWR]
        .into_iter()
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
}

#[cfg(not(target_os = "linux"))]
fn ignored_under_linux() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// A signal that asks the daemon to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Terminate,
    Interrupt,
}

impl Stop {
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }

    pub fn number(self) -> u8 {
        match self {
            Self::Terminate => 15,
            Self::Interrupt => 2,
        }
    }
}

/// Receives signals as long as it lives.
pub struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    /// Takes over SIGTERM, SIGINT and SIGHUP, which reloads what `reload` names, and keeps others from ending the
    /// daemon.
    pub fn install(reload: Reload) -> io::Result<Self> {
        reload_on_sighup(reload)?;
        for (number, name) in WITHOUT_MEANING {
            let mut signal = signal(SignalKind::from_raw(number))?;
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    log::signal_ignored(name);
                }
            });
        }
        for number in IGNORED.into_iter().chain(ignored_under_linux()) {
            // The handler stays even when nobody waits for the signal any more.
            drop(signal(SignalKind::from_raw(number))?);
        }
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.terminate.recv() => Stop::Terminate,
            _ = self.interrupt.recv() => Stop::Interrupt,
        }
    }
}

fn reload_on_sighup(reload: Reload) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let reload = Arc::new(reload);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            if reload.is_empty() {
                log::signal_ignored("SIGHUP");
                continue;
            }
            let reload = Arc::clone(&reload);
            // One after the other, so that the result of the last signal wins. A panic is logged with its location.
            let _: Result<(), ApiError> = run_blocking(move || reload.run()).await;
        }
    });
    Ok(())
}
