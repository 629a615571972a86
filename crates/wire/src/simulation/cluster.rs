//! Cluster of the simulation: brokers that answer as Kafka's do, and refuse or lose at random.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, DescribeConfigsRequest, DescribeConfigsResponse,
    InitProducerIdResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
    ProducerId, RequestHeader, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kafka_protocol::records::RecordBatchDecoder;

use super::{BAD, Random, TOPIC};
use crate::engine::Node;

pub(super) const BROKERS: usize = 3;

/// Time after which a client has to log in again.
const SESSION: Duration = Duration::from_secs(3);

/// Error codes with which a batch may be answered although nothing is wrong with it.
const PASSING: [i16; 4] = [5, 6, 19, 56];

/// Error codes of the same kind, after the batch was written.
const PASSING_AFTER_WRITE: [i16; 2] = [7, 20];

/// Log of a partition, which all its replicas have.
#[derive(Default)]
pub(super) struct Log {
    pub(super) leader: i32,
    pub(super) records: Vec<Vec<u8>>,
    /// The last batches of each producer id: first sequence, number of records, first offset.
    producers: HashMap<i64, VecDeque<(i32, i32, i64)>>,
}

impl Log {
    /// Appends a batch as Kafka does; returns an error code and the first offset.
    fn append(&mut self, batch: &mut Bytes, random: &mut Random, faults: bool) -> (i16, i64) {
        if faults && random.one_in(12) {
            return (random.choose(&PASSING), -1);
        }
        let set = RecordBatchDecoder::decode(batch).expect("a batch");
        let first = &set.records[0];
        let count = i32::try_from(set.records.len()).unwrap();
        let is_bad = |value: &Option<Bytes>| value.as_ref().is_some_and(|value| value[0] == BAD);
        if set.records.iter().any(|record| is_bad(&record.value)) {
            return (87, -1);
        }
        let batches = self.producers.entry(first.producer_id).or_default();
        if let Some(known) = batches
            .iter()
            .find(|(sequence, length, _)| (*sequence, *length) == (first.sequence, count))
        {
            return (0, known.2);
        }
        if let Some((sequence, length, _)) = batches.back()
            && first.sequence != sequence + length
        {
            return (45, -1);
        }
        let offset = i64::try_from(self.records.len()).unwrap();
        batches.push_back((first.sequence, count, offset));
        if batches.len() > 5 {
            batches.pop_front();
        }
        let values = set
            .records
            .into_iter()
            .map(|record| record.value.unwrap().to_vec());
        self.records.extend(values);
        if faults && random.one_in(12) {
            return (random.choose(&PASSING_AFTER_WRITE), -1);
        }
        (0, offset)
    }
}

/// Session of a connection.
#[derive(Default)]
pub(super) struct Session {
    /// `None` before the login.
    end: Option<Instant>,
}

