//! Loaded contracts, kept as long as Python may generate from them.

use herald_catalog::{document, load};
use herald_diagnostics::render::{Format, Options, write};
use herald_diagnostics::{Diagnostic, Sources};
use herald_render::{BuiltInTarget, Context, Models, PythonOptions, Target};
use herald_verify::{Finding, Kind, Record, Verifier};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// Topic, partition, offset, key and value.
type WrittenRecord = (
    String,
    i32,
    i64,
    Option<Vec<u8>>,
    Vec<u8>,
    Vec<(String, Vec<u8>)>,
);

/// Loaded contracts and their diagnostics.
#[pyclass(frozen, module = "herald._herald")]
pub struct Loaded {
    read: load::Loaded,
    /// Whether contracts were found and the project is valid.
    #[pyo3(get)]
    usable: bool,
    /// Python options of the project.
    python: PythonOptions,
}

impl Loaded {
    pub fn usable(read: load::Loaded, python: PythonOptions) -> Self {
        Self {
            read,
            usable: true,
            python,
        }
    }

    pub fn unusable(read: load::Loaded) -> Self {
        Self {
            read,
            usable: false,
            python: PythonOptions::default(),
        }
    }
}

#[pymethods]
impl Loaded {
    /// Nodes as a JSON list.
    fn nodes(&self, py: Python<'_>) -> String {
        py.detach(|| {
            let nodes = self.read.catalog.nodes.iter();
            let nodes = nodes.map(|node| {
                let mut node_document = document::contract(node, &[]);
                // The path in the form that diagnostics have.
                node_document["path"] = json!(node.origin.path);
                node_document
            });
            Value::Array(nodes.collect()).to_string()
        })
    }

    /// Diagnostics in the format of `herald check --format json`.
    fn diagnostics(&self) -> PyResult<String> {
        as_json(&self.read.diagnostics, &self.read.catalog.sources)
    }

    /// YAML files in searched folders that are not contracts.
    fn skipped(&self) -> Vec<String> {
        self.read.skipped.clone()
    }

    /// Judges records by the contracts: topic, partition, offset, key, value and headers of each. Returns the
    /// number of records, the problems of other kinds than the allowed ones, and the coverage as JSON.
    fn verify(
        &self,
        py: Python<'_>,
        records: Vec<WrittenRecord>,
        namespace: Option<String>,
        allowed: Vec<String>,
    ) -> PyResult<String> {
        let allowed = allowed.into_iter().map(|kind| kind.parse::<Kind>());
        let allowed = allowed
            .collect::<Result<Vec<_>, _>>()
            .map_err(PyValueError::new_err)?;
        py.detach(|| {
            let options = herald_verify::Options {
                namespace,
                // A test that has ended publishes nothing more.
                run_timeout_seconds: -1,
                has_beginning: true,
            };
            let mut verifier = Verifier::new(&self.read.catalog, options);
            for (topic, partition, offset, key, value, headers) in records {
                let headers: Vec<(&str, &[u8])> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_slice()))
                    .collect();
                verifier.judge(&Record {
                    topic: Some(&topic),
                    key: Some(key.as_deref()),
                    partition: u32::try_from(partition).ok(),
                    // Clusters in memory choose the partition themselves.
                    partitions: None,
                    value: Some(&value),
                    headers: &headers,
                    timestamp: None,
                    place: &format_args!("{topic}/{partition}@{offset}"),
                });
            }
            let mut report = verifier.finish();
            let is_wanted = |finding: &Finding| !allowed.contains(&finding.kind);
            report.findings.retain(is_wanted);
            Ok(json!({
                "records": report.records,
                "problems": report.findings,
                "coverage": report.coverage,
            })
            .to_string())
        })
    }

    /// Renders targets: returns diagnostics as JSON, and paths and texts of the files. With errors
    /// there are no files. Options that are `None` are the project's.
    fn generate(
        &self,
        py: Python<'_>,
        targets: Vec<String>,
        models: Option<&str>,
        standalone: Option<bool>,
    ) -> PyResult<(String, Vec<(String, String)>)> {
        let targets = targets.into_iter().map(|name| BuiltInTarget::named(&name));
        let targets = targets
            .collect::<Result<Vec<_>, _>>()
            .map_err(|unknown| PyValueError::new_err(unknown.to_string()))?;
        let python = PythonOptions {
            models: models.map_or(Ok(self.python.models), models_named)?,
            standalone: standalone.unwrap_or(self.python.standalone),
        };
        py.detach(|| {
            let errors = self.errors();
            let files = if errors.is_empty() {
                self.render(&targets, python)?
            } else {
                Vec::new()
            };
            Ok((as_json(&errors, &self.read.catalog.sources)?, files))
        })
    }
}

impl Loaded {
    /// Errors that prevent generation.
    fn errors(&self) -> Vec<Diagnostic> {
        let mut diagnostics = self.read.diagnostics.clone();
        load::make_collisions_errors(&mut diagnostics);
        diagnostics.retain(Diagnostic::is_error);
        diagnostics
    }

    fn render(
        &self,
        targets: &[&BuiltInTarget],
        python: PythonOptions,
    ) -> PyResult<Vec<(String, String)>> {
        let context = Context {
            python,
            ..Context::default()
        };
        let nodes: Vec<_> = self.read.catalog.nodes.iter().collect();
        let mut files = Vec::new();
        for target in targets {
            let rendered = target
                .render(&nodes, &context, true)
                .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            files.extend(rendered.into_iter().map(|file| (file.path, file.contents)));
        }
        Ok(files)
    }
}

fn models_named(name: &str) -> PyResult<Models> {
    name.parse().map_err(|_| {
        let known = Models::ALL.map(Models::as_str).join(", ");
        PyValueError::new_err(format!("unknown models `{name}`; expected one of: {known}"))
    })
}

fn as_json(diagnostics: &[Diagnostic], sources: &Sources) -> PyResult<String> {
    let mut json = Vec::new();
    write(
        Format::Json,
        diagnostics,
        sources,
        &Options::default(),
        &mut json,
    )?;
    Ok(String::from_utf8(json)?)
}
