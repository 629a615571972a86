//! Requests and answers. Shapes and versions: the [protocol
//! guide](https://kafka.apache.org/protocol.html).
//!
//! Read by hand: a broker may be broken or hostile, and the known library allocates as many elements
//! as an answer claims to have, whatever its size.

use bytes::{Buf, BufMut, Bytes};

/// Numbers of requests.
const PRODUCE: i16 = 0;
const METADATA: i16 = 3;
const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const INIT_PRODUCER_ID: i16 = 22;
const DESCRIBE_CONFIGS: i16 = 32;
const SASL_AUTHENTICATE: i16 = 36;

/// Version of `Produce`: the first whose answers name the records that a broker rejects (Kafka 2.4).
const PRODUCE_VERSION: i16 = 8;
/// Every broker knows it, and its answer has no other shape in later versions.
const API_VERSIONS_VERSION: i16 = 0;
/// Lowest and highest known versions of the other requests; the broker's limits count too. Those
/// without tagged fields say all that is needed.
const METADATA_VERSIONS: (i16, i16) = (4, 8);
const INIT_PRODUCER_ID_VERSIONS: (i16, i16) = (0, 1);
const SASL_AUTHENTICATE_VERSIONS: (i16, i16) = (0, 1);
/// Before tagged fields; the lowest that Kafka 4 knows.
const DESCRIBE_CONFIGS_VERSION: i16 = 1;
/// The first after which messages of the login are requests of their own (Kafka 1.0).
const SASL_HANDSHAKE_VERSION: i16 = 1;

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
    pub(crate) partitions: Vec<PartitionMetadata>,
}

#[derive(Clone)]
pub(crate) struct PartitionMetadata {
    pub(crate) index: i32,
    pub(crate) leader: i32,
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
    /// Milliseconds for which the broker takes no more from this client.
    pub(crate) throttled_ms: i32,
}

