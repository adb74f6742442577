//! The HTTP daemon.
//!
//! Each file uses only files of lower stairs:
//!
//! ```text
//! accept                  accepts connections, as many as there is room for
//!   slots                 places for them, in total and per client
//!   connection            HTTP/1.1 or HTTP/2 on one connection
//!     listener            where connections come from: TCP, TLS, Unix sockets, systemd
//! routes                  which handler serves which path
//!   pages                 which web pages may use the daemon
//!   cors                  what their browsers are told
//!   messages              /messages, /messages/check, /messages/render       health    /health
//!   batch                 /messages/batch
//!   compat                other services' paths: /api/v1/transmissions, /emails
//!   preview               /preview
//!   metrics               /metrics
//!   openapi               /openapi.json, /docs
//!   paths                 the paths themselves
//!     receipt             the answer to a submission
//!     submission          from a request with one message to its receipt
//!     hand_over           from a rendered message to its receipt
//!     idempotency           keys of submissions
//!     stream              the body of JSON, which may be a mail merge
//!       state             what all requests share
//!       access            who has a key, and what they may do
//!       readiness         whether the pickup directory takes messages
//!       request           what a body is, and how the core library reads it
//!         form            multipart/form-data
//!         body            the bytes of a body, within their limits
//!           coding        compressed bodies
//!           admission     how much is in progress at once
//!       back_pressure     whether PowerMTA and the disk keep up
//!     memory              how much memory there is, and how much a message takes
//!     open_files          what the limit on open files leaves room for
//!       blocking          threads for what blocks
//! counters                what is counted for the metrics
//! pickup_look             what waits in the pickup directory, when somebody asks
//! fleet                   messages into the queue of many hosts, and from it into the pickup directory
//! observer                what the log and the metrics are told of the pickup directory
//! allocator               how large memory is taken and given back
//! service_manager         what systemd is told
//! signals                 SIGTERM, SIGINT, SIGHUP, and those that mean nothing here
//!   reload                what is read again
//! log                     the only folder that knows what log lines look like
//!   client                who is at the other end of a connection
//!   bound                 what a socket is bound to
//!   error                 why a request is not done
//!     problem_details     how that is written
//! ```

mod accept;
mod access;
mod admission;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod back_pressure;
mod batch;
mod blocking;
mod body;
mod bound;
mod client;
mod coding;
mod compat;
mod connection;
mod cors;
mod counters;
mod error;
#[cfg(feature = "fleet")]
mod fleet;
mod form;
#[cfg(fuzzing)]
mod fuzzing;
mod hand_over;
mod health;
mod idempotency;
mod listener;
mod log;
mod memory;
mod messages;
mod metrics;
mod observer;
mod open_files;
mod openapi;
mod pages;
mod paths;
mod pickup_look;
#[cfg_attr(not(feature = "preview"), path = "no_preview.rs")]
mod preview;
mod problem_details;
mod query;
mod readiness;
mod receipt;
mod reload;
mod request;
mod routes;
mod service_manager;
mod signals;
mod slots;
mod state;
mod stream;
mod submission;
#[cfg(test)]
mod tests;

pub use batch::result_pieces;
pub use error::ApiError;
#[cfg(feature = "fleet")]
pub use fleet::consume;
#[cfg(fuzzing)]
pub use fuzzing::{Answer, DaemonInMemory};
pub use open_files::room_for_batch;
pub use openapi::document as openapi_document;

use crate::args::ServeArgs;
use crate::exit::{Exit, Failure};
use accept::Connections;
use access::Access;
use back_pressure::BackPressure;
use bound::Bounds;
use counters::Counters;
use listener::{Sockets, Tls};
use observer::PickupObserver;
use pages::Pages;
use pmtaemail::PickupDirectory;
use preview::Preview;
use reload::Reload;
use signals::Signals;
use state::Daemon;
#[cfg(feature = "preview")]
use std::path::Path;
use std::sync::Arc;
use tokio::time::sleep;

