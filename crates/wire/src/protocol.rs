//! Requests and answers. Shapes and versions: the [protocol
//! guide](https://kafka.apache.org/protocol.html).
//!
//! Read by hand: a broker may be broken or hostile, and the known library allocates as many elements
//! as an answer claims to have, whatever its size.

#[cfg(test)]
mod tests;

use bytes::{Buf, BufMut, Bytes};

use crate::verdict::error_name;

/// Numbers of requests.
const PRODUCE: i16 = 0;
const METADATA: i16 = 3;
const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const INIT_PRODUCER_ID: i16 = 22;
const DESCRIBE_CONFIGS: i16 = 32;
const SASL_AUTHENTICATE: i16 = 36;

/// Every broker knows it, and its answer has no other shape in later versions.
const API_VERSIONS_VERSION: i16 = 0;
/// Lowest and highest known versions of the other requests; the broker's limits count too.
///
/// Redpanda has 7 of `Produce`, Kafka 2.1 too, the first with zstd. From 13 on it names topics by id.
const PRODUCE_VERSIONS: (i16, i16) = (7, 12);
const METADATA_VERSIONS: (i16, i16) = (4, 12);
const INIT_PRODUCER_ID_VERSIONS: (i16, i16) = (0, 1);
const SASL_AUTHENTICATE_VERSIONS: (i16, i16) = (0, 1);
/// Before tagged fields; the lowest that Kafka 4 knows.
const DESCRIBE_CONFIGS_VERSION: i16 = 1;
/// The first after which messages of the login are requests of their own (Kafka 1.0).
const SASL_HANDSHAKE_VERSION: i16 = 1;

/// First versions with tagged fields and compact lengths (KIP-482).
const FLEXIBLE_PRODUCE: i16 = 9;
const FLEXIBLE_METADATA: i16 = 9;

/// Tag of the current leader of a partition, and of the addresses of such leaders, in answers to
/// `Produce` from version 10 on (KIP-951).
const CURRENT_LEADER: u32 = 0;
const LEADER_ENDPOINTS: u32 = 0;

/// Kind of resource in `DescribeConfigs`.
const TOPIC_RESOURCE: i8 = 2;

/// Configuration of a topic: bytes of its largest batch.
const BATCH_LIMIT: &str = "max.message.bytes";

/// Largest answer that is read. Metadata of 100,000 partitions takes less than 10 MB.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Reason why an answer does not follow the protocol.
pub(crate) type Malformed = String;

/// Versions of requests that a broker and this client both know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions {
    produce: i16,
    metadata: i16,
    init_producer_id: i16,
    /// `None` if the broker has no login.
    sasl_authenticate: Option<i16>,
    /// Whether it tells the configuration of topics.
    pub(crate) describes_configs: bool,
}

/// Answer to `Metadata`.
pub(crate) struct Metadata {
    pub(crate) brokers: Vec<BrokerMetadata>,
    pub(crate) cluster_id: Option<String>,
    pub(crate) topics: Vec<TopicMetadata>,
}

pub(crate) struct BrokerMetadata {
    pub(crate) id: i32,
    pub(crate) host: String,
    pub(crate) port: i32,
}

#[derive(Clone)]
pub(crate) struct TopicMetadata {
    pub(crate) error_code: i16,
    pub(crate) name: String,
    /// Unlike its name, another one when the topic was deleted and created again (KIP-516).
    pub(crate) id: Option<TopicId>,
    pub(crate) partitions: Vec<PartitionMetadata>,
}

#[derive(Clone)]
pub(crate) struct PartitionMetadata {
    pub(crate) index: i32,
    pub(crate) leader: Leader,
}

/// Id of a topic, a UUID.
pub(crate) type TopicId = u128;

/// Leader of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leader {
    /// -1 while there is none.
    pub(crate) id: i32,
    /// Number that grows with each election (KIP-320); -1 if it is not known.
    pub(crate) epoch: i32,
}

