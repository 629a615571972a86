//! The runtime of generated modules: the installed package, or copies of its files beside the modules.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

use crate::file::{GeneratedFile, MARKER};
use crate::targets::python::options::Models;

/// Name and text of the files of `herald.runtime`.
macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!(
            "../../../templates/runtime/", $name, ".py"
        )))),*]
    };
}

static FILES: &[(&str, &str)] = files![
    "__init__",
    "_binding",
    "_call_scope",
    "_client",
    "_clock",
    "_context",
    "_declared",
    "_enums",
    "_envelope",
    "_errors",
    "_event_log",
    "_fields",
    "_generics",
    "_ids",
    "_instrument",
    "_json",
    "_limits",
    "_log",
    "_logged_method",
    "_metric",
    "_models",
    "_operation",
    "_outgoing",
    "_own_models",
    "_parse",
    "_payloads",
    "_prepared",
    "_privacy",
    "_private",
    "_private_input",
    "_profiles",
    "_publish_method",
    "_publisher",
    "_reader",
    "_received",
    "_received_events",
    "_redaction",
    "_redaction_rules",
    "_report_log",
    "_run",
    "_secrets",
    "_send_queue",
    "_sending",
    "_source",
    "_states",
    "_trace",
    "_validation",
    "_wire",
    "_wrapping",
    "models",
];

/// The package that files import from each other.
const PACKAGE: &str = "herald.runtime";

/// The file of the base class of pydantic models.
const MODELS: &str = "models";

/// Modules whose names consumers use.
const FOR_CONSUMERS: [&str; 9] = [
    "_enums",
    "_limits",
    "_models",
    "_parse",
    "_payloads",
    "_reader",
    "_received",
    "_received_events",
    "_wire",
];

/// The runtime that a module imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runtime {
    /// The installed package.
    Installed,
    /// A copy of the whole runtime.
    Copied,
    /// A copy of the part that reads events.
    Reader,
}

impl Runtime {
    /// Returns the module that is imported instead of this one of the installed runtime.
    pub(super) fn module(self, module: &str) -> String {
        let rest = module.strip_prefix(PACKAGE).unwrap_or_default();
        match self {
            Self::Installed => module.to_owned(),
            Self::Copied | Self::Reader => format!(".{}{rest}", self.folder()),
        }
    }

    /// Returns the package of the runtime, and its import as `runtime` from there.
    pub(super) fn import(self) -> (&'static str, &'static str) {
        match self {
            Self::Installed => ("herald", "runtime"),
            Self::Copied => (".", "_herald_runtime as runtime"),
            Self::Reader => (".", "_herald_reader as runtime"),
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Installed => "herald/runtime",
            Self::Copied => "_herald_runtime",
            Self::Reader => "_herald_reader",
        }
    }

    /// Returns the files that modules with this runtime need beside them.
    pub(super) fn files(self, models: Models) -> Vec<GeneratedFile> {
        let file = |name: &str, text: &str| GeneratedFile {
            path: format!("{}/{name}.py", self.folder()),
            contents: format!(
                "# {MARKER}\n# Herald {}, runtime of generated modules.\n\n{text}",
                env!("CARGO_PKG_VERSION")
            ),
        };
        let has_models = |name: &str| name != MODELS || models == Models::Pydantic;
        match self {
            Self::Installed => Vec::new(),
            Self::Copied => (FILES.iter())
                .filter(|(name, _)| has_models(name))
                .map(|(name, text)| file(name, &relative(text)))
                .collect(),
            Self::Reader => {
                let mut roots = FOR_CONSUMERS.to_vec();
                if models == Models::Pydantic {
                    roots.push(MODELS);
                }
                let needed = closure(&roots);
                let copied = FILES.iter().filter(|(name, _)| needed.contains(name));
                let copied = copied.map(|(name, text)| file(name, &relative(text)));
                [file("__init__", &reader_exports())]
                    .into_iter()
                    .chain(copied)
                    .collect()
            }
        }
    }
}

/// Public names of the runtime, which generated names must not hide.
pub(super) static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    exports(text_of("__init__"))
        .into_iter()
        .flat_map(|(_, names)| names)
        .collect()
});

fn text_of(name: &str) -> &'static str {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, text)| text)
}

/// Makes the imports of one file from the others relative.
fn relative(text: &str) -> String {
    let receipt = "    from herald import Receipt";
    let ignored = format!("{receipt}  # type: ignore[import-not-found, unused-ignore]");
    text.replace(&format!("from {PACKAGE}."), "from .")
        .replace(receipt, &ignored)
        // Relative imports are a section of their own.
        .replace(
            &format!("{ignored}\n    from ."),
            &format!("{ignored}\n\n    from ."),
        )
}

/// Returns the files that these files need, with themselves.
fn closure(roots: &[&'static str]) -> BTreeSet<&'static str> {
    let mut needed = BTreeSet::new();
    let mut open = roots.to_vec();
    while let Some(name) = open.pop() {
        if needed.insert(name) {
            open.extend(exports(text_of(name)).into_iter().map(|(module, _)| module));
        }
    }
    needed
}

/// Returns the modules of the runtime that a text imports, each with the imported names.
fn exports(text: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("from herald.runtime.") {
        rest = &rest[begin + "from herald.runtime.".len()..];
        let Some((module, after)) = rest.split_once(" import ") else {
            break;
        };
        let names = match after.strip_prefix('(') {
            Some(names) => names.split(')').next(),
            None => after.split('\n').next(),
        };
        let names = names.unwrap_or_default().split(',').map(str::trim);
        found.push((module, names.filter(|name| !name.is_empty()).collect()));
    }
    found
}

/// Returns the text of `__init__.py` of the part that reads events.
fn reader_exports() -> String {
    let mut text =
        "\"\"\"Reads events: models, received events, and `parse_message`.\"\"\"\n\n".to_owned();
    let mut all = Vec::new();
    let used = exports(text_of("__init__")).into_iter();
    for (module, names) in used.filter(|(module, _)| FOR_CONSUMERS.contains(module)) {
        text.push_str(&crate::python::imports::statement(
            &format!(".{module}"),
            &names,
        ));
        all.extend(names.into_iter().map(str::to_owned));
    }
    crate::python::names::sort_exports(&mut all);
    text.push_str("\n__all__ = [\n");
    for name in all {
        let _ = writeln!(text, "    \"{name}\",");
    }
    text + "]\n"
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_runtime_is_included() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/python/herald/runtime");
        let files = fs::read_dir(folder).expect("it is there");
        let names = files.map(|file| file.expect("readable").file_name());
        let names = names.filter_map(|name| name.to_str()?.strip_suffix(".py").map(str::to_owned));
        let mut names: Vec<_> = names.collect();
        names.sort();
        let mut included: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
        included.sort_unstable();
        assert_eq!(names, included);
    }

    #[test]
    fn consumers_get_only_files_that_read() {
        let needed = closure(&FOR_CONSUMERS);
        assert!(needed.contains("_envelope") && needed.contains("_json"));
        for name in ["_publisher", "_sending", "_client", "_operation", "_log"] {
            assert!(!needed.contains(name), "{name} in {needed:?}");
        }
    }
}
