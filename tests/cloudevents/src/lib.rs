//! Exchange of events between Herald and the Rust SDK of CloudEvents, in `tests`.
