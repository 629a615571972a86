//! Contract and node versions.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::yaml::Yaml;

/// The versions of native contracts, as a pattern of JSON Schema. [`is_strict`] accepts the same.
pub(crate) const PATTERN: &str = "^[0-9]{1,9}([.+-][0-9A-Za-z.+-]*)?$";

/// A version as contracts state it: `{major, minor, patch}`, `'0.1.0'`, or `1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The major number, which decides the `.vN` of topics.
    pub major: u64,
    /// The version as written.
    pub text: String,
}

impl Version {
    /// Creates a version from its three numbers.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            text: format!("{major}.{minor}.{patch}"),
        }
    }

    /// Reads a scalar of a native contract: a number that is not negative, or a text that begins
    /// with one.
    pub(crate) fn read(yaml: &Yaml) -> Option<Self> {
        match (yaml.as_str(), yaml.as_f64()) {
            (Some(text), _) if is_strict(text) => text.parse().ok(),
            (None, Some(number)) if (0.0..=MAX_NUMBER).contains(&number) => Some(Self {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "small enough, and the fraction is not part of the major number"
                )]
                major: number as u64,
                text: yaml.as_text()?.to_owned(),
            }),
            _ => None,
        }
    }

    /// Reads `{major, minor, patch}`. Only `major` is required; the others default to 0.
    pub(crate) fn read_parts(yaml: &Yaml) -> Option<Self> {
        let part = |key: &str| yaml.get(key).map_or(Some(0), Yaml::as_u64);
        let major = yaml.get("major").and_then(Yaml::as_u64)?;
        Some(Self::new(major, part("minor")?, part("patch")?))
    }

    /// Returns the `N` of `.vN` in topics: the major version, but at least 1.
    pub fn topic_major(&self) -> u64 {
        self.major.max(1)
    }
}

/// [`crate::shape::MAX_INTEGER`], for numbers that may have a point.
const MAX_NUMBER: f64 = 2_147_483_647.0;

/// Whether a text is a version by [`PATTERN`].
fn is_strict(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text.as_bytes()[digits..];
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b".+-".contains(b);
    (1..=9).contains(&digits)
        && rest.first().is_none_or(|b| b".+-".contains(b))
        && rest.iter().all(is_part)
}

/// Error for a text that does not begin with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a version begins with a number, such as 1.2.0")]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Reads a text that begins with a number: `2`, `0.1.0`, `1.2.3-rc.1`.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let digits = text.split(['.', '-', '+']).next().unwrap_or_default();
        let major = digits.parse().map_err(|_| InvalidVersion)?;
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
