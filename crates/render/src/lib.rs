//! Targets and their templates: what Herald generates from a catalog.
//!
//! A target turns a [`Node`](herald_catalog::Node) into a tree of [`GeneratedFile`]s in memory;
//! nothing here touches the disk.
//!
//! | to find | look in |
//! | --- | --- |
//! | which targets there are | [`targets`] |
//! | targets of a project's own | [`targets::custom`], and what their templates are given: [`view`] |
//! | what templates are given, and where their text comes from | [`template`] |
//! | JSON Schema of what contracts declare | [`json_schema`] |
//! | the same for schema registries | [`registry_schema`] |
//! | a generator without a contract file | [`patterns`] |
//! | how text of a contract becomes Python text, and Python its layout | `python` |
//! | the templates themselves | `templates/` beside `src/` |

pub mod file;
mod filters;
pub mod json_schema;
pub mod manifest;
pub mod patterns;
mod python;
pub mod registry_schema;
mod size_limit;
mod strict;
pub mod targets;
pub mod template;
pub mod view;

pub use file::{GeneratedFile, MARKER, is_ours};
pub use python::payloads::payload_classes;
pub use targets::custom::CustomTarget;
pub use targets::python::module_name;
pub use targets::python::options::{Models, PythonOptions};
pub use targets::python::project::{NodeMethod, NodeProject};
pub use targets::{BuiltInTarget, Context, TARGETS, Target, TargetError, UnknownTarget};
pub use template::{OwnTemplate, RenderError, Templates};
