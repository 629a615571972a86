//! Statistics through OpenTelemetry.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::core::Core;
use crate::publisher::{Publisher, stats_of};
use crate::stats::Stats;

/// Metric: name, description, and the statistic that it exports.
type Row = (&'static str, &'static str, fn(&Stats) -> u64);

const COUNTERS: [Row; 8] = [
    ("herald.events.published", "Accepted events", |s| {
        s.published
    }),
    ("herald.events.delivered", "Receipts of the cluster", |s| {
        s.delivered
    }),
    ("herald.events.spooled", "Receipts of the spool", |s| {
        s.spooled
    }),
    ("herald.events.failed", "Events that failed", |s| s.failed),
    (
        "herald.events.drained",
        "Spooled events that the cluster acknowledged",
        |s| s.drained,
    ),
    (
        "herald.events.retried",
        "Failed attempts of spooled events",
        |s| s.retried,
    ),
    (
        "herald.events.dead",
        "Events that became dead letters",
        |s| s.dead,
    ),
    ("herald.outages", "Outages of the cluster", |s| s.outages),
];

const GAUGES: [Row; 5] = [
    ("herald.in_flight", "Events that wait for a receipt", |s| {
        s.in_flight
    }),
    ("herald.spool.records", "Events in the spool", |s| {
        s.spool.map_or(0, |spool| spool.records)
    }),
    (
        "herald.spool.bytes",
        "Bytes of the events in the spool",
        |s| s.spool.map_or(0, |spool| spool.bytes),
    ),
    ("herald.spool.dead", "Dead letters in the spool", |s| {
        s.spool.map_or(0, |spool| spool.dead)
    }),
    (
        "herald.reachable",
        "1 while the cluster is considered reachable",
        |s| u64::from(s.reachable),
    ),
];

/// Metric of the native transport with the attribute `server.address`.
#[cfg(feature = "kafka")]
type BrokerRow = (
    &'static str,
    &'static str,
    &'static str,
    fn(&herald_wire::BrokerStatistics) -> f64,
);

#[cfg(feature = "kafka")]
#[expect(clippy::cast_precision_loss, reason = "counters of one connection")]
const BROKER_GAUGES: [BrokerRow; 4] = [
    (
        "herald.broker.requests",
        "{request}",
        "Requests with events, on the present connection",
        |broker| broker.requests as f64,
    ),
    (
        "herald.broker.request_size",
        "By",
        "Bytes of these requests",
        |broker| broker.request_bytes as f64,
    ),
    (
        "herald.broker.latency",
        "s",
        "From a request to its answer, of the last requests",
        |broker| broker.latency.as_secs_f64(),
    ),
    (
        "herald.broker.throttled",
        "s",
        "Time for which the broker took nothing because of a quota",
        |broker| broker.throttled.as_secs_f64(),
    ),
];

impl Publisher {
    /// Exports [`Publisher::stats`] through this meter, with these attributes, each time its reader
    /// collects; and the latency of the cluster's receipts as the histogram
    /// `messaging.client.operation.duration`, in seconds, as OpenTelemetry's conventions for
    /// messaging name it. Ends with the publisher.
    pub fn observe(&self, meter: &Meter, attributes: &[KeyValue]) {
        let core = Arc::downgrade(self.core());
        for (name, description, value) in COUNTERS {
            let (core, attributes) = (core.clone(), attributes.to_vec());
            meter
                .u64_observable_counter(name)
                .with_description(description)
                .with_callback(move |observer| {
                    look(&core, |stats| observer.observe(value(stats), &attributes));
                })
                .build();
        }
        for (name, description, value) in GAUGES {
            let (core, attributes) = (core.clone(), attributes.to_vec());
            meter
                .u64_observable_gauge(name)
                .with_description(description)
                .with_callback(move |observer| {
                    look(&core, |stats| observer.observe(value(stats), &attributes));
                })
                .build();
        }
        #[cfg(feature = "kafka")]
        for (name, unit, description, value) in BROKER_GAUGES {
            let (core, attributes) = (core.clone(), attributes.to_vec());
            meter
                .f64_observable_gauge(name)
                .with_unit(unit)
                .with_description(description)
                .with_callback(move |observer| {
                    look(&core, |stats| {
                        for broker in &stats.brokers {
                            let address = KeyValue::new("server.address", broker.address.clone());
                            let mut attributes = attributes.clone();
                            attributes.push(address);
                            observer.observe(value(broker), &attributes);
                        }
                    });
                })
                .build();
        }
        let oldest = attributes.to_vec();
        let of = core.clone();
        meter
            .f64_observable_gauge("herald.spool.oldest_age")
            .with_description("Age of the oldest event in the spool")
            .with_unit("s")
            .with_callback(move |observer| {
                look(&of, |stats| {
                    let age = stats.oldest_age().unwrap_or_default();
                    observer.observe(age.as_secs_f64(), &oldest);
                });
            })
            .build();
        let durations = meter
            .f64_histogram("messaging.client.operation.duration")
            .with_description("From publishing to the cluster's receipt")
            .with_unit("s")
            .build();
        let mut attributes = attributes.to_vec();
        attributes.push(KeyValue::new("messaging.system", "kafka"));
        attributes.push(KeyValue::new("messaging.operation.name", "send"));
        self.core().counters.show_latency(Box::new(move |time| {
            durations.record(time.as_secs_f64(), &attributes);
        }));
    }
}

fn look(core: &Weak<Core>, see: impl FnOnce(&Stats)) {
    if let Some(core) = core.upgrade() {
        see(&stats_of(&core));
    }
}
