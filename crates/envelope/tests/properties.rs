//! Properties of all envelopes, and of all byte strings.

mod any;

use herald_envelope::{Envelope, Field, Json, Profile, Received, TraceParent, WriteJson};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn bytes(members: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(members).expect("a tree can be written")
}

fn unknown(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    members
        .iter()
        .filter(|(name, _)| Field::named(name).is_none())
        .collect()
}

/// The parser may refuse, but what it takes can be written, and is then read as the same.
fn read(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        let written = envelope.to_vec().expect("what was read can be written");
        assert_eq!(Envelope::parse(&written).as_ref(), Ok(&envelope));
    }
}

/// Value that writes itself without serde.
struct ByHand<'t>(&'t str);

impl WriteJson for ByHand<'_> {
    fn write_json(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(())
    }
}

/// Writes a value into a text, and decodes the text.
fn through_a_text(value: &dyn WriteJson) -> String {
    let mut text = b"\"".to_vec();
    value.write_json_in_text(&mut text).expect("it is written");
    text.push(b'"');
    serde_json::from_slice(&text).expect("it is a text")
}

proptest! {
    #[test]
    fn json_in_a_text_is_that_of_the_value(tree in any::json()) {
        prop_assert_eq!(through_a_text(&tree), tree.to_string());
        let pretty = serde_json::to_string_pretty(&tree).expect("it is JSON");
        let on_one_line = pretty.replace('\n', " ");
        let json = Json::parse(&pretty).expect("it is JSON");
        prop_assert_eq!(through_a_text(&json), on_one_line.as_str());
        prop_assert_eq!(through_a_text(&ByHand(&pretty)), on_one_line);
    }

    /// Metadata as Herald writes them are parsed in another way than those of others.
    #[test]
    fn metadata_of_the_platform_are_read_in_any_notation(
        members in any::valid(), parts in any::<Option<([u8; 16], [u8; 8])>>(),
    ) {
        let bytes = bytes(&members);
        let mut envelope = Envelope::parse(&bytes).expect("it is valid");
        envelope.extra.clear();
        envelope.trace = parts.and_then(|(trace, span)| TraceParent::new(trace, span, 1).ok());
        let profile: Profile = "onex-event-envelope".parse().expect("it is a profile");
        let mut written = Vec::new();
        profile.write(&envelope.as_event(), &mut written).expect("it is valid");
        let written = String::from_utf8(written).expect("it is JSON");
        let lead = "\"metadata\":{";
        let Some(at) = written.rfind(lead) else {
            return Ok(());
        };
        let (before, after) = written.split_at(at + lead.len());
        let spaced = format!("{before} {after}");
        let read = profile.parse(&Received::of_value(written.as_bytes()));
        prop_assert_eq!(&read, &profile.parse(&Received::of_value(spaced.as_bytes())));
        let read = read.expect("what was written can be read");
        prop_assert_eq!(&read.metadata, &envelope.metadata);
        prop_assert_eq!(read.source_service, envelope.source_service);
        prop_assert_eq!(read.trace, envelope.trace);
    }

    #[test]
    fn envelopes_round_trip(members in any::valid()) {
        let bytes = bytes(&members);
        let envelope = Envelope::parse(&bytes).expect("it is valid");
        let written = envelope.to_vec().expect("what was read can be written");
        prop_assert_eq!(Envelope::parse(&written), Ok(envelope));

        let tree: Map<String, Value> = serde_json::from_slice(&written).expect("it is JSON");
        let sent: Map<String, Value> = serde_json::from_slice(&bytes).expect("it is JSON");
        prop_assert_eq!(&tree["payload"], &sent["payload"]);
        prop_assert_eq!(&tree["metadata"], &sent["metadata"]);
        prop_assert_eq!(unknown(&tree), unknown(&sent), "also their order");
        let known: Vec<_> = tree.keys().filter_map(|name| Field::named(name)).collect();
        prop_assert!(known.is_sorted());
    }

    #[test]
    fn error_positions_are_within_the_text(members in any::mutated()) {
        let bytes = bytes(&members);
        if let Err(error) = Envelope::parse(&bytes) {
            let position = error.position().expect("text has positions");
            prop_assert!(position.offset < bytes.len());
            prop_assert_eq!(position.line, 1);
            prop_assert!(error.field().is_some());
        }
    }

    #[test]
    fn never_panics_on_any_bytes(bytes: Vec<u8>) {
        read(&bytes);
    }

    #[test]
    fn never_panics_on_damaged_envelopes(
        members in any::valid(),
        at: prop::sample::Index,
        damage in prop::collection::vec(any::<u8>(), 0..3),
        removed in 0..3_usize,
    ) {
        let mut bytes = bytes(&members);
        let at = at.index(bytes.len());
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, damage);
        read(&bytes);
    }
}
