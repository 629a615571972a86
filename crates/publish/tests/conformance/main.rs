//! Conformance tests of every transport: the cluster in memory, librdkafka's
//! mock cluster, and a real Kafka where there is one.
//!
//!     cargo test -p herald-publish --test conformance
//!     scripts/kafka run -- cargo test -p herald-publish --test conformance

/// Runs the functions of `statements.rs` as tests of one cluster. `$calm` returns a cluster that
/// stays available, `$faulty` one that the test may stop; `None` skips the test.
macro_rules! conformance {
    ($calm:expr, $faulty:expr) => {
        conformance! { @ $calm;
            reports_each_message_once
            consumers_read_acknowledged_messages
            keeps_the_order_of_each_key
            messages_with_more_to_follow_leave_when_flushed
            chooses_the_partition_by_the_hash_of_the_key
            delivers_key_headers_and_timestamp
            rejects_too_large_messages_permanently
            never_reports_on_the_sending_thread
            fifty_threads_send_concurrently
            probe_succeeds_on_an_available_cluster
            accepts_no_messages_after_close
            close_under_load_reports_every_message
            drop_reports_every_message
            callback_can_close_the_connection
        }
        conformance! { @ $faulty;
            messages_wait_for_a_cluster_that_starts_later
            messages_wait_for_the_end_of_an_outage
            frozen_cluster_loses_nothing
            keeps_the_order_of_each_key_through_a_restart
            probe_fails_while_the_cluster_is_stopped
            probe_fails_while_the_cluster_is_frozen
            close_returns_while_the_cluster_is_stopped
            close_returns_while_the_cluster_is_frozen
            close_with_a_zero_timeout_reports_every_message
            drop_returns_while_the_cluster_is_stopped
            delivery_timeout_ends_while_the_cluster_is_stopped
            delivery_timeout_ends_while_the_cluster_is_frozen
        }
    };
    (@ $cluster:expr; $($statement:ident)*) => {
        $(
            #[test]
            fn $statement() {
                if let Some(cluster) = $cluster() {
                    crate::statements::$statement(&cluster);
                }
            }
        )*
    };
}

#[cfg(feature = "kafka")]
mod broker_errors;
mod cluster;
#[cfg(feature = "kafka")]
mod cross_check;
#[cfg(feature = "kafka")]
mod dev;
#[cfg(feature = "kafka")]
mod kafka;
mod memory;
#[cfg(feature = "kafka")]
mod reader;
#[cfg(feature = "kafka")]
mod secure;
mod statements;
#[path = "../support/mod.rs"]
mod support;
mod token_endpoint;
