//! Schemas of Python classes that contracts refer to, in the file that `herald import` writes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use herald_diagnostics::Location;
use serde_json::{Map, Value, json};

use crate::ident::is_python_keyword;
use crate::load;

/// Name of the file, in the folder of the project.
pub const IMPORTED_FILE: &str = "herald.lock.json";

/// Version of the format. Raised when an older Herald would misread the file.
const VERSION: u64 = 1;

/// Key of the version.
const VERSION_KEY: &str = "herald_import";

/// Key of the schemas.
const CLASSES_KEY: &str = "classes";

/// Python class, and the place that refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonClass {
    /// Name of its module, such as `shop.events`.
    pub module: String,
    /// Its name in the module; has dots if it is inside of another class.
    pub name: String,
    /// The place in the contract.
    pub location: Location,
}

impl PythonClass {
    /// Parses `shop.events:OrderPlaced`; `None` if it is not valid.
    pub fn parse(text: &str, location: Location) -> Option<Self> {
        let (module, name) = text.split_once(':')?;
        Self::new(module, name, location)
    }

    /// Returns the class of a name in a module; `None` if these are not identifiers of Python.
    pub fn new(module: &str, name: &str, location: Location) -> Option<Self> {
        const MAX_LENGTH: usize = 500;
        let is_identifier = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !is_python_keyword(part)
        };
        let is_path = |text: &str| text.len() <= MAX_LENGTH && text.split('.').all(is_identifier);
        (is_path(module) && is_path(name)).then(|| Self {
            module: module.to_owned(),
            name: name.to_owned(),
            location,
        })
    }
}

impl fmt::Display for PythonClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.module, self.name)
    }
}

/// Schemas of Python classes.
#[derive(Clone, Debug, Default)]
pub struct ImportedClasses {
    /// By module and name: `shop.events:OrderPlaced`.
    classes: BTreeMap<String, Arc<Value>>,
    /// Reason why the file can't be used.
    problem: Option<String>,
}

impl ImportedClasses {
    /// Reads the file in a folder. Without one there are no classes; a file that can't be used is
    /// reported where a contract refers to a class.
    pub fn read(folder: &Path) -> Self {
        let path = folder.join(IMPORTED_FILE);
        if path.symlink_metadata().is_err() {
            return Self::default();
        }
        let text = load::read_imported(&path).map_err(|diagnostic| diagnostic.message);
        match text.and_then(|text| Self::parse(&text)) {
            Ok(classes) => classes,
            Err(problem) => Self {
                problem: Some(problem),
                ..Self::default()
            },
        }
    }

    /// Parses the text of the file.
    ///
    /// # Errors
    /// The reason why it can't be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("it is not valid JSON at line {line}, column {column}")
        })?;
        if root.get(VERSION_KEY).and_then(Value::as_u64) != Some(VERSION) {
            return Err("it is not a file of this version of `herald import`".to_owned());
        }
        let classes = root.get(CLASSES_KEY).and_then(Value::as_object);
        let classes = classes.ok_or("it has no `classes`")?.iter();
        Ok(Self {
            classes: classes
                .map(|(name, schema)| (name.clone(), Arc::new(schema.clone())))
                .collect(),
            problem: None,
        })
    }

    /// Creates the classes of a file.
    pub fn new(classes: impl IntoIterator<Item = (String, Value)>) -> Self {
        let classes = classes.into_iter();
        Self {
            classes: classes
                .map(|(name, schema)| (name, Arc::new(schema)))
                .collect(),
            problem: None,
        }
    }

    /// Returns the text of the file.
    pub fn to_text(&self) -> String {
        let classes = self.classes.iter();
        let classes: Map<_, _> = classes
            .map(|(name, schema)| (name.clone(), schema.as_ref().clone()))
            .collect();
        let document = json!({
            "$comment": "Types of Python classes, written by `herald import`. Commit it, and do not edit it.",
            VERSION_KEY: VERSION,
            CLASSES_KEY: classes,
        });
        format!("{document:#}\n")
    }

    /// Returns the schema of a class.
    pub fn get(&self, class: &str) -> Option<&Arc<Value>> {
        self.classes.get(class)
    }

    /// Returns all classes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.classes
            .iter()
            .map(|(name, schema)| (name.as_str(), schema.as_ref()))
    }

    /// Returns the reason why the file can't be used.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_classes_of_python() {
        let parsed = |text| PythonClass::parse(text, Location::default()).map(|it| it.to_string());
        for text in ["shop.events:OrderPlaced", "a:B", "_a.b1:Outer.Inner"] {
            assert_eq!(parsed(text).as_deref(), Some(text));
        }
        for text in [
            "shop.events.OrderPlaced",
            "shop..events:A",
            ":A",
            "a:",
            "a:B:C",
            "os; import x:A",
            "class:A",
            "a:None",
            "a b:C",
            "a:é",
            "",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn text_is_read_as_it_was_written() {
        let classes = [
            ("b:B".to_owned(), json!({"type": "object"})),
            ("a:A".to_owned(), json!(true)),
        ];
        let text = ImportedClasses::new(classes).to_text();
        let again = ImportedClasses::parse(&text).unwrap();
        assert_eq!(again.to_text(), text);
        assert_eq!(
            again.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["a:A", "b:B"]
        );
        for text in ["", "[]", "{}", r#"{"herald_import": 2, "classes": {}}"#] {
            assert!(ImportedClasses::parse(text).is_err(), "{text}");
        }
    }
}
