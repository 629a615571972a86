//! Lookup of the project that contracts belong to.

use std::io;
use std::path::PathBuf;

use herald_catalog::Catalog;
use herald_catalog::config::{self, Project};
use herald_catalog::load::Loaded;

/// Reads the project of a `herald.yaml`, or of the nearest one in the working folder or above. An
/// invalid one is returned as its diagnostics.
pub fn find(config: Option<PathBuf>) -> io::Result<Result<Project, Loaded>> {
    let project = match config {
        Some(path) => config::read(&path),
        None => config::nearest(&std::env::current_dir()?),
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
