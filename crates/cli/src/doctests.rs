//! The Rust examples of the README and the book, run by `cargo test --doc -p herald-cli`.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[doc = include_str!("../../../docs/rust.md")]
struct Rust;