/// Answer to `InitProducerId`.
pub(crate) struct ProducerId {
    pub(crate) error_code: i16,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// Answer to `Produce`.
pub(crate) struct Produced {
    /// Of each topic its name, and its partitions.
    pub(crate) topics: Vec<(String, Vec<ProducedPartition>)>,
    /// Addresses of the leaders that partitions have now.
    pub(crate) leaders: Vec<BrokerMetadata>,
    /// Milliseconds for which the broker takes no more from this client.
    pub(crate) throttled_ms: i32,
}

pub(crate) struct ProducedPartition {
    pub(crate) index: i32,
    pub(crate) error_code: i16,
    pub(crate) first_offset: i64,
    /// Leader that it has now, where the broker is not it.
    pub(crate) leader: Option<Leader>,
}

/// Answer to `SaslHandshake`.
pub(crate) struct SaslHandshake {
    pub(crate) error_code: i16,
    /// Ways of logging in that the broker has.
    pub(crate) mechanisms: Vec<String>,
}

/// Answer to `SaslAuthenticate`.
pub(crate) struct SaslAuthenticate {
    pub(crate) error_code: i16,
    pub(crate) error_message: Option<String>,
    pub(crate) message: Bytes,
    /// Milliseconds after which the client has to log in again; 0: never.
    pub(crate) session_lifetime_ms: i64,
}

impl Versions {
    /// Chooses versions from the answer of a broker to `ApiVersions`.
    pub(crate) fn read(answer: Bytes) -> Result<Self, Malformed> {
        let mut answer = Answer::new("ApiVersions", answer)?;
        let error_code = answer.i16()?;
        let offered = answer.array(6, |answer| {
            Ok((answer.i16()?, answer.i16()?, answer.i16()?))
        })?;
        if error_code != 0 {
            return Err(format!(
                "the answer to ApiVersions is {}",
                error_name(error_code)
            ));
        }
        let choose = |name: &str, key: i16, (lowest, highest): (i16, i16)| {
            let offered = offered.iter().find(|(offered, ..)| *offered == key);
            let (_, least, most) =
                offered.ok_or_else(|| format!("the broker has no request {name}"))?;
            let version = highest.min(*most);
            if version < lowest.max(*least) {
                return Err(format!(
                    "the broker knows {name} in the versions {least} to {most}, this client \
                     {lowest} to {highest}"
                ));
            }
            Ok(version)
        };
        let login = choose(
            "SaslAuthenticate",
            SASL_AUTHENTICATE,
            SASL_AUTHENTICATE_VERSIONS,
        );
        Ok(Self {
            produce: choose("Produce", PRODUCE, PRODUCE_VERSIONS)?,
            metadata: choose("Metadata", METADATA, METADATA_VERSIONS)?,
            init_producer_id: choose(
                "InitProducerId",
                INIT_PRODUCER_ID,
                INIT_PRODUCER_ID_VERSIONS,
            )
            .map_err(|problem| format!("{problem}; Herald's producers are idempotent"))?,
            sasl_authenticate: login.ok(),
            describes_configs: choose(
                "DescribeConfigs",
                DESCRIBE_CONFIGS,
                (DESCRIBE_CONFIGS_VERSION, DESCRIBE_CONFIGS_VERSION),
            )
            .is_ok(),
        })
    }
}

// Requests.

pub(crate) fn api_versions(correlation: i32, client_id: &str) -> Vec<u8> {
    request(
        API_VERSIONS,
        API_VERSIONS_VERSION,
        correlation,
        client_id,
        |_| {},
    )
}

pub(crate) fn metadata<'a>(
    versions: Versions,
    correlation: i32,
    client_id: &str,
    topics: impl ExactSizeIterator<Item = &'a str>,
) -> Vec<u8> {
    let version = versions.metadata;
    let is_flexible = version >= FLEXIBLE_METADATA;
    request(METADATA, version, correlation, client_id, |bytes| {
        if is_flexible {
            put_no_tags(bytes);
            put_compact_length(bytes, topics.len());
        } else {
            bytes.put_i32(i32::try_from(topics.len()).unwrap_or(i32::MAX));
        }
        for name in topics {
            if version >= 10 {
                let by_name: TopicId = 0;
                bytes.put_u128(by_name);
            }
            if is_flexible {
                put_compact_string(bytes, name);
                put_no_tags(bytes);
            } else {
                put_string(bytes, name);
            }
        }
        let creates_topics = true;
        bytes.put_u8(creates_topics.into());
        // Rights are not asked for: on the cluster, and on topics.
        if (8..=10).contains(&version) {
            bytes.put_u8(0);
        }
        if version >= 8 {
            bytes.put_u8(0);
        }
        if is_flexible {
            put_no_tags(bytes);
        }
    })
}

