//! Options of generated Python.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Options of generated Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PythonOptions {
    /// Library of the models.
    pub models: Models,
    /// Whether the runtime is copied beside the modules, so that they need no Herald.
    pub standalone: bool,
}

impl PythonOptions {
    /// Returns the options of `herald.yaml`.
    pub fn of(project: &herald_project::Python) -> Self {
        let models = project.models.as_deref().and_then(|name| name.parse().ok());
        Self {
            models: models.unwrap_or_default(),
            standalone: project.standalone,
        }
    }
}

/// Library of the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Models {
    /// Models of pydantic 2.
    #[default]
    Pydantic,
    /// Dataclasses of the standard library.
    Dataclass,
}

impl Models {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Pydantic, Self::Dataclass];

    /// The word in `herald.yaml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pydantic => "pydantic",
            Self::Dataclass => "dataclass",
        }
    }
}

impl FromStr for Models {
    type Err = UnknownModels;

    fn from_str(name: &str) -> Result<Self, UnknownModels> {
        Self::ALL
            .into_iter()
            .find(|models| models.as_str() == name)
            .ok_or_else(|| UnknownModels(name.to_owned()))
    }
}

/// Error for a word that names no kind of models.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a kind of models; use pydantic or dataclass")]
pub struct UnknownModels(pub String);

impl fmt::Display for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
