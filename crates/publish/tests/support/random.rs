//! Numbers that differ from run to run.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;

/// `SplitMix64`. Its seed is shown, and `HERALD_SEED` repeats it.
pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        let asked = std::env::var("HERALD_SEED").ok();
        let seed = asked.map_or_else(
            || RandomState::new().hash_one(0),
            |seed| seed.parse().expect("a seed is a number"),
        );
        let _ = writeln!(std::io::stderr(), "HERALD_SEED={seed}");
        Self::of(seed)
    }

    /// With a given seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 1 to `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most + 1
    }
}
