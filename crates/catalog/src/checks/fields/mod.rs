//! `fields.*`: limits, defaults and values of fields. Reported by the field reader.

pub(crate) mod default;
pub(crate) mod enumeration;
pub(crate) mod json_schema;
pub(crate) mod limit;
pub(crate) mod no_value;
pub(crate) mod pattern;
pub(crate) mod renamed_from;
