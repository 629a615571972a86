//! Paths of contracts in lock files.

use std::env;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use herald_catalog::load::Loaded;
use herald_catalog::{Catalog, lock};
use herald_project::Project;

use crate::Error;

/// Whether a path is that of a lock file.
pub fn is_lock(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(lock::EXTENSION))
}

/// Names each contract by its path below the project, as lock files do: the same for every working
/// folder and every way to name the contracts.
pub fn name_by_project(catalog: &mut Catalog, project: &Project) -> Result<(), Error> {
    let root = Root::of(project)?;
    for node in &mut catalog.nodes {
        node.origin.relative_path = root.relative(&node.origin.path);
    }
    Ok(())
}

/// Gives contracts of a lock file paths as they are seen from the working folder.
pub fn locate(catalog: &mut Catalog, project: &Project) {
    for node in &mut catalog.nodes {
        let path = project.folder().join(&node.origin.relative_path);
        node.origin.path = path.to_string_lossy().into_owned();
    }
}

/// Keeps the contracts of a lock file that the paths of a command line mean.
pub fn keep(loaded: &mut Loaded, paths: &[String], project: &Project) -> Result<(), Error> {
    if paths.is_empty() {
        return Ok(());
    }
    let root = Root::of(project)?;
    let paths: Vec<_> = paths.iter().map(|path| root.relative(path)).collect();
    let is_meant = |path: &str| {
        paths.iter().any(|wanted| {
            let glob = GlobBuilder::new(wanted).literal_separator(true).build();
            let below = path.strip_prefix(wanted.as_str());
            wanted.is_empty()
                || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                || glob.is_ok_and(|glob| glob.compile_matcher().is_match(path))
        })
    };
    (loaded.catalog.nodes).retain(|node| is_meant(&node.origin.relative_path));
    Ok(())
}

/// Folder of a project, and the working folder.
pub struct Root {
    here: PathBuf,
    root: PathBuf,
}

impl Root {
    /// The folders of this run.
    pub fn of(project: &Project) -> Result<Self, Error> {
        let here = env::current_dir()?;
        Ok(Self {
            root: lexically_normal(&here.join(project.folder())),
            here,
        })
    }

    /// A path as seen from the project's folder, with `/` between its parts; as it is, if it is
    /// elsewhere.
    pub fn relative(&self, path: &str) -> String {
        let whole = lexically_normal(&self.here.join(path));
        let Ok(relative) = whole.strip_prefix(&self.root) else {
            return path.to_owned();
        };
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}

/// The path without `.` and `..`; the file need not exist.
pub fn lexically_normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
