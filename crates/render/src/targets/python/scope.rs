//! Scope of a module: its imports, and its allocated names.

use std::collections::HashMap;
use std::sync::LazyLock;

use herald_catalog::imported::PythonClass;

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

/// Names of `herald.runtime` that are used as `runtime.…`: modules use many of them, which would make
/// the imports as long as the definitions.
const QUALIFIED: [(&str, &str); 22] = [
    ("DeclaredEvent", "runtime.DeclaredEvent"),
    ("EventPublisher", "runtime.EventPublisher"),
    ("EventSource", "runtime.EventSource"),
    ("InputOperation", "runtime.InputOperation"),
    ("MetricEvent", "runtime.MetricEvent"),
    ("MetricRecordedEvent", "runtime.MetricRecordedEvent"),
    ("OpenEvent", "runtime.OpenEvent"),
    ("Operation", "runtime.Operation"),
    ("OperationCompletedEvent", "runtime.OperationCompletedEvent"),
    ("OperationFailedEvent", "runtime.OperationFailedEvent"),
    ("OperationStartedEvent", "runtime.OperationStartedEvent"),
    ("PublishMethod", "runtime.PublishMethod"),
    ("ReceivedEvent", "runtime.ReceivedEvent"),
    ("ResultOperation", "runtime.ResultOperation"),
    ("StateChangedEvent", "runtime.StateChangedEvent"),
    ("StateEvent", "runtime.StateEvent"),
    ("States", "runtime.States"),
    ("SyncPublishMethod", "runtime.SyncPublishMethod"),
    ("TypedOperation", "runtime.TypedOperation"),
    ("UnknownEvent", "runtime.UnknownEvent"),
    ("event_classes", "runtime.event_classes"),
    ("parse_message", "runtime.parse_message"),
];

/// Builtins that annotations and defaults use, and names that the module defines itself.
const OWN: [&str; 18] = [
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
    "runtime",
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
    /// Names of classes of the service's own code.
    own: HashMap<String, String>,
    pub(super) names: Names,
}

impl Scope {
    pub(super) fn new(models: Models, runtime: Runtime) -> Self {
        Self {
            models,
            runtime,
            imports: Imports::default(),
            own: HashMap::new(),
            names: Names::new(TAKEN.iter().copied()),
        }
    }

    pub(super) fn models(&self) -> Models {
        self.models
    }

    /// Adds the import of a name, and returns the name as the module uses it.
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
                let qualified = QUALIFIED.iter().find(|(known, _)| *known == name);
                if let Some((_, qualified)) = qualified {
                    let (package, module) = self.runtime.import();
                    self.imports.name(package, module);
                    return qualified;
                }
                let module = self.runtime.module("herald.runtime");
                self.imports.name(&module, name);
            }
        }
        name
    }

    /// Adds the import of a class of the service's own code, and returns its name in the module.
    pub(super) fn own_class(&mut self, class: &PythonClass) -> String {
        let key = class.to_string();
        if let Some(known) = self.own.get(&key) {
            return known.clone();
        }
        let (outer, inner) = match class.name.split_once('.') {
            Some((outer, inner)) => (outer, format!(".{inner}")),
            None => (class.name.as_str(), String::new()),
        };
        let given = self.names.give_or(outer.to_owned(), "Payload");
        let import = if given == outer {
            given.clone()
        } else {
            format!("{outer} as {given}")
        };
        self.imports.own_name(&class.module, &import);
        let name = given + &inner;
        self.own.insert(key, name.clone());
        name
    }

    /// Returns the block of imports.
    pub(super) fn finish(self) -> String {
        self.imports.print()
    }
}
