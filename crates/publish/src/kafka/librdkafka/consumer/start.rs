//! Start positions of a topic reader.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::super::metadata_client::ErrorRecorder;
use super::not_read;
use super::record::to_millis;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Position at which reading starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartPosition {
    /// The oldest record.
    Beginning,
    /// The end: only records published from now on.
    Now,
    /// The first record of this time or later.
    At(SystemTime),
}

/// Returns the start offsets. They are requested here, because librdkafka would request them in the
/// background and miss records published in the meantime.
pub(super) fn offsets(
    consumer: &BaseConsumer<ErrorRecorder>,
    partitions: &[(String, Range<i32>)],
    start: StartPosition,
    timeout: Duration,
) -> Result<TopicPartitionList, Failure> {
    let list = |offset| list(partitions, offset);
    if partitions.is_empty() || start == StartPosition::Beginning {
        return list(Offset::Beginning).map_err(|error| not_read(&error));
    }
    // `End` in place of a time requests the end offset. It is requested first, so that records
    // published between the two requests are read.
    let ends = offsets_by_time(consumer, &|| list(Offset::End), timeout)?;
    let StartPosition::At(time) = start else {
        return Ok(ends);
    };
    let time = Offset::Offset(to_millis(time));
    let mut positions = offsets_by_time(consumer, &|| list(time), timeout)?;
    for end in ends.elements() {
        let position = positions.find_partition(end.topic(), end.partition());
        // No record is that recent.
        if position.is_none_or(|position| position.offset() == Offset::End) {
            positions
                .set_partition_offset(end.topic(), end.partition(), end.offset())
                .map_err(|error| not_read(&error))?;
        }
    }
    Ok(positions)
}

/// Returns a list of all partitions with one offset.
pub(super) fn list(
    partitions: &[(String, Range<i32>)],
    offset: Offset,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in partitions {
        for partition in partitions.clone() {
            list.add_partition_offset(topic, partition, offset)?;
        }
    }
    Ok(list)
}

/// Replaces positions by those that the consumer group has committed.
pub(super) fn set_committed(
    consumer: &BaseConsumer<ErrorRecorder>,
    positions: &mut TopicPartitionList,
    timeout: Duration,
) -> Result<(), Failure> {
    if positions.count() == 0 {
        return Ok(());
    }
    let committed = consumer
        .committed_offsets(positions.clone(), timeout)
        .map_err(|error| {
            Failure::new(
                FailureKind::Retriable,
                FailureCode::PositionsUnknown,
                format!("the cluster does not return the committed offsets of the group: {error}"),
            )
        })?;
    for one in committed.elements() {
        if let offset @ Offset::Offset(_) = one.offset() {
            positions
                .set_partition_offset(one.topic(), one.partition(), offset)
                .map_err(|error| not_read(&error))?;
        }
    }
    Ok(())
}

/// Returns the positions that are numbers.
pub(super) fn known(positions: &TopicPartitionList) -> HashMap<(String, i32), i64> {
    let elements = positions.elements();
    let numbers = elements.iter().filter_map(|one| match one.offset() {
        Offset::Offset(offset) => Some(((one.topic().to_owned(), one.partition()), offset)),
        _ => None,
    });
    numbers.collect()
}

/// Requests offsets by time. It repeats the request for a partition without a leader, which may
/// have just been created.
pub(super) fn offsets_by_time(
    consumer: &BaseConsumer<ErrorRecorder>,
    times: &dyn Fn() -> KafkaResult<TopicPartitionList>,
    timeout: Duration,
) -> Result<TopicPartitionList, Failure> {
    let started = Instant::now();
    loop {
        let left = timeout.saturating_sub(started.elapsed());
        let answer = times().and_then(|times| consumer.offsets_for_times(times, left));
        let error = match answer {
            Ok(offsets) => match offsets.elements().iter().find_map(|e| e.error().err()) {
                None => return Ok(offsets),
                Some(error) => error,
            },
            Err(error) => error,
        };
        if started.elapsed() >= timeout {
            return Err(Failure::new(
                FailureKind::Retriable,
                FailureCode::PositionsUnknown,
                format!("the cluster does not return the offsets to start reading from: {error}"),
            ));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
