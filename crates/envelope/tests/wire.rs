//! Written envelopes, compared byte by byte.

use herald_envelope::{Code, EmptyObject, Envelope, Error, Field, Json, Origin, Stamp, Uuid};
use serde_json::{Value, json};

fn stamp() -> Stamp {
    Stamp {
        event_id: Uuid::from_u128(0xF47A_C10B_58CC_4372_A567_0E02_B2C3_D479),
        event_timestamp: "2025-11-05T12:00:00.5Z".parse().expect("it is a time"),
    }
}

fn origin() -> Origin {
    Origin::new("omninode-bridge", "1.0.0", "development")
}

fn event(origin: &Origin) -> Envelope<'_, Value, EmptyObject> {
    origin.stamped(
        stamp(),
        "effect.place.started",
        "node-1",
        json!({"order": 7}),
    )
}

fn text<P: serde::Serialize, M: serde::Serialize>(event: &Envelope<'_, P, M>) -> String {
    String::from_utf8(event.to_vec().expect("the event is valid")).expect("JSON is UTF-8")
}

#[test]
fn omits_unset_fields_except_the_correlation_id() {
    assert_eq!(
        text(&event(&origin())),
        concat!(
            r#"{"envelope_version":"1.0","event_id":"f47ac10b-58cc-4372-a567-0e02b2c3d479","#,
            r#""event_type":"effect.place.started","event_version":"1.0","#,
            r#""event_timestamp":"2025-11-05T12:00:00.500000+00:00","source_node_id":"node-1","#,
            r#""source_service":"omninode-bridge","source_version":"1.0.0","#,
            r#""correlation_id":null,"environment":"development","#,
            r#""payload":{"order":7},"metadata":{}}"#,
        )
    );
}

#[test]
fn writes_fields_in_the_documented_order() {
    let origin = origin().with_instance("pod-1").with_region("eu");
    let event = event(&origin)
        .with_event_version("2.1")
        .with_correlation_id(Uuid::from_u128(1))
        .with_causation_id("cause")
        .with_partition_key("key")
        .with_metadata(json!({"stage": "started"}));
    let written: Value = serde_json::from_str(&text(&event)).unwrap();
    let names: Vec<_> = written.as_object().unwrap().keys().collect();
    let table: Vec<_> = Field::all().map(Field::as_str).collect();
    assert_eq!(names, table);
    assert_eq!(written["event_version"], "2.1");
    assert_eq!(written["source_instance"], "pod-1");
    assert_eq!(
        written["correlation_id"],
        "00000000-0000-0000-0000-000000000001"
    );
    assert_eq!(written["causation_id"], "cause");
    assert_eq!(written["region"], "eu");
    assert_eq!(written["partition_key"], "key");
    assert_eq!(written["metadata"], json!({"stage": "started"}));
}

#[test]
fn write_appends_to_the_buffer() {
    let mut buffer = b"before".to_vec();
    event(&origin()).write(&mut buffer).unwrap();
    assert!(buffer.starts_with(b"before{\"envelope_version\""));
}

#[test]
fn unknown_fields_and_raw_json_survive_to_the_byte() {
    let origin = origin();
    let payload = r#"{ "n": 1.50, "big": 123456789012345678901234567890, "é": "\ud83d\ude00" }"#;
    let mut event = event(&origin).with_metadata(Json::parse("{\n}").unwrap());
    event.extra = vec![
        ("zebra".into(), Json::parse("[ 1 ]").unwrap()),
        ("a\"b".into(), Json::parse("null").unwrap()),
    ];
    let written = text(&event).replace(r#"{"order":7}"#, payload);

    let read = Envelope::parse(written.as_bytes()).unwrap();
    assert_eq!(read.payload.get(), payload);
    assert_eq!(read.extra, event.extra);
    assert_eq!(text(&read), written);
    assert_eq!(text(&read.into_owned()), written);
}

#[test]
fn each_event_has_its_own_id_and_time() {
    let origin = origin();
    let first = origin.envelope("t", "n", EmptyObject);
    let second = origin.envelope("t", "n", EmptyObject);
    assert_eq!(first.event_id.get_version_num(), 4);
    assert_ne!(first.event_id, second.event_id);
    assert_eq!(first.event_timestamp.subsec_nanosecond() % 1_000, 0);
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[track_caller]
fn traced(metadata: &str, expected: &str) {
    let origin = origin();
    let event = event(&origin)
        .with_trace(TRACE.parse().unwrap())
        .with_metadata(Json::parse(metadata).unwrap());
    let written = event.to_vec().unwrap();
    let read = Envelope::parse(&written).unwrap();
    assert_eq!(read.metadata.get(), expected);
    assert_eq!(read.trace, None);
}

#[test]
fn writes_the_trace_into_the_metadata() {
    let member = format!(r#""traceparent":"{TRACE}""#);
    traced("{}", &format!("{{{member}}}"));
    traced("{ \n}", &format!("{{{member}}}"));
    traced(r#"{"a":"}" }"#, &format!(r#"{{"a":"}}",{member}}}"#));
    traced(
        r#"{"a":{"traceparent":1}}"#,
        &format!(r#"{{"a":{{"traceparent":1}},{member}}}"#),
    );
}

#[test]
fn keeps_an_existing_trace_in_the_metadata() {
    traced(r#"{"traceparent":"mine"}"#, r#"{"traceparent":"mine"}"#);
    traced(
        r#"{"trace\u0070arent":null}"#,
        r#"{"trace\u0070arent":null}"#,
    );
}

#[track_caller]
fn refused<P: serde::Serialize, M: serde::Serialize>(
    event: &Envelope<'_, P, M>,
    code: Code,
    field: Field,
) -> Error {
    let mut buffer = b"before".to_vec();
    let error = event.write(&mut buffer).expect_err("it is invalid");
    assert_eq!((error.code(), error.field()), (code, Some(field.as_str())));
    assert_eq!(error.position(), None);
    assert!(!error.is_retriable());
    assert_eq!(buffer, b"before");
    error
}

#[test]
fn refuses_to_write_invalid_envelopes() {
    let origin = origin();
    let event = event(&origin);

    let mut nameless = event.clone();
    nameless.event_type = "".into();
    refused(&nameless, Code::EmptyText, Field::EventType);

    let mut ancient = event.clone();
    ancient.event_timestamp = "0476-09-04T12:00:00Z".parse().unwrap();
    refused(&ancient, Code::InvalidTimestamp, Field::EventTimestamp);

    let list = origin.envelope("t", "n", [1, 2]);
    refused(&list, Code::WrongType, Field::Payload);
    refused(
        &event.clone().with_metadata("text"),
        Code::WrongType,
        Field::Metadata,
    );

    let keyed_by_lists = origin.envelope("t", "n", std::collections::BTreeMap::from([([1], 1)]));
    refused(&keyed_by_lists, Code::Unserialisable, Field::Payload);

    let mut twice = event;
    twice.extra = vec![("region".into(), Json::parse("1").unwrap())];
    let error = refused(&twice, Code::ReservedField, Field::Region);
    assert_eq!(
        error.to_string(),
        "region: an extra field can't have this name"
    );
}
