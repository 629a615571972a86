//! Which node is to be written, and where.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use herald_catalog::Node;
use herald_catalog::config::{self, Project};
use herald_catalog::load::{self, Loaded, PROJECT_FILE};
use herald_diagnostics::render::Format;
use herald_render::GeneratedFile;

use crate::args::New;
use crate::commands::generate;
use crate::commands::new::{said, shown};
use crate::{Failure, package, project, terminal};

/// The slug and the text of a contract.
pub type Given = (String, String);

/// Where a node is written, and what is known of it.
pub struct Place {
    /// Name of the package.
    pub package: String,
    /// Folder of the project.
    pub folder: PathBuf,
    /// What its herald.yaml sets.
    pub project: Project,
    /// What contracts say.
    pub loaded: Loaded,
    /// The text of the contract, where the project has none yet.
    pub contract: Option<String>,
}

/// Finds out what is to be written, and where.
pub fn find(args: &New) -> Result<Place, Failure> {
    let given = args.contract.as_deref().map(read_contract).transpose()?;
    let package = match (&args.node, &given) {
        (Some(name), _) => {
            package::check(name).map_err(|wrong| Failure::Message(format!("`{name}` {wrong}")))?;
            name.clone()
        }
        (None, Some((slug, _))) => package::of_node(slug),
        (None, None) => String::new(),
    };
    if package.is_empty() {
        return Err(Failure::Message(
            "the contract has no name that a package can have; give one: \
             `herald new NODE --contract PATH`"
                .to_owned(),
        ));
    }
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&package));
    let is_there = is_project(&folder, &package)?;
    let is_described = given.is_some() || args.kind.is_some();
    // Without any contract it was not finished.
    if is_there && (folder.join("contracts").exists() || !is_described) {
        let place = existing(package, folder)?;
        said::ignored(args, &place, given.as_ref());
        return Ok(place);
    }
    let text = match (given, &args.kind) {
        (Some((_, text)), _) => text,
        (None, Some(kind)) => contract(&package, kind, &args.operations),
        (None, None) => {
            return Err(Failure::Message(format!(
                "there is no node `{package}` yet: say what it is with --kind and --operation, or \
                 begin with a contract: --contract PATH"
            )));
        }
    };
    let mut place = Place {
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
    let path = shown(&place.folder.join(place.contract_path()));
    place.loaded = load::load_planned(&path, &text, &place.project.options);
    place.contract = Some(text);
    Ok(place)
}

/// The slug and the text of the one contract at a path.
fn read_contract(path: &str) -> Result<Given, Failure> {
    let loaded = project::load(&Project::default(), &[path.to_owned()], Format::Human)?;
    match &loaded.catalog.nodes[..] {
        [node] => {
            let source = loaded.catalog.sources.get(node.location.source);
            Ok((node.identity.slug.clone(), source.text.clone()))
        }
        [] => {
            terminal::write_diagnostics(Format::Human, &loaded, io::stderr())?;
            Err(Failure::Reported)
        }
        nodes => Err(Failure::Message(format!(
            "there are {} contracts in `{path}`; name one of them",
            nodes.len()
        ))),
    }
}

/// Whether a folder is the project of this package; false where it is to become that.
fn is_project(folder: &Path, package: &str) -> Result<bool, Failure> {
    let shown = shown(folder);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Failure::Message(format!("can't read `{shown}`: {error}"))),
    };
    if folder.join(PROJECT_FILE).is_file() {
        let output = read_project(folder)?.output.unwrap_or_default();
        if Path::new(&output) == Path::new(package).join("generated") {
            return Ok(true);
        }
        return Err(Failure::Message(format!(
            "`{shown}` is another project of Herald: its herald.yaml has not `output: \
             {package}/generated`; nothing was written. Choose another folder with --dir"
        )));
    }
    // What a fresh repository has is no obstacle.
    let is_usual = |name: &str| name.starts_with('.') || ["LICENSE", "README.md"].contains(&name);
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !is_usual(&name) {
            return Err(Failure::Message(format!(
                "`{shown}` is there already, with `{name}` in it and no herald.yaml; nothing was \
                 written. Choose another folder with --dir"
            )));
        }
    }
    Ok(false)
}

fn read_project(folder: &Path) -> Result<Project, Failure> {
    config::read(&folder.join(PROJECT_FILE)).map_err(|(diagnostics, sources)| {
        let mut loaded = Loaded {
            diagnostics,
            ..Loaded::default()
        };
        loaded.catalog.sources = sources;
        match terminal::write_diagnostics(Format::Human, &loaded, io::stderr()) {
            Ok(()) => Failure::Reported,
            Err(error) => Failure::Io(error),
        }
    })
}

/// A project that was written before: its own contract counts.
fn existing(package: String, folder: PathBuf) -> Result<Place, Failure> {
    let project = read_project(&folder)?;
    let loaded = project::load(&project, &[], Format::Human)?;
    Ok(Place {
        package,
        folder,
        project,
        loaded,
        contract: None,
    })
}

/// The contract of a node that is described on the command line.
fn contract(package: &str, kind: &str, operations: &[String]) -> String {
    let mut text = format!(
        "# What the node does, and what it announces; `herald init` shows what else can be said.\n\
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

/// A text in YAML: bare where it can't be taken for anything else.
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

impl Place {
    /// Where the contract is, below the folder.
    pub fn contract_path(&self) -> String {
        format!("contracts/{}.yaml", self.package)
    }

    /// The node that the package is about.
    pub fn node(&self) -> Result<&Node, Failure> {
        let nodes = &self.loaded.catalog.nodes;
        let own = self.folder.join(self.contract_path());
        let by_path = nodes
            .iter()
            .find(|node| Path::new(&node.origin.path) == own);
        let by_name = || nodes.iter().find(|node| node.identity.slug == self.package);
        by_path.or_else(by_name).ok_or_else(|| {
            Failure::Message(format!(
                "`{}` is not there, and no other contract of `{}` is that of `{}`",
                own.display(),
                shown(&self.folder),
                self.package
            ))
        })
    }

    /// What `herald generate` would write, below the folder of the project.
    pub fn generated(&self) -> Result<Vec<GeneratedFile>, Failure> {
        let files = generate::files(&self.project, &self.loaded)?;
        let below = |file: GeneratedFile| GeneratedFile {
            path: format!("{}/generated/{}", self.package, file.path),
            contents: file.contents,
        };
        Ok(files.into_iter().map(below).collect())
    }
}
