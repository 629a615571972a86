//! What a project chooses of generated Python.

use std::fmt;

/// How a project wants its Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PythonOptions {
    /// What models are made of.
    pub models: Models,
    /// Whether the runtime is in the module itself, so that it needs no Herald.
    pub standalone: bool,
}

impl PythonOptions {
    /// As `herald.yaml` says.
    pub fn of(project: &herald_catalog::config::Python) -> Self {
        let models = project.models.as_deref().and_then(Models::from_name);
        Self {
            models: models.unwrap_or_default(),
            standalone: project.standalone,
        }
    }
}

/// What models are made of.
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Pydantic => "pydantic",
            Self::Dataclass => "dataclass",
        }
    }

    /// Those that a word names.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|models| models.name() == name)
    }
}

impl fmt::Display for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
