//! `events.*`: declared events.

pub(crate) mod duplicate;
pub(crate) mod partition_key;
pub(crate) mod reserved_field;
pub(crate) mod shared_topic;
