//! Requests and answers. Shapes and versions: the [protocol
//! guide](https://kafka.apache.org/protocol.html).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, InitProducerIdRequest, InitProducerIdResponse,
    MetadataRequest, MetadataResponse, ProduceResponse, RequestHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

/// Version of `Produce`: the first whose answers name the records that a broker rejects (Kafka 2.4).
pub(crate) const PRODUCE_VERSION: i16 = 8;
/// Every broker knows it, and its answer has no other shape in later versions.
const API_VERSIONS_VERSION: i16 = 0;
/// Highest known versions of the other requests; the broker's limits count too.
const METADATA_VERSIONS: (i16, i16) = (4, 12);
const INIT_PRODUCER_ID_VERSIONS: (i16, i16) = (0, 4);

/// Largest answer that is read. Metadata of 100,000 partitions takes less than 10 MB.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Versions of requests that a broker and this client both know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions {
    metadata: i16,
    init_producer_id: i16,
}

/// Reason why an answer does not follow the protocol.
pub(crate) type Malformed = String;

impl Versions {
    /// Chooses versions from the answer of a broker.
    pub(crate) fn of(answer: &ApiVersionsResponse) -> Result<Self, Malformed> {
        let choose = |key: ApiKey, (lowest, highest): (i16, i16)| {
            let offered = answer
                .api_keys
                .iter()
                .find(|offered| offered.api_key == key as i16);
            let offered = offered.ok_or_else(|| format!("the broker has no request {key:?}"))?;
            let version = highest.min(offered.max_version);
            if version < lowest.max(offered.min_version) {
                return Err(format!(
                    "the broker knows {key:?} in the versions {} to {}, this client {lowest} to {highest}",
                    offered.min_version, offered.max_version
                ));
            }
            Ok(version)
        };
        choose(ApiKey::Produce, (PRODUCE_VERSION, PRODUCE_VERSION))?;
        Ok(Self {
            metadata: choose(ApiKey::Metadata, METADATA_VERSIONS)?,
            init_producer_id: choose(ApiKey::InitProducerId, INIT_PRODUCER_ID_VERSIONS)?,
        })
    }
}

pub(crate) fn api_versions(correlation: i32, client_id: &str) -> Vec<u8> {
    let request = ApiVersionsRequest::default();
    encode(
        ApiKey::ApiVersions,
        API_VERSIONS_VERSION,
        correlation,
        client_id,
        &request,
    )
}

pub(crate) fn read_api_versions(answer: Bytes) -> Result<ApiVersionsResponse, Malformed> {
    decode(ApiKey::ApiVersions, API_VERSIONS_VERSION, answer)
}

pub(crate) fn metadata<'a>(
    versions: Versions,
    correlation: i32,
    client_id: &str,
    topics: impl Iterator<Item = &'a str>,
    creates_topics: bool,
) -> Vec<u8> {
    let topics = topics.map(|name| {
        let name = StrBytes::from_string(name.to_owned());
        MetadataRequestTopic::default().with_name(Some(TopicName(name)))
    });
    let request = MetadataRequest::default()
        .with_topics(Some(topics.collect()))
        .with_allow_auto_topic_creation(creates_topics);
    encode(
        ApiKey::Metadata,
        versions.metadata,
        correlation,
        client_id,
        &request,
    )
}

pub(crate) fn read_metadata(
    versions: Versions,
    answer: Bytes,
) -> Result<MetadataResponse, Malformed> {
    decode(ApiKey::Metadata, versions.metadata, answer)
}

pub(crate) fn init_producer_id(versions: Versions, correlation: i32, client_id: &str) -> Vec<u8> {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(i32::MAX);
    let version = versions.init_producer_id;
    encode(
        ApiKey::InitProducerId,
        version,
        correlation,
        client_id,
        &request,
    )
}

pub(crate) fn read_init_producer_id(
    versions: Versions,
    answer: Bytes,
) -> Result<InitProducerIdResponse, Malformed> {
    decode(ApiKey::InitProducerId, versions.init_producer_id, answer)
}

pub(crate) fn read_produce(answer: Bytes) -> Result<ProduceResponse, Malformed> {
    decode(ApiKey::Produce, PRODUCE_VERSION, answer)
}

/// Returns the correlation id of an answer.
pub(crate) fn correlation(answer: &[u8]) -> Option<i32> {
    let id = answer.first_chunk()?;
    Some(i32::from_be_bytes(*id))
}

/// `Produce` request: written by hand, because it is the only one whose size matters.
pub(crate) struct ProduceRequest {
    bytes: Vec<u8>,
    topics: u32,
    topics_at: usize,
    partitions: u32,
    partitions_at: usize,
}

impl ProduceRequest {
    pub(crate) fn new(correlation: i32, client_id: &str, timeout_ms: i32, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.put_i32(0);
        bytes.put_i16(ApiKey::Produce as i16);
        bytes.put_i16(PRODUCE_VERSION);
        bytes.put_i32(correlation);
        put_string(&mut bytes, client_id);
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
        self.patch(size_at, size);
        self.partitions += 1;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_topic();
        self.patch(self.topics_at, self.topics as usize);
        self.patch(0, self.bytes.len() - 4);
        self.bytes
    }

    fn end_topic(&mut self) {
        if self.topics > 0 {
            self.patch(self.partitions_at, self.partitions as usize);
            self.partitions = 0;
        }
    }

    fn patch(&mut self, at: usize, value: usize) {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        self.bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
}

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    // Names of topics and clients are far shorter.
    bytes.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
    bytes.put_slice(text.as_bytes());
}

fn encode(
    key: ApiKey,
    version: i16,
    correlation: i32,
    client_id: &str,
    request: &impl Encodable,
) -> Vec<u8> {
    let header = RequestHeader::default()
        .with_request_api_key(key as i16)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_string(client_id.to_owned())));
    let mut bytes = BytesMut::new();
    bytes.put_u32(0);
    let written = header
        .encode(&mut bytes, key.request_header_version(version))
        .and_then(|()| request.encode(&mut bytes, version));
    debug_assert!(written.is_ok(), "{key:?}: {written:?}");
    let size = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&size.to_be_bytes());
    bytes.to_vec()
}

fn decode<T: Decodable>(key: ApiKey, version: i16, answer: Bytes) -> Result<T, Malformed> {
    let mut answer = answer;
    let malformed = |error: &dyn std::fmt::Display| format!("the answer to {key:?}: {error}");
    if answer.len() < 4 {
        return Err(malformed(&"it ends in its header"));
    }
    // The correlation id; a flexible header has tagged fields behind it.
    answer.advance(4);
    if key.response_header_version(version) > 0 && !skip_tagged_fields(&mut answer) {
        return Err(malformed(&"it ends in its header"));
    }
    T::decode(&mut answer, version).map_err(|error| malformed(&error))
}

/// Skips the tagged fields of a header: nobody has defined any. False if there is no end of them.
fn skip_tagged_fields(bytes: &mut Bytes) -> bool {
    match bytes.first() {
        Some(0) => {
            bytes.advance(1);
            true
        }
        _ => false,
    }
}
