//! Bytes of an event as Kafka stores it: a record of a record batch, version 2.

use herald_envelope::headers::HeaderSet;
use herald_envelope::{Envelope, Error, Profile};
use serde::Serialize;

/// Header of a record batch (magic 2), in bytes. Every event counts with its own batch, as Herald's
/// client sends it at a low rate (`linger.ms` is 0); under load several events share one.
pub const BATCH: usize = 61;

/// Bytes of one event, uncompressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the key.
    pub key: usize,
    /// Bytes of the headers, with names and length prefixes.
    pub headers: usize,
    /// Bytes of the envelope.
    pub value: usize,
    /// Bytes of the whole record, with length prefixes and the batch header.
    pub stored: usize,
}

impl Size {
    /// Computes the size of an event with these headers.
    ///
    /// # Errors
    /// See [`Profile::write`].
    pub fn of<P: Serialize, M: Serialize>(
        profile: Profile,
        set: HeaderSet,
        envelope: &Envelope<'_, P, M>,
    ) -> Result<Self, Error> {
        let event = envelope.as_event();
        let mut bytes = Vec::new();
        profile.write(&event, &mut bytes)?;
        let value = bytes.len();
        let key = profile.key(&event).len();
        let (mut count, mut of_headers) = (0, 0);
        profile.headers(&event, set, &mut |name, value| {
            count += 1;
            of_headers += prefixed(name.len()) + prefixed(value.len());
        })?;
        let headers = varint(count) + of_headers;
        // Attributes, timestamp delta and offset delta: one byte each in a batch of one record.
        let body = 3 + prefixed(key) + prefixed(value) + headers;
        Ok(Self {
            key,
            headers,
            value,
            stored: BATCH + prefixed(body),
        })
    }
}

/// Returns the size of data with its length prefix.
fn prefixed(length: usize) -> usize {
    varint(length) + length
}

/// Returns the size of a number as a zigzag varint, with seven bits per byte.
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
        let size_of = |set| Size::of(Profile::default(), set, &event).expect("it is an envelope");
        let size = size_of(HeaderSet::ALL);
        assert_eq!((size.key, size.value), (36, event.to_vec().unwrap().len()));
        // `content-type: application/json`, `event_id`, `event_type`, `correlation_id`.
        assert_eq!(
            size.headers,
            1 + (13 + 17) + (9 + 37) + (11 + 13) + (15 + 37)
        );
        let body = 3 + (1 + 36) + (2 + size.value) + size.headers;
        assert_eq!(size.stored, 61 + 2 + body);
        assert_eq!(size_of(HeaderSet::NONE).headers, 1);
    }
}
