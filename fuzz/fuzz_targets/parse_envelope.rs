//! Reads any bytes as an envelope. What is taken can be written, and is then read as the same.

#![no_main]

use herald_envelope::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Envelope::parse(bytes) {
        Ok(envelope) => {
            let written = envelope.to_vec().expect("what was read can be written");
            assert_eq!(Envelope::parse(&written).as_ref(), Ok(&envelope));
        }
        Err(error) => {
            let position = error.position().expect("what is read has positions");
            assert!(position.offset <= bytes.len());
        }
    }
});
