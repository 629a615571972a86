//! `topic.*`: names of topics.

pub(crate) mod collision;
pub(crate) mod invalid;