pub(crate) fn init_producer_id(versions: Versions, correlation: i32, client_id: &str) -> Vec<u8> {
    let version = versions.init_producer_id;
    request(INIT_PRODUCER_ID, version, correlation, client_id, |bytes| {
        // No transaction, and its timeout.
        bytes.put_i16(-1);
        bytes.put_i32(i32::MAX);
    })
}

/// Asks for the limits of batches that topics have.
pub(crate) fn describe_topics<'a>(
    correlation: i32,
    client_id: &str,
    topics: impl ExactSizeIterator<Item = &'a str>,
) -> Vec<u8> {
    let version = DESCRIBE_CONFIGS_VERSION;
    request(DESCRIBE_CONFIGS, version, correlation, client_id, |bytes| {
        bytes.put_i32(i32::try_from(topics.len()).unwrap_or(i32::MAX));
        for name in topics {
            bytes.put_i8(TOPIC_RESOURCE);
            put_string(bytes, name);
            bytes.put_i32(1);
            put_string(bytes, BATCH_LIMIT);
        }
        let with_synonyms = false;
        bytes.put_u8(with_synonyms.into());
    })
}

pub(crate) fn sasl_handshake(correlation: i32, client_id: &str, mechanism: &str) -> Vec<u8> {
    let version = SASL_HANDSHAKE_VERSION;
    request(SASL_HANDSHAKE, version, correlation, client_id, |bytes| {
        put_string(bytes, mechanism);
    })
}

/// `None` if the broker has no such request.
pub(crate) fn sasl_authenticate(
    versions: Versions,
    correlation: i32,
    client_id: &str,
    message: &[u8],
) -> Option<Vec<u8>> {
    let version = versions.sasl_authenticate?;
    let request = request(
        SASL_AUTHENTICATE,
        version,
        correlation,
        client_id,
        |bytes| {
            bytes.put_i32(i32::try_from(message.len()).unwrap_or(i32::MAX));
            bytes.put_slice(message);
        },
    );
    Some(request)
}

fn request(
    key: i16,
    version: i16,
    correlation: i32,
    client_id: &str,
    write: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_header(&mut bytes, key, version, correlation, client_id);
    write(&mut bytes);
    put_size(&mut bytes);
    bytes
}

/// Writes the size, which [`put_size`] sets, and the header.
fn put_header(bytes: &mut Vec<u8>, key: i16, version: i16, correlation: i32, client_id: &str) {
    bytes.put_i32(0);
    bytes.put_i16(key);
    bytes.put_i16(version);
    bytes.put_i32(correlation);
    put_string(bytes, client_id);
}

fn put_size(bytes: &mut [u8]) {
    patch(bytes, 0, bytes.len() - 4);
}

fn patch(bytes: &mut [u8], at: usize, value: usize) {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    // Names of topics and clients are far shorter.
    bytes.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
    bytes.put_slice(text.as_bytes());
}

/// Writes the length of an array, a text or bytes, where 0 stands for a missing one.
fn put_compact_length(bytes: &mut Vec<u8>, length: usize) {
    let (varint, width) = compact_length(length);
    bytes.put_slice(&varint[..width]);
}

fn put_compact_string(bytes: &mut Vec<u8>, text: &str) {
    put_compact_length(bytes, text.len());
    bytes.put_slice(text.as_bytes());
}

fn put_no_tags(bytes: &mut Vec<u8>) {
    bytes.put_u8(0);
}

/// Returns a compact length and the number of its bytes.
fn compact_length(length: usize) -> ([u8; 5], usize) {
    let mut left = u32::try_from(length).map_or(u32::MAX, |length| length.saturating_add(1));
    let (mut varint, mut width) = ([0; 5], 0);
    loop {
        let [low, ..] = left.to_le_bytes();
        left >>= 7;
        varint[width] = if left == 0 { low } else { low | 0x80 };
        width += 1;
        if left == 0 {
            return (varint, width);
        }
    }
}

/// `Produce` request, which is built in place.
pub(crate) struct ProduceRequest {
    bytes: Vec<u8>,
    is_flexible: bool,
    topics: usize,
    topics_at: Length,
    partitions: usize,
    partitions_at: Length,
}

/// Place that is reserved for a length.
#[derive(Clone, Copy, Default)]
struct Length {
    at: usize,
    width: usize,
}

