//! Property values that the delivery guarantees require.

/// Required values of a property, and the guarantee that any other value would break.
struct Requirement {
    name: &'static str,
    is_allowed: fn(&str) -> bool,
    why: &'static str,
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        name: "acks",
        is_allowed: |value| matches!(value, "all" | "-1"),
        why: "a receipt means that all in-sync replicas have the event, so it must be `all`",
    },
    Requirement {
        name: "enable.idempotence",
        is_allowed: is_true,
        why: "without it a retry can overtake earlier events of the same key",
    },
    Requirement {
        name: "enable.gapless.guarantee",
        is_allowed: is_true,
        why: "without it later events would overtake those of a refused batch with the same key",
    },
    Requirement {
        name: "max.in.flight.requests.per.connection",
        is_allowed: |value| value.parse().is_ok_and(|count| (1..=5).contains(&count)),
        why: "the order of a key is kept for 1 to 5 requests in flight only",
    },
    Requirement {
        name: "message.timeout.ms",
        is_allowed: |value| value == "0",
        why: "the publisher's own deadline decides how long to wait for Kafka; an event that \
              librdkafka gives up on by itself would lose its place in the order of its key",
    },
    Requirement {
        name: "retries",
        is_allowed: |value| value == "2147483647",
        why: "the publisher's own deadline decides how long to wait for Kafka; an event that \
              librdkafka gives up on by itself would lose its place in the order of its key",
    },
    Requirement {
        name: "delivery.report.only.error",
        is_allowed: |value| !is_true(value),
        why: "without reports of success there are no receipts",
    },
    Requirement {
        name: "queuing.strategy",
        is_allowed: |value| value == "fifo",
        why: "events of a key leave in the order of publishing",
    },
    Requirement {
        name: "partitioner",
        is_allowed: |value| value != "random",
        why: "events of a key belong on one partition",
    },
    Requirement {
        name: "transactional.id",
        is_allowed: str::is_empty,
        why: "the publisher uses no transactions",
    },
];

/// Parses a boolean like librdkafka.
fn is_true(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("t")
}

/// Returns the reason why a producer can't have this property, if it can't.
pub(super) fn violated_by(canonical: &str, value: &str) -> Option<&'static str> {
    REQUIREMENTS
        .iter()
        .find(|required| required.name == canonical && !(required.is_allowed)(value))
        .map(|required| required.why)
}
