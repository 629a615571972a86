//! Requests and answers in each version, against those of the crate `kafka-protocol`.

use bytes::BytesMut;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    TopicProduceResponse,
};
use kafka_protocol::messages::{
    ApiKey, BrokerId, MetadataRequest, MetadataResponse, ProduceResponse, RequestHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn versions(produce: i16, metadata: i16) -> Versions {
    Versions {
        produce,
        metadata,
        init_producer_id: 1,
        sasl_authenticate: Some(1),
        describes_configs: true,
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Reads the header of a request, and returns the rest.
fn body(request: Vec<u8>, key: ApiKey, version: i16) -> Bytes {
    let mut request = Bytes::from(request);
    assert_eq!(request.get_u32() as usize, request.len());
    let header = RequestHeader::decode(&mut request, key.request_header_version(version));
    let header = header.expect("a header");
    assert_eq!(
        (header.request_api_key, header.request_api_version),
        (key as i16, version)
    );
    assert_eq!(
        (header.correlation_id, header.client_id),
        (7, Some(text("c")))
    );
    request
}

fn answer(key: ApiKey, version: i16, body: &impl Encodable) -> Bytes {
    let mut answer = BytesMut::new();
    answer.put_i32(7);
    if key.response_header_version(version) > 0 {
        // A tagged field that nobody knows.
        answer.put_slice(&[1, 9, 2, 0, 0]);
    }
    body.encode(&mut answer, version).expect("an answer");
    answer.freeze()
}

fn all(versions: (i16, i16)) -> std::ops::RangeInclusive<i16> {
    versions.0..=versions.1
}

/// Batches of lengths on both sides of those that take one more byte, and as many partitions and
/// topics.
#[test]
fn produce_requests_of_all_versions() {
    const BATCHES: &[usize] = &[
        0, 1, 126, 127, 128, 16_382, 16_383, 16_384, 2_097_150, 2_097_151,
    ];
    let written: Vec<(String, Vec<usize>)> = vec![
        ("orders".to_owned(), BATCHES.to_vec()),
        ("many".to_owned(), vec![3; 200]),
        ("n".repeat(200), vec![5]),
    ];
    let more = (0..130).map(|number| (format!("topic-{number}"), vec![1]));
    let written: Vec<_> = written.into_iter().chain(more).collect();
    for version in all(PRODUCE_VERSIONS) {
        for expected in [0, 200, 20_000, 3_000_000] {
            let mut request =
                ProduceRequest::new(versions(version, 12), 7, "c", 30_000, Vec::new());
            for (name, batches) in &written {
                request.topic(name);
                for (index, length) in (0..).zip(batches) {
                    request.partition(index, expected, |out| {
                        out.resize(out.len() + length, 0xab);
                    });
                }
            }
            let mut body = body(request.finish(), ApiKey::Produce, version);
            let read = kafka_protocol::messages::ProduceRequest::decode(&mut body, version);
            let read = read.expect("a request");
            assert!(body.is_empty());
            assert_eq!((read.acks, read.timeout_ms), (-1, 30_000));
            assert_eq!(read.transactional_id, None);
            assert_eq!(read.topic_data.len(), written.len());
            for (topic, (name, batches)) in read.topic_data.iter().zip(&written) {
                assert_eq!(topic.name.as_str(), name);
                let lengths = topic.partition_data.iter().map(|partition| {
                    let records = partition.records.as_ref().expect("records");
                    assert!(records.iter().all(|byte| *byte == 0xab));
                    records.len()
                });
                assert!(lengths.eq(batches.iter().copied()), "version {version}");
                let indexes = topic.partition_data.iter().map(|partition| partition.index);
                assert!(indexes.eq(0..i32::try_from(batches.len()).unwrap()));
            }
        }
    }
}

#[test]
fn answers_to_produce_of_all_versions() {
    for version in all(PRODUCE_VERSIONS) {
        let mut refused = PartitionProduceResponse::default()
            .with_index(3)
            .with_error_code(6)
            .with_base_offset(-1);
        let mut response = ProduceResponse::default().with_throttle_time_ms(80);
        if version >= 8 {
            let record = BatchIndexAndErrorMessage::default()
                .with_batch_index(2)
                .with_batch_index_error_message(Some(text("no")));
            refused = refused
                .with_record_errors(vec![record.clone(), record])
                .with_error_message(Some(text("refused")));
        }
        if version >= 10 {
            let leader = LeaderIdAndEpoch::default()
                .with_leader_id(BrokerId(2))
                .with_leader_epoch(41);
            refused = refused.with_current_leader(leader);
            let endpoint = NodeEndpoint::default()
                .with_node_id(BrokerId(2))
                .with_host(text("broker-2"))
                .with_port(9_093);
            response = response.with_node_endpoints(vec![endpoint]);
        }
        if version >= 9 {
            // Nobody knows them.
            refused.unknown_tagged_fields.insert(5, Bytes::from("five"));
            response.unknown_tagged_fields.insert(9, Bytes::new());
        }
        let written = PartitionProduceResponse::default()
            .with_index(1)
            .with_base_offset(1 << 40);
        let topic = TopicProduceResponse::default()
            .with_name(text("orders").into())
            .with_partition_responses(vec![written, refused]);
        let response = response.with_responses(vec![topic]);
        let answer = answer(ApiKey::Produce, version, &response);
        let read = read_produce(versions(version, 12), answer.clone()).expect("an answer");
        assert_eq!(read.throttled_ms, 80);
        let [(name, partitions)] = &read.topics[..] else {
            panic!("one topic")
        };
        let partitions: Vec<_> = partitions
            .iter()
            .map(|it| (it.index, it.error_code, it.first_offset, it.leader))
            .collect();
        let leader = (version >= 10).then_some(Leader { id: 2, epoch: 41 });
        assert_eq!(name, "orders");
        assert_eq!(partitions, [(1, 0, 1 << 40, None), (3, 6, -1, leader)]);
        let leaders: Vec<_> = read
            .leaders
            .iter()
            .map(|it| (it.id, &*it.host, it.port))
            .collect();
        let named = [(2, "broker-2", 9_093)];
        assert_eq!(leaders, &named[..usize::from(version >= 10)]);
        for end in 0..answer.len() {
            assert!(read_produce(versions(version, 12), answer.slice(..end)).is_err());
        }
    }
}

#[test]
fn metadata_of_all_versions() {
    for version in all(METADATA_VERSIONS) {
        let topics = ["orders", "payments"];
        let request = metadata(versions(8, version), 7, "c", topics.into_iter());
        let mut body = body(request, ApiKey::Metadata, version);
        let read = MetadataRequest::decode(&mut body, version).expect("a request");
        assert!(body.is_empty());
        let names = read.topics.iter().flatten();
        let names = names.map(|topic| topic.name.clone().expect("a name"));
        assert!(names.eq(topics.map(text)));
        assert!(read.allow_auto_topic_creation);
        assert!(!read.include_topic_authorized_operations);

        let (epoch, id) = (12, 0xfeed_beef);
        let mut partition = MetadataResponsePartition::default()
            .with_partition_index(1)
            .with_leader_id(BrokerId(2))
            .with_replica_nodes(vec![BrokerId(2), BrokerId(3)])
            .with_isr_nodes(vec![BrokerId(2)]);
        if version >= 7 {
            partition = partition.with_leader_epoch(epoch);
        }
        let mut topic = MetadataResponseTopic::default()
            .with_name(Some(text("orders").into()))
            .with_partitions(vec![partition.clone(), partition]);
        if version >= 10 {
            topic = topic.with_topic_id(Uuid::from_u128(id));
        }
        let broker = MetadataResponseBroker::default()
            .with_node_id(BrokerId(2))
            .with_host(text("broker-2"))
            .with_port(9_093)
            .with_rack(Some(text("b")));
        let response = MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_cluster_id(Some(text("cluster")))
            .with_topics(vec![topic]);
        let answer = answer(ApiKey::Metadata, version, &response);
        let read = read_metadata(versions(8, version), answer.clone()).expect("an answer");
        assert_eq!(read.cluster_id.as_deref(), Some("cluster"));
        let [broker] = &read.brokers[..] else {
            panic!("one broker")
        };
        assert_eq!(
            (broker.id, &*broker.host, broker.port),
            (2, "broker-2", 9_093)
        );
        let [topic] = &read.topics[..] else {
            panic!("one topic")
        };
        assert_eq!((topic.error_code, &*topic.name), (0, "orders"));
        assert_eq!(topic.id, (version >= 10).then_some(id));
        let epoch = if version >= 9 { epoch } else { -1 };
        assert_eq!(topic.partitions.len(), 2);
        assert_eq!(topic.partitions[0].index, 1);
        assert_eq!(topic.partitions[0].leader, Leader { id: 2, epoch });
    }
}

/// Returns the versions that are chosen of these: the number of a request, the lowest version and the
/// highest.
fn choose(offered: &[(i16, i16, i16)]) -> Result<Versions, Malformed> {
    let mut answer = BytesMut::new();
    answer.put_i32(7);
    answer.put_i16(0);
    answer.put_i32(i32::try_from(offered.len()).unwrap());
    for (key, lowest, highest) in offered {
        answer.put_i16(*key);
        answer.put_i16(*lowest);
        answer.put_i16(*highest);
    }
    Versions::read(answer.freeze())
}

#[test]
fn chooses_versions_of_kafka() {
    let chosen = |produce, metadata| {
        choose(&[
            produce,
            metadata,
            (INIT_PRODUCER_ID, 0, 6),
            (SASL_HANDSHAKE, 0, 1),
            (SASL_AUTHENTICATE, 0, 2),
            (DESCRIBE_CONFIGS, 1, 4),
        ])
        .map(|versions| (versions.produce, versions.metadata))
    };
    // 4.1, 3.7, 2.8, 2.1.
    assert_eq!(chosen((PRODUCE, 0, 13), (METADATA, 0, 13)), Ok((12, 12)));
    assert_eq!(chosen((PRODUCE, 0, 10), (METADATA, 0, 12)), Ok((10, 12)));
    assert_eq!(chosen((PRODUCE, 0, 9), (METADATA, 0, 11)), Ok((9, 11)));
    assert_eq!(chosen((PRODUCE, 0, 7), (METADATA, 0, 7)), Ok((7, 7)));
    // 2.0, and one that will be.
    assert_eq!(
        chosen((PRODUCE, 0, 6), (METADATA, 0, 6)),
        Err("the broker knows Produce in the versions 0 to 6, this client 7 to 12".to_owned())
    );
    assert_eq!(
        chosen((PRODUCE, 13, 15), (METADATA, 12, 14)),
        Err("the broker knows Produce in the versions 13 to 15, this client 7 to 12".to_owned())
    );
}

/// Redpanda has fewer versions than Kafka: `Produce` up to 7, and `Metadata` up to 7 before 24.3, 8
/// before 25.2. With `enable_idempotence` off it has no producer ids.
#[test]
fn chooses_versions_of_redpanda() {
    let redpanda = |metadata| {
        vec![
            (PRODUCE, 0, 7),
            (METADATA, 0, metadata),
            (SASL_HANDSHAKE, 0, 1),
            (SASL_AUTHENTICATE, 0, 1),
            (DESCRIBE_CONFIGS, 0, 2),
            (INIT_PRODUCER_ID, 0, 1),
        ]
    };
    for metadata in [7, 8, 12] {
        let versions = choose(&redpanda(metadata)).expect("versions");
        assert_eq!((versions.produce, versions.metadata), (7, metadata));
        assert_eq!(versions.init_producer_id, 1);
        assert_eq!(versions.sasl_authenticate, Some(1));
        assert!(versions.describes_configs);
    }
    let mut without_ids = redpanda(12);
    without_ids.pop();
    assert_eq!(
        choose(&without_ids).expect_err("no producer ids"),
        "the broker has no request InitProducerId; Herald's producers are idempotent"
    );
}

proptest! {
    /// An answer or an error, in each version.
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..300)) {
        let bytes = Bytes::from(bytes);
        for version in all(PRODUCE_VERSIONS) {
            let _ = read_produce(versions(version, 12), bytes.clone());
        }
        for version in all(METADATA_VERSIONS) {
            let _ = read_metadata(versions(8, version), bytes.clone());
        }
        let _ = Versions::read(bytes);
    }
}
