//! Accumulator: records that wait to be sent, in the open batches of their partitions.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use herald_envelope::key;

use crate::buffers::Buffers;
use crate::producer::Refused;
use crate::record_batch::{Identity, Record, Records};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records of one partition that are written together.
pub(crate) struct Batch<D> {
    pub(crate) records: Records,
    /// One for each record; empty once they were reported as expired.
    pub(crate) deliveries: Vec<D>,
    /// Time of the first record.
    pub(crate) since: Instant,
    /// Set when it is sent for the first time.
    pub(crate) sequence: Option<(Identity, i32)>,
    /// Whether it takes no more records.
    pub(crate) is_full: bool,
    pub(crate) was_sent: bool,
}

impl<D> Batch<D> {
    fn new(since: Instant, buffer: Vec<u8>) -> Self {
        Self {
            records: Records::in_buffer(buffer),
            deliveries: Vec::new(),
            since,
            sequence: None,
            is_full: false,
            was_sent: false,
        }
    }

    /// Splits it into two halves, which have no sequence.
    pub(crate) fn halve(self) -> (Self, Self) {
        let at = self.records.len() / 2;
        let mut deliveries = self.deliveries;
        let later = deliveries.split_off(at.min(deliveries.len()));
        let (first, second) = self.records.split(at);
        let half = |records, deliveries| Self {
            records,
            deliveries,
            since: self.since,
            sequence: None,
            is_full: true,
            was_sent: true,
        };
        (half(first, deliveries), half(second, later))
    }
}

/// Record of a topic that is not known yet.
struct Unassigned<D> {
    record: OwnedRecord,
    delivery: D,
    since: Instant,
}

struct OwnedRecord {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

impl OwnedRecord {
    fn of<'a, H>(record: &Record<'a, H>) -> Self
    where
        H: ExactSizeIterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        let headers = record.headers.clone();
        Self {
            timestamp: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.to_vec(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_vec()))
                .collect(),
        }
    }

    fn get(&self) -> Record<'_, impl ExactSizeIterator<Item = (&str, &[u8])> + Clone> {
        let headers = self.headers.iter();
        Record {
            timestamp: self.timestamp,
            key: self.key.as_deref(),
            value: &self.value,
            headers: headers.map(|(name, value)| (name.as_str(), &value[..])),
        }
    }
}

/// Open batches of a topic.
pub(crate) struct Topic<D> {
    pub(crate) name: Box<str>,
    state: Mutex<State<D>>,
}

struct State<D> {
    /// Empty until the cluster has told the partitions.
    partitions: Vec<Open<D>>,
    unassigned: Vec<Unassigned<D>>,
    /// Partition of records without a key.
    keyless: usize,
    /// Error with which the cluster rejected the topic, and the end of the time for which it counts.
    rejected: Option<(i16, Instant)>,
    /// Bytes after which another batch is begun.
    batch_bytes: usize,
    /// Bytes of the largest batch that the cluster takes, without compression; `None` if it has not told.
    limit: Option<usize>,
}

struct Open<D> {
    batches: VecDeque<Batch<D>>,
    /// Bytes of the largest of the last batches that were taken.
    usual_bytes: usize,
    /// Whether the sender wants to hear of the next record of this partition's leader.
    is_awaited: Arc<AtomicBool>,
}

/// Place at which there is something to send.
pub(crate) struct Ready<D> {
    pub(crate) topic: Arc<Topic<D>>,
    /// `None` if the partitions are not known.
    pub(crate) partition: Option<usize>,
}

pub(crate) struct Accumulator<D> {
    topics: RwLock<HashMap<Box<str>, Arc<Topic<D>>>>,
    ready: Mutex<Vec<Ready<D>>>,
    is_closed: AtomicBool,
    /// Whether the sender was not woken for a record, because more follow.
    needs_flush: AtomicBool,
    batch_bytes: usize,
    pub(crate) buffers: Buffers,
}

/// Whether the sender has to be woken for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Yes,
    No,
}

