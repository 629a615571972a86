//! Lookup of the project that contracts belong to.

use std::io;
use std::path::PathBuf;

use herald_catalog::Catalog;
use herald_catalog::load::Loaded;
use herald_project::Project;

/// Reads the project of a `herald.yaml`, or of the nearest one in the working folder or above. An
/// invalid one is returned as its diagnostics.
pub fn find(config: Option<PathBuf>) -> io::Result<Result<Project, Loaded>> {
    let project = match config {
        Some(path) => herald_project::read(&path),
        None => herald_project::nearest(&std::env::current_dir()?),
    };
    Ok(project.map_err(|(diagnostics, sources)| Loaded {
        catalog: Catalog {
            sources,
            ..Catalog::default()
        },
        diagnostics,
        ..Loaded::default()
    }))
}
