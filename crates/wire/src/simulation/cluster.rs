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
use kafka_protocol::messages::produce_response::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, DescribeConfigsRequest, DescribeConfigsResponse,
    InitProducerIdResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
    ProducerId, RequestHeader, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kafka_protocol::records::RecordBatchDecoder;
use uuid::Uuid;

use super::{BAD, Random, TOPIC};
use crate::engine::Node;
use crate::protocol::TopicId;

pub(super) const BROKERS: usize = 3;

/// Time after which a client has to log in again.
const SESSION: Duration = Duration::from_secs(3);

/// Error codes with which a batch may be answered although nothing is wrong with it.
const PASSING: [i16; 4] = [5, 6, 19, 56];

/// Error codes of the same kind, after the batch was written.
const PASSING_AFTER_WRITE: [i16; 2] = [7, 20];

/// Requests of a kind of broker, with the lowest and the highest version.
pub(super) type Requests = &'static [(ApiKey, i16, i16)];

pub(super) const KAFKA_4: Requests = &[
    (ApiKey::Produce, 0, 13),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::InitProducerId, 0, 6),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::SaslHandshake, 0, 1),
    (ApiKey::SaslAuthenticate, 0, 2),
];

/// The first with ids of topics.
pub(super) const KAFKA_2_8: Requests = &[
    (ApiKey::Produce, 0, 9),
    (ApiKey::Metadata, 0, 11),
    (ApiKey::InitProducerId, 0, 4),
    (ApiKey::DescribeConfigs, 0, 4),
    (ApiKey::SaslHandshake, 0, 1),
    (ApiKey::SaslAuthenticate, 0, 2),
];

/// Versions 22 to 24; from 25.2 on it has `Metadata` up to 12.
pub(super) const REDPANDA: Requests = &[
    (ApiKey::Produce, 0, 7),
    (ApiKey::Metadata, 0, 7),
    (ApiKey::InitProducerId, 0, 1),
    (ApiKey::DescribeConfigs, 0, 2),
    (ApiKey::SaslHandshake, 0, 1),
    (ApiKey::SaslAuthenticate, 0, 1),
];

/// Log of a partition, which all its replicas have.
#[derive(Default)]
pub(super) struct Log {
    /// Leaders by their epochs: the last one leads.
    pub(super) leaders: Vec<Node>,
    pub(super) records: Vec<Vec<u8>>,
    /// The last batches of each producer id: first sequence, number of records, first offset.
    producers: HashMap<i64, VecDeque<(i32, i32, i64)>>,
}

impl Log {
    fn new(leader: Node) -> Self {
        Self {
            leaders: vec![leader],
            ..Self::default()
        }
    }

    fn leader(&self) -> (Node, i32) {
        let epoch = self.leaders.len() - 1;
        (self.leaders[epoch], i32::try_from(epoch).unwrap())
    }

    /// Returns the leader with its epoch as a broker knows it that may be behind.
    fn told(&self, random: &mut Random, faults: bool) -> (Node, i32) {
        let (leader, epoch) = self.leader();
        if faults && epoch > 0 && random.one_in(3) {
            let older = random.next(self.leaders.len() - 1);
            return (self.leaders[older], i32::try_from(older).unwrap());
        }
        (leader, epoch)
    }

    pub(super) fn elect(&mut self, leader: Node) {
        if self.leader().0 != leader {
            self.leaders.push(leader);
        }
    }

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
    pub(super) requests: Requests,
    /// `None` while the topic is deleted.
    pub(super) topic: Option<TopicId>,
    topics: TopicId,
    pub(super) logs: Vec<Log>,
    /// Logs of topics of the same name that were deleted.
    pub(super) deleted: Vec<Log>,
    /// Ports of the brokers.
    pub(super) ports: [u16; BROKERS],
    next_producer: i64,
    /// Number of logins.
    pub(super) logins: usize,
    /// Number of answers to `Metadata`.
    pub(super) metadata_answers: usize,
    /// Whether metadata tells of the first leaders.
    pub(super) is_stale: bool,
    /// Set where each broker names the next one as the leader: the epoch that it told last.
    pub(super) chase: Option<i32>,
    /// Limits that it tells; `None`: of some topics, and often others.
    pub(super) limit: Option<&'static str>,
    /// Time for which a client has to wait after a batch.
    pub(super) throttling: Duration,
}

