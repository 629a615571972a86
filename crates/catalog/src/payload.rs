//! Payloads whose fields are defined outside of the contract.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use herald_diagnostics::{Diagnostic, Location};
use serde_json::Value;

use crate::checks;
use crate::contract::Format;
use crate::field_reader::FieldReader;
use crate::fields::{Field, Privacy, Type};
use crate::imported::{ImportedClasses, PythonClass};
use crate::json_schema::{self, Document, ReadSchema};
use crate::load;
use crate::raw_schema::RawSchema;
use crate::resolve::Defaults;
use crate::types::parse_type;
use crate::yaml::Yaml;

/// Key of a reference to a schema in a file.
const JSON_SCHEMA: &str = "json_schema";

/// Key of a reference to a Python class.
const PYTHON: &str = "python";

/// Places of a contract's references.
#[derive(Debug, Default)]
pub(crate) struct Surroundings<'a> {
    /// Folder of the contract; `None` if it is not a file.
    folder: Option<&'a Path>,
    defaults: Option<&'a Defaults>,
    project: OnceCell<Result<ContractProject, String>>,
    documents: RefCell<HashMap<PathBuf, Rc<Document>>>,
}

/// Project that a contract belongs to.
#[derive(Debug)]
struct ContractProject {
    /// Folder of the contract.
    folder: PathBuf,
    /// Folder that files must be below.
    root: PathBuf,
    /// Schemas of Python classes.
    classes: Arc<ImportedClasses>,
}

/// Fields of a payload, an input or a result.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) fields: Vec<Field>,
    /// JSON Schema that payloads match besides their fields.
    pub(crate) json_schema: Option<RawSchema>,
    /// Class in the code of the service.
    pub(crate) class: Option<PythonClass>,
}

impl<'a> Surroundings<'a> {
    /// The places of a contract in this folder.
    pub(crate) fn new(folder: Option<&'a Path>, defaults: &'a Defaults) -> Self {
        Self {
            folder,
            defaults: Some(defaults),
            ..Self::default()
        }
    }

    /// Returns the project of the contract: that of the run, or for a contract that is elsewhere, that
    /// of the nearest `herald.yaml`.
    fn project(&self) -> Result<&ContractProject, String> {
        let found = self.project.get_or_init(|| {
            let real = |path: &Path| {
                let path = if path.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    path
                };
                path.canonicalize().map_err(|error| error.to_string())
            };
            let outside = "this contract is not a file, so that its path is relative to nothing";
            let folder = real(self.folder.ok_or(outside)?)?;
            let defaults = self.defaults.ok_or(outside)?;
            let root = real(defaults.root.as_deref().unwrap_or(Path::new("")))?;
            if folder.starts_with(&root) {
                let classes = Arc::clone(&defaults.classes);
                return Ok(ContractProject {
                    folder,
                    root,
                    classes,
                });
            }
            let mut above = folder.ancestors();
            let root = above.find(|above| above.join(load::PROJECT_FILE).is_file());
            let root = root.unwrap_or(&folder).to_path_buf();
            let classes = Arc::new(ImportedClasses::read(&root));
            Ok(ContractProject {
                folder,
                root,
                classes,
            })
        });
        found.as_ref().map_err(Clone::clone)
    }

    /// Returns the schemas of Python classes.
    fn classes(&self) -> Option<&ImportedClasses> {
        match self.project() {
            Ok(project) => Some(&project.classes),
            Err(_) => self.defaults.map(|defaults| &*defaults.classes),
        }
    }

    /// Reads the JSON file at a path as written in the contract.
    fn document(&self, written: &str) -> Result<Rc<Document>, String> {
        let path = self.located(written)?;
        if let Some(known) = self.documents.borrow().get(&path) {
            return Ok(Rc::clone(known));
        }
        let text = load::read_text(&path).map_err(|diagnostic| diagnostic.message)?;
        let root: Value = serde_json::from_str(&text).map_err(|error| {
            // The text of serde may quote the file.
            let (line, column) = (error.line(), error.column());
            format!("it is not valid JSON, or too deep, at line {line}, column {column}")
        })?;
        let name = written.to_owned();
        let root = Arc::new(root);
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
        let project = self.project()?;
        let path = project.folder.join(path).canonicalize();
        let path = path.map_err(|error| error.to_string())?;
        if path.starts_with(&project.root) {
            Ok(path)
        } else {
            Err("the file is outside of the folder of the project".to_owned())
        }
    }
}

