//! Templates and targets of a project's own: found and read here, and nowhere else.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use herald_diagnostics::did_you_mean;
use herald_project::Project;
use herald_render::manifest::{self, MANIFEST_FILE};
use herald_render::{
    BuiltInTarget, CustomTarget, OwnTemplate, TARGETS, Target, Templates, UnknownTarget,
};

use crate::{Error, terminal};

/// Default folder of templates and targets.
const FOLDER: &str = "herald/templates";
/// Extension of template files.
pub const ENDING: &str = ".jinja";
/// Bytes of a template or a manifest, and number of files.
const MAX_BYTES: u64 = 1024 * 1024;
const MAX_FILES: usize = 1000;

/// Templates and targets of a project.
#[derive(Default)]
pub struct Own {
    /// Templates with their names as `{% include %}` knows them.
    pub templates: Vec<OwnTemplate>,
    /// By name.
    pub targets: Vec<CustomTarget>,
}

/// The folder of the project's templates.
pub fn folder(project: &Project) -> PathBuf {
    let folder = Path::new(project.templates.as_deref().unwrap_or(FOLDER));
    (project.root.as_ref()).map_or_else(|| folder.to_path_buf(), |root| root.join(folder))
}

/// Reads what the project has; `asked` are targets of the command line, of which some may be
/// folders.
pub fn read(project: &Project, asked: &[String]) -> Result<Own, Error> {
    let mut own = Own::default();
    let folder = folder(project);
    if folder.is_dir() {
        for (name, path) in entries(&folder)? {
            if path.is_dir() {
                own.add_folder(&name, &path)?;
            } else if let Some(name) = name.strip_suffix(ENDING) {
                own.templates.push(template(name, &path)?);
            }
        }
    } else if project.templates.is_some() {
        return Err(Error::Message(format!(
            "there is no folder `{}`, which herald.yaml names for templates; \
             `herald templates eject` makes it",
            folder.display()
        )));
    }
    let root = project.root.clone().unwrap_or_default();
    let of_project = project
        .targets
        .iter()
        .filter(|t| is_folder(t))
        .map(|t| root.join(t));
    let of_command = asked.iter().filter(|t| is_folder(t)).map(PathBuf::from);
    let mut seen = BTreeSet::new();
    for path in of_project.chain(of_command) {
        let name = name_of(&path);
        if !path.join(MANIFEST_FILE).is_file() {
            return Err(Error::Message(format!(
                "`{}` is not a target: it has no `{MANIFEST_FILE}`",
                path.display()
            )));
        }
        let whole = path
            .canonicalize()
            .map_err(|error| Error::Message(format!("can't read `{}`: {error}", path.display())))?;
        if !seen.insert(whole) {
            continue;
        }
        if own.targets.iter().any(|target| target.name == name) {
            return Err(Error::Message(format!("there are two targets `{name}`")));
        }
        own.add_folder(&name, &path)?;
    }
    Ok(own)
}

impl Own {
    fn add_folder(&mut self, name: &str, folder: &Path) -> Result<(), Error> {
        let manifest = folder.join(MANIFEST_FILE);
        if manifest.is_file() {
            self.add_target(name, &manifest)?;
        }
        self.add_templates(name, folder)
    }

    fn add_target(&mut self, name: &str, file: &Path) -> Result<(), Error> {
        let shown = file.display().to_string();
        let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if !name.chars().all(is_usual) {
            return Err(Error::Message(format!(
                "{shown}: the folder's name is the target's; it has to consist of lowercase \
                 letters, digits, `_` and `-`"
            )));
        }
        if BuiltInTarget::find(name).is_some() {
            return Err(Error::Message(format!(
                "{shown}: `{name}` is a target of Herald; give the folder another name"
            )));
        }
        let text = text(file)?;
        let manifest = manifest::parse(shown.clone(), text)
            .map_err(|(diagnostics, sources)| terminal::report(diagnostics, sources))?;
        let target = CustomTarget {
            name: name.to_owned(),
            manifest,
            file: shown,
        };
        self.templates.extend(target.path_templates());
        self.targets.push(target);
        Ok(())
    }

