//! Scope of a module: its imports, and its allocated names.

use std::sync::LazyLock;

use crate::python::imports::Imports;
use crate::python::names::Names;
use crate::targets::python::options::Models;
use crate::targets::python::runtime::{NAMES, Runtime};

/// Module of each imported name; all other names are imported from `herald.runtime`.
const ORIGINS: [(&str, &str); 17] = [
    ("__future__", "annotations"),
    ("base64", "b64decode"),
    ("collections.abc", "Callable"),
    ("collections.abc", "Mapping"),
    ("dataclasses", "dataclass"),
    ("dataclasses", "field"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("decimal", "Decimal"),
    ("enum", "StrEnum"),
    ("typing", "Annotated"),
    ("typing", "Any"),
    ("typing", "Final"),
    ("typing", "Literal"),
    ("typing", "TypeAlias"),
    ("uuid", "UUID"),
    ("herald.runtime.models", "EventModel"),
];

/// Builtins that annotations and defaults use, and names that the module defines itself.
const OWN: [&str; 17] = [
    "BaseModel",
    "ConfigDict",
    "bool",
    "classmethod",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "parse",
    "property",
    "re",
    "str",
    "tuple",
    "type",
    "Field",
];

/// Names that are never allocated. They include names that only some options use, so that generated
/// names do not depend on options.
static TAKEN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let origins = ORIGINS.iter().map(|(_, name)| *name);
    origins.chain(OWN).chain(NAMES.iter().copied()).collect()
});

/// Collector of the imports of a module, and allocator of its names.
pub(super) struct Scope {
    models: Models,
    runtime: Runtime,
    imports: Imports,
    pub(super) names: Names,
}

impl Scope {
    pub(super) fn new(models: Models, runtime: Runtime) -> Self {
        Self {
            models,
            runtime,
            imports: Imports::default(),
            names: Names::new(TAKEN.iter().copied()),
        }
    }

    pub(super) fn models(&self) -> Models {
        self.models
    }

    /// Adds the import of a name, and returns the name.
    pub(super) fn uses(&mut self, name: &'static str) -> &'static str {
        let origin = ORIGINS.iter().find(|(_, known)| *known == name);
        match origin {
            Some((module, _)) if module.starts_with("herald") => {
                self.imports.name(&self.runtime.module(module), name);
            }
            Some((module, _)) => self.imports.name(module, name),
            None if name == "re" => self.imports.module("re"),
            None if name == "Field" => self.imports.name("pydantic", name),
            None => {
                let module = self.runtime.module("herald.runtime");
                self.imports.name(&module, name);
            }
        }
        name
    }

    /// Returns the block of imports.
    pub(super) fn finish(self) -> String {
        self.imports.print()
    }
}
