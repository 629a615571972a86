//! Capacity planning: from the rates of contracts to events, bytes, partitions and disk.
//!
//! `example` makes values of declared fields, `published` the envelope that a generated
//! publisher makes of them, `record` counts its bytes as Kafka stores them. `rates` has the
//! number of each event per request, and [`Plan`] adds up all of it. Ranges stay ranges.

mod example;
mod kept;
mod plan;
pub mod published;
pub mod rates;
pub mod record;

pub use example::{ITEMS, TEXT};
pub use kept::Kept;
pub use plan::{
    ContractPlan, EventPlan, Options, PARTITION_BYTES_PER_SECOND, Partitions, Plan, TopicPlan,
    Total,
};
