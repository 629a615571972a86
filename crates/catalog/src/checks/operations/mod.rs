//! `operations.*`: the list of operations.

pub(crate) mod duplicate;
pub(crate) mod duplicate_route;
pub(crate) mod not_identifier;
