//! Tests that the log of librdkafka shows no secret.

#![cfg(feature = "kafka")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use herald_publish::kafka::{DevCluster, KafkaOptions, Secret};
use herald_publish::{
    ConnectionListener, Connector, DeliveryCallback, Failure, Message, RecordMetadata,
};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

struct Tell(Lines);

impl ConnectionListener for Tell {
    fn on_unreachable(&self, failure: Failure) {
        writeln!(self.0.clone(), "{failure} {failure:?}").unwrap();
    }

    fn on_fatal(&self, failure: Failure) {
        writeln!(self.0.clone(), "{failure} {failure:?}").unwrap();
    }
}

impl DeliveryCallback for Tell {
    fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
        writeln!(self.0.clone(), "{outcome:?}").unwrap();
    }
}

#[test]
fn log_lines_and_failures_contain_no_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    subscriber.init();

    let cluster = DevCluster::start(1).unwrap();
    for (transport, mechanism) in [
        ("librdkafka", "PLAIN"),
        ("librdkafka", "SCRAM-SHA-256"),
        ("native", "PLAIN"),
        ("native", "SCRAM-SHA-256"),
    ] {
        let mut options = KafkaOptions::new(cluster.bootstrap_servers())
            .property("transport", transport)
            .property("security.protocol", "sasl_plaintext")
            .property("sasl.mechanism", mechanism)
            .property("sasl.username", "orders")
            .secret("sasl.password", Secret::literal("hunter2-password"))
            .property("ssl.key.password", "hunter2-key")
            .property("client.id", "hunter2-password");
        if transport == "librdkafka" {
            options = options.property("debug", "all");
        }
        let watch = Arc::new(Tell(lines.clone()));
        let transport = options.connect(watch, None).unwrap();
        let message = Message::new("t", None, b"{}".to_vec()).unwrap();
        transport
            .send(&message, Arc::new(Tell(lines.clone())))
            .unwrap();
        let failure = transport.probe(Duration::from_millis(500)).unwrap_err();
        writeln!(lines.clone(), "{failure:?}").unwrap();
        transport.close(Duration::from_secs(5));
    }

    let deadline = Instant::now() + Duration::from_secs(30);
    while !lines.text().contains("SASL") {
        assert!(Instant::now() < deadline, "{}", lines.text());
    }
    let text = lines.text();
    assert!(text.contains("herald::kafka"));
    // The name of the client is in nearly every line.
    assert!(text.contains("[secret]"));
    for line in text.lines() {
        assert!(!line.contains("hunter2"), "{line}");
    }
}
