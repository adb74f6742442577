//! Messages into the queue of many hosts, and from it into the pickup directory.

mod counts;
mod page;

use super::back_pressure::BackPressure;
use super::blocking;
use super::counters::Counters;
use super::listener;
use super::log;
use super::observer::PickupObserver;
use super::reload::Reload;
use super::service_manager;
use super::signals::Signals;
use crate::args::{ConsumeArgs, ForwardArgs};
use crate::exit::{Exit, Failure};
use counts::Counts;
use pmtaemail::PickupDirectory;
use pmtaemail_fleet::{Consumer, Publisher, connect};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Threads for blocking work: two batches at a time, and what the pickup directory needs.
const THREADS: usize = 16;

/// The queue that takes messages instead of a pickup directory, if they are forwarded.
pub fn queue(args: &ForwardArgs, runtime: &Runtime) -> Result<Option<PickupDirectory>, Failure> {
    let Some(forward) = args.forward() else {
        return Ok(None);
    };
    let (brokers, routes) = forward.map_err(Failure::Usage)?;
    let publisher = runtime.block_on(async {
        let client = connect(&brokers, log::brokers).await?;
        Publisher::start(client, routes).await
    })?;
    Ok(Some(PickupDirectory::of_queue(
        Arc::new(publisher),
        args.memory(),
    )))
}

/// Takes messages from the queue until a signal asks to stop.
pub fn consume(args: &ConsumeArgs) -> Result<Exit, Failure> {
    log::start(&args.log);
    let options = args.consumer().map_err(Failure::Usage)?;
    let observer = PickupObserver::new(Arc::<Counters>::default());
    let pickup = (args.pickup).open_with_state(&args.state, Arc::new(observer))?;
    let back_pressure =
        BackPressure::start(&args.back_pressure, pickup.path()).map_err(Failure::Start)?;
    let runtime = blocking::start_runtime(THREADS).map_err(Failure::Start)?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::install(Reload::default()).map_err(Failure::Start)?;
        let counts = Arc::new(Counts::default());
        let told = Arc::clone(&counts);
        let tell = move |event| {
            told.count(&event);
            log::consumed(&event);
        };
        counts.set_open(back_pressure.shut().is_none());
        let page = match args.metrics_listen {
            Some(address) => {
                let listener = listener::bind(&[address]).map_err(Failure::Start)?;
                log::metrics_at(&listener);
                Some(tokio::spawn(page::serve(listener, Arc::clone(&counts))))
            }
            None => None,
        };
        let watched = Arc::clone(&counts);
        let tell_of_brokers = move |is_there| {
            watched.set_connected(is_there);
            log::brokers(is_there);
        };
        let client = connect(&args.brokers().map_err(Failure::Usage)?, tell_of_brokers).await?;
        let route = options.route.clone();
        let consumer = Consumer::start(client, Arc::new(pickup), options, tell).await?;
        log::consumes(&route, args.pickup.directory());
        service_manager::keep_alive();
        service_manager::ready(&"taking messages from the queue");
        let (stop, stopped) = watch::channel(false);
        let has_room = || {
            let is_open = back_pressure.shut().is_none();
            counts.set_open(is_open);
            is_open
        };
        let work = consumer.run(has_room, stopped);
        tokio::pin!(work);
        let ended = tokio::select! {
            ended = &mut work => ended,
            signal = signals.next() => {
                log::stopping(signal.name(), 0);
                service_manager::stopping();
                stop.send_replace(true);
                work.await
            }
        };
        if let Some(page) = page {
            page.abort();
        }
        ended?;
        log::stopped();
        Ok(Exit::Ok)
    });
    runtime.shutdown_background();
    ended
}
