//! Record batches: how records are written to the log of a partition.
//!
//! Definition: the record batch of [message format
//! 2](https://kafka.apache.org/documentation/#recordbatch), magic 2.

use std::io::{self, Write as _};

use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use ruzstd::encoding::CompressionLevel;

/// Bytes of a batch before its records.
const HEADER: usize = 61;

/// Size of a buffer that does not double.
const LARGE: usize = 64 * 1024;

/// First byte that the checksum covers.
const CHECKED_FROM: usize = 21;

/// Compression of the records of a batch.
///
/// The numbers are those of the attributes of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None = 0,
    /// Gzip.
    Gzip = 1,
    /// Snappy, one block.
    Snappy = 2,
    /// LZ4 frames.
    #[default]
    Lz4 = 3,
    /// Zstandard, at its fastest level.
    Zstd = 4,
}

/// Producer id and epoch that the cluster has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Producer id.
    pub id: i64,
    /// Epoch of the id.
    pub epoch: i16,
}

/// Record to be appended.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a, H> {
    /// Time of creation, in milliseconds since 1970.
    pub timestamp: i64,
    /// Key; `None` is not the same as an empty one.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: &'a [u8],
    /// Names and values of headers.
    pub headers: H,
}

impl<'a, H> Record<'a, H>
where
    H: ExactSizeIterator<Item = (&'a str, &'a [u8])> + Clone,
{
    /// Returns the size of a batch with this record alone, without compression.
    pub(crate) fn batch_bytes(&self) -> usize {
        let size = self.size(0, 0);
        HEADER + varint_size(length(size)) + size
    }

    /// Returns its size behind its length.
    fn size(&self, timestamp: i64, offset: i64) -> usize {
        let headers = self.headers.clone();
        let headers_size: usize = headers
            .map(|(name, value)| field_size(Some(name.as_bytes())) + field_size(Some(value)))
            .sum();
        1 + varint_size(timestamp)
            + varint_size(offset)
            + field_size(self.key)
            + field_size(Some(self.value))
            + varint_size(length(self.headers.len()))
            + headers_size
    }
}

/// Records of one partition, as they stand in a batch.
#[derive(Clone, Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    count: i32,
    first_timestamp: i64,
    max_timestamp: i64,
}

impl Records {
    /// Creates records that are written to this buffer, which is empty.
    pub(crate) fn in_buffer(buffer: Vec<u8>) -> Self {
        Self {
            bytes: buffer,
            ..Self::default()
        }
    }

    /// Returns the buffer.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or_default()
    }

    /// Returns whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the size of the records without compression.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends a record.
    pub fn push<'a, H>(&mut self, record: &Record<'a, H>)
    where
        H: ExactSizeIterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        if self.count == 0 {
            self.first_timestamp = record.timestamp;
            self.max_timestamp = record.timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let timestamp = record.timestamp - self.first_timestamp;
        let offset = i64::from(self.count);
        let size = record.size(timestamp, offset);
        let bytes = &mut self.bytes;
        make_room(bytes, size + varint_size(length(size)));
        put_varint(bytes, length(size));
        // Attributes: none are defined.
        bytes.push(0);
        put_varint(bytes, timestamp);
        put_varint(bytes, offset);
        put_field(bytes, record.key);
        put_field(bytes, Some(record.value));
        put_varint(bytes, length(record.headers.len()));
        for (name, value) in record.headers.clone() {
            put_field(bytes, Some(name.as_bytes()));
            put_field(bytes, Some(value));
        }
        self.count += 1;
    }

    /// Splits before the record of this index. Both parts are numbered from 0.
    ///
    /// # Panics
    /// There are fewer records.
    #[must_use]
    pub fn split(self, at: usize) -> (Self, Self) {
        assert!(
            at <= self.len(),
            "a batch has the records that it was split at"
        );
        let (mut first, mut second) = (Self::default(), Self::default());
        let mut rest = &self.bytes[..];
        for index in 0..self.len() {
            let size = take_varint(&mut rest);
            let (mut record, after) = rest.split_at(usize::try_from(size).unwrap_or_default());
            rest = after;
            // Attributes.
            record = &record[1..];
            let timestamp = self.first_timestamp + take_varint(&mut record);
            take_varint(&mut record);
            let part = if index < at { &mut first } else { &mut second };
            part.push_encoded(timestamp, record);
        }
        (first, second)
    }

    /// Appends a record whose key, value and headers are encoded.
    fn push_encoded(&mut self, timestamp: i64, rest: &[u8]) {
        if self.count == 0 {
            self.first_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp = timestamp - self.first_timestamp;
        let offset = i64::from(self.count);
        let size = 1 + varint_size(timestamp) + varint_size(offset) + rest.len();
        put_varint(&mut self.bytes, length(size));
        self.bytes.push(0);
        put_varint(&mut self.bytes, timestamp);
        put_varint(&mut self.bytes, offset);
        self.bytes.extend_from_slice(rest);
        self.count += 1;
    }

    /// Appends the whole batch to `out`.
    pub fn seal(
        &self,
        compression: Compression,
        identity: Identity,
        first_sequence: i32,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        out.resize(start + HEADER, 0);
        let written = match compression {
            Compression::None => out.write_all(&self.bytes),
            Compression::Gzip => compress_gzip(&self.bytes, out),
            Compression::Snappy => compress_snappy(&self.bytes, out),
            Compression::Lz4 => compress_lz4(&self.bytes, out),
            Compression::Zstd => {
                ruzstd::encoding::compress(&self.bytes[..], &mut *out, CompressionLevel::Fastest);
                Ok(())
            }
        };
        debug_assert!(written.is_ok(), "a vector takes everything: {written:?}");
        let batch = &mut out[start..];
        // Base offset and partition leader epoch are the broker's.
        put(batch, 8, &length32(batch.len() - 12).to_be_bytes());
        put(batch, 12, &(-1i32).to_be_bytes());
        batch[16] = 2;
        put(batch, 21, &(compression as i16).to_be_bytes());
        put(batch, 23, &(self.count - 1).to_be_bytes());
        put(batch, 27, &self.first_timestamp.to_be_bytes());
        put(batch, 35, &self.max_timestamp.to_be_bytes());
        put(batch, 43, &identity.id.to_be_bytes());
        put(batch, 51, &identity.epoch.to_be_bytes());
        put(batch, 53, &first_sequence.to_be_bytes());
        put(batch, 57, &self.count.to_be_bytes());
        let checksum = crc32c::crc32c(&batch[CHECKED_FROM..]);
        put(batch, 17, &checksum.to_be_bytes());
    }
}

