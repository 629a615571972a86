//! The flow of events between nodes: who publishes and who consumes each topic.
//!
//! [`Graph::new`] connects all nodes of a catalog by their topics, [`diagnostics`] finds what does
//! not fit together, and [`draw`] prints the graph as Mermaid, DOT or an HTML page.

mod checks;
pub mod draw;
mod graph;
pub mod sources;

pub use checks::diagnostics;
pub use graph::{Graph, Publication, Subscription, Topic};
