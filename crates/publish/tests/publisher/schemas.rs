//! Schema ids of events, and a registry that is unavailable.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use herald_envelope::headers::HeaderSet;
use herald_envelope::schema_id::{Framing, SubjectStrategy};
use herald_envelope::{Envelope, Origin, Profile, Received, Uuid};
use herald_publish::schemas::{SUBJECT_HEADER, SchemaId, SchemaLookup, SchemaOptions};
use herald_publish::{Message, Publisher, PublisherOptions, Receipt};

use crate::support::{Fixture, LONG, eventually, eventually_drained, message, outcome};

/// A registry without a network.
#[derive(Clone, Default)]
struct FakeRegistry(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_away: bool,
    ids: HashMap<String, SchemaId>,
    lookups: Vec<String>,
}

impl FakeRegistry {
    fn with(subject: &str, number: u32) -> Self {
        let registry = Self::default();
        registry.register(subject, number, None);
        registry
    }

    fn register(&self, subject: &str, number: u32, guid: Option<Uuid>) {
        let id = SchemaId { number, guid };
        self.0.lock().unwrap().ids.insert(subject.to_owned(), id);
    }

    fn set_away(&self, is_away: bool) {
        self.0.lock().unwrap().is_away = is_away;
    }

    fn lookups(&self) -> Vec<String> {
        self.0.lock().unwrap().lookups.clone()
    }

    fn options(&self, framing: Framing) -> SchemaOptions {
        SchemaOptions::new(self.clone(), framing)
    }

    /// Options with which the subject of the topic `t` is looked up at the start.
    fn looked_up(&self, framing: Framing) -> SchemaOptions {
        self.options(framing).subjects(vec!["t-value".to_owned()])
    }
}

impl SchemaLookup for FakeRegistry {
    fn latest(&self, subject: &str) -> Result<Option<SchemaId>, String> {
        let mut state = self.0.lock().unwrap();
        state.lookups.push(subject.to_owned());
        if state.is_away {
            return Err("the registry does not answer".to_owned());
        }
        Ok(state.ids.get(subject).copied())
    }
}

fn event(publisher: &Publisher, number: u32) -> Message {
    let origin = Origin::new("shop", "1", "test");
    let payload = BTreeMap::from([("number", number)]);
    let envelope = origin.envelope("order.placed", "n", payload);
    publisher
        .message_to("t", envelope.with_partition_key("k"))
        .unwrap()
}

fn publish(publisher: &Publisher, number: u32) -> Receipt {
    let pending = publisher.blocking_enqueue(event(publisher, number));
    outcome(pending.unwrap()).unwrap()
}

/// The numbers of the events of a topic, each with the schema id before its value.
fn framed(fixture: &Fixture) -> Vec<(u32, Option<u32>)> {
    let messages = fixture.cluster.messages("t").into_iter();
    let read = messages.map(|stored| {
        let value = stored.message.payload().to_vec();
        let envelope = Envelope::of_record(&Received::of_value(&value)).unwrap();
        let payload: HashMap<String, u32> = envelope.payload.decode().unwrap();
        let headers: Vec<_> = stored.message.headers().map(|(name, _)| name).collect();
        assert!(!headers.contains(&SUBJECT_HEADER), "{headers:?}");
        (
            payload["number"],
            herald_envelope::schema_id::split(&value).0,
        )
    });
    read.collect()
}

#[test]
fn values_begin_with_the_id_that_was_looked_up_once() {
    let fixture = Fixture::new();
    let registry = FakeRegistry::with("t-value", 41);
    let schemas = registry.looked_up(Framing::Prefix);
    let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
    for number in 0..3 {
        assert!(publish(&publisher, number).is_delivered());
    }
    let expected = [(0, Some(41)), (1, Some(41)), (2, Some(41))];
    assert_eq!(framed(&fixture), expected);
    assert_eq!(registry.lookups(), ["t-value"]);
}

#[test]
fn a_header_has_the_guid_or_else_the_number() {
    for (guid, expected) in [
        (None, vec![0, 0, 0, 0, 41]),
        (
            Some(Uuid::from_u128(7)),
            [&[1][..], Uuid::from_u128(7).as_bytes()].concat(),
        ),
    ] {
        let fixture = Fixture::new();
        let registry = FakeRegistry::default();
        registry.register("t-value", 41, guid);
        let schemas = registry.looked_up(Framing::Header);
        let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
        publish(&publisher, 0);
        assert_eq!(framed(&fixture), [(0, None)]);
        let stored = &fixture.cluster.messages("t")[0];
        let mut headers = stored.message.headers();
        let id = headers.find(|(name, _)| *name == "__value_schema_id");
        assert_eq!(id.unwrap().1, expected);
    }
}

#[test]
fn raw_messages_have_no_id() {
    let fixture = Fixture::new();
    let registry = FakeRegistry::with("t-value", 41);
    let schemas = registry.options(Framing::Prefix);
    let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
    outcome(publisher.blocking_enqueue(message("k", "raw")).unwrap()).unwrap();
    assert_eq!(fixture.payloads("t"), ["raw"]);
}

