//! Contracts as they are in a git commit.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, fs};

use herald_catalog::imported::{IMPORTED_FILE, ImportedClasses};
use herald_catalog::load::{self, Loaded, PROJECT_FILE};
use herald_catalog::lock;
use herald_diagnostics::{Source, Sources};
use herald_project::Project;
use tempfile::TempDir;

use crate::Error;
use crate::lock_file::{is_lock, lexically_normal};

/// Contracts of a commit in a temporary folder, laid out as in the repository.
pub struct Checkout {
    folder: TempDir,
    top: PathBuf,
    name: String,
    /// Paths below the repository.
    wanted: Vec<PathBuf>,
    /// Paths of the contracts in the temporary folder.
    pub paths: Vec<String>,
    /// Options of the `herald.yaml` of that commit.
    pub options: load::Options,
}

/// A commit, as `REF[:PATH]` or, in another repository, `FOLDER@REF[:PATH]`.
struct Reference<'a> {
    /// A folder of the other repository.
    folder: Option<PathBuf>,
    /// Everything but the path.
    name: &'a str,
    commit: &'a str,
    /// Path from the top of the repository.
    path: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Parses a reference. The folder of another repository is relative to `base`.
    fn parse(text: &'a str, base: &Path) -> Result<Self, Error> {
        // No name of a commit begins like this.
        let names_folder = ["./", "../", "/"];
        let is_elsewhere = names_folder.iter().any(|start| text.starts_with(start));
        let (folder, start) = if is_elsewhere {
            let ends = text.match_indices('@').map(|(at, _)| at);
            let folder = |at: usize| (base.join(&text[..at]), at + 1);
            let mut folders = ends.map(folder).filter(|(folder, _)| folder.is_dir());
            let (folder, start) = folders.next().ok_or_else(|| {
                Error::Message(format!(
                    "`git:{text}` names no commit of an existing folder; write \
                     git:FOLDER@REF[:PATH], such as git:../shop@main:contracts"
                ))
            })?;
            (Some(folder.canonicalize()?), start)
        } else {
            (None, 0)
        };
        let (commit, path) = match text[start..].split_once(':') {
            Some((commit, path)) => (commit, Some(path)),
            None => (&text[start..], None),
        };
        Ok(Self {
            folder,
            name: &text[..start + commit.len()],
            commit,
            path,
        })
    }
}

/// Returns the top folder of the repository that the working folder is in; `None` without one.
pub fn top() -> Option<PathBuf> {
    let top = git(Path::new("."), ["rev-parse", "--show-toplevel"], b"").ok()?;
    Some(first_line(&top))
}

/// Copies the contracts of a [`Reference`]. Without a path, they are those at `paths` or of the project,
/// and of another repository everything in its folder. `base` is where its folder is relative to.
pub fn checkout(
    reference: &str,
    paths: &[String],
    project: &Project,
    base: &Path,
) -> Result<Checkout, Error> {
    let Reference {
        folder: elsewhere,
        name,
        commit,
        path,
    } = Reference::parse(reference, base)?;
    let here = elsewhere.as_deref().unwrap_or(Path::new("."));
    let repository = Repository::find(here, commit)?;
    let below = |folder: &Path| {
        let folder = folder.to_string_lossy().into_owned();
        repository.relative(&[folder])
    };
    let wanted = match (path, &elsewhere) {
        // As git writes it: from the top of the repository.
        (Some(path), _) => vec![PathBuf::from(path)],
        (None, Some(folder)) => below(folder)?,
        (None, None) if paths.is_empty() => repository.relative(&project.paths())?,
        (None, None) => repository.relative(paths)?,
    };
    let folder = tempfile::tempdir()?;
    for path in &wanted {
        repository.copy(&without_wildcards(path), folder.path())?;
    }
    repository.copy_referenced(folder.path())?;
    let mut options = match elsewhere.as_ref().or(project.root.as_ref()) {
        Some(root) => {
            let file = below(root)?.remove(0).join(PROJECT_FILE);
            repository.copy(&file, folder.path())?;
            read_options(&folder.path().join(file), project)?
        }
        None => project.options.clone(),
    };
    options.defaults.root = Some(folder.path().to_path_buf());
    let imported = match elsewhere.as_ref().or(project.root.as_ref()) {
        Some(root) => below(root)?.remove(0),
        None => below(Path::new("."))?.remove(0),
    };
    repository.copy(&imported.join(IMPORTED_FILE), folder.path())?;
    let imported = ImportedClasses::read(&folder.path().join(imported));
    options.defaults.classes = Arc::new(imported);
    let paths = wanted.iter().map(|path| folder.path().join(path));
    Ok(Checkout {
        paths: paths
            .map(|path| path.to_string_lossy().into_owned())
            .collect(),
        folder,
        top: repository.top,
        name: name.to_owned(),
        wanted,
        options,
    })
}

