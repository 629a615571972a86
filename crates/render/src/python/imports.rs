//! Block of imports, in the order of isort.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::python::layout::WIDTH;
use crate::python::names::natural;

/// Packages outside of the standard library, which isort puts into the last section.
const OTHERS: [&str; 3] = ["herald", "pydantic", "pytest"];

/// Imports of a module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Imports {
    /// `import module`.
    modules: BTreeSet<String>,
    /// `from module import name`, also `name as other`.
    names: BTreeMap<String, BTreeSet<String>>,
    /// Packages of the service's own code, which have a section of their own.
    own: BTreeSet<String>,
}

impl Imports {
    pub(crate) fn module(&mut self, module: &str) {
        self.modules.insert(module.to_owned());
    }

    pub(crate) fn name(&mut self, module: &str, name: &str) {
        let names = self.names.entry(module.to_owned()).or_default();
        names.insert(name.to_owned());
    }

    /// Adds the import of a name from the service's own code.
    pub(crate) fn own_name(&mut self, module: &str, name: &str) {
        let package = module.split('.').next().unwrap_or(module);
        self.own.insert(package.to_owned());
        self.name(module, name);
    }

    /// Adds the imports at the beginning of a text, and returns the rest of the text.
    pub(crate) fn take_from<'a>(&mut self, text: &'a str) -> &'a str {
        let mut rest = text;
        loop {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if let Some(module) = line.strip_prefix("import ") {
                self.module(module.trim());
                rest = after;
            } else if let Some((module, names)) =
                (line.strip_prefix("from ")).and_then(|statement| statement.split_once(" import "))
            {
                let (names, after) = match names.strip_prefix('(') {
                    Some(_) => {
                        let begin = rest.len() - after.len() - 1;
                        let names = &rest[begin..];
                        names.split_once(")\n").unwrap_or((names, ""))
                    }
                    None => (names, after),
                };
                for name in names.split(',').map(str::trim).filter(|n| !n.is_empty()) {
                    self.name(module, name);
                }
                rest = after;
            } else if line.trim().is_empty() && !after.is_empty() {
                rest = after;
            } else {
                return rest;
            }
        }
    }

    /// Formats the statements.
    pub(crate) fn print(&self) -> String {
        let mut sections = [const { String::new() }; 5];
        for module in &self.modules {
            let _ = writeln!(sections[self.section(module)], "import {module}");
        }
        for (module, names) in &self.names {
            let mut names: Vec<_> = names.iter().map(String::as_str).collect();
            names.sort_by(|a, b| by_kind(a, b));
            let (renamed, own): (Vec<_>, Vec<_>) =
                names.into_iter().partition(|name| name.contains(" as "));
            let section = &mut sections[self.section(module)];
            if !own.is_empty() {
                section.push_str(&statement(module, &own));
            }
            for name in renamed {
                section.push_str(&statement(module, &[name]));
            }
        }
        let sections: Vec<_> = sections.iter().filter(|s| !s.is_empty()).collect();
        let sections: Vec<_> = sections.iter().map(|s| s.trim_end()).collect();
        sections.join("\n\n")
    }
}

impl Imports {
    fn section(&self, module: &str) -> usize {
        let package = module.split('.').next().unwrap_or(module);
        match package {
            "__future__" => 0,
            "" => 4, // of this package: `.module`
            package if OTHERS.contains(&package) => 2,
            package if self.own.contains(package) => 3,
            _ => 1,
        }
    }
}

/// Formats `from module import names`.
pub(crate) fn statement(module: &str, names: &[&str]) -> String {
    let flat = format!("from {module} import {}", names.join(", "));
    if flat.len() <= WIDTH {
        return flat + "\n";
    }
    let mut text = format!("from {module} import (\n");
    for name in names {
        let _ = writeln!(text, "    {name},");
    }
    text + ")\n"
}

/// Returns the rank of a name in isort's order: constants, classes, everything else.
pub(crate) fn kind(name: &str) -> u8 {
    let is_constant = name.len() > 1
        && name.chars().any(|c| c.is_ascii_uppercase())
        && !name.chars().any(|c| c.is_ascii_lowercase());
    match name.chars().next() {
        _ if is_constant => 0,
        Some(first) if first.is_ascii_uppercase() => 1,
        _ => 2,
    }
}

fn by_kind(a: &str, b: &str) -> Ordering {
    let lower = |name: &str| name.to_ascii_lowercase();
    (kind(a).cmp(&kind(b)))
        .then_with(|| natural(lower(a).as_bytes(), lower(b).as_bytes()))
        .then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_taken_apart_and_put_together() {
        let text = "import re\nfrom typing import (\n    Any,\n    Final,\n)\n\
                    from datetime import time as at\n\n\nx = 1\n";
        let mut imports = Imports::default();
        assert_eq!(imports.take_from(text), "x = 1\n");
        imports.name("datetime", "date");
        imports.name("pydantic", "Field");
        imports.name("__future__", "annotations");
        imports.name("._herald_runtime", "States");
        assert_eq!(
            imports.print(),
            "from __future__ import annotations\n\nimport re\nfrom datetime import date\n\
             from datetime import time as at\nfrom typing import Any, Final\n\n\
             from pydantic import Field\n\nfrom ._herald_runtime import States"
        );
    }
}
