//! Client of schema registries with the interface of Confluent's: Confluent Schema Registry, Karapace,
//! Redpanda, and Apicurio Registry below `/apis/ccompat/v7`.
//!
//! [`Registry`] sends the requests, and [`Connection`] is what it needs for them.

mod client;
mod connection;
mod error;
mod level;

pub use client::{Reference, Registered, Registry, Schema, Verdict};
pub use connection::{BEARER_TOKEN, CA_LOCATION, Connection, Credentials, URL, USER_INFO};
pub use error::Error;
pub use level::Level;
