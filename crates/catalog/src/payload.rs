//! Payloads whose fields are defined outside of the contract.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use herald_diagnostics::Diagnostic;

use crate::checks;
use crate::contract::Format;
use crate::field_reader::FieldReader;
use crate::fields::{Field, Privacy, Type};
use crate::json_schema::{self, Document, ReadSchema};
use crate::load;
use crate::raw_schema::RawSchema;
use crate::types::parse_type;
use crate::yaml::Yaml;

/// Key of a reference to a schema in a file.
const JSON_SCHEMA: &str = "json_schema";

/// Places of a contract's references.
#[derive(Debug, Default)]
pub(crate) struct Surroundings<'a> {
    /// Folder of the contract; `None` if it is not a file.
    folder: Option<&'a Path>,
    /// Folder that files must be below.
    root: Option<&'a Path>,
    documents: RefCell<HashMap<PathBuf, Rc<Document>>>,
}

/// Fields of a payload, an input or a result.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) fields: Vec<Field>,
    /// JSON Schema that payloads match besides their fields.
    pub(crate) json_schema: Option<RawSchema>,
}

impl<'a> Surroundings<'a> {
    /// The places of a contract in this folder, for a project in `root`.
    pub(crate) fn new(folder: Option<&'a Path>, root: Option<&'a Path>) -> Self {
        Self {
            folder,
            root,
            documents: RefCell::default(),
        }
    }

    /// Reads the JSON file at a path as written in the contract.
    fn document(&self, written: &str) -> Result<Rc<Document>, String> {
        let path = self.located(written)?;
        if let Some(known) = self.documents.borrow().get(&path) {
            return Ok(Rc::clone(known));
        }
        let text = load::read_text(&path).map_err(|diagnostic| diagnostic.message)?;
        let root = serde_json::from_str(&text).map_err(|error| {
            // The text of serde may quote the file.
            let (line, column) = (error.line(), error.column());
            format!("it is not valid JSON, or too deep, at line {line}, column {column}")
        })?;
        let name = written.to_owned();
        let document = Rc::new(Document { name, root });
        let known = Rc::clone(&document);
        self.documents.borrow_mut().insert(path, known);
        Ok(document)
    }

    /// Returns the real path of a file, which has to be below the folder of the project.
    fn located(&self, written: &str) -> Result<PathBuf, String> {
        let path = Path::new(written);
        let is_relative = path.components().all(|part| {
            matches!(
                part,
                Component::Normal(_) | Component::CurDir | Component::ParentDir
            )
        });
        if written.contains("://") || written.starts_with("file:") {
            return Err("only files of the project are read".to_owned());
        }
        if !is_relative || written.contains(['\\', ':']) {
            return Err("the path has to be relative, with `/` between its parts".to_owned());
        }
        if path.extension().is_none_or(|ending| ending != "json") {
            return Err("the name of the file has to end with `.json`".to_owned());
        }
        let folder = self
            .folder
            .ok_or("this contract is not a file, so that its path is relative to nothing")?;
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let real = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
        let folder = real(folder)?;
        let root = match self.root {
            Some(root) if root.as_os_str().is_empty() => real(Path::new("."))?,
            Some(root) => real(root)?,
            None => match real(Path::new(".")) {
                Ok(here) if folder.starts_with(&here) => here,
                _ => folder.clone(),
            },
        };
        let path = real(&folder.join(path))?;
        if path.starts_with(&root) {
            Ok(path)
        } else {
            Err("the file is outside of the folder of the project".to_owned())
        }
    }
}

impl FieldReader<'_> {
    /// Reads the fields of a payload: those below their names, or those of the schema that
    /// `{json_schema: FILE#/$defs/NAME}` refers to. `owner` names what they belong to.
    pub(crate) fn payload(
        &self,
        owner: &str,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Payload {
        let Some(reference) = self.reference(yaml) else {
            return Payload {
                fields: self.fields_of(owner, yaml, privacy, diagnostics),
                json_schema: None,
            };
        };
        let written = reference.as_str().unwrap_or_default();
        let (file, fragment) = match written.find('#') {
            Some(at) => written.split_at(at),
            None => (written, "#"),
        };
        let read = self.surroundings.document(file).and_then(|document| {
            let place = (owner, privacy, reference.location);
            let read = json_schema::read(&document, fragment, self, place)?;
            report_kept(&document, &read, reference, diagnostics);
            Ok(read)
        });
        match read {
            Ok(read) => Payload {
                fields: read.fields,
                json_schema: read.rest,
            },
            Err(problem) => {
                diagnostics.push(checks::payload::unreadable(written, &problem, reference));
                Payload::default()
            }
        }
    }

    /// Returns the reference to a schema, if the payload is one. A field may have the same name; its
    /// value is a type.
    fn reference<'y>(&self, yaml: &'y Yaml) -> Option<&'y Yaml> {
        let [(key, value)] = yaml.entries() else {
            return None;
        };
        if key.text != JSON_SCHEMA || self.format() != Format::Native {
            return None;
        }
        let text = value.as_str()?;
        let is_type = match parse_type(text) {
            Some(Type::Model(name)) => !name.contains('.'),
            Some(_) => true,
            None => false,
        };
        (!is_type).then_some(value)
    }
}

/// Reports the parts of a schema that are kept as they are.
fn report_kept(
    document: &Document,
    read: &ReadSchema,
    reference: &Yaml,
    diagnostics: &mut Vec<Diagnostic>,
) {
    /// Maximum number of parts that are reported each on their own.
    const MAX_REPORTED: usize = 20;
    for kept in read.kept.iter().take(MAX_REPORTED) {
        let place = format!("{}{}", document.name, kept.place);
        let diagnostic = checks::payload::not_expressed(&place, &kept.what, &kept.ty, reference);
        diagnostics.push(diagnostic);
    }
    if let Some(more) = read.kept.len().checked_sub(MAX_REPORTED + 1) {
        let diagnostic = checks::payload::more_not_expressed(&document.name, more + 1, reference);
        diagnostics.push(diagnostic);
    }
}

/// Returns the files that a contract refers to, as written in its text.
pub fn referenced_files(contract: &str) -> Vec<String> {
    let lines = contract.lines();
    let values = lines.filter_map(|line| {
        let (_, value) = line.split_once("json_schema:")?;
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(['#', '"', '\'', '}', ' '])?;
        Some(value[..end].to_owned())
    });
    values.filter(|file| !file.is_empty()).collect()
}