impl<D> Accumulator<D> {
    pub(crate) fn new(batch_bytes: usize) -> Self {
        Self {
            topics: RwLock::default(),
            ready: Mutex::default(),
            is_closed: AtomicBool::new(false),
            needs_flush: AtomicBool::new(false),
            batch_bytes,
            buffers: Buffers::default(),
        }
    }

    /// Appends a record to the batch of its partition. If it `has_more` behind it, [`Self::flush`] follows.
    ///
    /// # Errors
    /// See [`Refused`].
    pub(crate) fn push<'a, H>(
        &self,
        topic: &str,
        record: &Record<'a, H>,
        delivery: D,
        has_more: bool,
    ) -> Result<Wake, Refused>
    where
        H: ExactSizeIterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        let topic = self.topic(topic);
        let mut state = lock(&topic.state);
        // With the topic locked: `close` takes what it finds behind this lock after it has set it.
        if self.is_closed() {
            return Err(Refused::Closed);
        }
        if let Some((code, until)) = state.rejected {
            if Instant::now() < until {
                return Err(Refused::Topic(code));
            }
            state.rejected = None;
        }
        if state
            .limit
            .is_some_and(|limit| record.batch_bytes() > limit)
        {
            return Err(Refused::TooLarge);
        }
        if state.partitions.is_empty() {
            state.unassigned.push(Unassigned {
                record: OwnedRecord::of(record),
                delivery,
                since: Instant::now(),
            });
            let is_first = state.unassigned.len() == 1;
            drop(state);
            if is_first {
                self.ready(topic, None);
                return Ok(Wake::Yes);
            }
            return Ok(Wake::No);
        }
        let partition = state.partition_of(record.key);
        let batch_bytes = state.batch_bytes;
        let open = &mut state.partitions[partition];
        let pushed = open.push(record, delivery, batch_bytes, &self.buffers);
        let is_awaited = open.is_awaited.clone();
        drop(state);
        Ok(match pushed {
            Pushed::First => {
                self.ready(topic, Some(partition));
                // After the place is among the ready ones: who sets it looks there afterwards.
                if has_more {
                    self.needs_flush.store(true, Ordering::SeqCst);
                    Wake::No
                } else if is_awaited.swap(false, Ordering::SeqCst) {
                    Wake::Yes
                } else {
                    Wake::No
                }
            }
            Pushed::AfterFull => Wake::Yes,
            Pushed::Behind => Wake::No,
        })
    }

    /// Returns whether the sender has to be woken for records that had more behind them.
    pub(crate) fn flush(&self) -> Wake {
        if self.needs_flush.swap(false, Ordering::SeqCst) {
            Wake::Yes
        } else {
            Wake::No
        }
    }

    pub(crate) fn topic(&self, name: &str) -> Arc<Topic<D>> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(name) {
            return topic.clone();
        }
        drop(topics);
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics
            .entry(name.into())
            .or_insert_with(|| {
                Arc::new(Topic {
                    name: name.into(),
                    state: Mutex::new(State {
                        partitions: Vec::new(),
                        unassigned: Vec::new(),
                        keyless: 0,
                        rejected: None,
                        batch_bytes: self.batch_bytes,
                        limit: None,
                    }),
                })
            })
            .clone()
    }

    fn ready(&self, topic: Arc<Topic<D>>, partition: Option<usize>) {
        lock(&self.ready).push(Ready { topic, partition });
    }

    /// Takes the places at which records came since the last call.
    pub(crate) fn take_ready(&self) -> Vec<Ready<D>> {
        std::mem::take(&mut *lock(&self.ready))
    }

    pub(crate) fn has_ready(&self) -> bool {
        !lock(&self.ready).is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Accepts no record any more, and returns all topics.
    pub(crate) fn close(&self) -> Vec<Arc<Topic<D>>> {
        self.is_closed.store(true, Ordering::SeqCst);
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.values().cloned().collect()
    }
}