/// Serves until a signal asks to stop.
pub fn run(mut args: ServeArgs) -> Result<Exit, Failure> {
    log::start(&args.log);
    // Other allocators give back what is free.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    allocator::fix_threshold();
    memory::settle(&mut args.limits, args.preview);
    let counters = Arc::<Counters>::default();
    let room = open_files::room(args.limits.max_connections, args.limits.max_in_flight);
    let runtime = blocking::start_runtime(room.submissions).map_err(Failure::Start)?;
    let observer = PickupObserver::new(Arc::clone(&counters));
    #[cfg(feature = "fleet")]
    let queue = fleet::queue(&args.forward, &runtime)?;
    #[cfg(not(feature = "fleet"))]
    let queue: Option<PickupDirectory> = None;
    let forwards = queue.is_some();
    let pickup = match queue {
        Some(queue) => queue,
        None => (args.pickup).open_with_state(&args.state, Arc::new(observer))?,
    };
    let pickup = shared(pickup)?;
    let access = (args.keys.clone()).map(|path| Access::open(path, Arc::clone(&counters)));
    let access = access.transpose();
    let access = access
        .map_err(|problems| Failure::Keys(problems.into()))?
        .map(Arc::new);
    if let Err(error) = pickup.blocking().probe_staging() {
        log::no_staging(&error);
    }
    if let Err(error) = pickup.blocking().probe_keys() {
        log::no_keys(&error);
    }
    let back_pressure = if forwards {
        // The hosts that submit watch their own.
        BackPressure::default()
    } else {
        BackPressure::start(&args.back_pressure, pickup.path()).map_err(Failure::Start)?
    };
    let daemon = Daemon::new(pickup, &args.limits, room);
    let daemon = daemon.with_back_pressure(back_pressure);
    let daemon = daemon.with_access(access).with_counters(counters);
    let daemon = daemon.with_compat(args.compat.clone());
    let preview = preview_of(&args);
    let ended = runtime.block_on(serve(args, Arc::new(daemon), preview, |_| Ok(())));
    // What still runs now had its time to finish.
    runtime.shutdown_background();
    ended
}

/// Serves only the preview until a signal asks to stop. `file` is the message that it starts with, `outbox` a pickup
/// directory that it shows. `announce` is called with the address.
#[cfg(feature = "preview")]
pub fn run_preview(
    mut args: ServeArgs,
    file: Option<String>,
    outbox: Option<&Path>,
    announce: impl FnOnce(&Bounds) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    log::start(&args.log);
    memory::settle(&mut args.limits, true);
    let observer = PickupObserver::new(Arc::default());
    let pickup = args.pickup.open(Arc::new(observer))?;
    let room = open_files::room(args.limits.max_connections, args.limits.max_in_flight);
    let runtime = blocking::start_runtime(room.submissions).map_err(Failure::Start)?;
    let preview = Preview::new(args.limits.views).with_file(file).alone();
    let preview = match outbox {
        Some(directory) => preview.with_outbox(directory),
        None => preview,
    };
    let daemon = Arc::new(Daemon::new(shared(pickup)?, &args.limits, room));
    let ended = runtime.block_on(serve(args, daemon, Some(preview), announce));
    runtime.shutdown_background();
    ended
}

/// Starts the threads that commit.
fn shared(pickup: PickupDirectory) -> Result<pmtaemail::tokio::PickupDirectory, Failure> {
    let pickup = pmtaemail::tokio::PickupDirectory::new(pickup);
    pickup.map_err(|_| Failure::Start(blocking::no_threads()))
}

/// The preview, if it is enabled.
#[cfg(feature = "preview")]
fn preview_of(args: &ServeArgs) -> Option<Preview> {
    let preview = || Preview::new(args.limits.views).with_outbox(args.pickup.directory());
    args.preview.then(preview)
}

/// There is none.
#[cfg(not(feature = "preview"))]
fn preview_of(_: &ServeArgs) -> Option<Preview> {
    None
}

async fn serve(
    args: ServeArgs,
    daemon: Arc<Daemon>,
    preview: Option<Preview>,
    announce: impl FnOnce(&Bounds) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let access = daemon.access.clone();
    let mut reload = Reload::default();
    let tls = args.listen.tls().map(Tls::open).transpose()?;
    if let Some(tls) = tls.clone() {
        reload.add(move || tls.reload());
    }
    if let Some(access) = access.clone() {
        reload.add(move || access.reload());
    }
    let mut signals = Signals::install(reload).map_err(Failure::Start)?;
    let sockets = Sockets::open(&args.listen, tls.as_ref(), args.limits.body_timeout).await?;
    let addresses = sockets.bounds().map_err(Failure::Start)?;
    let pages = Pages::new(args.allow_origin.clone(), &args.listen);
    let router = routes::router(Arc::clone(&daemon), pages, preview);
    let slots = daemon.connections.clone();
    let connections = Connections::new(slots.clone(), &args.limits, router);
    log::listening(
        &addresses,
        &daemon.pickup,
        &args,
        &slots,
        access.as_deref().map(Access::len),
    );
    if access.is_none() {
        for address in addresses.0.iter().filter(|address| address.is_public()) {
            log::listens_without_keys(address);
        }
    }
    service_manager::keep_alive();
    service_manager::ready(&addresses);
    announce(&addresses)?;

    // Leaving this block closes the sockets, and removes the files of those that have one.
    let signal = tokio::select! {
        never = connections.accept(sockets) => match never {},
        signal = signals.next() => signal,
    };
    daemon.stopping.send_replace(true);
    log::stopping(signal.name(), slots.open());
    service_manager::stopping();
    tokio::select! {
        () = connections.drain() => log::stopped(),
        () = sleep(args.limits.drain) => log::abandoned(slots.open()),
        signal = signals.next() => {
            log::abandoned(slots.open());
            return Ok(Exit::Signal(signal.number()));
        }
    }
    Ok(Exit::Ok)
}