impl ProduceRequest {
    /// Begins a request in this buffer, which is empty.
    pub(crate) fn new(
        versions: Versions,
        correlation: i32,
        client_id: &str,
        timeout_ms: i32,
        mut bytes: Vec<u8>,
    ) -> Self {
        let version = versions.produce;
        put_header(&mut bytes, PRODUCE, version, correlation, client_id);
        let is_flexible = version >= FLEXIBLE_PRODUCE;
        // No transaction.
        if is_flexible {
            put_no_tags(&mut bytes);
            bytes.put_u8(0);
        } else {
            bytes.put_i16(-1);
        }
        // All in-sync replicas.
        bytes.put_i16(-1);
        bytes.put_i32(timeout_ms);
        let mut request = Self {
            bytes,
            is_flexible,
            topics: 0,
            topics_at: Length::default(),
            partitions: 0,
            partitions_at: Length::default(),
        };
        request.topics_at = request.reserve(0);
        request
    }

    /// Begins a topic; partitions follow.
    pub(crate) fn topic(&mut self, name: &str) {
        self.end_topic();
        if self.is_flexible {
            put_compact_string(&mut self.bytes, name);
        } else {
            put_string(&mut self.bytes, name);
        }
        self.partitions_at = self.reserve(0);
        self.topics += 1;
    }

    /// Adds a partition of the topic, with the batch of about `size` bytes that `write` appends.
    pub(crate) fn partition(&mut self, index: i32, size: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.put_i32(index);
        let length = self.reserve(size);
        let begin = self.bytes.len();
        write(&mut self.bytes);
        self.set(length, self.bytes.len() - begin);
        if self.is_flexible {
            put_no_tags(&mut self.bytes);
        }
        self.partitions += 1;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_topic();
        self.set(self.topics_at, self.topics);
        if self.is_flexible {
            put_no_tags(&mut self.bytes);
        }
        put_size(&mut self.bytes);
        self.bytes
    }

    fn end_topic(&mut self) {
        if self.topics > 0 {
            self.set(self.partitions_at, self.partitions);
            self.partitions = 0;
            if self.is_flexible {
                put_no_tags(&mut self.bytes);
            }
        }
    }

    /// Reserves the bytes for a length that is expected to be about this.
    fn reserve(&mut self, expected: usize) -> Length {
        let width = if self.is_flexible {
            compact_length(expected).1
        } else {
            4
        };
        let at = self.bytes.len();
        self.bytes.resize(at + width, 0);
        Length { at, width }
    }

    /// Writes a length. What follows is moved if it takes another number of bytes than was expected,
    /// as where a batch was compressed to less than 16 KB.
    fn set(&mut self, Length { at, width }: Length, length: usize) {
        if !self.is_flexible {
            return patch(&mut self.bytes, at, length);
        }
        let (varint, needed) = compact_length(length);
        if needed == width {
            self.bytes[at..at + width].copy_from_slice(&varint[..needed]);
        } else {
            let varint = varint[..needed].iter().copied();
            self.bytes.splice(at..at + width, varint);
        }
    }
}

// Answers.

/// Returns the correlation id of an answer.
pub(crate) fn correlation(answer: &[u8]) -> Option<i32> {
    let id = answer.first_chunk()?;
    Some(i32::from_be_bytes(*id))
}

pub(crate) fn read_metadata(versions: Versions, answer: Bytes) -> Result<Metadata, Malformed> {
    let version = versions.metadata;
    let mut answer = Answer::new("Metadata", answer)?.flexible(version >= FLEXIBLE_METADATA)?;
    let _throttled = answer.i32()?;
    let brokers = answer.array(11, Answer::broker)?;
    let cluster_id = answer.nullable_string()?;
    let _controller = answer.i32()?;
    let topics = answer.array(5, |answer| {
        let error_code = answer.i16()?;
        // Version 12 has none for topics that were asked for by id.
        let name = answer.nullable_string()?.unwrap_or_default();
        let id = if version >= 10 { answer.u128()? } else { 0 };
        let _is_internal = answer.i8()?;
        let partitions = answer.array(12, |answer| {
            let _error_code = answer.i16()?;
            let (index, id) = (answer.i32()?, answer.i32()?);
            let epoch = if version >= 7 { answer.i32()? } else { -1 };
            // Brokers that know none of these versions may tell old ones (KAFKA-9212).
            let epoch = if version >= 9 { epoch } else { -1 };
            let lists = if version >= 5 { 3 } else { 2 };
            for _replicas in 0..lists {
                answer.array(4, Answer::i32)?;
            }
            answer.skip_tags()?;
            Ok(PartitionMetadata {
                index,
                leader: Leader { id, epoch },
            })
        })?;
        if version >= 8 {
            let _rights = answer.i32()?;
        }
        answer.skip_tags()?;
        Ok(TopicMetadata {
            error_code,
            name,
            id: (id != 0).then_some(id),
            partitions,
        })
    })?;
    Ok(Metadata {
        brokers,
        cluster_id,
        topics,
    })
}

