//! Conformance tests of every transport: the cluster in memory, librdkafka's
//! mock cluster, and a real Kafka where there is one.
//!
//!     cargo test -p herald-publish --test conformance
//!     scripts/kafka run -- cargo test -p herald-publish --test conformance

/// All statements as tests of one cluster. The first function gives a cluster to work with, the
/// second one that may be taken away; `None` where there is none.
macro_rules! conformance {
    ($calm:expr, $faulty:expr) => {
        conformance! { @ $calm;
            each_message_is_reported_once
            success_means_that_a_consumer_reads_it
            the_order_of_a_key_is_kept
            a_key_lands_where_its_hash_says
            key_headers_and_timestamp_arrive
            what_is_too_large_is_refused_for_good
            nothing_is_reported_within_send
            fifty_senders_at_once
            a_probe_is_answered
            after_closing_nothing_is_taken
            whoever_closes_gets_all_reports
            whoever_drops_gets_all_reports
            a_report_may_close_the_connection
        }
        conformance! { @ $faulty;
            an_absent_cluster_is_told_and_not_an_error
            an_outage_is_told_and_messages_wait_for_its_end
            a_frozen_cluster_loses_nothing
            the_order_of_a_key_is_kept_through_a_restart
            a_probe_fails_while_the_cluster_is_stopped
            a_probe_fails_while_the_cluster_is_frozen
            closing_ends_while_the_cluster_is_stopped
            closing_ends_while_the_cluster_is_frozen
            closing_without_time_reports_everything
            dropping_ends_while_the_cluster_is_stopped
            patience_ends_while_the_cluster_is_stopped
            patience_ends_while_the_cluster_is_frozen
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

mod cluster;
#[cfg(feature = "kafka")]
mod dev;
#[cfg(feature = "kafka")]
mod kafka;
mod memory;
#[cfg(feature = "kafka")]
mod reader;
#[cfg(feature = "kafka")]
mod refusals;
mod statements;
#[path = "../support/mod.rs"]
mod support;
