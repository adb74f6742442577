//! Lines of a host that takes messages from the queue of a fleet.

use pmtaemail_fleet::{Event, Route};
use std::io;
use std::path::Path;
use tokio::net::TcpListener;
use tracing::{debug, info, warn};

/// It starts to take messages.
pub fn consumes(route: &Route, pickup: &Path) {
    info!(
        event = "consuming",
        version = pmtaemail::VERSION,
        stream = route.stream(),
        pickup = %pickup.display(),
    );
}

/// Whether a broker can be reached.
pub fn brokers(is_there: bool) {
    if is_there {
        info!(event = "broker_connected");
    } else {
        warn!(event = "broker_lost");
    }
}

/// The outcome of messages.
pub fn consumed(event: &Event) {
    match event {
        Event::HandedOver {
            messages,
            redelivered: 0,
        } => debug!(event = "batch_handed_over", messages),
        Event::HandedOver {
            messages,
            redelivered,
        } => info!(event = "batch_handed_over", messages, redelivered),
        Event::Acknowledged { messages } => debug!(event = "batch_acknowledged", messages),
        Event::Recovered {
            acknowledged,
            given_back,
        } => info!(event = "batch_recovered", acknowledged, given_back),
        Event::Dead { sequence, code } => warn!(event = "dead_letter", sequence, code),
        Event::Late { messages } => warn!(event = "batch_late", messages),
        Event::Failed { messages, error } => warn!(event = "batch_failed", messages, error),
        Event::Brokers { error } => warn!(event = "broker_failed", error),
        _ => {}
    }
}

/// The counts are available from now on.
pub fn metrics_at(listener: &TcpListener) {
    match listener.local_addr() {
        Ok(address) => info!(event = "metrics_listening", %address),
        Err(error) => warn!(event = "metrics_listening", %error),
    }
}

/// The current counts cannot be served.
pub fn metrics_not_served(error: &io::Error) {
    warn!(event = "metrics_not_served", %error);
}