pub(crate) fn read_init_producer_id(answer: Bytes) -> Result<ProducerId, Malformed> {
    let mut answer = Answer::new("InitProducerId", answer)?;
    let _throttled = answer.i32()?;
    Ok(ProducerId {
        error_code: answer.i16()?,
        id: answer.i64()?,
        epoch: answer.i16()?,
    })
}

/// Returns topics and the bytes of their largest batch. Topics that the client may not describe are
/// not among them.
pub(crate) fn read_topic_limits(answer: Bytes) -> Result<Vec<(String, usize)>, Malformed> {
    let mut answer = Answer::new("DescribeConfigs", answer)?;
    let _throttled = answer.i32()?;
    let topics = answer.array(11, |answer| {
        let _error_code = answer.i16()?;
        let _error_message = answer.nullable_string()?;
        let (_kind, name) = (answer.i8()?, answer.string()?);
        let configs = answer.array(11, |answer| {
            let (name, value) = (answer.string()?, answer.nullable_string()?);
            let (_is_read_only, _source, _is_sensitive) =
                (answer.i8()?, answer.i8()?, answer.i8()?);
            answer.array(5, |synonym| {
                let (_name, _value) = (synonym.string()?, synonym.nullable_string()?);
                synonym.i8()
            })?;
            Ok((name, value))
        })?;
        let limit = configs.into_iter().find(|(name, _)| name == BATCH_LIMIT);
        let limit = limit.and_then(|(_, value)| value?.parse().ok());
        Ok(limit.map(|limit| (name, limit)))
    })?;
    Ok(topics.into_iter().flatten().collect())
}

pub(crate) fn read_produce(versions: Versions, answer: Bytes) -> Result<Produced, Malformed> {
    let version = versions.produce;
    let mut answer = Answer::new("Produce", answer)?.flexible(version >= FLEXIBLE_PRODUCE)?;
    let topics = answer.array(3, |answer| {
        let name = answer.string()?;
        let partitions = answer.array(30, |answer| {
            let mut partition = ProducedPartition {
                index: answer.i32()?,
                error_code: answer.i16()?,
                first_offset: answer.i64()?,
                leader: None,
            };
            let (_append_time, _log_start) = (answer.i64()?, answer.i64()?);
            if version >= 8 {
                // The records that are to blame: they are found by halving.
                answer.array(5, |answer| {
                    let _index = answer.i32()?;
                    let _message = answer.nullable_string()?;
                    answer.skip_tags()
                })?;
                let _error_message = answer.nullable_string()?;
            }
            answer.tags(|tag, mut value| {
                if tag == CURRENT_LEADER {
                    let (id, epoch) = (value.i32()?, value.i32()?);
                    partition.leader = Some(Leader { id, epoch });
                }
                Ok(())
            })?;
            Ok(partition)
        })?;
        answer.skip_tags()?;
        Ok((name, partitions))
    })?;
    let throttled_ms = answer.i32()?;
    let mut leaders = Vec::new();
    answer.tags(|tag, mut value| {
        if tag == LEADER_ENDPOINTS {
            leaders = value.array(11, Answer::broker)?;
        }
        Ok(())
    })?;
    Ok(Produced {
        topics,
        leaders,
        throttled_ms,
    })
}

pub(crate) fn read_sasl_handshake(answer: Bytes) -> Result<SaslHandshake, Malformed> {
    let mut answer = Answer::new("SaslHandshake", answer)?;
    Ok(SaslHandshake {
        error_code: answer.i16()?,
        mechanisms: answer.array(2, Answer::string)?,
    })
}

