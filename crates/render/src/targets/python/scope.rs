//! Scope of a module: its imports, and its allocated names.

use std::sync::LazyLock;

use crate::python::imports::Imports;
use crate::python::names::Names;
use crate::targets::python::options::{Models, PythonOptions};

/// Runtime as one text, for standalone modules. Written by `scripts/bundle-runtime`.
static RUNTIME: &str = include_str!("../../../runtime/bundle.py");

/// The base of models of pydantic. Standalone modules have it behind the runtime.
static MODELS: &str = include_str!("../../../../python/python/herald/runtime/models.py");

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
const OWN: [&str; 18] = [
    "BaseModel",
    "ConfigDict",
    "ModelT",
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

/// Imports of the runtime, and its text without them.
static BUNDLE: LazyLock<(Imports, &'static str)> = LazyLock::new(|| {
    let mut imports = Imports::default();
    let text = imports.take_from(RUNTIME);
    (imports, text)
});

/// The imports of the base of models, and its text without them.
static BASE: LazyLock<(Imports, &'static str)> = LazyLock::new(|| {
    let (_, code) = MODELS.split_once("\n\n").unwrap_or_default();
    let mut imports = Imports::default();
    let text = imports.take_from(code);
    (imports, text)
});

/// Names that are never allocated. They include names that only some options use, so that generated
/// names do not depend on options.
static TAKEN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let (imports, text) = &*BUNDLE;
    let defined = text.lines().filter_map(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let line = line.strip_prefix("class ").unwrap_or(line);
        let line = line.strip_prefix("def ").unwrap_or(line);
        let end = line.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        (end > 0).then(|| &line[..end])
    });
    let origins = ORIGINS.iter().map(|(_, name)| *name);
    origins
        .chain(OWN)
        .chain(imports.bound())
        .chain(defined)
        .collect()
});

/// Collector of the imports of a module, and allocator of its names.
pub(super) struct Scope {
    options: PythonOptions,
    imports: Imports,
    pub(super) names: Names,
}

impl Scope {
    pub(super) fn new(options: PythonOptions) -> Self {
        Self {
            options,
            imports: Imports::default(),
            names: Names::new(TAKEN.iter().copied()),
        }
    }

    pub(super) fn models(&self) -> Models {
        self.options.models
    }

    /// Adds the import of a name, and returns the name.
    pub(super) fn uses(&mut self, name: &'static str) -> &'static str {
        let origin = ORIGINS.iter().find(|(_, known)| *known == name);
        match origin {
            Some((module, _)) if self.options.standalone && module.starts_with("herald") => {}
            Some((module, _)) => self.imports.name(module, name),
            None if name == "re" => self.imports.module("re"),
            None if name == "Field" => self.imports.name("pydantic", name),
            None if self.options.standalone => {}
            None => self.imports.name("herald.runtime", name),
        }
        name
    }

    /// Returns the block of imports; for a standalone module also the text of the runtime.
    pub(super) fn finish(mut self) -> (String, Option<String>) {
        if !self.options.standalone {
            return (self.imports.print(), None);
        }
        self.imports.add(&BUNDLE.0);
        let mut runtime = BUNDLE.1.trim().to_owned();
        if self.options.models == Models::Pydantic {
            self.imports.add(&BASE.0);
            runtime.push_str("\n\n\n");
            runtime.push_str(BASE.1.trim());
        }
        self.imports.remove_package("herald");
        (self.imports.print(), Some(runtime))
    }
}
