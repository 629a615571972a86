//! Settings with which the publisher could not keep its word.

/// A property, the values of it that are harmless, and what any other would break.
struct Promise {
    name: &'static str,
    keeps: fn(&str) -> bool,
    why: &'static str,
}

const PROMISES: &[Promise] = &[
    Promise {
        name: "acks",
        keeps: |value| matches!(value, "all" | "-1"),
        why: "a receipt means that all in-sync replicas have the event, so only `all` will do",
    },
    Promise {
        name: "enable.idempotence",
        keeps: is_true,
        why: "without it a retry can pass earlier events of the same key",
    },
    Promise {
        name: "enable.gapless.guarantee",
        keeps: is_true,
        why: "without it events of a refused batch would be passed by later ones of their keys",
    },
    Promise {
        name: "max.in.flight.requests.per.connection",
        keeps: |value| value.parse().is_ok_and(|count| (1..=5).contains(&count)),
        why: "the order of a key is kept for 1 to 5 requests in flight only",
    },
    Promise {
        name: "message.timeout.ms",
        keeps: |value| value == "0",
        why: "the publisher's own deadline decides how long to wait for Kafka; an event that \
              librdkafka gives up on by itself would lose its place in the order of its key",
    },
    Promise {
        name: "retries",
        keeps: |value| value == "2147483647",
        why: "the publisher's own deadline decides how long to wait for Kafka; an event that \
              librdkafka gives up on by itself would lose its place in the order of its key",
    },
    Promise {
        name: "delivery.report.only.error",
        keeps: |value| !is_true(value),
        why: "without reports of success there are no receipts",
    },
    Promise {
        name: "queuing.strategy",
        keeps: |value| value == "fifo",
        why: "events of a key leave in the order of publishing",
    },
    Promise {
        name: "partitioner",
        keeps: |value| value != "random",
        why: "events of a key belong on one partition",
    },
    Promise {
        name: "transactional.id",
        keeps: str::is_empty,
        why: "the publisher uses no transactions",
    },
];

/// As librdkafka reads a boolean.
fn is_true(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("t")
}

/// Why a producer can't have this setting.
pub(super) fn broken_by(canonical: &str, value: &str) -> Option<&'static str> {
    PROMISES
        .iter()
        .find(|promise| promise.name == canonical && !(promise.keeps)(value))
        .map(|promise| promise.why)
}
