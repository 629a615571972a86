//! What Herald sets where nobody said otherwise.

/// Which clients a setting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    All,
    Producers,
}

pub(super) const DEFAULTS: &[(For, &str, &str)] = &[
    // What a broker's log and quotas call the client.
    (For::All, "client.id", "herald"),
    // A broker that returns is noticed within a second; librdkafka's 10 s are idle time.
    (For::All, "reconnect.backoff.ms", "50"),
    (For::All, "reconnect.backoff.max.ms", "1000"),
    // A host that answers nothing is given up for another one; librdkafka waits 30 s.
    (For::All, "socket.connection.setup.timeout.ms", "10000"),
    // A connection that went silent is closed, and what was sent over it is sent again.
    (For::All, "socket.timeout.ms", "30000"),
    // A connection that a firewall forgot is noticed while nothing is published.
    (For::All, "socket.keepalive.enable", "true"),
    // What is shown is decided by the `tracing` subscriber.
    (For::All, "log_level", "6"),
    // A receipt means that all in-sync replicas have the event.
    (For::Producers, "acks", "all"),
    // A retry neither doubles an event nor passes an earlier one.
    (For::Producers, "enable.idempotence", "true"),
    // A batch that a broker refuses stops the producer. Without it later messages of the same
    // keys would be written before those of the refused batch.
    (For::Producers, "enable.gapless.guarantee", "true"),
    // librdkafka never gives up by itself: the publisher decides when to stop waiting.
    (For::Producers, "message.timeout.ms", "0"),
    // A key lands where Java clients and aiokafka put it.
    (For::Producers, "partitioner", "murmur2_random"),
    (For::Producers, "compression.type", "lz4"),
    // A lone event leaves at once: 5 ms of waiting made one at a time 30 times slower. Under load
    // batches fill by themselves while earlier requests are under way.
    (For::Producers, "linger.ms", "0"),
    // How long the leader may wait for its followers; less than `socket.timeout.ms`, so that it
    // can say so before the connection is given up.
    (For::Producers, "request.timeout.ms", "20000"),
    // No limits: the publisher bounds what is in flight, in count and in bytes.
    (For::Producers, "queue.buffering.max.messages", "0"),
    (For::Producers, "queue.buffering.max.kbytes", "2147483647"),
    // A topic that was just created is waited for this long; one that stays absent is unknown.
    // Shorter than a publish waits for an acknowledgement (2 s with a spool): else a missing topic
    // would be taken for a silent cluster, and events of other topics would go to the spool.
    (For::Producers, "topic.metadata.propagation.max.ms", "1000"),
];
