//! Where reading begins.

use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::super::contact::Contact;
use super::not_read;
use super::time::milliseconds;
use crate::failure::{Failure, FailureCode, FailureKind};

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event that is kept.
    Beginning,
    /// With what comes from this moment on.
    Now,
    /// With the first event of this time or later.
    At(SystemTime),
}

/// Where to begin. Positions are asked for here and not left to librdkafka, which would look
/// for them in the background and miss what is published in the meantime.
pub(super) fn positions(
    consumer: &BaseConsumer<Contact>,
    partitions: &[(String, Range<i32>)],
    start: Start,
    timeout: Duration,
) -> Result<TopicPartitionList, Failure> {
    let list = |offset: Offset| -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (topic, partitions) in partitions {
            for partition in partitions.clone() {
                list.add_partition_offset(topic, partition, offset)?;
            }
        }
        Ok(list)
    };
    if partitions.is_empty() || start == Start::Beginning {
        return list(Offset::Beginning).map_err(|error| not_read(&error));
    }
    // `End` in the place of a time asks for the end as a number. It is asked for first: what
    // comes between the two questions is read.
    let ends = offsets(consumer, &|| list(Offset::End), timeout)?;
    let Start::At(time) = start else {
        return Ok(ends);
    };
    let time = Offset::Offset(milliseconds(time));
    let mut positions = offsets(consumer, &|| list(time), timeout)?;
    for end in ends.elements() {
        let position = positions.find_partition(end.topic(), end.partition());
        // No event is as young as that.
        if position.is_none_or(|position| position.offset() == Offset::End) {
            positions
                .set_partition_offset(end.topic(), end.partition(), end.offset())
                .map_err(|error| not_read(&error))?;
        }
    }
    Ok(positions)
}

/// Offsets by time. A partition without a leader is asked for again: it may just have been
/// made.
fn offsets(
    consumer: &BaseConsumer<Contact>,
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
                format!("the cluster does not tell where to begin reading: {error}"),
            ));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
