//! `definitions.*`: named groups of fields.

pub(crate) mod endless;
pub(crate) mod name;