impl Checkout {
    /// Names the texts and contracts that were read from the temporary folder as in the repository.
    pub fn rename(&self, loaded: &mut Loaded) {
        let folder = self.folder.path();
        for node in &mut loaded.catalog.nodes {
            if let Ok(path) = Path::new(&node.origin.path).strip_prefix(folder) {
                node.origin.path = self.top.join(path).to_string_lossy().into_owned();
            }
        }
        let mut renamed = Sources::default();
        for (_, source) in loaded.catalog.sources.iter() {
            renamed.add(match Path::new(&source.path).strip_prefix(folder) {
                Ok(path) => {
                    let path = format!("git:{}:{}", self.name, path.to_string_lossy());
                    Source::new(path, source.text.clone())
                }
                Err(_) => source.clone(),
            });
        }
        loaded.catalog.sources = renamed;
    }
}

/// Reads the contracts of a [`Reference`], with the `herald.yaml` of that commit.
pub fn load(reference: &str, paths: &[String], project: &Project) -> Result<Loaded, Error> {
    let checkout = checkout(reference, paths, project, Path::new("."))?;
    let mut loaded = load::load(&checkout.paths, &checkout.options, &|| ());
    checkout.rename(&mut loaded);
    if loaded.found_no_contracts() {
        let wanted = checkout.wanted.iter();
        let shown: Vec<_> = wanted.map(|path| path.to_string_lossy()).collect();
        let name = &checkout.name;
        return Err(Error::NoContracts(format!(
            "there are no contracts in `{}` at git:{name}; give the old path as git:{name}:PATH",
            shown.join("`, `")
        )));
    }
    Ok(loaded)
}

/// Returns the options for reading contracts at that commit.
fn read_options(file: &Path, project: &Project) -> Result<load::Options, Error> {
    if !file.is_file() {
        return Ok(project.options.clone());
    }
    match herald_project::read(file) {
        Ok(old) => Ok(old.options),
        Err((diagnostics, _)) => {
            let first = diagnostics
                .first()
                .map(|diagnostic| diagnostic.message.as_str());
            Err(Error::Message(format!(
                "the {PROJECT_FILE} of the old version has errors: {}",
                first.unwrap_or_default()
            )))
        }
    }
}

/// The part of a path before its first wildcard, which is a folder to search.
fn without_wildcards(path: &Path) -> PathBuf {
    let literal = path.components().take_while(|part| {
        let part = part.as_os_str().to_string_lossy();
        !part.contains(['*', '?', '[', '{'])
    });
    literal.collect()
}

/// A git repository, and a commit in it.
struct Repository {
    top: PathBuf,
    commit: String,
}

impl Repository {
    /// The repository that a folder is in, and a commit of it.
    fn find(folder: &Path, name: &str) -> Result<Self, Error> {
        let top = git(folder, ["rev-parse", "--show-toplevel"], b"").map_err(|error| {
            let folder = if folder == Path::new(".") {
                "the working folder".to_owned()
            } else {
                format!("`{}`", folder.display())
            };
            not_usable(&format!("{folder} is not in a git repository"), &error)
        })?;
        let top = first_line(&top);
        // A name that begins with a dash would be an option.
        let wanted = format!("{name}^{{commit}}");
        let commit = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ];
        let commit = git(&top, commit, b"").map_err(|error| {
            let error = error.trim();
            Error::Message(format!(
                "git has no commit `{name}`{}{error}; in CI, fetch it first: `git fetch origin {name}`",
                if error.is_empty() { "" } else { ": " },
            ))
        })?;
        Ok(Self {
            top,
            commit: String::from_utf8_lossy(&commit).trim().to_owned(),
        })
    }

    /// Paths as seen from the working folder, as seen from the top of the repository.
    fn relative(&self, paths: &[String]) -> Result<Vec<PathBuf>, Error> {
        let here = env::current_dir()?.canonicalize()?;
        let top = self.top.canonicalize()?;
        let relative = |path: &String| {
            let path = lexically_normal(&here.join(path));
            path.strip_prefix(&top).map(Path::to_path_buf).map_err(|_| {
                Error::Message(format!(
                    "`{}` is outside of the git repository `{}`",
                    path.display(),
                    top.display()
                ))
            })
        };
        paths.iter().map(relative).collect()
    }

    /// Copies the files that the contracts below a folder refer to.
    fn copy_referenced(&self, folder: &Path) -> Result<(), Error> {
        let mut wanted = BTreeSet::new();
        let mut unreadable = load::Unreadable::new();
        for contract in load::files_below(folder, |path| !is_lock(path), &mut unreadable) {
            let parent = contract.strip_prefix(folder).unwrap_or(&contract).parent();
            let text = fs::read_to_string(&contract).unwrap_or_default();
            for file in load::referenced_files(&text) {
                let file = lexically_normal(&parent.unwrap_or(Path::new("")).join(file));
                if file.is_relative() {
                    wanted.insert(file);
                }
            }
        }
        for file in wanted {
            self.copy(&file, folder)?;
        }
        Ok(())
    }

    /// Copies the YAML, JSON and lock files at a path, or the YAML and lock files below it, to the
    /// same place below a folder.
    fn copy(&self, path: &Path, folder: &Path) -> Result<(), Error> {
        let tree = ["ls-tree", "-r", "-z", "--full-tree", &self.commit, "--"].map(OsStr::new);
        let path = (!path.as_os_str().is_empty()).then_some(path.as_os_str());
        let listing = git(&self.top, tree.into_iter().chain(path), b"")
            .map_err(|error| not_usable("git can't list the files of the commit", &error))?;
        let listing = String::from_utf8_lossy(&listing);
        let files = listing.split('\0').filter_map(regular_file);
        let files = files.filter(|(_, file)| is_contract(file) || Some(file.as_os_str()) == path);
        let files: Vec<_> = files.collect();
        let ids = files
            .iter()
            .fold(String::new(), |ids, (id, _)| ids + id + "\n");
        let contents = git(&self.top, ["cat-file", "--batch"], ids.as_bytes())
            .map_err(|error| not_usable("git can't read the files of the commit", &error))?;
        let mut rest = contents.as_slice();
        for (_, path) in files {
            let text = next_file(&mut rest)
                .ok_or_else(|| not_usable("git's answer can't be read", "it ends too early"))?;
            let target = folder.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(target, text)?;
        }
        Ok(())
    }
}

