//! All profiles: an event is written, recognised and parsed back.

use herald_envelope::headers::{CONTENT_TYPE, EVENT_TYPE, HeaderSet};
use herald_envelope::{
    Code, Envelope, Error, Json, Origin, Place, Profile, Received, Stamp, Timestamp, Uuid,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Record as Kafka keeps it.
#[derive(Debug, PartialEq)]
struct Record {
    value: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    key: String,
}

impl Record {
    fn of(profile: Profile, envelope: &Envelope<'_>, set: HeaderSet) -> Result<Self, Error> {
        let event = envelope.as_event();
        let mut value = Vec::new();
        profile.write(&event, &mut value)?;
        let mut headers = Vec::new();
        profile.headers(&event, set, &mut |name, value| {
            headers.push((name.into_owned(), value.to_vec()));
        })?;
        let key = profile.key(&event).as_str().to_owned();
        Ok(Self {
            value,
            headers,
            key,
        })
    }

    fn pairs(&self) -> Vec<(&str, &[u8])> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect()
    }

    /// Recognises and parses the record.
    #[track_caller]
    fn read(&self, profile: Profile) -> Envelope<'_> {
        let pairs = self.pairs();
        let received = received(&self.value, &pairs);
        assert_eq!(Profile::of_record(&received), profile);
        Envelope::of_record(&received).expect("it is an event")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name)?;
        Some(std::str::from_utf8(&header.1).expect("it is text"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.value).expect("it is JSON")
    }
}

fn received<'r, 'a>(value: &'a [u8], headers: &'r [(&'a str, &'a [u8])]) -> Received<'r, 'a> {
    Received {
        value,
        headers,
        timestamp: None,
    }
}

fn profile(name: &str) -> Profile {
    name.parse().expect("it is a profile")
}

fn stamp() -> Stamp {
    Stamp {
        event_id: Uuid::from_u128(0xF47A_C10B_58CC_4372_A567_0E02_B2C3_D479),
        event_timestamp: "2025-11-05T12:00:00.5Z".parse().expect("it is a time"),
    }
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn json(text: &str) -> Json<'_> {
    Json::parse(text).expect("it is JSON")
}