impl Cluster {
    pub(super) fn new() -> Self {
        Self {
            requests: KAFKA_4,
            topic: Some(1),
            topics: 1,
            logs: (0..3).map(Log::new).collect(),
            deleted: Vec::new(),
            ports: [9_092, 9_093, 9_094],
            next_producer: 0,
            logins: 0,
            metadata_answers: 0,
            is_stale: false,
            chase: None,
            limit: None,
            throttling: Duration::ZERO,
        }
    }

    pub(super) fn delete_topic(&mut self) {
        self.topic = None;
        self.deleted.append(&mut self.logs);
    }

    pub(super) fn create_topic(&mut self, leaders: &[Node]) {
        self.topics += 1;
        self.topic = Some(self.topics);
        self.logs = leaders.iter().copied().map(Log::new).collect();
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
            ApiKey::ApiVersions => api_versions(self.requests).encode(&mut answer, version),
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
                self.metadata_answers += 1;
                self.metadata(version, asks, random, faults)
                    .encode(&mut answer, version)
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
                self.produce(node, version, request, random, faults)
                    .encode(&mut answer, version)
            }
        };
        written.expect("an answer");
        Some(answer.freeze())
    }

    fn metadata(
        &self,
        version: i16,
        asks: bool,
        random: &mut Random,
        faults: bool,
    ) -> MetadataResponse {
        let brokers = (0..).zip(self.ports).map(|(id, port)| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(id))
                .with_host(StrBytes::from_static_str("127.0.0.1"))
                .with_port(port.into())
        });
        let partitions = (0i32..).zip(&self.logs).map(|(index, log)| {
            let (leader, epoch) = if self.is_stale {
                (log.leaders[0], 0)
            } else {
                log.told(random, faults)
            };
            MetadataResponsePartition::default()
                .with_partition_index(index)
                .with_leader_id(BrokerId(leader))
                .with_leader_epoch(if version >= 7 { epoch } else { -1 })
        });
        let mut topic = MetadataResponseTopic::default()
            .with_error_code(if self.topic.is_some() { 0 } else { 3 })
            .with_name(Some(StrBytes::from_static_str(TOPIC).into()))
            .with_partitions(partitions.collect());
        if version >= 10 {
            topic = topic.with_topic_id(Uuid::from_u128(self.topic.unwrap_or_default()));
        }
        MetadataResponse::default()
            .with_brokers(brokers.collect())
            .with_topics(asks.then_some(topic).into_iter().collect())
    }

    fn produce(
        &mut self,
        node: Node,
        version: i16,
        request: ProduceRequest,
        random: &mut Random,
        faults: bool,
    ) -> ProduceResponse {
        let (mut responses, mut endpoints) = (Vec::new(), Vec::new());
        for topic in request.topic_data {
            let partitions = topic.partition_data.into_iter().map(|partition| {
                let response = PartitionProduceResponse::default().with_index(partition.index);
                let log = self.logs.get_mut(usize::try_from(partition.index).unwrap());
                let Some(log) = log else {
                    return response.with_error_code(3).with_base_offset(-1);
                };
                let (code, offset) = if log.leader().0 == node && self.chase.is_none() {
                    log.append(&mut partition.records.unwrap(), random, faults)
                } else {
                    (6, -1)
                };
                let response = response.with_error_code(code).with_base_offset(offset);
                if version < 10 || code != 6 {
                    return response;
                }
                let (mut leader, mut epoch) = log.told(random, faults);
                if let Some(last) = &mut self.chase {
                    *last += 1;
                    (leader, epoch) = ((node + 1) % 3, *last);
                }
                let port = self.ports[usize::try_from(leader).unwrap()];
                let endpoint = NodeEndpoint::default()
                    .with_node_id(BrokerId(leader))
                    .with_host(StrBytes::from_static_str("127.0.0.1"))
                    .with_port(port.into());
                endpoints.push(endpoint);
                let leader = LeaderIdAndEpoch::default()
                    .with_leader_id(BrokerId(leader))
                    .with_leader_epoch(epoch);
                response.with_current_leader(leader)
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
            .with_node_endpoints(endpoints)
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

pub(super) fn api_versions(requests: Requests) -> ApiVersionsResponse {
    let keys = requests.iter().map(|(key, lowest, highest)| {
        ApiVersion::default()
            .with_api_key(*key as i16)
            .with_min_version(*lowest)
            .with_max_version(*highest)
    });
    ApiVersionsResponse::default().with_api_keys(keys.collect())
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