/// Returns the sequence that follows after `count` records: they wrap to 0 after the largest.
pub fn next_sequence(sequence: i32, count: usize) -> i32 {
    let next = (i64::from(sequence) + length(count)) % (i64::from(i32::MAX) + 1);
    i32::try_from(next).unwrap_or_default()
}

fn compress_gzip(records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut encoder = GzEncoder::new(out, flate2::Compression::default());
    encoder.write_all(records)?;
    encoder.finish().map(drop)
}

fn compress_snappy(records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let start = out.len();
    out.resize(start + snap::raw::max_compress_len(records.len()), 0);
    let written = snap::raw::Encoder::new().compress(records, &mut out[start..])?;
    out.truncate(start + written);
    Ok(())
}

fn compress_lz4(records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let info = FrameInfo::new()
        .block_mode(BlockMode::Independent)
        .block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(records)?;
    encoder.finish()?;
    Ok(())
}

/// Makes room for so many more bytes. A large buffer grows by a half: many are full at the same time.
fn make_room(bytes: &mut Vec<u8>, more: usize) {
    if bytes.capacity() - bytes.len() >= more {
        return;
    }
    if bytes.len() < LARGE {
        bytes.reserve(more);
    } else {
        bytes.reserve_exact(more.max(bytes.len() / 2));
    }
}

fn put(batch: &mut [u8], at: usize, value: &[u8]) {
    batch[at..at + value.len()].copy_from_slice(value);
}

fn put_field(bytes: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => put_varint(bytes, -1),
        Some(field) => {
            put_varint(bytes, length(field.len()));
            bytes.extend_from_slice(field);
        }
    }
}

fn field_size(field: Option<&[u8]>) -> usize {
    field.map_or(1, |field| varint_size(length(field.len())) + field.len())
}

/// Appends a signed number in zigzag encoding, with seven bits a byte.
fn put_varint(bytes: &mut Vec<u8>, value: i64) {
    let mut left = zigzag(value);
    while left >= 0x80 {
        bytes.push(u8::try_from(left & 0x7f).unwrap_or_default() | 0x80);
        left >>= 7;
    }
    bytes.push(u8::try_from(left).unwrap_or_default());
}

