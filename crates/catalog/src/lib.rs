//! Contracts in, events out.
//!
//! [`load()`](load::load) parses every file once into a spanned tree ([`yaml`]), decodes what
//! people wrote ([`contract`], from the native format or an ONEX contract), and resolves it into
//! what they meant ([`Node`]). It goes on past a bad part and a bad file; everything it noticed
//! comes back as diagnostics.

mod backtracking;
pub mod category;
pub mod config;
pub mod contract;
mod definitions;
pub mod document;
mod duration;
mod field_reader;
pub mod fields;
pub mod ident;
pub mod instrument;
pub mod kind;
mod limits;
mod lint;
pub mod load;
pub mod manifest;
mod native;
mod node;
mod onex;
mod pattern;
pub mod regex_sample;
mod resolve;
pub mod rules;
pub mod sample;
pub mod schema;
mod shape;
mod text;
pub mod topics;
mod types;
pub mod value;
pub mod version;
pub mod view;
pub mod volume;
pub mod yaml;

pub use resolve::{Defaults, node_from_parts};

pub use node::{
    Catalog, Consumed, Declared, Event, EventTypeSource, Fingerprint, Identity, Node, Operation,
    Origin,
};
