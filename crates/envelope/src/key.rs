//! Key and partition of an event.

use std::ops::Deref;

use uuid::Uuid;

use crate::envelope::Envelope;
use crate::event::Event;
use crate::id;

/// Key of an event in Kafka: `partition_key`, else `correlation_id`, else `source_node_id`, else
/// `event_id`. Empty text counts as unset, or all such events would share one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<'a>(Source<'a>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source<'a> {
    Text(&'a str),
    Id([u8; id::LENGTH]),
}

impl Key<'_> {
    /// Returns the key as text; Kafka receives its UTF-8 bytes.
    pub fn as_str(&self) -> &str {
        self
    }
}

impl Deref for Key<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Source::Text(text) => text,
            Source::Id(text) => std::str::from_utf8(text).expect("UUIDs are ASCII"),
        }
    }
}

/// Returns the key by the rule of [`Key`].
pub(crate) fn of_event<'e>(event: &Event<'e>) -> Key<'e> {
    of_parts(
        event.partition_key,
        event.correlation_id,
        event.source_node_id,
        event.event_id,
    )
}

fn of_parts<'e>(
    partition_key: Option<&'e str>,
    correlation_id: Option<Uuid>,
    source_node_id: &'e str,
    event_id: Uuid,
) -> Key<'e> {
    let set = |text: &'e str| Some(text).filter(|text| !text.is_empty());
    let id = |id| Source::Id(id::text(id));
    let source = partition_key
        .and_then(set)
        .map(Source::Text)
        .or_else(|| correlation_id.map(id))
        .or_else(|| set(source_node_id).map(Source::Text))
        .unwrap_or_else(|| id(event_id));
    Key(source)
}

impl<P, M> Envelope<'_, P, M> {
    /// Returns the key in the default profile, see [`Key`].
    pub fn key(&self) -> Key<'_> {
        of_parts(
            self.partition_key.as_deref(),
            self.correlation_id,
            &self.source_node_id,
            self.event_id,
        )
    }
}

/// Returns the partition of a key among `partitions`, as chosen by the default partitioners of Java
/// and aiokafka and by librdkafka's `murmur2_random`.
///
/// # Panics
/// If `partitions` is 0.
pub fn partition(key: &[u8], partitions: u32) -> u32 {
    // Java's `Utils.toPositive`: it clears the sign bit, where the absolute value would differ.
    (murmur2(key) & 0x7FFF_FFFF) % partitions
}

/// Computes `MurmurHash2` of 32 bits with the seed of Kafka.
pub fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_B28C;
    const M: u32 = 0x5BD1_E995;

    // The hash starts from the length's low bits.
    #[expect(clippy::cast_possible_truncation)]
    let mut hash = SEED ^ bytes.len() as u32;
    // Little-endian on every machine, as in Java; the C original reads words in native order.
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (i, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use crate::{Origin, Stamp};

    #[test]
    fn key_falls_back_in_order() {
        let origin = Origin::new("s", "1", "test");
        let stamp = Stamp {
            event_id: Uuid::from_u128(0xABCD),
            ..Stamp::now()
        };
        let mut event = origin
            .stamped(stamp, "t", "node-1", ())
            .with_correlation_id(Uuid::from_u128(0xC0DE))
            .with_partition_key("order-7");
        assert_eq!(&*event.key(), "order-7");
        event.partition_key = Some("".into());
        assert_eq!(&*event.key(), "00000000-0000-0000-0000-00000000c0de");
        event.partition_key = None;
        assert_eq!(&*event.key(), "00000000-0000-0000-0000-00000000c0de");
        event.correlation_id = None;
        assert_eq!(&*event.key(), "node-1");
        event.source_node_id = "".into();
        assert_eq!(&*event.key(), "00000000-0000-0000-0000-00000000abcd");
    }
}
