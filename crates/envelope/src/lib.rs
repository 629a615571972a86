//! The wire format of events: envelope profiles, key, headers and topics.
//!
//! An [`Envelope`] is an event with all of its fields; a [`Profile`] writes it as a Kafka record and
//! parses it back. Toolchain and runtime share only this crate.
//!
//! ```
//! use herald_envelope::{Envelope, Origin};
//!
//! #[derive(serde::Serialize)]
//! struct Placed<'a> {
//!     order: &'a str,
//! }
//!
//! let origin = Origin::new("shop", "1.4.0", "production").with_region("eu-central-1");
//! let event = origin
//!     .envelope("effect.place.completed", "node-7", Placed { order: "A-17" })
//!     .with_partition_key("A-17");
//!
//! let mut buffer = Vec::new();
//! event.write(&mut buffer)?;
//!
//! let read = Envelope::parse(&buffer)?;
//! assert_eq!(read.event_type, "effect.place.completed");
//! assert_eq!(read.payload.get(), r#"{"order":"A-17"}"#);
//! assert_eq!(read.key().as_str(), "A-17");
//! # Ok::<(), herald_envelope::Error>(())
//! ```

mod default_topic;
mod envelope;
mod error;
mod event;
mod field;
pub mod headers;
mod id;
mod json;
pub mod key;
mod members;
mod names;
mod origin;
mod profiles;
pub mod schema_id;
mod time;
pub mod topic;
mod trace;

pub use envelope::{ENVELOPE_VERSION, EVENT_VERSION, Envelope, Extra};
pub use error::{Code, Error, Position};
pub use event::{Event, WriteJson};
pub use field::Field;
pub use json::{EmptyObject, Json};
pub use key::Key;
pub use origin::{Origin, Stamp};
pub use profiles::{
    Description, HeaderSink, PROFILE_NAMES, Place, Profile, Received, UnknownProfile,
};
pub use time::write as write_time;
pub use trace::TraceParent;

/// Types of other crates in this crate's API.
pub use {jiff::Timestamp, uuid::Uuid};
