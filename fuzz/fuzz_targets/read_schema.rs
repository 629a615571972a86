//! Reads any JSON as the schemas of two payloads, and validates examples of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "../../crates/catalog/tests/schemas/mod.rs"]
mod schemas;

fuzz_target!(|bytes: &[u8]| {
    match serde_json::from_slice(bytes) {
        Ok(Value::Array(both)) if both.len() == 2 => drop(schemas::read(&both[0], &both[1])),
        Ok(schema) => drop(schemas::read(&schema, &schema)),
        Err(_) => {}
    }
});
