//! Python source text: escaping of contract text, and the layout of `ruff format`.

pub(crate) mod expr;
pub(crate) mod imports;
pub(crate) mod layout;
pub(crate) mod names;
pub(crate) mod noqa;
pub(crate) mod payloads;
pub(crate) mod prose;
pub(crate) mod text;
