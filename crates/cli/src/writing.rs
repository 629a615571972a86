//! The only place that writes generated files.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use herald_render::{GeneratedFile, is_ours};

use crate::Failure;

/// What there is to do for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The file is as it should be; it is left alone.
    Unchanged,
    /// There is no such file.
    New,
    /// The file is different, and Herald wrote it.
    Stale,
    /// The file is somebody else's.
    Foreign,
}

/// A generated file and what is on disk in its place.
#[derive(Debug)]
pub struct Planned<'a> {
    /// What was generated.
    pub file: &'a GeneratedFile,
    /// Where it goes.
    pub path: PathBuf,
    /// What is there, if it is text.
    pub present: Option<String>,
    /// What there is to do.
    pub state: State,
}

/// Compares generated files with those in a folder. Nothing is written.
pub fn plan<'a>(files: &'a [GeneratedFile], folder: &Path) -> Result<Vec<Planned<'a>>, Failure> {
    files.iter().map(|file| plan_one(file, folder)).collect()
}

fn plan_one<'a>(file: &'a GeneratedFile, folder: &Path) -> Result<Planned<'a>, Failure> {
    let inside = Path::new(&file.path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(Failure::Message(format!(
            "`{}` leads out of the output folder",
            file.path
        )));
    }
    refuse_links(&file.path, folder)?;
    let path = folder.join(&file.path);
    let (state, present) = match fs::read(&path) {
        Ok(bytes) if bytes == file.contents.as_bytes() => (State::Unchanged, None),
        Ok(bytes) if is_ours(&bytes) => (
            State::Stale,
            Some(String::from_utf8_lossy(&bytes).into_owned()),
        ),
        Ok(bytes) => (
            State::Foreign,
            Some(String::from_utf8_lossy(&bytes).into_owned()),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (State::New, None),
        Err(error) => return Err(failed("read", &path, &error)),
    };
    Ok(Planned {
        file,
        path,
        present,
        state,
    })
}

/// Files in a folder that Herald wrote, and that no contract is the reason for any more.
pub fn orphans(files: &[GeneratedFile], folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let known: HashSet<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    // Where files go, and the output folder itself: nothing else in it is Herald's business.
    let mut folders: BTreeSet<&Path> = known.iter().filter_map(|path| path.parent()).collect();
    folders.insert(folder);
    let mut orphans = Vec::new();
    for folder in folders {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("read", folder, &error)),
        };
        orphans.extend(
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| !known.contains(path) && path.is_file() && begins_as_ours(path)),
        );
    }
    orphans.sort();
    Ok(orphans)
}

fn begins_as_ours(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(1024).read_to_end(&mut begin));
    read.is_ok() && is_ours(&begin)
}

/// Fails where a folder on the way to a file is a link, which could lead anywhere.
fn refuse_links(path: &str, folder: &Path) -> Result<(), Failure> {
    let mut way = folder.to_path_buf();
    let parts: Vec<_> = path.split('/').collect();
    for part in &parts[..parts.len() - 1] {
        way.push(part);
        if way.is_symlink() {
            return Err(Failure::Message(format!(
                "`{}` is a link, which may lead out of the output folder; nothing was written",
                way.display()
            )));
        }
    }
    Ok(())
}

/// Writes a file so that a reader sees the old or the new one, never a part. What was not there
/// when it was planned is not overwritten now.
pub fn write(planned: &Planned<'_>) -> Result<(), Failure> {
    write_text(
        &planned.path,
        &planned.file.contents,
        planned.state == State::New,
    )
}

/// Writes a text in the same way; `new` when there must not be such a file yet.
pub fn write_text(path: &Path, text: &str, new: bool) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| failed("create", folder, &error))?;
    let write = || -> io::Result<()> {
        let mut file = new_file(folder)?;
        file.write_all(text.as_bytes())?;
        if new {
            file.persist_noclobber(path)?;
        } else {
            let permissions = fs::metadata(path)?.permissions();
            file.as_file().set_permissions(permissions)?;
            file.persist(path)?;
        }
        Ok(())
    };
    write().map_err(|error| failed("write", path, &error))
}

/// A nameless neighbour, with the permissions of any other new file.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".herald-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask applies to it.
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Message(format!("can't {verb} `{}`: {error}", path.display()))
}
