//! Redaction of error texts of 200 bytes and of 10 KB.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// An error without secrets.
const PLAIN: &str = "KafkaTimeoutError: topic dev.orders.effect.place.completed.v1, partition 3: \
    leader not available after 3 attempts; broker localhost:9092 (id 1) closed the connection while \
    reading 4711 bytes";

/// Error with two secrets.
const LEAKY: &str = "OperationalError: could not connect to postgres://orders:hunter2@db:5432/orders \
    as orders, password=hunter2; topic dev.orders.effect.place.completed.v1, partition 3: leader not \
    available";

fn repeated(text: &str, bytes: usize) -> String {
    format!("{text}\n").repeat(bytes / text.len() + 1)[..bytes].to_owned()
}

#[divan::bench(args = [200, 10_000])]
fn nothing_to_mask(bencher: Bencher, bytes: usize) {
    measure(bencher, &repeated(PLAIN, bytes.max(PLAIN.len())));
}

#[divan::bench(args = [200, 10_000])]
fn secrets(bencher: Bencher, bytes: usize) {
    measure(bencher, &repeated(LEAKY, bytes.max(LEAKY.len())));
}

fn measure(bencher: Bencher, text: &str) {
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| herald_redact::redact(black_box(text)).len());
}
