//! Comparing and writing of generated files. Nothing else writes them.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use herald_render::{GeneratedFile, is_ours};

use crate::Error;

/// State of a file on disk compared with the generated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Both are equal.
    Unchanged,
    /// The file does not exist.
    New,
    /// The file differs, and Herald wrote it.
    Stale,
    /// The file differs, and Herald did not write it.
    Foreign,
}

/// A generated file and the file on disk at its path.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The generated file.
    pub file: &'a GeneratedFile,
    /// Its path on disk.
    pub path: PathBuf,
    /// The text on disk, if it differs.
    pub current: Option<String>,
    /// The result of the comparison.
    pub state: State,
}

/// Compares generated files with those in a folder. Writes nothing.
pub fn plan<'a>(files: &'a [GeneratedFile], folder: &Path) -> Result<Vec<Planned<'a>>, Error> {
    files.iter().map(|file| plan_one(file, folder)).collect()
}

fn plan_one<'a>(file: &'a GeneratedFile, folder: &Path) -> Result<Planned<'a>, Error> {
    let inside = Path::new(&file.path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(Error::Message(format!(
            "`{}` is outside of the output directory",
            file.path
        )));
    }
    refuse_symlinks(&file.path, folder)?;
    let path = folder.join(&file.path);
    // Reading a named pipe or a device could block forever.
    if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Error::Message(format!(
            "`{}` exists and is not a regular file; nothing was written",
            path.display()
        )));
    }
    let (state, current) = match fs::read(&path) {
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
        current,
        state,
    })
}

/// Returns files that Herald wrote into a folder earlier and would not write now.
pub fn orphans(files: &[GeneratedFile], folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let known: HashSet<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    // Only folders that files go to and the output folder itself: other folders are the user's.
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
                .filter(|path| !known.contains(path) && path.is_file() && has_marker(path)),
        );
    }
    orphans.sort();
    Ok(orphans)
}

fn has_marker(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(1024).read_to_end(&mut begin));
    read.is_ok() && is_ours(&begin)
}

/// Fails if a folder on the way to a file is a symbolic link, which could lead out of the output
/// folder.
fn refuse_symlinks(path: &str, folder: &Path) -> Result<(), Error> {
    let mut way = folder.to_path_buf();
    let parts: Vec<_> = path.split('/').collect();
    for part in &parts[..parts.len() - 1] {
        way.push(part);
        if way.is_symlink() {
            return Err(Error::Message(format!(
                "`{}` is a symbolic link, which could lead out of the output directory; nothing was written",
                way.display()
            )));
        }
    }
    Ok(())
}

/// Writes a file atomically: a reader sees the old or the new content. A file that was created since
/// it was planned is not overwritten.
pub fn write(planned: &Planned<'_>) -> Result<(), Error> {
    write_text(
        &planned.path,
        &planned.file.contents,
        planned.state == State::New,
    )
}

/// Writes a text atomically; with `new`, fails if the file exists.
///
/// The text goes to a temporary file in the same folder, because a rename is atomic only within a file
/// system. It is not flushed to the disk: after a power cut the file can be generated again.
pub fn write_text(path: &Path, text: &str, new: bool) -> Result<(), Error> {
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
            // A rename replaces the file with its permissions, so those of the old file are copied.
            let permissions = fs::metadata(path)?.permissions();
            file.as_file().set_permissions(permissions)?;
            file.persist(path)?;
        }
        Ok(())
    };
    write().map_err(|error| failed("write", path, &error))
}

/// Creates a temporary file in the folder, with the permissions of any other new file.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".herald-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask of the process applies to this mode. `tempfile` would use 0600.
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Error {
    Error::Message(format!("can't {verb} `{}`: {error}", path.display()))
}
