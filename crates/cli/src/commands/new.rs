//! `herald new`: a whole node, or what a changed contract adds to one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use herald_catalog::config::{self, Project};
use herald_catalog::load::{self, Loaded, Options, PROJECT_FILE};
use herald_catalog::{Node, ident};
use herald_diagnostics::render::{Format, visible_line};
use herald_render::{GeneratedFile, NodeMethod, NodeProject};

use crate::args::New;
use crate::commands::generate;
use crate::terminal::{self, BOLD, DIM, GREEN, YELLOW, count};
use crate::writing::{self, State};
use crate::{CLEAN, FINDINGS, Failure, package, project};

/// The slug and the text of a contract.
type Given = (String, String);

/// Where a node is written, and what is known of it.
struct Place {
    package: String,
    folder: PathBuf,
    project: Project,
    /// What contracts say.
    loaded: Loaded,
    /// The text of the contract, where the project has none yet.
    contract: Option<String>,
}

/// Runs the command.
pub fn run(args: &New) -> Result<u8, Failure> {
    let mut place = find(args)?;
    load::refuse_collisions(&mut place.loaded.findings);
    if place.loaded.has_errors() {
        terminal::write_findings(Format::Human, &place.loaded, io::stderr())?;
        terminal::status("nothing was written");
        return Ok(FINDINGS);
    }
    let node = place.node()?;
    if node.events.is_empty() {
        return Err(Failure::Message(format!(
            "the contract of `{}` announces nothing, so there is nothing to write; give it \
             operations",
            place.package
        )));
    }
    let whole = NodeProject::new(node, &place.package)
        .map_err(|error| Failure::Message(error.to_string()))?;
    let generated = place.generated()?;
    let mut once = whole.files;
    once.extend(place.contract.clone().map(|contents| GeneratedFile {
        path: place.contract_path(),
        contents,
    }));

    // Everything is compared before the first byte is written.
    let generated = writing::plan(&generated, &place.folder)?;
    generate::refuse_foreign(&generated, false)?;
    let once = writing::plan(&once, &place.folder)?;
    let is_new = |file: &&writing::Planned<'_>| file.state == State::New;
    let code = place.folder.join(&place.package);
    let written = once
        .iter()
        .any(|file| is_new(&file) && file.path == code.join("node.py"));
    let left = if written {
        Vec::new()
    } else {
        unwritten(&whole.operations, &code)?
    };

    for file in once.iter().filter(is_new) {
        writing::write(file)?;
        wrote(&file.path);
    }
    for file in &generated {
        if file.state != State::Unchanged {
            writing::write(file)?;
            wrote(&file.path);
        }
    }
    let own = place
        .contract
        .is_none()
        .then(|| PathBuf::from(&node.origin.path));
    let left_alone = once.iter().filter(|file| !is_new(file));
    for path in left_alone.map(|file| &file.path).chain(&own) {
        let path = visible_line(&shown(path));
        terminal::status(&format!("{DIM}left alone {path}{DIM:#}"));
    }
    let same = (generated.iter()).filter(|file| file.state == State::Unchanged);
    let same = same.count();
    if same > 0 {
        terminal::status(&format!(
            "{DIM}{} unchanged{DIM:#}",
            count(same, "generated file")
        ));
    }
    if place.contract.is_some() {
        begin(&place, &whole.operations);
    }
    tell_unwritten(&left, &code);
    tell_unknown(args, &place);
    Ok(CLEAN)
}