fn varint_size(value: i64) -> usize {
    let bits = u64::BITS - (zigzag(value) | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Takes a number off the front of bytes that [`put_varint`] has written.
fn take_varint(bytes: &mut &[u8]) -> i64 {
    let (mut value, mut shift) = (0u64, 0);
    while let [byte, rest @ ..] = *bytes {
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn length32(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use bytes::Bytes;
    use kafka_protocol::records::RecordBatchDecoder;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Plain {
        timestamp: i64,
        key: Option<Vec<u8>>,
        value: Vec<u8>,
        headers: Vec<(String, Vec<u8>)>,
    }

    fn plain() -> impl Strategy<Value = Plain> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..200);
        let headers = prop::collection::vec(("[a-z]{0,8}", bytes()), 0..4);
        (
            0..2_000_000_000_000i64,
            prop::option::of(bytes()),
            bytes(),
            headers,
        )
            .prop_map(|(timestamp, key, value, mut headers)| {
                // The decoder of the tests keeps one header of a name.
                headers.sort();
                headers.dedup_by(|one, other| one.0 == other.0);
                Plain {
                    timestamp,
                    key,
                    value,
                    headers,
                }
            })
    }

    fn records(plain: &[Plain]) -> Records {
        let mut records = Records::default();
        for record in plain {
            records.push(&Record {
                timestamp: record.timestamp,
                key: record.key.as_deref(),
                value: &record.value,
                headers: record
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), &value[..])),
            });
        }
        records
    }

    fn decoded(records: &Records, first_sequence: i32) -> Vec<Plain> {
        let mut bytes = Vec::new();
        let identity = Identity { id: 7, epoch: 3 };
        records.seal(Compression::None, identity, first_sequence, &mut bytes);
        let mut bytes = Bytes::from(bytes);
        let set = RecordBatchDecoder::decode(&mut bytes).unwrap();
        let decoded = set.records.into_iter().enumerate().map(|(index, record)| {
            assert_eq!((record.producer_id, record.producer_epoch), (7, 3));
            assert_eq!(
                record.sequence,
                first_sequence + i32::try_from(index).unwrap()
            );
            Plain {
                timestamp: record.timestamp,
                key: record.key.map(|key| key.to_vec()),
                value: record.value.unwrap_or_default().to_vec(),
                headers: record
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name.to_string(), value.unwrap_or_default().to_vec()))
                    .collect(),
            }
        });
        decoded.collect()
    }

    proptest! {
        #[test]
        fn a_batch_is_read_as_it_was_written(
            plain in prop::collection::vec(plain(), 1..20),
            first in 0..1_000i32,
            at in any::<prop::sample::Index>(),
        ) {
            prop_assert_eq!(decoded(&records(&plain), first), plain.clone());
            let at = at.index(plain.len());
            let (before, after) = records(&plain).split(at);
            for (part, plain) in [(before, &plain[..at]), (after, &plain[at..])] {
                prop_assert_eq!(part.len(), plain.len());
                if !plain.is_empty() {
                    prop_assert_eq!(decoded(&part, first), plain.to_vec());
                }
            }
        }

        #[test]
        fn numbers_have_the_size_that_was_counted(value in any::<i64>()) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            prop_assert_eq!(bytes.len(), varint_size(value));
            prop_assert_eq!(take_varint(&mut &bytes[..]), value);
        }
    }

    #[test]
    fn sequences_wrap_to_zero_after_the_largest() {
        assert_eq!(next_sequence(0, 5), 5);
        assert_eq!(next_sequence(i32::MAX, 1), 0);
        assert_eq!(next_sequence(i32::MAX - 1, 5), 3);
    }

    #[test]
    fn compressed_records_can_be_read() {
        let plain = vec![Plain {
            timestamp: 1,
            key: None,
            value: vec![b'x'; 200_000],
            headers: Vec::new(),
        }];
        let records = records(&plain);
        for compression in [
            Compression::Gzip,
            Compression::Snappy,
            Compression::Lz4,
            Compression::Zstd,
        ] {
            let mut bytes = Vec::new();
            let identity = Identity { id: 7, epoch: 3 };
            records.seal(compression, identity, 0, &mut bytes);
            assert!(bytes.len() < 12_000, "{compression:?}: {}", bytes.len());
            let compressed = &bytes[HEADER..];
            let mut raw = Vec::new();
            let read = match compression {
                Compression::None => unreachable!(),
                Compression::Gzip => flate2::read::GzDecoder::new(compressed).read_to_end(&mut raw),
                Compression::Snappy => {
                    raw = snap::raw::Decoder::new()
                        .decompress_vec(compressed)
                        .unwrap();
                    Ok(raw.len())
                }
                Compression::Lz4 => {
                    lz4_flex::frame::FrameDecoder::new(compressed).read_to_end(&mut raw)
                }
                Compression::Zstd => ruzstd::decoding::StreamingDecoder::new(compressed)
                    .unwrap()
                    .read_to_end(&mut raw),
            };
            read.unwrap();
            assert_eq!(raw, records.bytes, "{compression:?}");
        }
    }
}
