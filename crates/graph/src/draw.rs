//! Pictures of a graph.

mod dot;
mod html;
mod mermaid;

pub use dot::dot;
pub use html::html;
pub use mermaid::mermaid;
