//! Values that nobody may read in a log.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use crate::failure::{Failure, FailureCode, FailureKind};

/// What stands where a secret would.
const HIDDEN: &str = "[secret]";

/// A value that is read when a connection is made and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Literal(String),
    Environment(String),
    File(PathBuf),
}

impl Secret {
    /// This very value.
    pub fn literal(value: impl Into<String>) -> Self {
        Self(Source::Literal(value.into()))
    }

    /// The value of an environment variable.
    pub fn from_env(name: impl Into<String>) -> Self {
        Self(Source::Environment(name.into()))
    }

    /// What a file holds, without the line end at its end. It is read for each connection, so a
    /// rotated secret is taken by the next one.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// The value.
    ///
    /// # Errors
    /// `missing_secret`: the variable is not set, the file can't be read, or there is no text in
    /// it. The error names the variable or the file.
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

/// Where the value comes from.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Literal(_) => f.write_str(HIDDEN),
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

/// Takes known secrets out of text that others wrote, such as librdkafka's log lines.
#[derive(Clone, Default)]
pub(crate) struct Scrub {
    /// Longest first, so that no rest of a secret remains.
    secrets: Arc<[String]>,
}

/// A part of a secret is hidden from this many bytes on. A shorter one is a word like any other.
const TELLING_PART: usize = 8;

impl Scrub {
    /// Hides these values, and the parts of those that consist of several: a parser's complaint
    /// quotes one line or one word.
    pub(super) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut secrets: Vec<String> = Vec::new();
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            let parts = value.split(|c: char| c.is_whitespace() || c == '=' || c == ',');
            secrets.extend(
                parts
                    .filter(|part| part.len() >= TELLING_PART)
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

    /// The text without any of the secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        text
    }
}

impl fmt::Debug for Scrub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrub")
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_each_time_and_its_line_end_is_no_part_of_the_secret() {
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
    fn a_missing_secret_is_named_by_where_it_should_be() {
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
    fn a_literal_is_never_shown() {
        let secret = Secret::literal("hunter2");
        assert!(!format!("{secret} {secret:?} {secret:#?}").contains("hunter2"));
    }

    #[test]
    fn scrubbed_text_has_neither_a_secret_nor_a_telling_part_of_it() {
        let scrub = Scrub::new(["ab", "abc", "-----BEGIN KEY-----\nMIIEvQIBADAN\n"]);
        assert_eq!(
            scrub.clean("abc, ab and MIIEvQIBADAN!"),
            "[secret], [secret] and [secret]!"
        );
        assert_eq!(scrub.clean("nothing here"), "nothing here");
        assert!(!format!("{scrub:?}").contains("MIIE"));
    }
}