/// Cluster of three brokers that share their logs.
pub(super) struct Cluster {
    pub(super) logs: Vec<Log>,
    /// Ports of the brokers.
    pub(super) ports: [u16; BROKERS],
    next_producer: i64,
    /// Number of logins.
    pub(super) logins: usize,
    /// Limits that it tells; `None`: of some topics, and often others.
    pub(super) limit: Option<&'static str>,
    /// Time for which a client has to wait after a batch.
    pub(super) throttling: Duration,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let log = |leader| Log {
            leader,
            ..Log::default()
        };
        Self {
            logs: (0..3).map(log).collect(),
            ports: [9_092, 9_093, 9_094],
            next_producer: 0,
            logins: 0,
            limit: None,
            throttling: Duration::ZERO,
        }
    }

    /// Returns the answer of a broker to a request, behind its size. `None` if it closes the connection
    /// instead, because there is no session.
    pub(super) fn answer(
        &mut self,
        node: Node,
        session: &mut Session,
        mut request: Bytes,
        random: &mut Random,
        now: Instant,
        faults: bool,
    ) -> Option<Bytes> {
        let has_session = session.end.is_some_and(|end| now < end);
        let key = i16::from_be_bytes([request[0], request[1]]);
        let version = i16::from_be_bytes([request[2], request[3]]);
        let key = ApiKey::try_from(key).expect("a known request");
        let header = RequestHeader::decode(&mut request, key.request_header_version(version));
        let correlation = header.expect("a header").correlation_id;
        let mut answer = BytesMut::new();
        answer.put_i32(correlation);
        if key.response_header_version(version) > 0 {
            answer.put_u8(0);
        }
        let written = match key {
            ApiKey::ApiVersions => api_versions().encode(&mut answer, version),
            ApiKey::SaslHandshake => SaslHandshakeResponse::default().encode(&mut answer, version),
            ApiKey::SaslAuthenticate => {
                let request = SaslAuthenticateRequest::decode(&mut request, version);
                assert_eq!(
                    &request.expect("a login").auth_bytes[..],
                    b"\0alice\0secret"
                );
                session.end = Some(now + SESSION);
                self.logins += 1;
                SaslAuthenticateResponse::default()
                    .with_session_lifetime_ms(SESSION.as_millis().try_into().unwrap())
                    .encode(&mut answer, version)
            }
            _ if !has_session => return None,
            ApiKey::Metadata => {
                let request = MetadataRequest::decode(&mut request, version).expect("metadata");
                let asks = request.topics.is_some_and(|topics| !topics.is_empty());
                self.metadata(asks).encode(&mut answer, version)
            }
            ApiKey::DescribeConfigs => {
                let request = DescribeConfigsRequest::decode(&mut request, version);
                self.limits(request.expect("topics"), random)
                    .encode(&mut answer, version)
            }
            ApiKey::InitProducerId => {
                self.next_producer += 1;
                InitProducerIdResponse::default()
                    .with_producer_id(ProducerId(self.next_producer))
                    .encode(&mut answer, version)
            }
            _ => {
                let request = ProduceRequest::decode(&mut request, version).expect("produce");
                self.produce(node, request, random, faults)
                    .encode(&mut answer, version)
            }
        };
        written.expect("an answer");
        Some(answer.freeze())
    }

    fn metadata(&self, asks: bool) -> MetadataResponse {
        let brokers = (0..).zip(self.ports).map(|(id, port)| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(id))
                .with_host(StrBytes::from_static_str("127.0.0.1"))
                .with_port(port.into())
        });
        let partitions = (0i32..).zip(&self.logs).map(|(index, log)| {
            MetadataResponsePartition::default()
                .with_partition_index(index)
                .with_leader_id(BrokerId(log.leader))
        });
        let topic = MetadataResponseTopic::default()
            .with_name(Some(StrBytes::from_static_str(TOPIC).into()))
            .with_partitions(partitions.collect());
        MetadataResponse::default()
            .with_brokers(brokers.collect())
            .with_topics(asks.then_some(topic).into_iter().collect())
    }

    fn produce(
        &mut self,
        node: Node,
        request: ProduceRequest,
        random: &mut Random,
        faults: bool,
    ) -> ProduceResponse {
        let mut responses = Vec::new();
        for topic in request.topic_data {
            let partitions = topic.partition_data.into_iter().map(|partition| {
                let log = &mut self.logs[usize::try_from(partition.index).unwrap()];
                let (code, offset) = if log.leader == node {
                    log.append(&mut partition.records.unwrap(), random, faults)
                } else {
                    (6, -1)
                };
                PartitionProduceResponse::default()
                    .with_index(partition.index)
                    .with_error_code(code)
                    .with_base_offset(offset)
            });
            let partitions = partitions.collect();
            responses.push(
                TopicProduceResponse::default()
                    .with_name(topic.name)
                    .with_partition_responses(partitions),
            );
        }
        ProduceResponse::default()
            .with_responses(responses)
            .with_throttle_time_ms(self.throttling.as_millis().try_into().unwrap())
    }

    fn limits(
        &self,
        request: DescribeConfigsRequest,
        random: &mut Random,
    ) -> DescribeConfigsResponse {
        let results = request.resources.into_iter().map(|resource| {
            let limit = self.limit;
            let limit = limit.unwrap_or_else(|| random.choose(&["1100", "1115", "1048588"]));
            let config = DescribeConfigsResourceResult::default()
                .with_name(StrBytes::from_static_str("max.message.bytes"))
                .with_value(Some(StrBytes::from_static_str(limit)));
            let is_told = self.limit.is_some() || !random.one_in(3);
            DescribeConfigsResult::default()
                .with_error_code(if is_told { 0 } else { 29 })
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name)
                .with_configs(is_told.then_some(config).into_iter().collect())
        });
        DescribeConfigsResponse::default().with_results(results.collect())
    }
}

fn api_versions() -> ApiVersionsResponse {
    let keys = [
        ApiKey::Produce,
        ApiKey::Metadata,
        ApiKey::InitProducerId,
        ApiKey::DescribeConfigs,
        ApiKey::SaslHandshake,
        ApiKey::SaslAuthenticate,
    ];
    let keys = keys.map(|key| {
        ApiVersion::default()
            .with_api_key(key as i16)
            .with_min_version(key.valid_versions().min)
            .with_max_version(key.valid_versions().max)
    });
    ApiVersionsResponse::default().with_api_keys(keys.to_vec())
}

/// Changes bytes behind the correlation id, cuts the end off, or adds to it.
pub(super) fn damaged(answer: &Bytes, random: &mut Random) -> Bytes {
    const TELLING: [u8; 5] = [0, 1, 0x7f, 0x80, 0xff];
    let mut bytes = answer.to_vec();
    for _ in 0..=random.next(4) {
        if bytes.len() > 4 {
            let at = 4 + random.next(bytes.len() - 4);
            for byte in bytes.iter_mut().skip(at).take(1 + random.next(4)) {
                *byte = random.choose(&TELLING);
            }
        }
    }
    if random.one_in(4) {
        bytes.truncate(random.next(bytes.len() + 1));
    }
    if random.one_in(8) {
        bytes.extend(std::iter::repeat_n(0xff, random.next(20)));
    }
    bytes.into()
}
