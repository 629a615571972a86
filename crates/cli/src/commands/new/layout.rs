//! The project of a node: its folder, package and contract.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use herald_catalog::Node;
use herald_catalog::load::{self, Loaded, PROJECT_FILE};
use herald_diagnostics::render::Format;
use herald_project::Project;
use herald_render::GeneratedFile;

use crate::args::New;
use crate::commands::generate;
use crate::commands::new::{messages, shown};
use crate::{Error, package_name, project, terminal};

/// The slug and the text of a contract.
pub type GivenContract = (String, String);

/// The project of a node, which exists or is to be written.
pub struct Layout {
    /// Name of the package.
    pub package: String,
    /// Folder of the project.
    pub folder: PathBuf,
    /// Settings of its herald.yaml.
    pub project: Project,
    /// Its contracts.
    pub loaded: Loaded,
    /// The text of the contract to write; `None` if the project has one.
    pub contract: Option<String>,
}

/// Determines the project from the arguments and the files that exist.
pub fn find(args: &New) -> Result<Layout, Error> {
    let given = args.contract.as_deref().map(read_contract).transpose()?;
    let package = match (&args.node, &given) {
        (Some(name), _) => {
            package_name::check(name)
                .map_err(|wrong| Error::Message(format!("`{name}` {wrong}")))?;
            name.clone()
        }
        (None, Some((slug, _))) => package_name::from_node_name(slug),
        (None, None) => String::new(),
    };
    if package.is_empty() {
        return Err(Error::Message(
            "no package name can be derived from the contract; give one: \
             `herald new NODE --contract PATH`"
                .to_owned(),
        ));
    }
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&package));
    let is_there = is_project(&folder, &package)?;
    let is_described = given.is_some() || args.kind.is_some();
    // A project without contracts is one whose first run was interrupted.
    if is_there && (folder.join("contracts").exists() || !is_described) {
        let layout = existing(package, folder)?;
        messages::contract_ignored(args, &layout, given.as_ref());
        return Ok(layout);
    }
    let text = match (given, &args.kind) {
        (Some((_, text)), _) => text,
        (None, Some(kind)) => contract(&package, kind, &args.operations),
        (None, None) => {
            return Err(Error::Message(format!(
                "there is no node `{package}` yet; to create it, give --kind and --operation, or \
                 --contract PATH"
            )));
        }
    };
    let mut layout = Layout {
        project: if is_there {
            read_project(&folder)?
        } else {
            Project {
                root: Some(folder.clone()),
                ..Project::default()
            }
        },
        package,
        folder,
        loaded: Loaded::default(),
        contract: None,
    };
    let path = shown(&layout.folder.join(layout.contract_path()));
    layout.loaded = load::load_text_at(&path, &text, &layout.project.options);
    layout.contract = Some(text);
    Ok(layout)
}

/// The slug and the text of the one contract at a path.
fn read_contract(path: &str) -> Result<GivenContract, Error> {
    let loaded = project::load(&Project::default(), &[path.to_owned()], Format::Human)?;
    match &loaded.catalog.nodes[..] {
        [node] => {
            let source = loaded.catalog.sources.get(node.location.source);
            Ok((node.identity.slug.clone(), source.text.clone()))
        }
        [] => {
            terminal::print_diagnostics(&loaded);
            Err(Error::Reported)
        }
        nodes => Err(Error::Message(format!(
            "`{path}` contains {} contracts; name one of them",
            nodes.len()
        ))),
    }
}

/// Returns whether a folder is the project of this package; false if it is free for it.
fn is_project(folder: &Path, package: &str) -> Result<bool, Error> {
    let shown = shown(folder);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::Message(format!("can't read `{shown}`: {error}"))),
    };
    if folder.join(PROJECT_FILE).is_file() {
        let output = read_project(folder)?.output.unwrap_or_default();
        if Path::new(&output) == Path::new(package).join("generated") {
            return Ok(true);
        }
        return Err(Error::Message(format!(
            "`{shown}` is a different Herald project: its herald.yaml does not have `output: \
             {package}/generated`; nothing was written. Choose another directory with --dir"
        )));
    }
    // Files of a fresh repository may exist.
    let is_usual = |name: &str| name.starts_with('.') || ["LICENSE", "README.md"].contains(&name);
    for entry in entries {
        let entry =
            entry.map_err(|error| Error::Message(format!("can't read `{shown}`: {error}")))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_usual(&name) {
            return Err(Error::Message(format!(
                "`{shown}` already exists with `{name}` in it and without a herald.yaml; nothing was \
                 written. Choose another directory with --dir"
            )));
        }
    }
    Ok(false)
}

fn read_project(folder: &Path) -> Result<Project, Error> {
    herald_project::read(&folder.join(PROJECT_FILE))
        .map_err(|(diagnostics, sources)| terminal::report(diagnostics, sources))
}

/// Reads a project that exists, with its own contract.
fn existing(package: String, folder: PathBuf) -> Result<Layout, Error> {
    let project = read_project(&folder)?;
    let loaded = project::load(&project, &[], Format::Human)?;
    Ok(Layout {
        package,
        folder,
        project,
        loaded,
        contract: None,
    })
}

/// Returns a contract for the node that the command line describes.
fn contract(package: &str, kind: &str, operations: &[String]) -> String {
    let mut text = format!(
        "# Operations and events of the node. `herald init` creates an example with all features.\n\
         node_type: {kind}\nservice_name: {}\n",
        scalar(package)
    );
    text.push_str(if operations.is_empty() {
        "operations: []\n"
    } else {
        "operations:\n"
    });
    for operation in operations {
        text.extend(["  - ", &scalar(operation), "\n"]);
    }
    text
}

/// A text as a YAML scalar, without quotes if it is unambiguous.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && (text.bytes()).all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
        && text.len() > 1
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        // JSON strings are YAML strings.
        serde_json::Value::from(text).to_string()
    }
}

impl Layout {
    /// Path of the contract below the folder.
    pub fn contract_path(&self) -> String {
        format!("contracts/{}.yaml", self.package)
    }

    /// Returns the node of the package.
    pub fn node(&self) -> Result<&Node, Error> {
        let nodes = &self.loaded.catalog.nodes;
        let own = self.folder.join(self.contract_path());
        let by_path = nodes
            .iter()
            .find(|node| Path::new(&node.origin.path) == own);
        let by_name = || nodes.iter().find(|node| node.identity.slug == self.package);
        by_path.or_else(by_name).ok_or_else(|| {
            Error::Message(format!(
                "`{}` does not exist, and no other contract of `{}` is that of `{}`",
                own.display(),
                shown(&self.folder),
                self.package
            ))
        })
    }

    /// Returns the files that `herald generate` writes, relative to the folder of the project.
    pub fn generated(&self) -> Result<Vec<GeneratedFile>, Error> {
        let files = generate::files(&self.project, &self.loaded)?;
        let below = |file: GeneratedFile| GeneratedFile {
            path: format!("{}/generated/{}", self.package, file.path),
            contents: file.contents,
        };
        Ok(files.into_iter().map(below).collect())
    }
}
