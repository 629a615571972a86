//! Contracts of a whole system: files, folders, globs, lock files and commits.

use std::path::Path;

use herald_catalog::load::{self, Loaded};
use herald_project::Project;

use crate::Error;
use crate::git::{self, Checkout};
use crate::terminal::Progress;

/// Reads contracts. The folders of other repositories are relative to `base`.
pub fn read(wanted: &[String], base: &Path, project: &Project) -> Result<Loaded, Error> {
    let mut paths = Vec::new();
    let mut checkouts: Vec<Checkout> = Vec::new();
    for path in wanted {
        match path.strip_prefix("git:") {
            Some(reference) => {
                let checkout = git::checkout(reference, &[], project, base)?;
                paths.extend(checkout.paths.iter().cloned());
                checkouts.push(checkout);
            }
            None => paths.push(path.clone()),
        }
    }
    let progress = Progress::new("reading");
    let mut loaded = load::load(&paths, &project.options, &|| progress.tick());
    drop(progress);
    for checkout in &checkouts {
        checkout.rename(&mut loaded);
    }
    Ok(loaded)
}

/// Reads the workspace of a project.
pub fn read_workspace(project: &Project) -> Result<Loaded, Error> {
    read(&project.workspace_paths(), project.folder(), project)
}
