//! Ids of clusters.

/// Prefix of the cluster ids of development clusters.
const CLUSTER_ID_PREFIX: &str = "mockCluster";

/// Id that all development clusters share: each start of one has another id, and what was spooled
/// for the last one may go to the next. Ids of real clusters have 22 characters.
const CLUSTER_ID: &str = "development";

/// Replaces the id of a development cluster with the one that all of them share.
pub(super) fn shared(id: String) -> String {
    if is_in_memory(&id) {
        return CLUSTER_ID.to_owned();
    }
    id
}

/// Returns whether this is the id of a development cluster, which does not support all requests.
pub(super) fn is_in_memory(cluster_id: &str) -> bool {
    cluster_id.starts_with(CLUSTER_ID_PREFIX)
}
