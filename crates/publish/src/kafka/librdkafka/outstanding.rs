//! Outstanding deliveries: callbacks that wait for librdkafka's report.

use std::mem;
use std::sync::{Arc, Mutex};

use crate::clock::lock;
use crate::transport::DeliveryCallback;

/// Number of shards, enough that senders and the polling thread rarely contend for one.
const SHARDS: usize = 16;

/// Outstanding deliveries. librdkafka gets only a number for each.
///
/// The callbacks are kept here and not in librdkafka's opaque pointers, so that each is called
/// exactly once whatever librdkafka does, also if it hangs in a name server at the end.
pub(super) struct Outstanding {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    /// First free slot; `slots.len()` if there is none.
    free: usize,
    taken: usize,
}

enum Slot {
    Taken(Arc<dyn DeliveryCallback>),
    /// Free slot, with the next free one.
    Free(usize),
}

impl Default for Outstanding {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl Outstanding {
    /// Stores a delivery and returns its number.
    pub(super) fn add(&self, delivery: Arc<dyn DeliveryCallback>) -> usize {
        // By address instead of by a counter, which all senders would contend for. Allocations are
        // aligned to 16 bytes, so the lowest four bits carry no information.
        let shard = (Arc::as_ptr(&delivery).addr() >> 4) % SHARDS;
        lock(&self.shards[shard]).add(delivery) * SHARDS + shard
    }

    /// Takes a delivery out, once.
    pub(super) fn take(&self, number: usize) -> Option<Arc<dyn DeliveryCallback>> {
        lock(&self.shards[number % SHARDS]).take(number / SHARDS)
    }

    /// Takes all deliveries out.
    pub(super) fn take_all(&self) -> Vec<Arc<dyn DeliveryCallback>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            all.extend((0..shard.slots.len()).filter_map(|slot| shard.take(slot)));
        }
        all
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| lock(shard).taken == 0)
    }
}

impl Shard {
    fn add(&mut self, delivery: Arc<dyn DeliveryCallback>) -> usize {
        let slot = self.free;
        if let Some(free) = self.slots.get_mut(slot) {
            let Slot::Free(next) = mem::replace(free, Slot::Taken(delivery)) else {
                unreachable!("the list of free slots has free slots only");
            };
            self.free = next;
        } else {
            self.slots.push(Slot::Taken(delivery));
            self.free = self.slots.len();
        }
        self.taken += 1;
        slot
    }

    fn take(&mut self, slot: usize) -> Option<Arc<dyn DeliveryCallback>> {
        let place = self.slots.get_mut(slot)?;
        match mem::replace(place, Slot::Free(self.free)) {
            Slot::Taken(delivery) => {
                self.free = slot;
                self.taken -= 1;
                Some(delivery)
            }
            free @ Slot::Free(_) => {
                *place = free;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::failure::Failure;
    use crate::transport::RecordMetadata;

    struct Numbered(usize);

    impl DeliveryCallback for Numbered {
        fn on_delivery(self: Arc<Self>, _: Result<RecordMetadata, Failure>) {}
    }

    proptest! {
        #[test]
        fn takes_each_delivery_once(steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..400)) {
            let outstanding = Outstanding::default();
            let mut held: Vec<(usize, Arc<Numbered>)> = Vec::new();
            for (count, (add, which)) in steps.into_iter().enumerate() {
                if add || held.is_empty() {
                    let delivery = Arc::new(Numbered(count));
                    held.push((outstanding.add(delivery.clone()), delivery));
                } else {
                    let (number, delivery) = held.swap_remove(which.index(held.len()));
                    let taken = outstanding.take(number).unwrap();
                    prop_assert!(std::ptr::addr_eq(Arc::as_ptr(&taken), Arc::as_ptr(&delivery)));
                    prop_assert!(outstanding.take(number).is_none());
                    prop_assert!(delivery.0 < count);
                }
                prop_assert_eq!(outstanding.is_empty(), held.is_empty());
            }
            prop_assert_eq!(outstanding.take_all().len(), held.len());
            prop_assert!(outstanding.is_empty());
        }
    }
}