impl<D> Topic<D> {
    /// Takes the oldest batch of a partition; the second value tells whether there are more.
    pub(crate) fn take_batch(&self, partition: usize) -> (Option<Batch<D>>, bool) {
        let mut state = lock(&self.state);
        let Some(open) = state.partitions.get_mut(partition) else {
            return (None, false);
        };
        let batch = open.batches.pop_front();
        if let Some(batch) = &batch {
            // A larger one counts for some of the next ones.
            let fading = open.usual_bytes - open.usual_bytes / 8;
            open.usual_bytes = batch.records.bytes().max(fading);
        }
        (batch, !open.batches.is_empty())
    }

    /// Returns whether a batch of the partition passes this test.
    pub(crate) fn front(&self, partition: usize, test: impl FnOnce(&Batch<D>) -> bool) -> bool {
        let state = lock(&self.state);
        let open = state.partitions.get(partition);
        open.and_then(|open| open.batches.front()).is_some_and(test)
    }

    /// Notes the number of partitions, and moves the records that waited for it into batches.
    /// Returns the partitions that have records now. Partitions do not become fewer by it.
    pub(crate) fn set_partitions(
        &self,
        count: usize,
        is_awaited: impl Fn(usize) -> Arc<AtomicBool>,
        buffers: &Buffers,
    ) -> Vec<usize> {
        let mut state = lock(&self.state);
        let batch_bytes = state.batch_bytes;
        for partition in state.partitions.len()..count {
            state.partitions.push(Open {
                batches: VecDeque::new(),
                usual_bytes: 0,
                is_awaited: is_awaited(partition),
            });
        }
        state.rejected = None;
        let mut filled = Vec::new();
        for waiting in std::mem::take(&mut state.unassigned) {
            let partition = state.partition_of(waiting.record.key.as_deref());
            let open = &mut state.partitions[partition];
            let record = waiting.record.get();
            let pushed = open.push(&record, waiting.delivery, batch_bytes, buffers);
            if let Pushed::First = pushed {
                filled.push(partition);
            }
            if let Some(batch) = open.batches.back_mut() {
                batch.since = batch.since.min(waiting.since);
            }
        }
        filled
    }

    /// Removes the partitions behind the first ones, and takes their records. `None` if there are none behind
    /// them. Otherwise it takes no more until then, or until [`Self::set_partitions`]: a later record of a
    /// key would be written before those that are taken.
    pub(crate) fn remove_partitions(
        &self,
        count: usize,
        rejected: (i16, Instant),
    ) -> Option<Vec<D>> {
        let mut state = lock(&self.state);
        if count >= state.partitions.len() {
            return None;
        }
        state.rejected = Some(rejected);
        let removed = state.partitions.drain(count..);
        let batches = removed.flat_map(|open| open.batches);
        Some(batches.flat_map(|batch| batch.deliveries).collect())
    }

    /// Sets the bytes after which another batch is begun, and the limit. Takes the records that waited
    /// and are too large.
    pub(crate) fn set_limit(&self, batch_bytes: usize, limit: Option<usize>) -> Vec<D> {
        let mut state = lock(&self.state);
        state.batch_bytes = batch_bytes;
        state.limit = limit;
        let is_too_large = |waiting: &Unassigned<D>| {
            limit.is_some_and(|limit| waiting.record.get().batch_bytes() > limit)
        };
        let waiting = std::mem::take(&mut state.unassigned);
        let (too_large, fitting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_too_large);
        state.unassigned = fitting;
        too_large
            .into_iter()
            .map(|waiting| waiting.delivery)
            .collect()
    }

    /// Tells a partition whose records wake the sender: those of another leader.
    pub(crate) fn set_awaited(&self, partition: usize, is_awaited: Arc<AtomicBool>) {
        if let Some(open) = lock(&self.state).partitions.get_mut(partition) {
            open.is_awaited = is_awaited;
        }
    }

