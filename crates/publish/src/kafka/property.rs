//! One setting of librdkafka, as a person writes it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::secret::Secret;
use crate::failure::{Failure, FailureCode, FailureKind};

/// A property of librdkafka and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    pub(super) name: String,
    pub(super) value: Value,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Secret(Secret),
}

impl Property {
    /// A property whose value comes from a command line or a file of settings: `env:NAME` takes
    /// it from the environment, `file:PATH` from a file, and neither is ever shown.
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        let value = if let Some(variable) = text.strip_prefix("env:") {
            Value::Secret(Secret::from_env(variable))
        } else if let Some(path) = text.strip_prefix("file:") {
            Value::Secret(Secret::from_file(path))
        } else {
            Value::Text(text.to_owned())
        };
        Self {
            name: name.into(),
            value,
        }
    }

    /// A property of a project's file. Paths are relative to the folder that it lies in, as all
    /// paths of such a file.
    pub fn of_file(name: impl Into<String>, text: &str, folder: Option<&Path>) -> Self {
        let name = name.into();
        // No folder is the working folder.
        let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
            return Self::new(name, text);
        };
        let below = |path: &str| folder.join(path).to_string_lossy().into_owned();
        if let Some(path) = text.strip_prefix("file:") {
            return Self::new(name, &format!("file:{}", below(path)));
        }
        // The word `probe` lets librdkafka look for the system's certificates.
        if name.ends_with(".location") && text != "probe" && !text.starts_with("env:") {
            return Self::new(name, &below(text));
        }
        Self::new(name, text)
    }

    /// A property with exactly this text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: Value::Text(text.into()),
        }
    }

    /// A property whose value is read when a connection is made, and never shown.
    pub fn secret(name: impl Into<String>, secret: Secret) -> Self {
        Self {
            name: name.into(),
            value: Value::Secret(secret),
        }
    }

    /// Its name as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// `NAME=VALUE`, the value as in [`Property::new`].
impl FromStr for Property {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Self::new(name.trim(), value.trim()))
            }
            // The text is not repeated: it may be a secret without its name.
            _ => Err(Failure::new(
                FailureKind::Permanent,
                FailureCode::InvalidProperty,
                "a property is written NAME=VALUE, such as security.protocol=ssl",
            )),
        }
    }
}

/// Without the value: it may be secret, whatever the name says.
impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_come_from_the_environment_or_a_file() {
        let cases = [
            ("acks=all", "acks", Value::Text("all".to_owned())),
            (
                " sasl.password = env:KAFKA_PASSWORD",
                "sasl.password",
                Value::Secret(Secret::from_env("KAFKA_PASSWORD")),
            ),
            (
                "ssl.key.pem=file:/run/secrets/key.pem",
                "ssl.key.pem",
                Value::Secret(Secret::from_file("/run/secrets/key.pem")),
            ),
            (
                "sasl.password=a=b",
                "sasl.password",
                Value::Text("a=b".to_owned()),
            ),
        ];
        for (text, name, value) in cases {
            let property: Property = text.parse().unwrap();
            assert!(property.name() == name && property.value == value, "{text}");
        }
    }

    #[test]
    fn paths_of_a_file_are_relative_to_its_folder() {
        let folder = Some(Path::new("/srv/shop"));
        for (name, text, expected) in [
            ("ssl.ca.location", "certs/ca.pem", "/srv/shop/certs/ca.pem"),
            ("sasl.password", "file:secret", "file:/srv/shop/secret"),
            ("ssl.ca.location", "/etc/ca.pem", "/etc/ca.pem"),
            ("ssl.ca.location", "probe", "probe"),
            ("ssl.ca.location", "env:CA", "env:CA"),
            ("sasl.password", "env:PASSWORD", "env:PASSWORD"),
            ("client.id", "certs/ca.pem", "certs/ca.pem"),
        ] {
            let property = Property::of_file(name, text, folder);
            assert!(property == Property::new(name, expected), "{name}={text}");
        }
        assert!(
            Property::of_file("ssl.ca.location", "ca.pem", None)
                == Property::new("ssl.ca.location", "ca.pem")
        );
    }

    #[test]
    fn what_is_no_property_is_not_repeated() {
        for text in ["hunter2", "=hunter2", " =hunter2"] {
            let failure = text.parse::<Property>().unwrap_err();
            assert_eq!(failure.code, FailureCode::InvalidProperty);
            assert!(!failure.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let property: Property = "sasl.pasword=hunter2".parse().unwrap();
        assert!(!format!("{property:?}").contains("hunter2"));
    }
}
