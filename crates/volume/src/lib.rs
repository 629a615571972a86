//! Capacity planning: from the rates of contracts to events, bytes, partitions and disk.
//!
//! `herald_catalog::example` makes the event that a generated publisher would send, from example values of its
//! fields; `record` counts its bytes as Kafka stores them. `rates` counts the events of a request,
//! and [`Plan`] adds everything up. Ranges stay ranges.

mod plan;
pub mod rates;
pub mod record;
mod retention;

pub use plan::{
    ContractPlan, EventPlan, Options, PARTITION_BYTES_PER_SECOND, Partitions, Plan, TopicPlan,
    Total,
};
pub use retention::Retention;
