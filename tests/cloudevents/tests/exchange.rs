//! Exchange of events with the SDK in both directions and both content modes.

use cloudevents::event::{Data, ExtensionValue, SpecVersion};
use cloudevents::message::{
    BinaryDeserializer, BinarySerializer, MessageAttributeValue, Result, StructuredSerializer,
};
use cloudevents::{AttributesReader, Event, EventBuilder, EventBuilderV10};
use herald_envelope::headers::HeaderSet;
use herald_envelope::{Envelope, Json, Origin, Profile, Received, Uuid};
use serde_json::{Value, json};

/// Record of Kafka.
#[derive(Default)]
struct Record {
    headers: Vec<(String, Vec<u8>)>,
    value: Vec<u8>,
}

impl Record {
    fn of(profile: &str, envelope: &Envelope<'_>) -> Self {
        let profile: Profile = profile.parse().expect("a profile");
        let mut record = Self::default();
        let event = envelope.as_event();
        profile
            .write(&event, &mut record.value)
            .expect("it is valid");
        let headers = &mut record.headers;
        profile
            .headers(&event, HeaderSet::ALL, &mut |name, value| {
                headers.push((name.into_owned(), value.to_vec()));
            })
            .expect("it is valid");
        record
    }

    fn read(&self, profile: &str) -> Envelope<'static> {
        let headers = self.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let received = Received {
            value: &self.value,
            headers: &headers,
            timestamp: None,
        };
        assert_eq!(Profile::of_record(&received).as_str(), profile);
        Envelope::of_record(&received)
            .expect("it is an event")
            .into_owned()
    }
}

/// The record in binary mode, by the rules of the Kafka binding.
impl BinaryDeserializer for Record {
    fn deserialize_binary<R: Sized, V: BinarySerializer<R>>(self, mut visitor: V) -> Result<R> {
        let names = SpecVersion::V10.attribute_names();
        visitor = visitor.set_spec_version(SpecVersion::V10)?;
        for (name, value) in self.headers {
            let value = MessageAttributeValue::String(String::from_utf8(value).expect("UTF-8"));
            match name.strip_prefix("ce_") {
                Some("specversion") => {}
                Some(name) if names.contains(&name) => {
                    visitor = visitor.set_attribute(name, value)?
                }
                Some(name) => visitor = visitor.set_extension(name, value)?,
                None if name == "content-type" => {
                    visitor = visitor.set_attribute("datacontenttype", value)?;
                }
                None => {}
            }
        }
        visitor.end_with_data(self.value)
    }
}

impl BinarySerializer<Self> for Record {
    fn set_spec_version(self, version: SpecVersion) -> Result<Self> {
        self.set_extension(
            "specversion",
            MessageAttributeValue::String(version.to_string()),
        )
    }

    fn set_attribute(mut self, name: &str, value: MessageAttributeValue) -> Result<Self> {
        let header = match name {
            "datacontenttype" => "content-type".to_owned(),
            _ => format!("ce_{name}"),
        };
        self.headers.push((header, value.to_string().into_bytes()));
        Ok(self)
    }

    fn set_extension(self, name: &str, value: MessageAttributeValue) -> Result<Self> {
        self.set_attribute(name, value)
    }

    fn end_with_data(mut self, bytes: Vec<u8>) -> Result<Self> {
        self.value = bytes;
        Ok(self)
    }

    fn end(self) -> Result<Self> {
        Ok(self)
    }
}

impl StructuredSerializer<Self> for Record {
    fn set_structured_event(mut self, bytes: Vec<u8>) -> Result<Self> {
        self.value = bytes;
        Ok(self)
    }
}

const PAYLOAD: &str = r#"{"order":"A-17","note":"größe \"b\""}"#;

fn herald_event(origin: &Origin) -> Envelope<'_> {
    let payload = Json::parse(PAYLOAD).expect("JSON");
    origin
        .envelope("order.placed", "orders/1", payload)
        .with_correlation_id(Uuid::from_u128(7))
        .with_partition_key("A-17")
        .with_metadata(Json::parse(r#"{"stage":"a \"b\""}"#).expect("JSON"))
}

#[test]
fn the_sdk_reads_what_herald_writes() {
    let origin = Origin::new("größe shop", "1.4.0", "production");
    let sent = herald_event(&origin);
    for profile in ["cloudevents", "cloudevents-binary"] {
        let record = Record::of(profile, &sent);
        let event: Event = match profile {
            "cloudevents" => serde_json::from_slice(&record.value).expect("an event"),
            _ => BinaryDeserializer::into_event(record).expect("an event"),
        };
        assert_eq!(event.id(), sent.event_id.to_string());
        assert_eq!(event.ty(), "order.placed");
        assert_eq!(event.source(), "/gr%C3%B6%C3%9Fe%20shop/orders%2F1");
        assert_eq!(event.datacontenttype(), Some("application/json"));
        let time = event.time().expect("a time").timestamp_micros();
        assert_eq!(time, sent.event_timestamp.as_microsecond());
        let extension = |name: &str| event.extension(name).map(ToString::to_string);
        assert_eq!(extension("partitionkey").as_deref(), Some("A-17"));
        assert_eq!(
            extension("metadata").as_deref(),
            Some(r#"{"stage":"a \"b\""}"#)
        );
        let data: Value = match event.data().expect("a payload") {
            Data::Json(value) => value.clone(),
            Data::Binary(bytes) => serde_json::from_slice(bytes).expect("JSON"),
            Data::String(text) => serde_json::from_str(text).expect("JSON"),
        };
        assert_eq!(data, serde_json::from_str::<Value>(PAYLOAD).expect("JSON"));
    }
}

#[test]
fn herald_reads_what_the_sdk_writes() {
    let id = Uuid::from_u128(9).to_string();
    let event = EventBuilderV10::new()
        .id(&id)
        .source("https://example.com/shop")
        .ty("order.placed")
        .time("2026-01-02T12:30:00.5Z")
        .extension("partitionkey", "A-17")
        .extension("priority", ExtensionValue::Integer(3))
        .data("application/json", json!({"order": "A-17"}))
        .build()
        .expect("an event");
    let mut structured = Record {
        value: serde_json::to_vec(&event).expect("JSON"),
        ..Record::default()
    };
    let content_type = (
        "content-type".to_owned(),
        b"application/cloudevents+json".to_vec(),
    );
    structured.headers.push(content_type);
    let binary = event
        .deserialize_binary(Record::default())
        .expect("a record");
    for (record, profile) in [(structured, "cloudevents"), (binary, "cloudevents-binary")] {
        let read = record.read(profile);
        assert_eq!(read.event_id.to_string(), id);
        assert_eq!(read.event_type, "order.placed");
        assert_eq!(read.source_service, "https://example.com/shop");
        assert_eq!(read.partition_key.as_deref(), Some("A-17"));
        assert_eq!(read.event_timestamp.to_string(), "2026-01-02T12:30:00.5Z");
        assert_eq!(
            read.payload.decode::<Value>().expect("JSON"),
            json!({"order": "A-17"})
        );
        assert_eq!(read.extra[0].0, "priority");
    }
}
