//! Ends of partitions.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::super::metadata_client::ErrorRecorder;
use super::record::to_millis;
use super::start::{list, offsets_by_time};
use crate::failure::Failure;

/// Offsets between which a partition has records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionEnd {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset of the oldest record.
    pub first: i64,
    /// Offset behind the last record.
    pub end: i64,
}

/// Requests the ends of partitions, or those of the records before `until`.
pub(super) fn of_partitions(
    consumer: &BaseConsumer<ErrorRecorder>,
    partitions: &[(String, Range<i32>)],
    until: Option<SystemTime>,
    timeout: Duration,
) -> Result<Vec<PartitionEnd>, Failure> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let request = |offset| {
        let times = || -> KafkaResult<TopicPartitionList> { list(partitions, offset) };
        offsets_by_time(consumer, &times, timeout)
    };
    let ends = request(Offset::End)?;
    // `Beginning` in place of a time requests the offset of the oldest record.
    let firsts = request(Offset::Beginning)?;
    let limits = until
        .map(|time| request(Offset::Offset(to_millis(time))))
        .transpose()?;
    let number = |offsets: &TopicPartitionList, topic: &str, partition| match offsets
        .find_partition(topic, partition)?
        .offset()
    {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    let known = ends.elements().into_iter().map(|one| {
        let (topic, partition) = (one.topic(), one.partition());
        let end = number(&ends, topic, partition).unwrap_or_default();
        let limit = limits.as_ref();
        PartitionEnd {
            topic: topic.to_owned(),
            partition,
            first: number(&firsts, topic, partition).unwrap_or_default(),
            end: limit
                .and_then(|limits| number(limits, topic, partition))
                .unwrap_or(end),
        }
    });
    Ok(known.collect())
}
