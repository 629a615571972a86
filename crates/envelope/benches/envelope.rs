//! Cost of an envelope of about 700 bytes before Kafka receives it, and after.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use herald_envelope::headers::HeaderSet;
use herald_envelope::{Envelope, Json, Origin, PROFILE_NAMES, Profile, Received, Stamp, Uuid, key};
use serde::Serialize;
use serde_json::json;

fn main() {
    divan::main();
}

#[derive(Serialize)]
struct Started {
    operation: &'static str,
    correlation_id: Uuid,
    node_id: &'static str,
    attempt: u32,
    queued_ms: f64,
    note: &'static str,
}

#[derive(Serialize)]
struct Metadata {
    node_type: &'static str,
    service_name: &'static str,
    operation: &'static str,
    lifecycle_stage: &'static str,
}

const CORRELATION: Uuid = Uuid::from_u128(0xf47a_c10b_58cc_4372_a567_0e02_b2c3_d479);

const PAYLOAD: Started = Started {
    operation: "orchestration",
    correlation_id: CORRELATION,
    node_id: "orchestrator-7f9c6d",
    attempt: 2,
    queued_ms: 12.75,
    note: "Said \"go\" at the third bell.\n",
};

const METADATA: Metadata = Metadata {
    node_type: "orchestrator",
    service_name: "orchestrator",
    operation: "orchestration",
    lifecycle_stage: "started",
};

fn origin() -> Origin {
    Origin::new("omninode-bridge", "1.0.0", "development").with_instance("pod-4711")
}

fn event(origin: &Origin, stamp: Stamp) -> Envelope<'_, &'static Started, &'static Metadata> {
    origin
        .stamped(
            stamp,
            "orchestrator.orchestration.started",
            "orchestrator-7f9c6d",
            &PAYLOAD,
        )
        .with_correlation_id(CORRELATION)
        .with_metadata(&METADATA)
}

fn counted<'a, 'b>(bencher: Bencher<'a, 'b>, bytes: usize) -> Bencher<'a, 'b> {
    bencher
        .counter(ItemsCount::new(1_usize))
        .counter(BytesCount::new(bytes))
}

fn sample() -> Vec<u8> {
    event(&origin(), Stamp::now())
        .to_vec()
        .expect("the event is valid")
}

fn profile(name: &str) -> Profile {
    name.parse().expect("it is a profile")
}

/// All that happens to an event between its publisher's call and the client for Kafka.
#[divan::bench(args = PROFILE_NAMES)]
fn build_write_key_and_headers(bencher: Bencher<'_, '_>, name: &str) {
    let profile = profile(name);
    let origin = origin();
    let mut buffer = Vec::new();
    counted(bencher, sample().len()).bench_local(|| {
        let envelope = event(black_box(&origin), Stamp::now());
        let event = envelope.as_event();
        buffer.clear();
        profile
            .write(&event, &mut buffer)
            .expect("the event is valid");
        let mut headers = 0;
        profile
            .headers(&event, HeaderSet::ALL, &mut |_, value| {
                headers += value.len();
            })
            .expect("the event is valid");
        (buffer.len(), profile.key(&event).len(), headers)
    });
}

#[divan::bench]
fn identity_and_time_alone() -> Stamp {
    Stamp::now()
}

#[divan::bench]
fn write_stamped(bencher: Bencher<'_, '_>) {
    let origin = origin();
    let stamp = Stamp::now();
    let mut buffer = Vec::new();
    counted(bencher, sample().len()).bench_local(|| {
        buffer.clear();
        event(black_box(&origin), black_box(stamp)).write(&mut buffer)
    });
}

/// Envelope as from Python, whose payload arrives as JSON.
#[divan::bench]
fn write_stamped_with_raw_payload(bencher: Bencher<'_, '_>) {
    let origin = origin();
    let stamp = Stamp::now();
    let payload = serde_json::to_string(&PAYLOAD).expect("it serialises");
    let metadata = serde_json::to_string(&METADATA).expect("it serialises");
    let mut buffer = Vec::new();
    counted(bencher, sample().len()).bench_local(|| {
        buffer.clear();
        let payload = Json::parse(black_box(&payload)).expect("it is JSON");
        let metadata = Json::parse(black_box(&metadata)).expect("it is JSON");
        origin
            .stamped(
                stamp,
                "orchestrator.orchestration.started",
                "orchestrator-7f9c6d",
                payload,
            )
            .with_correlation_id(CORRELATION)
            .with_metadata(metadata)
            .write(&mut buffer)
    });
}

/// The usual way, for comparison: a tree of values, then a new vector.
#[divan::bench]
fn peer_tree_of_values(bencher: Bencher<'_, '_>) {
    let stamp = Stamp::now();
    counted(bencher, sample().len()).bench_local(|| {
        let tree = json!({
            "envelope_version": "1.0",
            "event_id": stamp.event_id,
            "event_type": "orchestrator.orchestration.started",
            "event_version": "1.0",
            "event_timestamp": stamp.event_timestamp.to_string(),
            "source_node_id": "orchestrator-7f9c6d",
            "source_service": "omninode-bridge",
            "source_version": "1.0.0",
            "source_instance": "pod-4711",
            "correlation_id": CORRELATION,
            "environment": "development",
            "payload": &PAYLOAD,
            "metadata": &METADATA,
        });
        serde_json::to_vec(&tree)
    });
}

/// A received record: recognised, and parsed.
#[divan::bench(args = PROFILE_NAMES)]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let profile = profile(name);
    let origin = origin();
    let envelope = event(&origin, Stamp::now());
    let event = envelope.as_event();
    let mut value = Vec::new();
    profile.write(&event, &mut value).expect("it is valid");
    let mut headers = Vec::new();
    let headers_of = profile.headers(&event, HeaderSet::ALL, &mut |name, value| {
        headers.push((name.into_owned(), value.to_vec()));
    });
    headers_of.expect("it is valid");
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    counted(bencher, value.len()).bench_local(|| {
        let received = Received {
            value: black_box(&value),
            headers: black_box(&headers),
            timestamp: None,
        };
        Envelope::of_record(&received).is_ok()
    });
}

#[divan::bench]
fn peer_parse_to_a_tree_of_values(bencher: Bencher<'_, '_>) {
    let bytes = sample();
    counted(bencher, bytes.len())
        .bench_local(|| serde_json::from_slice::<serde_json::Value>(black_box(&bytes)));
}

#[divan::bench]
fn partition_of_a_correlation(bencher: Bencher<'_, '_>) {
    let text = CORRELATION.to_string();
    bencher.bench_local(|| key::partition(black_box(text.as_bytes()), 3));
}