impl FieldReader<'_> {
    /// Reads the fields of a payload: those below their names, or those of what it refers to,
    /// `{json_schema: FILE#/$defs/NAME}` or `{python: "MODULE:CLASS"}`. `owner` names what they
    /// belong to.
    pub(crate) fn payload(
        &self,
        owner: &str,
        yaml: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Payload {
        match self.reference(yaml) {
            Some((JSON_SCHEMA, reference)) => {
                self.json_schema(owner, reference, privacy, diagnostics)
            }
            Some((_, reference)) => self.python(owner, reference, privacy, diagnostics),
            None => Payload {
                fields: self.fields_of(owner, yaml, privacy, diagnostics),
                ..Payload::default()
            },
        }
    }

    /// Returns the key and the value of a reference, if the payload is one. A field may have the
    /// same name; its value is a type.
    fn reference<'y>(&self, yaml: &'y Yaml) -> Option<(&'static str, &'y Yaml)> {
        let [(key, value)] = yaml.entries() else {
            return None;
        };
        let key = [JSON_SCHEMA, PYTHON]
            .into_iter()
            .find(|known| key.text == *known)?;
        let is_type = match parse_type(value.as_str()?) {
            Some(Type::Model(name)) => !name.contains('.'),
            Some(_) => true,
            None => false,
        };
        (!is_type && self.format() == Format::Native).then_some((key, value))
    }

    fn json_schema(
        &self,
        owner: &str,
        reference: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Payload {
        let written = reference.as_str().unwrap_or_default();
        let (file, fragment) = match written.find('#') {
            Some(at) => written.split_at(at),
            None => (written, "#"),
        };
        let place = (owner, privacy, reference.location);
        let read = self
            .surroundings
            .document(file)
            .and_then(|document| self.schema(&document, fragment, place, diagnostics));
        read.unwrap_or_else(|problem| {
            diagnostics.push(checks::payload::unreadable(written, &problem, reference));
            Payload::default()
        })
    }

    fn python(
        &self,
        owner: &str,
        reference: &Yaml,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Payload {
        let written = reference.as_str().unwrap_or_default();
        let Some(class) = PythonClass::parse(written, reference.location) else {
            diagnostics.push(checks::payload::not_a_class(written, reference));
            return Payload::default();
        };
        let classes = self.surroundings.classes();
        if classes.is_none_or(|classes| classes.get(written).is_none()) {
            let problem = classes.and_then(ImportedClasses::problem);
            diagnostics.push(checks::payload::not_imported(written, problem, reference));
        }
        self.class(owner, class, privacy, diagnostics)
    }

    /// Reads the fields of a Python class. One that was not imported has none.
    pub(crate) fn class(
        &self,
        owner: &str,
        class: PythonClass,
        privacy: Privacy,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Payload {
        let name = class.to_string();
        let location = class.location;
        let classes = self.surroundings.classes();
        let schema = classes.and_then(|classes| classes.get(&name));
        let read = schema.map(|schema| {
            let root = Arc::clone(schema);
            let document = Rc::new(Document {
                name: name.clone(),
                root,
            });
            self.schema(&document, "#", (owner, privacy, location), diagnostics)
        });
        let payload = match read {
            Some(Ok(payload)) => payload,
            Some(Err(problem)) => {
                diagnostics.push(checks::payload::unusable_class(&name, &problem, location));
                Payload::default()
            }
            None => Payload::default(),
        };
        Payload {
            class: Some(class),
            ..payload
        }
    }

    fn schema(
        &self,
        document: &Rc<Document>,
        fragment: &str,
        place: (&str, Privacy, Location),
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Payload, String> {
        let read = json_schema::read(document, fragment, self, place)?;
        report_kept(document, &read, place.2, diagnostics);
        Ok(Payload {
            fields: read.fields,
            json_schema: read.rest,
            class: None,
        })
    }
}

/// Reports the parts of a schema that are kept as they are.
fn report_kept(
    document: &Document,
    read: &ReadSchema,
    location: Location,
    diagnostics: &mut Vec<Diagnostic>,
) {
    /// Maximum number of parts that are reported each on their own.
    const MAX_REPORTED: usize = 20;
    for kept in read.kept.iter().take(MAX_REPORTED) {
        let place = format!("{}{}", document.name, kept.place);
        let diagnostic = checks::payload::not_expressed(&place, &kept.what, &kept.ty, location);
        diagnostics.push(diagnostic);
    }
    if let Some(more) = read.kept.len().checked_sub(MAX_REPORTED + 1) {
        let diagnostic = checks::payload::more_not_expressed(&document.name, more + 1, location);
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