    /// Takes all records; with `rejected` it takes no more until then.
    pub(crate) fn take_all(&self, rejected: Option<(i16, Instant)>) -> Vec<D> {
        let mut state = lock(&self.state);
        state.rejected = rejected.or(state.rejected);
        let mut deliveries: Vec<D> = Vec::new();
        for open in &mut state.partitions {
            for batch in open.batches.drain(..) {
                deliveries.extend(batch.deliveries);
            }
        }
        let unassigned = state.unassigned.drain(..);
        deliveries.extend(unassigned.map(|waiting| waiting.delivery));
        deliveries
    }

    /// Takes the records that came before this time.
    pub(crate) fn take_expired(&self, before: Instant) -> Vec<D> {
        let mut state = lock(&self.state);
        let mut expired = Vec::new();
        for open in &mut state.partitions {
            let is_expired = |batch: &Batch<D>| batch.since <= before;
            let count = open
                .batches
                .iter()
                .take_while(|batch| is_expired(batch))
                .count();
            let batches = open.batches.drain(..count);
            expired.extend(batches.flat_map(|batch| batch.deliveries));
        }
        let unassigned = std::mem::take(&mut state.unassigned);
        for waiting in unassigned {
            if waiting.since <= before {
                expired.push(waiting.delivery);
            } else {
                state.unassigned.push(waiting);
            }
        }
        expired
    }
}

enum Pushed {
    /// The partition had no record.
    First,
    /// The batch before is full.
    AfterFull,
    Behind,
}

impl<D> State<D> {
    fn partition_of(&mut self, key: Option<&[u8]>) -> usize {
        let count = self.partitions.len();
        if let Some(key) = key {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            return key::partition(key, count) as usize;
        }
        // The next one when this one's batch was taken, so that batches are filled.
        if self.partitions[self.keyless % count].batches.is_empty() {
            self.keyless += 1;
        }
        self.keyless % count
    }
}

impl<D> Open<D> {
    fn push<'a, H>(
        &mut self,
        record: &Record<'a, H>,
        delivery: D,
        batch_bytes: usize,
        buffers: &Buffers,
    ) -> Pushed
    where
        H: ExactSizeIterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        let size = record.value.len() + record.key.map_or(0, <[u8]>::len);
        let has_room =
            |batch: &&mut Batch<D>| !batch.is_full && batch.records.bytes() + size <= batch_bytes;
        let mut pushed = Pushed::Behind;
        if self
            .batches
            .back_mut()
            .as_ref()
            .is_none_or(|batch| !has_room(batch))
        {
            pushed = Pushed::First;
            if let Some(full) = self.batches.back_mut() {
                full.is_full = true;
                pushed = Pushed::AfterFull;
            }
            let batch = Batch::new(Instant::now(), buffers.take(self.usual_bytes));
            self.batches.push_back(batch);
        }
        if let Some(batch) = self.batches.back_mut() {
            batch.records.push(record);
            batch.deliveries.push(delivery);
        }
        pushed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most leaders are down, and a busy partition gives buffers back.
    #[test]
    fn partitions_without_a_leader_hold_no_large_buffers() {
        const PARTITIONS: usize = 100;
        let accumulator = Accumulator::new(1_000_000);
        let topic = accumulator.topic("orders");
        let is_awaited = Arc::new(AtomicBool::new(true));
        topic.set_partitions(PARTITIONS, |_| is_awaited.clone(), &accumulator.buffers);
        for number in 0..10 * PARTITIONS {
            let buffer = Vec::with_capacity(1_000_000);
            accumulator.buffers.give_back(buffer);
            let key = number.to_string();
            let record = Record {
                timestamp: 0,
                key: Some(key.as_bytes()),
                value: b"{}",
                headers: std::iter::empty(),
            };
            accumulator.push("orders", &record, (), false).unwrap();
        }
        let batches = (0..PARTITIONS).filter_map(|partition| topic.take_batch(partition).0);
        let held = batches.map(|batch| batch.records.into_buffer().capacity());
        let held: usize = held.sum();
        assert!(held < PARTITIONS * 64 * 1024, "{held} bytes");
    }
}