    fn add_templates(&mut self, prefix: &str, folder: &Path) -> Result<(), Error> {
        for (name, path) in entries(folder)? {
            let name = format!("{prefix}/{name}");
            if path.is_dir() {
                self.add_templates(&name, &path)?;
            } else if let Some(name) = name.strip_suffix(ENDING) {
                self.templates.push(template(name, &path)?);
            }
            if self.templates.len() > MAX_FILES {
                return Err(Error::Message(format!(
                    "`{}` has more than {MAX_FILES} templates; is this the right folder?",
                    folder.display()
                )));
            }
        }
        Ok(())
    }

    /// Templates that nothing uses: neither Herald's by name, nor of a target, nor parts of others.
    pub fn unused(&self) -> Vec<String> {
        let shipped: Vec<_> = Templates::shipped().map(|(name, _)| name).collect();
        let is_used = |own: &&OwnTemplate| {
            let file = own.name.rsplit('/').next().unwrap_or_default();
            let of_target = self.targets.iter().any(|target| {
                let files = target.manifest.files.iter();
                let mut names = files.map(|rule| format!("{}/{}", target.name, rule.template));
                names.any(|name| name == own.name)
            });
            file.starts_with('_')
                || own.name.contains('#')
                || of_target
                || shipped.contains(&own.name.as_str())
        };
        let unused = self.templates.iter().filter(|own| !is_used(own));
        unused
            .map(|own| {
                let help = match did_you_mean(&own.name, shipped.iter().copied()) {
                    Some(name) => format!("did you mean `{name}{ENDING}`?"),
                    None => "begin its name with `_` if other templates include it".to_owned(),
                };
                format!("{}: no target uses this template; {help}", own.file)
            })
            .collect()
    }

    /// The targets of these names or folders.
    pub fn choose(&self, names: &[String]) -> Result<Vec<&dyn Target>, Error> {
        let mut seen = BTreeSet::new();
        let mut chosen = Vec::new();
        for name in names {
            let target = self.find(name)?;
            if seen.insert(target.name().to_owned()) {
                chosen.push(target);
            }
        }
        Ok(chosen)
    }

    /// Returns the target of this name or folder.
    pub fn find(&self, name: &str) -> Result<&dyn Target, Error> {
        let folder;
        let name = if is_folder(name) {
            folder = name_of(Path::new(name));
            folder.as_str()
        } else {
            name
        };
        self.all_targets()
            .find(|target| target.name() == name)
            .ok_or_else(|| {
                let known = self.all_targets().map(Target::name);
                Error::Message(UnknownTarget::new(name, known).to_string())
            })
    }

    /// Returns the built-in targets and those of the project.
    pub fn all_targets(&self) -> impl Iterator<Item = &dyn Target> {
        let built_in = TARGETS.into_iter().map(|target| target as &dyn Target);
        let own = self.targets.iter().map(|target| target as &dyn Target);
        built_in.chain(own)
    }
}

/// Returns whether a target is named by its folder.
fn is_folder(target: &str) -> bool {
    target.contains('/') || target.starts_with('.')
}

fn name_of(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_default()
}

/// Entries of a folder, sorted. Fails on symbolic links, which could lead out of it.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let read =
        |error: io::Error| Error::Message(format!("can't read `{}`: {error}", folder.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(read)?.is_symlink() {
            return Err(Error::Message(format!(
                "`{}` is a symbolic link; templates are only read from the directory itself",
                entry.path().display()
            )));
        }
        entries.push((name, entry.path()));
    }
    entries.sort();
    Ok(entries)
}

fn template(name: &str, path: &Path) -> Result<OwnTemplate, Error> {
    Ok(OwnTemplate {
        name: name.to_owned(),
        text: text(path)?,
        file: path.display().to_string(),
    })
}

fn text(path: &Path) -> Result<String, Error> {
    let failed =
        |reason: String| Error::Message(format!("can't read `{}`: {reason}", path.display()));
    // Opening a named pipe would block until somebody writes to it.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(failed("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!("it has more than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))
}
