//! Drives the native producer with a broker that answers with any bytes. Every record has one outcome.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| herald_wire::hostile_broker::run(bytes));