fn find(args: &New) -> Result<Place, Failure> {
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
    if is_project(&folder, &package)? {
        let place = existing(package, folder)?;
        tell_ignored(args, &place, given.as_ref());
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
        project: Project {
            root: Some(folder.clone()),
            ..Project::default()
        },
        package,
        folder,
        loaded: Loaded::default(),
        contract: None,
    };
    let path = shown(&place.folder.join(place.contract_path()));
    place.loaded = load::load_planned(&path, &text, &Options::default());
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
            terminal::write_findings(Format::Human, &loaded, io::stderr())?;
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
    config::read(&folder.join(PROJECT_FILE)).map_err(|(findings, sources)| {
        let mut loaded = Loaded {
            findings,
            ..Loaded::default()
        };
        loaded.catalog.sources = sources;
        match terminal::write_findings(Format::Human, &loaded, io::stderr()) {
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
        text.push_str(&format!("  - {}\n", scalar(operation)));
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
    fn contract_path(&self) -> String {
        format!("contracts/{}.yaml", self.package)
    }

    /// The node that the package is about.
    fn node(&self) -> Result<&Node, Failure> {
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
    fn generated(&self) -> Result<Vec<GeneratedFile>, Failure> {
        let files = generate::files(&self.project, &self.loaded)?;
        let below = |file: GeneratedFile| GeneratedFile {
            path: format!("{}/generated/{}", self.package, file.path),
            contents: file.contents,
        };
        Ok(files.into_iter().map(below).collect())
    }
}

/// The operations that no file of the package mentions as decorator or scope.
fn unwritten<'a>(
    operations: &'a [NodeMethod],
    code: &Path,
) -> Result<Vec<&'a NodeMethod>, Failure> {
    let mut texts = Vec::new();
    read_python(code, &mut texts)
        .map_err(|error| Failure::Message(format!("can't read `{}`: {error}", shown(code))))?;
    let is_used = |method: &&NodeMethod| texts.iter().any(|text| uses(text, &method.instrument));
    Ok(operations.iter().filter(|it| !is_used(it)).collect())
}

/// Reads the modules of a package, but for what is generated.
fn read_python(folder: &Path, texts: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_code = path.extension().is_some_and(|ending| ending == "py");
        if kind.is_dir() && entry.file_name() != "generated" {
            read_python(&path, texts)?;
        } else if is_code && path.is_file() {
            texts.push(String::from_utf8_lossy(&fs::read(&path)?).into_owned());
        }
    }
    Ok(())
}

/// Whether code has `@instrument_place` or `instrument_place.run` and the like.
fn uses(code: &str, instrument: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.into_iter().any(|line| {
        line.match_indices(instrument).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + instrument.len()..]);
            !before.ends_with(is_name)
                && !after.starts_with(is_name)
                && (before.ends_with('@') || after.starts_with('.'))
        })
    })
}

fn wrote(path: &Path) {
    let path = visible_line(&shown(path));
    terminal::status(&format!("{GREEN}wrote{GREEN:#} {path}"));
}

/// Says how to go on with a new project.
fn begin(place: &Place, operations: &[NodeMethod]) {
    if !operations.is_empty() {
        let names: Vec<_> = operations.iter().map(|it| it.operation.as_str()).collect();
        let path = place.folder.join(&place.package).join("node.py");
        terminal::status(&format!(
            "\nTo be written in {}: {}",
            visible_line(&shown(&path)),
            visible_line(&names.join(", "))
        ));
    }
    let folder = if place.folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", visible_line(&shown(&place.folder)))
    };
    terminal::status(&format!(
        "\nNext: {BOLD}{folder}pip install -e '.[dev]' && pytest{BOLD:#}"
    ));
}

/// Says that the project has a contract of its own, where another one is given.
fn tell_ignored(args: &New, place: &Place, given: Option<&Given>) {
    let (Some(path), Some((_, text)), Ok(node)) = (&args.contract, given, place.node()) else {
        return;
    };
    if place.loaded.catalog.sources.get(node.location.source).text != *text {
        terminal::status(&format!(
            "{YELLOW}not read{YELLOW:#} {}: the project has its own contract, {}",
            visible_line(path),
            visible_line(&node.origin.path)
        ));
    }
}

/// Lists what the contract has and the code does not, ready to be pasted.
fn tell_unwritten(left: &[&NodeMethod], code: &Path) {
    if left.is_empty() {
        return;
    }
    let path = visible_line(&shown(&code.join("node.py")));
    terminal::status(&format!(
        "\n{YELLOW}{}{YELLOW:#} without a method in {path}:",
        count(left.len(), "operation")
    ));
    for method in left {
        let lines: Vec<_> = method.text.lines().map(visible_line).collect();
        terminal::status(&format!("\n{}", lines.join("\n")));
    }
}

/// Says which operations of the command line the contract does not have: it is people's, too.
fn tell_unknown(args: &New, place: &Place) {
    let known = place
        .node()
        .map(|node| &node.operations[..])
        .unwrap_or_default();
    for asked in &args.operations {
        if !known
            .iter()
            .any(|it| it.name == *asked || it.ident == ident::ident(asked))
        {
            terminal::status(&format!(
                "\nthe contract has no operation `{}`; it is yours, so add it there and run this \
                 again",
                visible_line(asked)
            ));
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
