//! `herald graph`: the flow of events between all nodes of a system.

use std::path::{Path, PathBuf};
use std::{fs, io};

use globset::GlobBuilder;
use herald_catalog::load::{self, Loaded};
use herald_diagnostics::render::{Format, json_list, summary, visible_line};
use herald_diagnostics::{Diagnostic, Severity, Source, SourceId, Sources};
use herald_graph::sources::{KnownTopics, Language};
use herald_graph::{Graph, Topic, diagnostics, draw};
use herald_project::Project;
use serde::Serialize;

use crate::args::graph::{Graph as Args, GraphFormat};
use crate::format::count;
use crate::table::{Column, Table};
use crate::terminal::{self, DIM, GREEN};
use crate::{Error, ExitStatus, output, project, system};

static COLUMNS: [Column; 4] = [
    Column::main("TOPIC"),
    Column::text("EVENTS"),
    Column::text("PUBLISHED BY"),
    Column::text("CONSUMED BY"),
];

/// Raised when a field changes its meaning or is removed. New fields may come without notice.
const VERSION: u32 = 1;

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let project = project::find()?;
    let mut loaded = read(args, &project)?;
    // Lints of single contracts are the business of `herald check`.
    loaded.diagnostics.retain(Diagnostic::is_error);
    let graph = Graph::new(&loaded.catalog);
    let mut found = diagnostics(&graph);
    let (of_sources, texts) = undeclared_topics(&args.sources, &graph, &loaded.catalog.sources)?;
    found.extend(of_sources);
    for text in texts {
        loaded.catalog.sources.add(text);
    }
    load::add_diagnostics(&mut loaded, found, &project.options);
    let mut graph = Graph::new(&loaded.catalog);
    let all = graph.topics.len();
    if !args.all {
        graph.retain(Topic::is_declared);
    }
    let shown = graph.topics.len();
    if let Some(focus) = &args.focus {
        narrow(&mut graph, focus)?;
    }
    let sources = &loaded.catalog.sources;
    match args.format {
        GraphFormat::Table => output::text(&table(&graph))?,
        GraphFormat::Json => output::json(&document(&graph, &loaded))?,
        GraphFormat::Mermaid => output::text(&draw::mermaid(&graph))?,
        GraphFormat::Dot => output::text(&draw::dot(&graph))?,
        GraphFormat::Html => output::text(&draw::html(&graph, &loaded.diagnostics, sources))?,
    }
    let counted = summary(&loaded.diagnostics);
    let infos = loaded
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Info)
        .count();
    // The table shows what the infos are about; all of them would bury the rest.
    if args.focus.is_none() {
        loaded
            .diagnostics
            .retain(|one| one.severity != Severity::Info);
    }
    if args.format != GraphFormat::Json {
        terminal::write_diagnostics(Format::Human, &loaded, io::stderr())?;
    }
    let nodes = count(loaded.catalog.nodes.len(), "node");
    let topics = count(graph.topics.len(), "topic");
    terminal::status(&match counted {
        Some(found) => format!("{nodes}, {topics}: {found}"),
        None => format!("{GREEN}everything fits together{GREEN:#}: {nodes}, {topics}"),
    });
    if args.focus.is_none() && infos > 0 && args.format != GraphFormat::Json {
        let infos = count(infos, "info");
        terminal::status(&format!(
            "{DIM}{infos} not shown; --focus and --format json show them{DIM:#}"
        ));
    }
    if !args.all && args.focus.is_none() {
        let hidden = all - shown;
        if hidden > 0 {
            let hidden = count(hidden, "topic");
            terminal::status(&format!(
                "{DIM}{hidden} of generated events without consumers not shown; --all shows them{DIM:#}"
            ));
        }
    }
    Ok(if loaded.has_errors() {
        ExitStatus::Problems
    } else {
        ExitStatus::Success
    })
}

/// Reads all contracts of the system: files, folders, globs, lock files and commits.
fn read(args: &Args, project: &Project) -> Result<Loaded, Error> {
    let is_workspace = args.paths.is_empty() && !project.workspace.is_empty();
    let (wanted, loaded) = if is_workspace {
        (project.workspace_paths(), system::read_workspace(project)?)
    } else {
        let wanted = if args.paths.is_empty() {
            project.paths()
        } else {
            args.paths.clone()
        };
        let loaded = system::read(&wanted, Path::new("."), project)?;
        (wanted, loaded)
    };
    if loaded.found_no_contracts() {
        terminal::print_diagnostics(&loaded);
        return Err(Error::Message(format!(
            "no contracts found in `{}`",
            wanted.join("`, `")
        )));
    }
    Ok(loaded)
}

/// Compares the topics in source texts with those of the graph. Returns the diagnostics, and the texts
/// that they are about, which follow those of the contracts.
fn undeclared_topics(
    paths: &[String],
    graph: &Graph<'_>,
    contracts: &Sources,
) -> Result<(Vec<Diagnostic>, Vec<Source>), Error> {
    let topics = KnownTopics::of(graph);
    let (mut found, mut texts) = (Vec::new(), Vec::new());
    for path in source_files(paths)? {
        let Some(language) = language_of(&path) else {
            continue;
        };
        let shown = path.to_string_lossy();
        let text = fs::read(&path)
            .map_err(|error| Error::Message(format!("can't read `{shown}`: {error}")))?;
        // Topics are ASCII, and other encodings of sources contain it.
        let source = Source::new(&*shown, String::from_utf8_lossy(&text));
        let id = SourceId(u32::try_from(contracts.len() + texts.len()).unwrap_or(u32::MAX));
        let of_file = topics.undeclared(&source.text, language, id);
        if !of_file.is_empty() {
            found.extend(of_file);
            texts.push(source);
        }
    }
    Ok((found, texts))
}

