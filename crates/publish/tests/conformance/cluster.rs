//! Cluster under test.

use std::sync::Arc;
use std::time::Duration;

use herald_publish::{ConnectionListener, Transport};

/// A cluster that a transport can be tried with.
pub trait Cluster {
    fn connect(
        &self,
        watch: Arc<dyn ConnectionListener>,
        delivery_timeout: Option<Duration>,
    ) -> Arc<dyn Transport>;

    /// Creates a topic.
    fn create(&self, topic: &str, partitions: u32);

    /// Records that a consumer reads from a topic, of each partition in order, once there are
    /// `count` records.
    fn read(&self, topic: &str, count: usize) -> Vec<Record>;

    /// Takes all brokers away.
    fn stop(&self);

    /// Brings them back.
    fn start(&self);

    /// Lets all brokers answer nothing, without closing a connection.
    fn pause(&self);

    /// Lets them go on.
    fn resume(&self);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub payload: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970.
    pub timestamp: i64,
}
