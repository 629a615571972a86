//! What pages show of Rust is compiled and run as they show it: `cargo test --doc -p herald-cli`.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[doc = include_str!("../../../docs/rust.md")]
struct Rust;