/// The source texts that paths mean. In folders, tests are left out: they have topics of their own.
fn source_files(paths: &[String]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        let path = Path::new(path);
        if !path.is_dir() {
            files.push(path.to_path_buf());
            continue;
        }
        let is_wanted = |file: &Path| {
            language_of(file).is_some() && !is_test(file.strip_prefix(path).unwrap_or(file))
        };
        let mut unreadable = Vec::new();
        files.extend(load::files_below(path, is_wanted, &mut unreadable));
        if let Some((folder, reason)) = unreadable.first() {
            return Err(Error::Message(format!("can't read `{folder}`: {reason}")));
        }
    }
    Ok(files)
}

fn language_of(path: &Path) -> Option<Language> {
    Language::of_ending(path.extension()?.to_str()?)
}

fn is_test(path: &Path) -> bool {
    let folders = ["test", "tests", "__tests__", "testing"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut parts = path.components();
    parts.any(|part| folders.iter().any(|folder| part.as_os_str() == *folder))
        || name.starts_with("test_")
        || name == "conftest.py"
        || ["_test.py", ".test.", ".spec."]
            .iter()
            .any(|part| name.contains(part))
}

/// Keeps the topics that have a name, or a producer or consumer with a name, that matches a glob.
fn narrow(graph: &mut Graph<'_>, focus: &str) -> Result<(), Error> {
    let glob = GlobBuilder::new(focus).build().map_err(|error| {
        let reason = error.kind();
        Error::Message(format!("`{focus}` is not a valid glob: {reason}"))
    })?;
    let glob = glob.compile_matcher();
    let nodes: Vec<bool> = graph.names.iter().map(|name| glob.is_match(name)).collect();
    graph.retain(|topic| {
        let mut connected = topic.producers().into_iter().chain(topic.consumers());
        glob.is_match(&topic.name) || connected.any(|node| nodes[node])
    });
    if graph.topics.is_empty() {
        return Err(Error::Message(format!(
            "no node and no topic is named `{focus}`; `herald graph` lists them"
        )));
    }
    Ok(())
}

fn table(graph: &Graph<'_>) -> String {
    let names = |nodes: std::collections::BTreeSet<usize>| {
        let names: Vec<_> = nodes
            .into_iter()
            .map(|node| graph.names[node].as_str())
            .collect();
        if names.is_empty() {
            "-".to_owned()
        } else {
            visible_line(&names.join(", "))
        }
    };
    let rows: Vec<_> = graph
        .topics
        .iter()
        .map(|topic| {
            let events: Vec<_> = topic.event_types().into_iter().collect();
            vec![
                visible_line(&topic.name),
                if events.is_empty() {
                    "-".to_owned()
                } else {
                    visible_line(&events.join(", "))
                },
                names(topic.producers()),
                names(topic.consumers()),
            ]
        })
        .collect();
    Table::new(&COLUMNS, terminal::width()).rows_to_text(&rows)
}

/// The graph as JSON. Structures are written as they are: a tree of values takes longer than the graph.
#[derive(Serialize)]
struct Document<'a, D> {
    version: u32,
    nodes: Vec<NodeEntry<'a>>,
    topics: Vec<TopicEntry<'a>>,
    diagnostics: D,
}

#[derive(Serialize)]
struct NodeEntry<'a> {
    name: &'a str,
    kind: Option<&'static str>,
    path: &'a str,
}

#[derive(Serialize)]
struct TopicEntry<'a> {
    topic: &'a str,
    published: Vec<Published<'a>>,
    consumed: Vec<Consumed<'a>>,
}

#[derive(Serialize)]
struct Published<'a> {
    node: &'a str,
    event_type: &'a str,
    generated: bool,
}

#[derive(Serialize)]
struct Consumed<'a> {
    node: &'a str,
    event_type: Option<&'a str>,
}

fn document<'a>(graph: &'a Graph<'_>, loaded: &'a Loaded) -> impl Serialize + use<'a> {
    let nodes = graph.nodes.iter().zip(&graph.names);
    let nodes = nodes.map(|(node, name)| NodeEntry {
        name,
        kind: node.kind.map(herald_catalog::kind::Kind::as_str),
        path: &node.origin.path,
    });
    let name = |node: usize| graph.names[node].as_str();
    let published = |topic: &'a Topic<'_>| {
        let published = topic.published.iter().map(|one| Published {
            node: name(one.node),
            event_type: &one.event.event_type,
            generated: one.event.declared.is_none(),
        });
        published.collect()
    };
    let consumed = |topic: &'a Topic<'_>| {
        let consumed = topic.consumed.iter().map(|one| Consumed {
            node: name(one.node),
            event_type: one.consumed.event_type.as_deref(),
        });
        consumed.collect()
    };
    let topics = graph.topics.iter().map(|topic| TopicEntry {
        topic: &topic.name,
        published: published(topic),
        consumed: consumed(topic),
    });
    Document {
        version: VERSION,
        nodes: nodes.collect(),
        topics: topics.collect(),
        diagnostics: json_list(&loaded.diagnostics, &loaded.catalog.sources),
    }
}
