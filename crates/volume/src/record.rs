//! Bytes of an event as Kafka stores it: a record of a record batch, version 2.

use herald_envelope::{Envelope, Error};
use serde::Serialize;

/// Bytes of a batch before its first record. Every event is counted in a batch of its own, as
/// Herald's client sends it while there is no hurry; under load several share one.
pub const BATCH: usize = 61;

/// Bytes of one event, uncompressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Of the key.
    pub key: usize,
    /// Of the headers, with their names and lengths.
    pub headers: usize,
    /// Of the envelope.
    pub value: usize,
    /// All of the record, with its lengths, and its batch.
    pub stored: usize,
}

impl Size {
    /// The size of an event.
    ///
    /// # Errors
    /// What can't be written as an envelope.
    pub fn of<P: Serialize, M: Serialize>(envelope: &Envelope<'_, P, M>) -> Result<Self, Error> {
        let value = envelope.to_vec()?.len();
        let key = envelope.key().len();
        let set = envelope.headers();
        let of_headers = set
            .iter()
            .map(|(name, value)| prefixed(name.len()) + prefixed(value.len()));
        let headers = varint(set.iter().count()) + of_headers.sum::<usize>();
        // Attributes, and the differences of time and offset to the batch: one byte each.
        let body = 3 + prefixed(key) + prefixed(value) + headers;
        Ok(Self {
            key,
            headers,
            value,
            stored: BATCH + prefixed(body),
        })
    }
}

/// Bytes of something behind its length.
fn prefixed(length: usize) -> usize {
    varint(length) + length
}

/// Bytes of a number that is not negative, zigzag encoded with seven bits a byte.
fn varint(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros() + 1;
    bits.div_ceil(7).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use herald_envelope::{Origin, Uuid};

    #[test]
    fn lengths_take_more_bytes_from_64_and_8192() {
        let lengths = [0, 63, 64, 8_191, 8_192, 1_048_575, 1_048_576];
        assert_eq!(lengths.map(varint), [1, 1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn record_size_follows_the_protocol() {
        let origin = Origin::new("shop", "1", "test");
        let event = origin
            .envelope("order.placed", "n", serde_json::json!({}))
            .with_correlation_id(Uuid::from_u128(7));
        let size = Size::of(&event).expect("it is an envelope");
        assert_eq!((size.key, size.value), (36, event.to_vec().unwrap().len()));
        // `content-type: application/json`, `event_id`, `event_type`, `correlation_id`.
        assert_eq!(
            size.headers,
            1 + (13 + 17) + (9 + 37) + (11 + 13) + (15 + 37)
        );
        let body = 3 + (1 + 36) + (2 + size.value) + size.headers;
        assert_eq!(size.stored, 61 + 2 + body);
    }
}
