//! Diagnostics as data: what is wrong, where, and what to do about it.
//!
//! A [`Rule`] is a row in a static table and carries its own documentation; a [`Diagnostic`] is
//! one place where a rule does not hold. Nothing here prints on its own: data first, the
//! renderers of [`render`] after, so that every command shows every diagnostic the same way.

mod diagnostic;
pub mod render;
mod rule;
mod source;
mod suggest;

pub use diagnostic::{Diagnostic, Label, sort};
pub use rule::{Rule, Severity};
pub use source::{Location, Position, Source, SourceId, Sources, Span};
pub use suggest::did_you_mean;
