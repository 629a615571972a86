//! `names.*`: identifiers in generated code.

pub(crate) mod collision;
pub mod output_collision;
pub(crate) mod python_keyword;
pub(crate) mod unusable;