#[test]
fn subjects_of_records_are_looked_up_with_their_first_event() {
    let fixture = Fixture::new();
    let registry = FakeRegistry::with("shop.order.placed.v1", 7);
    let schemas = registry
        .options(Framing::Prefix)
        .strategy(SubjectStrategy::RecordName);
    let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
    for number in 0..3 {
        publish(&publisher, number);
    }
    eventually_drained(&publisher);
    assert_eq!(framed(&fixture), [(0, Some(7)), (1, Some(7)), (2, Some(7))]);
    assert_eq!(registry.lookups(), ["shop.order.placed.v1"]);
}

#[test]
fn events_wait_in_the_spool_for_a_registry_that_is_away_and_keep_their_order() {
    let fixture = Fixture::new();
    let registry = FakeRegistry::with("t-value", 41);
    registry.set_away(true);
    let schemas = || registry.looked_up(Framing::Prefix);
    let publisher = Publisher::open(fixture.options().schemas(schemas())).unwrap();
    for number in 0..10 {
        let receipt = publish(&publisher, number);
        assert!(matches!(receipt, Receipt::Spooled { .. }), "{receipt:?}");
    }
    // Neither lost nor delivered by a restart, nor by a publisher without a registry.
    publisher.close(Duration::ZERO).unwrap();
    let publisher = fixture.open();
    publisher.close(Duration::from_millis(100)).unwrap();
    assert_eq!(framed(&fixture), []);

    let publisher = Publisher::open(fixture.options().schemas(schemas())).unwrap();
    publish(&publisher, 10);
    registry.set_away(false);
    publish(&publisher, 11);
    eventually_drained(&publisher);
    for number in 12..14 {
        publish(&publisher, number);
    }
    eventually_drained(&publisher);
    let expected: Vec<_> = (0..14).map(|number| (number, Some(41))).collect();
    assert_eq!(framed(&fixture), expected);
}

#[test]
fn other_topics_are_delivered_while_a_subject_is_missing() {
    let fixture = Fixture::new();
    fixture.cluster.create_topic("u", 1);
    let registry = FakeRegistry::with("u-value", 1);
    let schemas = registry.options(Framing::Prefix);
    let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
    publish(&publisher, 0);
    let origin = Origin::new("shop", "1", "test");
    let envelope = origin.envelope("x", "n", BTreeMap::from([("a", 1)]));
    let message = publisher.message_to("u", envelope).unwrap();
    outcome(publisher.blocking_enqueue(message).unwrap()).unwrap();
    eventually("the other topic is delivered", || {
        fixture.cluster.messages("u").len() == 1
    });
    assert_eq!(framed(&fixture), []);
    registry.register("t-value", 2, None);
    eventually_drained(&publisher);
    assert_eq!(framed(&fixture), [(0, Some(2))]);
}

#[test]
fn without_a_spool_events_wait_for_their_id_until_the_deadline() {
    let fixture = Fixture::new();
    let registry = FakeRegistry::with("t-value", 41);
    let options = |registry: &FakeRegistry| -> PublisherOptions {
        (fixture.options_without_spool()).schemas(registry.options(Framing::Prefix))
    };
    let publisher = Publisher::open(options(&registry).deadline(LONG)).unwrap();
    let pending: Vec<_> = (0..3)
        .map(|number| {
            publisher
                .blocking_enqueue(event(&publisher, number))
                .unwrap()
        })
        .collect();
    for pending in pending {
        assert!(outcome(pending).unwrap().is_delivered());
    }
    let numbers: Vec<_> = framed(&fixture);
    assert_eq!(numbers, [(0, Some(41)), (1, Some(41)), (2, Some(41))]);

    registry.set_away(true);
    let publisher = Publisher::open(options(&registry)).unwrap();
    let pending = publisher.blocking_enqueue(event(&publisher, 3)).unwrap();
    let error = outcome(pending).unwrap_err();
    assert!(error.is_retriable(), "{error}");
    assert_eq!(framed(&fixture).len(), 3);
}

#[test]
fn messages_made_without_a_publisher_get_an_id_too() {
    let fixture = Fixture::new();
    let registry = FakeRegistry::with("t-value", 41);
    let schemas = registry.looked_up(Framing::Prefix);
    let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
    let origin = Origin::new("shop", "1", "test");
    let envelope = origin.envelope("x", "n", BTreeMap::from([("number", 1)]));
    let message = Message::of_profile(Profile::default(), "t", &envelope, HeaderSet::ALL).unwrap();
    let message = publisher.with_schema(message, "shop.x.v1");
    outcome(publisher.blocking_enqueue(message).unwrap()).unwrap();
    assert_eq!(framed(&fixture), [(1, Some(41))]);
}

#[test]
fn an_event_whose_id_was_found_since_it_was_made_frees_what_it_took_in_flight() {
    for framing in [Framing::Prefix, Framing::Header] {
        let fixture = Fixture::new();
        let registry = FakeRegistry::default();
        let schemas = registry.options(framing);
        let publisher = Publisher::open(fixture.options().schemas(schemas)).unwrap();
        let waits = |message: &Message| message.headers().any(|(name, _)| name == SUBJECT_HEADER);
        let early = event(&publisher, 0);
        assert!(waits(&early));
        registry.register("t-value", 41, Some(Uuid::from_u128(7)));
        eventually("the id is known", || !waits(&event(&publisher, 1)));
        let pending = publisher.blocking_enqueue(early).unwrap();
        outcome(pending).unwrap();
        let stats = publisher.stats();
        assert_eq!((stats.in_flight, stats.in_flight_bytes), (0, 0));
    }
}
