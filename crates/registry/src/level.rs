//! Compatibility levels.

use std::fmt;
use std::str::FromStr;

/// Compatibility level of a subject: the versions that a new one is compared with, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing is compared.
    None,
    /// The new schema reads what was written with the last one.
    Backward,
    /// The new schema reads what was written with any earlier one.
    BackwardTransitive,
    /// The last schema reads what is written with the new one.
    Forward,
    /// Each earlier schema reads what is written with the new one.
    ForwardTransitive,
    /// Backward and forward.
    Full,
    /// Backward and forward, with each earlier one.
    FullTransitive,
}

const NAMES: [(Level, &str); 7] = [
    (Level::None, "NONE"),
    (Level::Backward, "BACKWARD"),
    (Level::BackwardTransitive, "BACKWARD_TRANSITIVE"),
    (Level::Forward, "FORWARD"),
    (Level::ForwardTransitive, "FORWARD_TRANSITIVE"),
    (Level::Full, "FULL"),
    (Level::FullTransitive, "FULL_TRANSITIVE"),
];

impl Level {
    /// Returns the name in the interface of registries.
    pub fn as_str(self) -> &'static str {
        let found = NAMES.iter().find(|(level, _)| *level == self);
        found.map_or("NONE", |(_, name)| name)
    }

    /// Whether the new schema has to read older events.
    pub fn is_backward(self) -> bool {
        !matches!(self, Self::None | Self::Forward | Self::ForwardTransitive)
    }

    /// Whether older schemas have to read new events.
    pub fn is_forward(self) -> bool {
        !matches!(self, Self::None | Self::Backward | Self::BackwardTransitive)
    }

    /// Whether all earlier versions are compared, not only the last one.
    pub fn is_transitive(self) -> bool {
        self.as_str().ends_with("_TRANSITIVE")
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(level, _)| *level).ok_or(())
    }
}