pub(crate) struct ProducedPartition {
    pub(crate) index: i32,
    pub(crate) error_code: i16,
    pub(crate) first_offset: i64,
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
                "the answer to ApiVersions is the error {error_code}"
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
        choose("Produce", PRODUCE, (PRODUCE_VERSION, PRODUCE_VERSION))?;
        let login = choose(
            "SaslAuthenticate",
            SASL_AUTHENTICATE,
            SASL_AUTHENTICATE_VERSIONS,
        );
        Ok(Self {
            metadata: choose("Metadata", METADATA, METADATA_VERSIONS)?,
            init_producer_id: choose(
                "InitProducerId",
                INIT_PRODUCER_ID,
                INIT_PRODUCER_ID_VERSIONS,
            )?,
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
    request(METADATA, version, correlation, client_id, |bytes| {
        bytes.put_i32(i32::try_from(topics.len()).unwrap_or(i32::MAX));
        topics.for_each(|name| put_string(bytes, name));
        let creates_topics = true;
        bytes.put_u8(creates_topics.into());
        if version >= 8 {
            // Rights on the cluster and on topics are not asked for.
            bytes.put_u16(0);
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

/// `Produce` request, which is built in place.
pub(crate) struct ProduceRequest {
    bytes: Vec<u8>,
    topics: u32,
    topics_at: usize,
    partitions: u32,
    partitions_at: usize,
}

impl ProduceRequest {
    /// Begins a request in this buffer, which is empty.
    pub(crate) fn new(
        correlation: i32,
        client_id: &str,
        timeout_ms: i32,
        mut bytes: Vec<u8>,
    ) -> Self {
        put_header(&mut bytes, PRODUCE, PRODUCE_VERSION, correlation, client_id);
        // No transaction.
        bytes.put_i16(-1);
        // All in-sync replicas.
        bytes.put_i16(-1);
        bytes.put_i32(timeout_ms);
        let topics_at = bytes.len();
        bytes.put_u32(0);
        Self {
            bytes,
            topics: 0,
            topics_at,
            partitions: 0,
            partitions_at: 0,
        }
    }

    /// Begins a topic; partitions follow.
    pub(crate) fn topic(&mut self, name: &str) {
        self.end_topic();
        put_string(&mut self.bytes, name);
        self.partitions_at = self.bytes.len();
        self.bytes.put_u32(0);
        self.topics += 1;
    }

    /// Adds a partition of the topic, with the batch that `write` appends.
    pub(crate) fn partition(&mut self, index: i32, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.put_i32(index);
        let size_at = self.bytes.len();
        self.bytes.put_u32(0);
        write(&mut self.bytes);
        let size = self.bytes.len() - size_at - 4;
        patch(&mut self.bytes, size_at, size);
        self.partitions += 1;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_topic();
        patch(&mut self.bytes, self.topics_at, self.topics as usize);
        put_size(&mut self.bytes);
        self.bytes
    }

    fn end_topic(&mut self) {
        if self.topics > 0 {
            patch(
                &mut self.bytes,
                self.partitions_at,
                self.partitions as usize,
            );
            self.partitions = 0;
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
    let mut answer = Answer::new("Metadata", answer)?;
    let _throttled = answer.i32()?;
    let brokers = answer.array(12, |answer| {
        let broker = BrokerMetadata {
            id: answer.i32()?,
            host: answer.string()?,
            port: answer.i32()?,
        };
        let _rack = answer.nullable_string()?;
        Ok(broker)
    })?;
    let cluster_id = answer.nullable_string()?;
    let _controller = answer.i32()?;
    let topics = answer.array(9, |answer| {
        let (error_code, name) = (answer.i16()?, answer.string()?);
        let _is_internal = answer.i8()?;
        let partitions = answer.array(18, |answer| {
            let _error_code = answer.i16()?;
            let (index, leader) = (answer.i32()?, answer.i32()?);
            if versions.metadata >= 7 {
                let _leader_epoch = answer.i32()?;
            }
            let lists = if versions.metadata >= 5 { 3 } else { 2 };
            for _replicas in 0..lists {
                answer.array(4, Answer::i32)?;
            }
            Ok(PartitionMetadata { index, leader })
        })?;
        if versions.metadata >= 8 {
            let _rights = answer.i32()?;
        }
        Ok(TopicMetadata {
            error_code,
            name,
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

pub(crate) fn read_produce(answer: Bytes) -> Result<Produced, Malformed> {
    let mut answer = Answer::new("Produce", answer)?;
    let topics = answer.array(6, |answer| {
        let name = answer.string()?;
        let partitions = answer.array(36, |answer| {
            let partition = ProducedPartition {
                index: answer.i32()?,
                error_code: answer.i16()?,
                first_offset: answer.i64()?,
            };
            let (_append_time, _log_start) = (answer.i64()?, answer.i64()?);
            // The records that are to blame: they are found by halving.
            answer.array(6, |answer| {
                let _index = answer.i32()?;
                answer.nullable_string()
            })?;
            let _error_message = answer.nullable_string()?;
            Ok(partition)
        })?;
        Ok((name, partitions))
    })?;
    let throttled_ms = answer.i32()?;
    Ok(Produced {
        topics,
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

/// Reader of an answer without tagged fields.
struct Answer {
    to: &'static str,
    left: Bytes,
}

impl Answer {
    /// Skips the correlation id.
    fn new(to: &'static str, answer: Bytes) -> Result<Self, Malformed> {
        let mut answer = Self { to, left: answer };
        answer.i32()?;
        Ok(answer)
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
        let Ok(size) = usize::try_from(self.i16()?) else {
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
        let count = usize::try_from(self.i32()?).unwrap_or_default();
        if count > self.left.len() / least {
            return Err(self.malformed("claims more elements than it has bytes"));
        }
        (0..count).map(|_| read(self)).collect()
    }
}
