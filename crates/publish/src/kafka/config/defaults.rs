//! Default properties of Herald's clients.

/// Kind of clients that a property applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientKind {
    /// Producers, consumers and admin clients.
    Any,
    /// Producers only.
    Producer,
}

/// Properties that are set unless the settings have other values.
pub(super) const DEFAULTS: &[(ClientKind, &str, &str)] = &[
    // Name of the client in a broker's log and quotas.
    (ClientKind::Any, "client.id", "herald"),
    // A broker that returns is noticed within a second; librdkafka's 10 s are idle time.
    (ClientKind::Any, "reconnect.backoff.ms", "50"),
    (ClientKind::Any, "reconnect.backoff.max.ms", "1000"),
    // A host that does not answer is given up for another one; librdkafka waits 30 s.
    (
        ClientKind::Any,
        "socket.connection.setup.timeout.ms",
        "10000",
    ),
    // A silent connection is closed, and its requests are sent again.
    (ClientKind::Any, "socket.timeout.ms", "30000"),
    // A connection that a firewall forgot is noticed while nothing is published.
    (ClientKind::Any, "socket.keepalive.enable", "true"),
    // The `tracing` subscriber filters the lines.
    (ClientKind::Any, "log_level", "6"),
    // A receipt means that all in-sync replicas have the event.
    (ClientKind::Producer, "acks", "all"),
    // A retry neither duplicates an event nor overtakes an earlier one.
    (ClientKind::Producer, "enable.idempotence", "true"),
    // A batch that a broker refuses stops the producer. Without it later messages of the same
    // keys would be written before those of the refused batch.
    (ClientKind::Producer, "enable.gapless.guarantee", "true"),
    // librdkafka never gives up by itself: the publisher decides when to stop waiting.
    (ClientKind::Producer, "message.timeout.ms", "0"),
    // A key lands where Java clients and aiokafka put it.
    (ClientKind::Producer, "partitioner", "murmur2_random"),
    (ClientKind::Producer, "compression.type", "lz4"),
    // A lone event leaves at once: 5 ms of waiting made one at a time 30 times slower. Under load
    // batches fill by themselves while earlier requests are under way.
    (ClientKind::Producer, "linger.ms", "0"),
    // Time for which the leader may wait for its followers; less than `socket.timeout.ms`, so that
    // its error arrives before the connection is given up.
    (ClientKind::Producer, "request.timeout.ms", "20000"),
    // No limits: the publisher limits events and bytes in flight.
    (ClientKind::Producer, "queue.buffering.max.messages", "0"),
    (
        ClientKind::Producer,
        "queue.buffering.max.kbytes",
        "2147483647",
    ),
    // A topic that was just created is waited for this long; one that stays absent is unknown.
    // Shorter than a publish waits for an acknowledgement (2 s with a spool): else a missing topic
    // would be taken for a silent cluster, and events of other topics would go to the spool.
    (
        ClientKind::Producer,
        "topic.metadata.propagation.max.ms",
        "1000",
    ),
];
