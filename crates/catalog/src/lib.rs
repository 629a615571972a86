//! Reader of contracts: finds, decodes, resolves and checks them.
//!
//! [`load()`](load::load) parses every file once into a tree with spans ([`yaml`]), decodes it from
//! the native format or the ONEX format, and resolves it into a [`Node`]. The rules of [`checks`]
//! run over these stages. A bad part or a bad file does not stop it: problems are returned as
//! diagnostics.

mod backtracking;
pub mod borrowed_value;
pub mod category;
pub mod checks;
pub mod contract;
mod contract_file;
pub mod document;
pub mod duration;
pub mod example;
mod field_reader;
pub mod fields;
pub mod ident;
pub mod imported;
pub mod instrument;
mod json_schema;
pub mod kind;
mod limits;
pub mod load;
pub mod lock;
mod native;
mod node;
mod onex;
mod pattern;
mod payload;
pub mod raw_schema;
pub mod regex_sample;
mod resolve;
pub mod sample;
pub mod schema;
pub mod shape;
mod suppress;
mod text;
pub mod topics;
mod types;
pub mod value;
pub mod version;
pub mod view;
pub mod volume;
pub mod yaml;
pub mod yaml_text;

pub use native::read_headers;
pub use resolve::{Defaults, node_from_parts};

pub use contract::Consumed;
pub use node::{
    Catalog, Declared, Event, EventTypeSource, Fingerprint, Identity, Node, Operation, Origin,
};
