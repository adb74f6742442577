//! Messages into the queue of many hosts, and from it into the pickup directory.

mod counts;

use super::back_pressure::BackPressure;
use super::blocking;
use super::counters::Counters;
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
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often what is counted is written.
const WRITE: Duration = Duration::from_secs(1);

/// Threads for what blocks: two batches at a time, and what the pickup directory needs.
const THREADS: usize = 16;

/// The queue that messages go into in place of a pickup directory, if they are forwarded.
pub fn queue(args: &ForwardArgs, runtime: &Runtime) -> Result<Option<PickupDirectory>, Failure> {
    let Some(forward) = args.forward() else {
        return Ok(None);
    };
    let (brokers, route) = forward.map_err(Failure::Usage)?;
    let publisher = runtime.block_on(async {
        let client = connect(&brokers, log::brokers).await?;
        Publisher::start(client, route).await
    })?;
    Ok(Some(PickupDirectory::of_queue(Arc::new(publisher))))
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
        let client = connect(&args.brokers().map_err(Failure::Usage)?, log::brokers).await?;
        let route = options.route.clone();
        let consumer = Consumer::start(client, Arc::new(pickup), options, tell).await?;
        let writing = args.metrics_file.clone().map(|path| {
            tokio::spawn(async move {
                let mut ticks = interval(WRITE);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    if let Err(error) = counts.write(&path) {
                        log::metrics_not_written(&error);
                    }
                }
            })
        });
        log::consumes(&route, args.pickup.directory());
        service_manager::keep_alive();
        service_manager::ready(&"taking messages from the queue");
        let (stop, stopped) = watch::channel(false);
        let work = consumer.run(|| back_pressure.shut().is_none(), stopped);
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
        if let Some(writing) = writing {
            writing.abort();
        }
        ended?;
        log::stopped();
        Ok(Exit::Ok)
    });
    runtime.shutdown_background();
    ended
}
