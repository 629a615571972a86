//! Diagnostics as data, and the formats that show them.
//!
//! A [`Rule`] contains its own documentation; a [`Diagnostic`] is a message about one place that
//! breaks a rule. Checks only create diagnostics; [`render`] writes them, so that all commands show
//! them in the same formats.

mod count;
mod diagnostic;
pub mod render;
mod rule;
mod source;
mod suggest;

pub use count::{count, plural};
pub use diagnostic::{Diagnostic, Edit, Fix, Label, sort};
pub use rule::{Rule, Severity};
pub use source::{Location, Position, Source, SourceId, Sources, Span};
pub use suggest::did_you_mean;
