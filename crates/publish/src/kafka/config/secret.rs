//! Secrets, and their redaction from text.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use crate::failure::{Failure, FailureCode, FailureKind};

/// Replacement of a secret.
const REDACTED: &str = "[secret]";

/// Secret value that is read for each connection, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Literal(String),
    Environment(String),
    File(PathBuf),
}

impl Secret {
    /// Creates a secret with this value.
    pub fn literal(value: impl Into<String>) -> Self {
        Self(Source::Literal(value.into()))
    }

    /// Creates a secret that is read from an environment variable.
    pub fn from_env(name: impl Into<String>) -> Self {
        Self(Source::Environment(name.into()))
    }

    /// Creates a secret that is read from a file, without a trailing line end. The file is read for
    /// each connection, so that the next one uses a rotated secret.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// Reads the value.
    ///
    /// # Errors
    /// `missing_secret` if the variable is not set, the file can't be read, or it is empty. The error
    /// names the variable or the file.
    pub(super) fn reveal(&self) -> Result<String, Failure> {
        let missing = |detail: String| {
            Failure::new(
                FailureKind::Permanent,
                FailureCode::MissingSecret,
                format!("{self} {detail}"),
            )
        };
        let value = match &self.0 {
            Source::Literal(value) => value.clone(),
            Source::Environment(name) => env::var(name).map_err(|error| match error {
                env::VarError::NotPresent => missing("is not set".to_owned()),
                env::VarError::NotUnicode(_) => missing("is not valid UTF-8".to_owned()),
            })?,
            Source::File(path) => {
                let bytes = fs::read(path)
                    .map_err(|error| missing(format!("can't be read: {}", error.kind())))?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| missing("is not valid UTF-8".to_owned()))?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                text.strip_suffix('\r').unwrap_or(text).to_owned()
            }
        };
        if value.is_empty() && !matches!(self.0, Source::Literal(_)) {
            return Err(missing("is empty".to_owned()));
        }
        Ok(value)
    }
}

/// Shows the source of the value.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Literal(_) => f.write_str(REDACTED),
            Source::Environment(name) => write!(f, "environment variable {name}"),
            Source::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

/// Redactor of known secrets in foreign text, such as librdkafka's log lines.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that no part of a longer secret remains.
    secrets: Arc<[String]>,
}

/// Minimum length of a part of a secret that is redacted. A shorter one is a word like any other.
const MIN_PART_LENGTH: usize = 8;

impl Redactor {
    /// Creates a redactor of these values, and of the parts of those that consist of several lines
    /// or words: the error of a parser may quote only one of them.
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut secrets: Vec<String> = Vec::new();
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            let parts = value.split(|c: char| c.is_whitespace() || c == '=' || c == ',');
            secrets.extend(
                parts
                    .filter(|part| part.len() >= MIN_PART_LENGTH)
                    .map(str::to_owned),
            );
            secrets.push(value.to_owned());
        }
        secrets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self {
            secrets: secrets.into(),
        }
    }

    /// Returns the text without the secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        text
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_file_each_time_without_its_trailing_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let secret = Secret::from_file(&path);
        for (written, read) in [
            ("one\n", "one"),
            ("two\r\n", "two"),
            ("three\n\n", "three\n"),
        ] {
            fs::write(&path, written).unwrap();
            assert_eq!(secret.reveal().unwrap(), read);
        }
    }

    #[test]
    fn names_the_source_of_a_missing_secret() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        fs::write(&empty, "\n").unwrap();
        let cases = [
            (
                Secret::from_env("HERALD_TEST_NEVER_SET"),
                "environment variable HERALD_TEST_NEVER_SET is not set".to_owned(),
            ),
            (
                Secret::from_file(folder.path().join("absent")),
                format!(
                    "file {}/absent can't be read: entity not found",
                    folder.path().display()
                ),
            ),
            (
                Secret::from_file(&empty),
                format!("file {} is empty", empty.display()),
            ),
        ];
        for (secret, detail) in cases {
            let failure = secret.reveal().unwrap_err();
            assert_eq!(failure.code, FailureCode::MissingSecret);
            assert_eq!(failure.detail, detail);
        }
    }

    #[test]
    fn never_shows_a_literal() {
        let secret = Secret::literal("hunter2");
        assert!(!format!("{secret} {secret:?} {secret:#?}").contains("hunter2"));
    }

    #[test]
    fn redacts_secrets_and_their_parts() {
        let redactor = Redactor::new(["ab", "abc", "-----BEGIN KEY-----\nMIIEvQIBADAN\n"]);
        assert_eq!(
            redactor.redact("abc, ab and MIIEvQIBADAN!"),
            "[secret], [secret] and [secret]!"
        );
        assert_eq!(redactor.redact("nothing here"), "nothing here");
        assert!(!format!("{redactor:?}").contains("MIIE"));
    }
}
