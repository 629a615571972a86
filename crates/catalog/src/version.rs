//! Contract and node versions.

use std::fmt;
use std::str::FromStr;

/// A version as contracts state it: `{major, minor, patch}`, `'0.1.0'`, or `1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The number that decides the `.vN` of topics.
    pub major: u64,
    /// The whole version.
    pub text: String,
}

impl Version {
    /// From the three numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            text: format!("{major}.{minor}.{patch}"),
        }
    }

    /// The `N` of `.vN` in topics: the major version, but never less than 1.
    pub fn topic_major(&self) -> u64 {
        self.major.max(1)
    }
}

impl FromStr for Version {
    type Err = ();

    /// Reads what begins with a number: `2`, `0.1.0`, `1.2.3-rc.1`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.split(['.', '-', '+']).next().unwrap_or_default();
        let major = digits.parse().map_err(|_| ())?;
        Ok(Self {
            major,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
