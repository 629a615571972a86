//! What starts and stops a node, in parts.

use herald_catalog::category::{METRIC_EVENTS, STATE_EVENTS};
use serde::Serialize;

use crate::patterns::parts::{Announced, identifiers, print, sentence};
use crate::patterns::{InvalidArgument, build_node, parse_kind};
use crate::python::layout::call;
use crate::python::names::class_name;
use crate::python::text::escape;

/// A part of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecyclePart {
    /// What belongs at the top of the module.
    Imports,
    /// The method that declares what the node consists of.
    Initialization,
    /// The methods that start it.
    Startup,
    /// The methods that stop it.
    Shutdown,
    /// The methods that say how it is, and those that run beside it.
    RuntimeMonitoring,
    /// A scope for operations, and a program.
    Helpers,
    /// All methods.
    Methods,
    /// A module that runs as it is.
    Complete,
}

impl LifecyclePart {
    /// All of them, and what each is called.
    pub const ALL: [(&'static str, Self); 8] = [
        ("imports", Self::Imports),
        ("initialization", Self::Initialization),
        ("startup", Self::Startup),
        ("shutdown", Self::Shutdown),
        ("runtime_monitoring", Self::RuntimeMonitoring),
        ("helpers", Self::Helpers),
        ("methods", Self::Methods),
        ("complete", Self::Complete),
    ];

    /// The part with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(known, part)| (known == name).then_some(part))
    }

    fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        let found = all.find_map(|(name, part)| (part == self).then_some(name));
        found.expect("every part has a name")
    }
}

/// Generates what starts and stops one node, over `herald.lifecycle` of the Python package.
///
/// ```
/// use herald_render::patterns::{LifecyclePart, LifecyclePatternGenerator};
///
/// let generator = LifecyclePatternGenerator::new("effect", "orders", &["database"], &[""; 0])?;
/// assert!(generator.generate(LifecyclePart::Startup).contains("async def _start_database("));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
#[derive(Debug)]
pub struct LifecyclePatternGenerator {
    view: LifecycleView,
}

impl LifecyclePatternGenerator {
    /// A generator for a node that depends on `dependencies`, which are started before it works,
    /// and has `background_tasks` run beside it.
    ///
    /// # Errors
    /// As [`EventPublishingPatternGenerator::new`](super::EventPublishingPatternGenerator::new),
    /// and when a name has more than 50 characters, becomes no identifier, or that of another.
    pub fn new(
        node_type: &str,
        service_name: &str,
        dependencies: &[impl AsRef<str>],
        background_tasks: &[impl AsRef<str>],
    ) -> Result<Self, InvalidArgument> {
        let kind = parse_kind(node_type)?;
        // Its events don't depend on what it does.
        let node = build_node(kind, service_name, &["run".to_owned()])?;
        identifiers("service_name", [service_name])?;
        let class_name = class_name(service_name, "Node") + "Lifecycle";
        let (id, service) = (escape(&format!("{service_name}-1")), escape(service_name));
        let main = [
            format!("\"{id}\""),
            format!("KafkaClient(service=\"{service}\")"),
        ];
        Ok(Self {
            view: LifecycleView {
                class_summary: sentence(&format!("Starts and stops the node `{service_name}`."), 4),
                module_summary: sentence(&format!("Lifecycle of the node `{service_name}`."), 0),
                node_type: kind.name(),
                service_name: service,
                changed: Announced::of(&node, &STATE_EVENTS),
                recorded: Announced::of(&node, &METRIC_EVENTS),
                main: call(4, &class_name, &main, ".run()"),
                class_name,
                dependencies: views("dependencies", dependencies, dependency_view)?,
                tasks: views("background_tasks", background_tasks, task_view)?,
            },
        })
    }

    /// One part of the code.
    pub fn generate(&self, part: LifecyclePart) -> String {
        print("patterns/lifecycle.py", &self.view, part.name())
    }
}

#[derive(Debug, Serialize)]
struct LifecycleView {
    class_name: String,
    class_summary: String,
    module_summary: String,
    node_type: &'static str,
    service_name: String,
    changed: Announced,
    recorded: Announced,
    main: String,
    dependencies: Vec<DependencyView>,
    tasks: Vec<TaskView>,
}

#[derive(Debug, Serialize)]
struct DependencyView {
    declared: String,
    start: String,
    start_summary: String,
    stop: String,
    stop_summary: String,
}

#[derive(Debug, Serialize)]
struct TaskView {
    declared: String,
    run: String,
    summary: String,
}

fn views<V>(
    parameter: &'static str,
    names: &[impl AsRef<str>],
    view: impl Fn(&str, &str) -> V,
) -> Result<Vec<V>, InvalidArgument> {
    let names = || names.iter().map(AsRef::as_ref);
    let idents = identifiers(parameter, names())?;
    Ok(names()
        .zip(&idents)
        .map(|(name, ident)| view(name, ident))
        .collect())
}

/// The head of a coroutine function without arguments.
fn signature(name: &str) -> String {
    call(
        4,
        &format!("async def {name}"),
        &["self".to_owned()],
        " -> None:",
    )
}

fn dependency_view(name: &str, ident: &str) -> DependencyView {
    let declared = [
        format!("\"{}\"", escape(name)),
        format!("start=self._start_{ident}"),
        format!("stop=self._stop_{ident}"),
    ];
    DependencyView {
        declared: call(8, "self.lifecycle.dependency", &declared, ""),
        start: signature(&format!("_start_{ident}")),
        start_summary: sentence(&format!("Open what the node needs of `{name}`."), 8),
        stop: signature(&format!("_stop_{ident}")),
        stop_summary: sentence(&format!("Close what was opened of `{name}`."), 8),
    }
}

fn task_view(name: &str, ident: &str) -> TaskView {
    let declared = [
        format!("\"{}\"", escape(name)),
        format!("self._run_{ident}"),
    ];
    TaskView {
        declared: call(8, "self.lifecycle.task", &declared, ""),
        run: signature(&format!("_run_{ident}")),
        summary: sentence(&format!("Runs beside the node: `{name}`."), 8),
    }
}
