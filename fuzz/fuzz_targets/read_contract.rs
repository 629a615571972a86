//! Reads any bytes as a contract, and shows what was found.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/catalog/tests/reading/mod.rs"]
mod reading;

fuzz_target!(|bytes: &[u8]| reading::read(&String::from_utf8_lossy(bytes)));