/// An event with a value in each field.
fn full() -> Envelope<'static> {
    let origin = Origin::new("größe shop", "1.4.0", "production")
        .with_instance("pod-1")
        .with_region("eu");
    let event = origin
        .stamped(
            stamp(),
            "effect.place.completed",
            "node/7%",
            json(r#"{"order":"A-17","n":1.50}"#),
        )
        .with_event_version("2.0")
        .with_correlation_id(Uuid::from_u128(7))
        .with_causation_id("cause \"1\"\n")
        .with_partition_key("A-17")
        .with_metadata(json(r#"{"stage":"a \"b\"","é":1}"#));
    event.into_owned()
}

/// Returns the same event with a field that the format does not define.
fn with_extra(name: &'static str) -> Envelope<'static> {
    let mut event = full();
    event.extra = vec![(name.into(), json("\"acme\""))];
    event.into_owned()
}

/// An event with as few fields as possible.
fn minimal() -> Envelope<'static> {
    Origin::new("", "", "")
        .stamped(stamp(), "t", "", json("{}"))
        .with_metadata(json("{}"))
        .into_owned()
}

/// Returns the event without its trace, which `onex-v1` keeps in the metadata.
fn comparable(mut envelope: Envelope<'_>) -> Envelope<'_> {
    envelope.trace = None;
    envelope
}

#[test]
fn every_profile_round_trips_all_fields() {
    for profile in Profile::all() {
        for event in [full(), minimal()] {
            let record = Record::of(profile, &event, HeaderSet::ALL).expect("it can be written");
            assert_eq!(comparable(record.read(profile)), event, "{profile}");
        }
    }
}

#[test]
fn every_profile_keeps_unknown_fields() {
    for profile in Profile::all() {
        let name = match profile.as_str() {
            "onex-event-envelope" => "tenant_id",
            _ => "tenant",
        };
        let event = with_extra(name);
        let record = Record::of(profile, &event, HeaderSet::ALL).expect("it can be written");
        assert_eq!(comparable(record.read(profile)), event, "{profile}");
    }
}

#[test]
fn every_profile_is_complete_without_optional_headers() {
    for profile in Profile::all() {
        let record = Record::of(profile, &full(), HeaderSet::NONE).expect("it can be written");
        assert_eq!(comparable(record.read(profile)), full(), "{profile}");
    }
}

#[test]
fn every_profile_has_the_trace_in_a_header() {
    for profile in Profile::all() {
        let event = full().with_trace(TRACE.parse().expect("it is a trace"));
        let record = Record::of(profile, &event, HeaderSet::ALL).expect("it can be written");
        assert_eq!(record.header("traceparent"), Some(TRACE), "{profile}");
    }
}

#[test]
fn every_profile_has_the_same_key() {
    for profile in Profile::all() {
        let mut event = full();
        let key = |event: &Envelope<'_>| Record::of(profile, event, HeaderSet::ALL).unwrap().key;
        assert_eq!(key(&event), "A-17", "{profile}");
        event.partition_key = None;
        assert_eq!(key(&event), Uuid::from_u128(7).to_string(), "{profile}");
        event.correlation_id = None;
        assert_eq!(key(&event), "node/7%", "{profile}");
        assert_eq!(key(&minimal()), stamp().event_id.to_string(), "{profile}");
    }
}

#[test]
fn every_profile_refuses_invalid_events() {
    for profile in Profile::all() {
        let refused = |event: &Envelope<'_>, code: Code| {
            let error = Record::of(profile, event, HeaderSet::ALL).expect_err("it is invalid");
            assert_eq!(error.code(), code, "{profile}");
        };
        let mut event = full();
        event.event_type = "".into();
        refused(&event, Code::EmptyText);
        let mut event = full();
        event.payload = json("[]");
        refused(&event, Code::WrongType);
        let mut event = full();
        event.metadata = json("1");
        refused(&event, Code::WrongType);
        let mut event = full();
        event.event_timestamp = "0476-09-04T12:00:00Z".parse().unwrap();
        refused(&event, Code::InvalidTimestamp);
    }
}

#[test]
fn a_failed_write_leaves_the_buffer_unchanged() {
    for profile in Profile::all() {
        let mut event = full();
        event.payload = json("[]");
        let mut buffer = b"before".to_vec();
        let written = profile.write(&event.as_event(), &mut buffer);
        assert!(written.is_err());
        assert_eq!(buffer, b"before", "{profile}");
    }
}

#[test]
fn records_match_the_schemas_of_their_profile() {
    for profile in Profile::all() {
        let described = profile.describe();
        let record = Record::of(profile, &full(), HeaderSet::ALL).expect("it can be written");
        let headers: serde_json::Map<_, _> = (record.headers.iter())
            .map(|(name, value)| (name.clone(), json!(String::from_utf8_lossy(value))))
            .collect();
        let headers = Value::Object(headers);
        let validator = |schema: &Value| {
            jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(schema)
                .expect("it is a schema")
        };
        if let Err(error) = validator(&described.headers).validate(&headers) {
            panic!("{profile}: {error}");
        }
        if let Some(schema) = &described.value
            && let Err(error) = validator(schema).validate(&record.json())
        {
            panic!("{profile}: {error}");
        }
        let at = |place: Place| match place {
            Place::Member(name) => record.json()[name].clone(),
            Place::Header(name) => json!(record.header(name)),
        };
        assert_eq!(at(described.event_type), "effect.place.completed");
        assert_eq!(at(described.correlation_id), Uuid::from_u128(7).to_string());
        let version = at(described.event_version);
        assert!(validator(&(described.version_schema)(2)).is_valid(&version));
        assert!(!validator(&(described.version_schema)(1)).is_valid(&version));
        let payload = match described.payload {
            Some(member) => record.json()[member].clone(),
            None => record.json(),
        };
        assert_eq!(payload["order"], "A-17");
        let content_type = record.header(CONTENT_TYPE);
        let content_type = content_type.or_else(|| record.header("content_type"));
        assert_eq!(content_type, Some(described.content_type));
    }
}

#[test]
fn values_alone_are_recognised_where_they_have_all_fields() {
    for profile in Profile::all().filter(|profile| profile.describe().value.is_some()) {
        let record = Record::of(profile, &full(), HeaderSet::NONE).expect("it can be written");
        let received = Received::of_value(&record.value);
        assert_eq!(Profile::of_record(&received), profile);
        let spaced = [b" ".as_slice(), &record.value].concat();
        assert_eq!(Profile::of_record(&Received::of_value(&spaced)), profile);
    }
}

#[test]
fn optional_headers_are_those_that_an_empty_set_leaves_out() {
    let mut event = full();
    event.trace = Some(TRACE.parse().expect("a trace context"));
    for profile in Profile::all() {
        let headers = |set| {
            let record = Record::of(profile, &event, set).expect("it can be written");
            let names = record.headers.into_iter().map(|(name, _)| name);
            names.collect::<Vec<_>>()
        };
        let (all, needed) = (headers(HeaderSet::ALL), headers(HeaderSet::NONE));
        let left_out = all.iter().filter(|name| !needed.contains(name));
        let mut left_out: Vec<_> = left_out.map(String::as_str).collect();
        left_out.sort_unstable();
        let mut optional: Vec<_> = profile.optional_headers().names().collect();
        optional.sort_unstable();
        assert_eq!(left_out, optional, "{profile}");
    }
}

#[test]
fn dead_letter_headers_do_not_hide_the_profile() {
    for profile in Profile::all() {
        let mut record = Record::of(profile, &full(), HeaderSet::ALL).expect("it can be written");
        let more = [("dlq_reason", "too_large"), ("dlq_attempts", "3")];
        for (name, value) in more {
            record.headers.push((name.into(), value.into()));
        }
        assert_eq!(comparable(record.read(profile)), full(), "{profile}");
    }
}

#[test]
fn unknown_names_list_the_profiles() {
    assert_eq!(
        "cloudevent".parse::<Profile>().unwrap_err().to_string(),
        "`cloudevent` is not an envelope profile; the profiles are onex-v1, \
         onex-event-envelope, cloudevents, cloudevents-binary, none"
    );
    for profile in Profile::all() {
        assert_eq!(profile.as_str().parse(), Ok(profile));
    }
}

#[test]
fn other_records_are_read_as_the_default_profile() {
    for value in ["{}", "[]", "hello", "", "{\"specversion"] {
        let headers: [(&str, &[u8]); 1] = [(EVENT_TYPE, b"t")];
        let received = received(value.as_bytes(), &headers);
        assert_eq!(Profile::of_record(&received), Profile::default(), "{value}");
    }
}

#[test]
fn cloudevents_has_the_attributes_of_the_specification() {
    let record = Record::of(
        profile("cloudevents"),
        &with_extra("tenant"),
        HeaderSet::ALL,
    )
    .unwrap();
    let headers = [(
        "content-type".to_owned(),
        b"application/cloudevents+json; charset=UTF-8".to_vec(),
    )];
    assert_eq!(record.headers, headers);
    assert_eq!(
        record.json(),
        json!({
            "specversion": "1.0",
            "id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "source": "/gr%C3%B6%C3%9Fe%20shop/node%2F7%25",
            "type": "effect.place.completed",
            "time": "2025-11-05T12:00:00.500000+00:00",
            "datacontenttype": "application/json",
            "eventversion": "2.0",
            "sourceversion": "1.4.0",
            "sourceinstance": "pod-1",
            "correlationid": "00000000-0000-0000-0000-000000000007",
            "causationid": "cause \"1\"\n",
            "environment": "production",
            "region": "eu",
            "partitionkey": "A-17",
            "metadata": r#"{"stage":"a \"b\"","é":1}"#,
            "tenant": "acme",
            "data": {"order": "A-17", "n": 1.5},
        })
    );
}

#[test]
fn cloudevents_binary_has_attributes_in_headers() {
    let record = Record::of(
        profile("cloudevents-binary"),
        &with_extra("tenant"),
        HeaderSet::ALL,
    )
    .unwrap();
    assert_eq!(record.value, br#"{"order":"A-17","n":1.50}"#);
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_id", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ("ce_source", "/gr%C3%B6%C3%9Fe%20shop/node%2F7%25"),
        ("ce_type", "effect.place.completed"),
        ("content-type", "application/json"),
        ("ce_tenant", "acme"),
    ] {
        assert_eq!(record.header(name), Some(value));
    }
    assert_eq!(record.header("ce_datacontenttype"), None);
    assert_eq!(record.header("ce_data"), None);
}

#[test]
fn foreign_cloudevents_are_read_with_stable_ids() {
    let text = r#"{"specversion":"1.0","id":"1234","source":"https://example.com/a","type":"t",
        "correlationid":"order 7","subject":"s","data":null}"#;
    let received = Received {
        timestamp: Some(Timestamp::UNIX_EPOCH),
        ..Received::of_value(text.as_bytes())
    };
    let event = Envelope::of_record(&received).expect("it is a CloudEvent");
    // Python: uuid5(NAMESPACE_URL, "https://example.com/a\n1234")
    assert_eq!(
        event.event_id.to_string(),
        "805a89b4-1638-5e5e-95cc-fd2156e0aaff"
    );
    assert_eq!(event.source_service, "https://example.com/a");
    assert_eq!(event.source_node_id, "");
    assert_eq!(event.event_timestamp, Timestamp::UNIX_EPOCH);
    assert_eq!(event.event_version, "1.0");
    assert_eq!(event.correlation_id, None);
    assert_eq!(event.payload.get(), "{}");
    let written = Record::of(profile("cloudevents"), &event, HeaderSet::ALL).unwrap();
    for (name, value) in [
        ("id", "1234"),
        ("source", "https://example.com/a"),
        ("correlationid", "order 7"),
        ("subject", "s"),
    ] {
        assert_eq!(written.json()[name], value);
    }
}

#[track_caller]
fn refused_value(text: &str, code: Code, field: &str) {
    let error = Envelope::of_record(&Received::of_value(text.as_bytes())).expect_err(text);
    assert_eq!((error.code(), error.field()), (code, Some(field)));
    assert!(error.position().is_some());
}

#[test]
fn invalid_cloudevents_name_the_attribute() {
    let event = |more: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"1","source":"/a","type":"t","time":"2025-11-05T12:00:00Z"{more}}}"#
        )
    };
    let text = event("");
    assert!(Envelope::of_record(&Received::of_value(text.as_bytes())).is_ok());
    let changed = |from: &str, to: &str| text.replace(from, to);
    refused_value(
        &changed("\"1.0\"", "\"0.3\""),
        Code::UnsupportedVersion,
        "specversion",
    );
    refused_value(&changed("\"id\":\"1\",", ""), Code::MissingField, "id");
    refused_value(&changed("\"/a\"", "\"\""), Code::EmptyText, "source");
    refused_value(&changed("\"t\"", "7"), Code::WrongType, "type");
    refused_value(
        &changed("2025-11", "2025-13"),
        Code::InvalidTimestamp,
        "time",
    );
    refused_value(
        &changed("\"time\"", "\"other\""),
        Code::MissingField,
        "time",
    );
    refused_value(&event(r#","data":[1]"#), Code::WrongType, "data");
    refused_value(
        &event(r#","data_base64":"AA==""#),
        Code::WrongType,
        "data_base64",
    );
    refused_value(
        &event(r#","datacontenttype":"text/plain""#),
        Code::WrongType,
        "datacontenttype",
    );
    refused_value(&event(r#","metadata":"x""#), Code::WrongType, "metadata");
}

#[test]
fn extension_attributes_are_limited() {
    for name in ["cloudevents", "cloudevents-binary"] {
        for (field, value, code) in [
            ("my_field", "1", Code::InvalidExtension),
            ("tenant", "{}", Code::InvalidExtension),
            ("time", "1", Code::ReservedField),
        ] {
            let mut event = full();
            event.extra = vec![(field.into(), json(value))];
            let error = Record::of(profile(name), &event, HeaderSet::ALL).unwrap_err();
            assert_eq!((error.code(), error.field()), (code, Some(field)));
        }
    }
}

#[test]
fn none_has_the_payload_as_value() {
    let record = Record::of(profile("none"), &with_extra("tenant"), HeaderSet::ALL).unwrap();
    assert_eq!(record.value, br#"{"order":"A-17","n":1.50}"#);
    assert_eq!(record.header("event_type"), Some("effect.place.completed"));
    assert_eq!(record.header("extra"), Some(r#"{"tenant":"acme"}"#));
}

#[test]
fn invalid_headers_are_errors_of_their_field() {
    let event = Record::of(profile("none"), &full(), HeaderSet::ALL).unwrap();
    let refused = |name: &str, value: &[u8], code: Code| {
        let mut pairs = event.pairs();
        for pair in pairs.iter_mut().filter(|(known, _)| *known == name) {
            pair.1 = value;
        }
        let error = Envelope::of_record(&received(&event.value, &pairs)).unwrap_err();
        assert_eq!((error.code(), error.field()), (code, Some(name)));
    };
    refused("event_id", b"7", Code::InvalidUuid);
    refused("event_type", b"", Code::EmptyText);
    refused("event_timestamp", b"now", Code::InvalidTimestamp);
    refused("correlation_id", b"x", Code::InvalidUuid);
    refused("region", b"\xff", Code::NotUtf8);
    refused("metadata", b"[]", Code::WrongType);
}

#[test]
fn onex_event_envelope_has_the_members_of_the_platform() {
    let mut event = full();
    event.causation_id = Some(Uuid::from_u128(8).to_string().into());
    event.trace = Some(TRACE.parse().expect("it is a trace"));
    let profile = profile("onex-event-envelope");
    let mut value = Vec::new();
    let written = event.as_event().on_topic("onex.evt.shop.order.v1");
    profile.write(&written, &mut value).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&value).unwrap(),
        json!({
            "payload": {"order": "A-17", "n": 1.5},
            "envelope_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "envelope_timestamp": "2025-11-05T12:00:00.500000+00:00",
            "correlation_id": "00000000-0000-0000-0000-000000000007",
            "parent_envelope_id": "00000000-0000-0000-0000-000000000008",
            "source_tool": "node/7%",
            "metadata": {
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "span_id": "00f067aa0ba902b7",
                "tags": {
                    "source_service": "größe shop",
                    "source_version": "1.4.0",
                    "source_instance": "pod-1",
                    "environment": "production",
                    "region": "eu",
                    "partition_key": "A-17",
                    "metadata": r#"{"stage":"a \"b\"","é":1}"#,
                },
            },
            "event_type": "effect.place.completed",
            "payload_schema_version": {"major": 2, "minor": 0, "patch": 0},
            "envelope_version": {"major": 2, "minor": 3, "patch": 0},
        })
    );
    let mut headers = Vec::new();
    let sent = profile.headers(&written, HeaderSet::NONE, &mut |name, value| {
        headers.push((
            name.into_owned(),
            String::from_utf8(value.to_vec()).unwrap(),
        ));
    });
    sent.unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        headers,
        [
            ("content_type", "application/json"),
            ("schema_version", "1.0.0"),
            ("priority", "normal"),
            ("retry_count", "0"),
            ("max_retries", "3"),
            ("message_id", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
            ("timestamp", "2025-11-05T12:00:00.500000+00:00"),
            ("source", "production"),
            ("event_type", "onex.evt.shop.order.v1"),
            ("correlation_id", "00000000-0000-0000-0000-000000000007"),
            ("parent_message_id", "00000000-0000-0000-0000-000000000008"),
            ("partition_key", "A-17"),
            ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("span_id", "00f067aa0ba902b7"),
        ]
    );
}

#[test]
fn onex_event_envelope_keeps_versions_as_written() {
    for version in ["1.0", "1.0.0", "2.1.3", "2", "next", "1.0-rc.1"] {
        let event = full().with_event_version(version);
        let profile = profile("onex-event-envelope");
        let record = Record::of(profile, &event, HeaderSet::ALL).unwrap();
        assert_eq!(record.read(profile).event_version, version);
    }
}

#[test]
fn onex_event_envelope_refuses_members_that_the_platform_does_not_have() {
    for (name, code) in [
        ("tenant", Code::InvalidExtension),
        ("event_type", Code::ReservedField),
    ] {
        let event = with_extra(name);
        let error = Record::of(profile("onex-event-envelope"), &event, HeaderSet::ALL).unwrap_err();
        assert_eq!((error.code(), error.field()), (code, Some(name)));
    }
}

#[test]
fn envelopes_of_the_platform_without_an_event_type_have_that_of_their_topic() {
    let value = r#"{"payload":{},"envelope_id":"f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "envelope_timestamp":"2025-11-05T12:00:00Z","correlation_id":null,"metadata":{"trace_id":null,
        "request_id":null,"headers":{},"tags":{"team":"a"}},"priority":5,"event_type":null}"#;
    let headers: [(&str, &[u8]); 2] = [
        ("source", b"dev"),
        ("event_type", b"onex.evt.platform.node-heartbeat.v1"),
    ];
    let event = Envelope::of_record(&received(value.as_bytes(), &headers)).unwrap();
    assert_eq!(event.event_type, "platform.node-heartbeat");
    assert_eq!(event.environment, "dev");
    assert_eq!(event.extra, [("priority".into(), json("5"))]);
    assert!(event.metadata.get().contains(r#""tags":{"team":"a"}"#));
    refused_value(value, Code::MissingField, "event_type");
    let version = r#"{"retry_count":0,"envelope_version":{"major":3,"minor":0,"patch":0},"#;
    let newer = value.replacen('{', version, 1);
    refused_value(&newer, Code::UnsupportedVersion, "envelope_version");
}

#[test]
fn topics_and_dead_letters_follow_the_profile() {
    let topic = |name: &str| {
        let pattern = profile(name).topic_pattern();
        pattern.topic("shop", "order.placed", 2).in_namespace("dev")
    };
    assert_eq!(topic("onex-v1"), "dev.shop.order.placed.v2");
    assert_eq!(
        topic("onex-event-envelope"),
        "onex.evt.shop.order.placed.v2"
    );
    for (of, expected) in [
        (
            "onex.evt.shop.order.v1",
            "onex.dlq.omnibase-infra.events.v1",
        ),
        (
            "onex.cmd.shop.order.v1",
            "onex.dlq.omnibase-infra.commands.v1",
        ),
        (
            "onex.intent.shop.order.v1",
            "onex.dlq.omnibase-infra.intents.v1",
        ),
        ("orders", "orders.dlq"),
    ] {
        let onex = profile("onex-event-envelope");
        assert_eq!(onex.dead_letter_topic(of), expected);
        assert_eq!(profile("none").dead_letter_topic(of), format!("{of}.dlq"));
    }
}

proptest! {
    #[test]
    fn any_record_parses_or_fails(
        value: Vec<u8>,
        headers in prop::collection::vec(
            (prop::sample::select(vec!["content-type", "ce_specversion", "ce_id", "ce_source",
                "ce_type", "ce_time", "event_id", "event_type", "event_version", "metadata"]),
             any::<Vec<u8>>()),
            0..8,
        ),
    ) {
        let pairs: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let _ = Envelope::of_record(&received(&value, &pairs));
        for profile in Profile::all() {
            let _ = profile.parse(&received(&value, &pairs));
        }
    }

    #[test]
    fn any_text_round_trips(
        event_type in ".{1,20}", node in ".{0,20}", service in ".{0,20}",
        key in prop::option::of(".{1,10}"), text in ".{0,20}",
    ) {
        let origin = Origin::new(service, "1", "test");
        let payload = serde_json::to_string(&json!({"text": text})).unwrap();
        let mut event = origin
            .stamped(stamp(), event_type, node, json(&payload))
            .with_metadata(json(&payload));
        event.partition_key = key.map(Into::into);
        let event = event.into_owned();
        for profile in Profile::all() {
            let record = Record::of(profile, &event, HeaderSet::ALL).unwrap();
            prop_assert_eq!(comparable(record.read(profile)), event.clone(), "{}", profile);
        }
    }
}
