//! What a consumer counts, as the text that Prometheus reads.

use pmtaemail_fleet::Event;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Everything that is counted since the start.
#[derive(Debug)]
pub struct Counts {
    registry: Registry,
    handed_over: Counter,
    redelivered: Counter,
    acknowledged: Counter,
    dead: Counter,
    late: Counter,
    failed: Counter,
    broker_errors: Counter,
    recovered: Counter,
    given_back: Counter,
    connected: Gauge,
    open: Gauge,
}

impl Default for Counts {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("pmtaemail_consumer");
        let (connected, open) = (Gauge::default(), Gauge::default());
        registry.register(
            "connected",
            "Whether a broker is connected",
            connected.clone(),
        );
        registry.register(
            "open",
            "Whether the pickup directory has room: nothing is taken otherwise",
            open.clone(),
        );
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        Self {
            handed_over: counter(
                "messages_handed_over",
                "Messages that are in the pickup directory",
            ),
            redelivered: counter(
                "messages_redelivered",
                "Of those, messages that another delivery may have handed over elsewhere: most that may be there twice",
            ),
            acknowledged: counter(
                "messages_acknowledged",
                "Messages that the brokers confirmed to be done",
            ),
            dead: counter("dead_letters", "Messages that nobody can hand over"),
            late: counter(
                "messages_late",
                "Messages that were held too long and given back",
            ),
            failed: counter(
                "messages_failed",
                "Messages that the pickup directory did not take, and were given back",
            ),
            broker_errors: counter(
                "broker_errors",
                "Answers of the brokers that did not come or were errors",
            ),
            recovered: counter(
                "messages_recovered",
                "Messages that this host had handed over before it died, and acknowledged when it came back",
            ),
            given_back: counter(
                "messages_given_back",
                "Messages that this host had taken before it died and not handed over",
            ),
            connected,
            open,
            registry,
        }
    }
}

impl Counts {
    /// Counts the reports of a consumer.
    pub fn count(&self, event: &Event) {
        let add = |counter: &Counter, count: &usize| {
            counter.inc_by(*count as u64);
        };
        match event {
            Event::Recovered {
                acknowledged,
                given_back,
            } => {
                add(&self.recovered, acknowledged);
                add(&self.given_back, given_back);
            }
            Event::HandedOver {
                messages,
                redelivered,
            } => {
                add(&self.handed_over, messages);
                add(&self.redelivered, redelivered);
            }
            Event::Acknowledged { messages } => add(&self.acknowledged, messages),
            Event::Dead { .. } => add(&self.dead, &1),
            Event::Late { messages } => add(&self.late, messages),
            Event::Failed { messages, .. } => add(&self.failed, messages),
            Event::Brokers { .. } => add(&self.broker_errors, &1),
            _ => {}
        }
    }

    /// Whether a broker is connected.
    pub fn set_connected(&self, is_connected: bool) {
        self.connected.set(i64::from(is_connected));
    }

    /// Whether the pickup directory has room.
    pub fn set_open(&self, is_open: bool) {
        self.open.set(i64::from(is_open));
    }

    /// Why nothing is currently taken, as a word that never changes.
    pub fn cause(&self) -> Option<&'static str> {
        if self.connected.get() == 0 {
            Some("no-broker")
        } else if self.open.get() == 0 {
            Some("back-pressure")
        } else {
            None
        }
    }

    /// All of it in the text format of Prometheus.
    pub fn text(&self) -> String {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)
            .expect("a String takes all that is written");
        text
    }
}