/// Id and path of a regular file in a listing: `100644 blob ID\tPATH`.
fn regular_file(line: &str) -> Option<(&str, &Path)> {
    let (about, path) = line.split_once('\t')?;
    let mut about = about.split(' ');
    let is_regular = about.next()?.starts_with("100") && about.next()? == "blob";
    let path = Path::new(path);
    // A tree can be made by hand, with parts that lead out of the folder.
    let is_below = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (is_regular && is_below).then_some((about.next()?, path))
}

/// Whether a file may be a contract or a lock file.
fn is_contract(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        let known = ["yaml", "yml", lock::EXTENSION];
        known.iter().any(|known| ending.eq_ignore_ascii_case(known))
    })
}

/// Takes the next file of `git cat-file --batch`: `ID blob SIZE\n`, the text, `\n`.
fn next_file<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let header = std::str::from_utf8(&rest[..end]).ok()?;
    let size: usize = header.rsplit(' ').next()?.parse().ok()?;
    let text = rest.get(end + 1..end + 1 + size)?;
    *rest = rest.get(end + 2 + size..)?;
    Some(text)
}

/// The path that git prints.
fn first_line(output: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(output).trim_end_matches('\n'))
}

/// Runs git and returns its output; else its error text.
fn git<A: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = A>,
    input: &[u8],
) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("git can't be started: {error}"))?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    // From a thread of its own: git answers while it reads, and both pipes could fill up.
    let writer = std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // Git itself reports why it stopped reading.
            let _ = stdin.write_all(&input);
        }
    });
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let _ = writer.join();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn not_usable(what: &str, why: &str) -> Error {
    Error::Message(format!(
        "{what}: {}",
        why.lines().next().unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_regular_yaml_and_lock_files_below_the_folder() {
        let path = |line| {
            let (_, path) = regular_file(line).filter(|(_, path)| is_contract(path))?;
            Some(path.to_string_lossy().into_owned())
        };
        assert_eq!(
            path("100644 blob 1a\ta/b.yaml").as_deref(),
            Some("a/b.yaml")
        );
        assert_eq!(path("100755 blob 1a\ta b.YML").as_deref(), Some("a b.YML"));
        for line in [
            "120000 blob 1a\tlink.yaml",
            "160000 commit 1a\tmodule.yaml",
            "100644 blob 1a\t../out.yaml",
            "100644 blob 1a\t/etc/out.yaml",
            "100644 blob 1a\ta.json",
            "",
        ] {
            assert_eq!(path(line), None, "{line}");
        }
    }

    #[test]
    fn reads_a_batch_of_files() {
        let mut rest = &b"1a blob 3\na\nb\n2b blob 0\n\n3c missing\n"[..];
        assert_eq!(next_file(&mut rest), Some(&b"a\nb"[..]));
        assert_eq!(next_file(&mut rest), Some(&b""[..]));
        assert_eq!(next_file(&mut rest), None);
    }
}