pub(crate) fn read_sasl_authenticate(
    versions: Versions,
    answer: Bytes,
) -> Result<SaslAuthenticate, Malformed> {
    let mut answer = Answer::new("SaslAuthenticate", answer)?;
    Ok(SaslAuthenticate {
        error_code: answer.i16()?,
        error_message: answer.nullable_string()?,
        message: answer.bytes()?,
        session_lifetime_ms: match versions.sasl_authenticate {
            Some(1..) => answer.i64()?,
            _ => 0,
        },
    })
}

/// Reader of an answer.
struct Answer {
    to: &'static str,
    left: Bytes,
    /// Whether it has tagged fields and compact lengths.
    is_flexible: bool,
}

impl Answer {
    /// Skips the correlation id.
    fn new(to: &'static str, answer: Bytes) -> Result<Self, Malformed> {
        let mut answer = Self {
            to,
            left: answer,
            is_flexible: false,
        };
        answer.i32()?;
        Ok(answer)
    }

    /// Tells whether it is flexible; then its header has tagged fields.
    fn flexible(mut self, is_flexible: bool) -> Result<Self, Malformed> {
        self.is_flexible = is_flexible;
        self.skip_tags()?;
        Ok(self)
    }

    fn take(&mut self, size: usize) -> Result<Bytes, Malformed> {
        if self.left.len() < size {
            return Err(self.malformed("ends too early"));
        }
        Ok(self.left.split_to(size))
    }

    fn malformed(&self, what: &str) -> Malformed {
        format!("the answer to {} {what}", self.to)
    }

    fn i8(&mut self) -> Result<i8, Malformed> {
        Ok(self.take(1)?.get_i8())
    }

    fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(self.take(2)?.get_i16())
    }

    fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(self.take(4)?.get_i32())
    }

    fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(self.take(8)?.get_i64())
    }

    fn u128(&mut self) -> Result<u128, Malformed> {
        Ok(self.take(16)?.get_u128())
    }

    fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.take(1)?.get_u8();
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| self.malformed("has a number too large"));
            }
        }
        Err(self.malformed("has a number too large"))
    }

    /// Reads the length of an array or a text; `None` if it is missing.
    fn length(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<i64, Malformed>,
    ) -> Result<Option<usize>, Malformed> {
        let length = if self.is_flexible {
            i64::from(self.varint()?) - 1
        } else {
            read(self)?
        };
        Ok(usize::try_from(length).ok())
    }

    fn bytes(&mut self) -> Result<Bytes, Malformed> {
        let size = self.i32()?;
        let size = usize::try_from(size).map_err(|_| self.malformed("has no message"))?;
        self.take(size)
    }

    fn string(&mut self) -> Result<String, Malformed> {
        let text = self.nullable_string()?;
        text.ok_or_else(|| self.malformed("has no text where one belongs"))
    }

    fn nullable_string(&mut self) -> Result<Option<String>, Malformed> {
        let Some(size) = self.length(|answer| Ok(answer.i16()?.into()))? else {
            return Ok(None);
        };
        let text = String::from_utf8(self.take(size)?.into());
        text.map(Some)
            .map_err(|_| self.malformed("has text that is not UTF-8"))
    }

    /// Reads elements that have at least `least` bytes each; a missing array has none.
    fn array<T>(
        &mut self,
        least: usize,
        read: impl Fn(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.length(|answer| Ok(answer.i32()?.into()))?;
        let count = count.unwrap_or_default();
        if count > self.left.len() / least {
            return Err(self.malformed("claims more elements than it has bytes"));
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Hands each tagged field to `read`, if there may be any.
    fn tags(
        &mut self,
        mut read: impl FnMut(u32, Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if !self.is_flexible {
            return Ok(());
        }
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
            let value = Self {
                to: self.to,
                left: self.take(size)?,
                is_flexible: true,
            };
            read(tag, value)?;
        }
        Ok(())
    }

    fn skip_tags(&mut self) -> Result<(), Malformed> {
        self.tags(|_, _| Ok(()))
    }

    fn broker(&mut self) -> Result<BrokerMetadata, Malformed> {
        let broker = BrokerMetadata {
            id: self.i32()?,
            host: self.string()?,
            port: self.i32()?,
        };
        let _rack = self.nullable_string()?;
        self.skip_tags()?;
        Ok(broker)
    }
}
