//! Python text: what makes contract text harmless, and code look as `ruff format` wants it.

pub(crate) mod expr;
pub(crate) mod imports;
pub(crate) mod layout;
pub(crate) mod names;
pub(crate) mod noqa;
pub(crate) mod payloads;
pub(crate) mod prose;
pub(crate) mod text;
