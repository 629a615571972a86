//! `lint.*`: valid contracts that are probably not what was meant.

pub(crate) mod lifecycle_declared_too;
