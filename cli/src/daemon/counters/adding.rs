//! Adds metrics to a registry.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

/// Adds metrics to a registry.
pub struct Adding<'r>(pub &'r mut Registry);

impl Adding<'_> {
    pub fn to<M: Metric>(&mut self, metric: M, name: &str, help: &str) {
        self.0.register(name, help, metric);
    }

    pub fn family<L, M>(&mut self, name: &str, help: &str) -> Family<L, M>
    where
        Family<L, M>: Metric + Clone + Default,
    {
        let family = Family::<L, M>::default();
        self.to(family.clone(), name, help);
        family
    }

    pub fn counter(&mut self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.to(counter.clone(), name, help);
        counter
    }

    pub fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.to(gauge.clone(), name, help);
        gauge
    }

    pub fn bytes(&mut self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.0
            .register_with_unit(name, help, Unit::Bytes, counter.clone());
        counter
    }

    pub fn histogram(&mut self, histogram: Histogram, name: &str, help: &str) -> Histogram {
        self.to(histogram.clone(), name, help);
        histogram
    }

    pub fn timed<L>(
        &mut self,
        make: fn() -> Histogram,
        name: &str,
        help: &str,
    ) -> Family<L, Histogram, fn() -> Histogram>
    where
        Family<L, Histogram, fn() -> Histogram>: Metric + Clone,
        L: Clone + std::hash::Hash + Eq,
    {
        let family = Family::new_with_constructor(make);
        (self.0).register_with_unit(name, help, Unit::Seconds, family.clone());
        family
    }
}
