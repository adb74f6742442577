//! Notifications for systemd (`sd_notify`(3)): that the daemon listens, that it stops, and periodically that it is
//! alive. If no service manager asks for them (`NOTIFY_SOCKET`, `WATCHDOG_USEC`), nothing is done.

use super::log;
use sd_notify::NotifyState;
use std::fmt;
use tokio::time::{MissedTickBehavior, interval};

/// The daemon starts to accept connections.
pub fn ready(addresses: &impl fmt::Display) {
    let status = format!("listening on {addresses}");
    notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The daemon accepts no more connections and finishes those that it has.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Reports that the daemon is alive as long as the runtime is, twice per period that systemd allows (`WatchdogSec=`).
/// Continues while the daemon drains. A runtime that hangs reports nothing, and is restarted.
pub fn keep_alive() {
    let Some(patience) = sd_notify::watchdog_enabled().filter(|time| !time.is_zero()) else {
        return;
    };
    tokio::spawn(async move {
        let mut ticks = interval(patience / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    });
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::notify_failed(&error);
    }
}
