//! Properties of all envelopes, and of all byte strings.

mod any;

use herald_envelope::{Envelope, Field};
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

proptest! {
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
