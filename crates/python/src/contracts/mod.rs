//! Native part of `herald.load` and `herald.generate`.
//!
//! Nodes and diagnostics are passed to Python in the JSON format of the command line, so that there
//! is one description of them.

mod loaded;
mod project;

pub use loaded::Loaded;

use std::path::PathBuf;

use herald_catalog::category::CATEGORIES;
use herald_catalog::load as reader;
use herald_project::Project;
use herald_render::{PythonOptions, TARGETS};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// Loads the contracts at `paths`, or those of the project.
#[pyfunction]
pub fn load(
    py: Python<'_>,
    paths: Option<Vec<String>>,
    config: Option<PathBuf>,
) -> PyResult<Loaded> {
    py.detach(|| {
        let project = match project::find(config)? {
            Ok(project) => project,
            Err(unreadable) => return Ok(Loaded::unusable(unreadable)),
        };
        let paths = paths.unwrap_or_else(|| project.paths());
        // A thread pool of its own: the global one does not survive a fork of the Python process.
        let threads = rayon::ThreadPoolBuilder::new().build();
        let threads = threads
            .map_err(|error| PyOSError::new_err(format!("can't start threads to read: {error}")))?;
        let loaded = threads.install(|| reader::load(&paths, &project.options, &|| ()));
        if loaded.found_no_contracts() {
            return Ok(Loaded::unusable(loaded));
        }
        let python = PythonOptions::of(&project.python);
        Ok(Loaded::usable(loaded, python))
    })
}

/// Loads one contract from a string.
#[pyfunction]
pub fn load_text(
    py: Python<'_>,
    text: &str,
    name: &str,
    config: Option<PathBuf>,
) -> PyResult<Loaded> {
    py.detach(|| {
        let project = match config {
            Some(_) => match project::find(config)? {
                Ok(project) => project,
                Err(unreadable) => return Ok(Loaded::unusable(unreadable)),
            },
            None => Project::default(),
        };
        let python = PythonOptions::of(&project.python);
        let loaded = reader::load_text(name, text, &project.options);
        Ok(Loaded::usable(loaded, python))
    })
}

/// Name, title and extension of every target.
#[pyfunction]
pub fn targets() -> Vec<(&'static str, &'static str, &'static str)> {
    TARGETS
        .map(|target| (target.name, target.title, target.extension))
        .to_vec()
}

/// Event categories in catalog order.
#[pyfunction]
pub fn categories() -> Vec<&'static str> {
    CATEGORIES.map(|category| category.key).to_vec()
}
