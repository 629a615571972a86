//! Project around the module of a node. Its files belong to the user, so they do not have the marker of
//! generated files.

use herald_catalog::category::Occasion;
use herald_catalog::ident::is_python_keyword;
use herald_catalog::instrument::Instrument;
use herald_catalog::sample::Samples;
use herald_catalog::topics::namespace_of;
use herald_catalog::{Node, Operation};
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::json;

use crate::file::GeneratedFile;
use crate::filters::one_line;
use crate::python::expr::{Expr, assign, class};
use crate::python::imports::Imports;
use crate::python::layout::{WIDTH, assignment};
use crate::python::names::{Names, class_name};
use crate::python::noqa::allow_long_lines;
use crate::python::prose::{join, paragraphs, sanitize, wrap};
use crate::python::text::escape;
use crate::targets::python::defaults;
use crate::targets::python::models::closed;
use crate::targets::python::module::{Module, ModuleExports, OperationExports, name};
use crate::targets::python::{PythonOptions, module_name};
use crate::template::{RenderError, Templates};

/// Template and path of each file; `NODE` is the name of the package.
const FILES: [(&str, &str); 10] = [
    ("project/herald.yaml", "herald.yaml"),
    ("project/pyproject.toml", "pyproject.toml"),
    ("project/README.md", "README.md"),
    ("project/gitignore", ".gitignore"),
    ("project/init.py", "NODE/__init__.py"),
    ("project/main.py", "NODE/__main__.py"),
    ("project/node.py", "NODE/node.py"),
    ("project/service.py", "NODE/service.py"),
    ("project/generated.py", "NODE/generated/__init__.py"),
    ("project/test.py", "tests/test_NODE.py"),
];

/// Maximum length of a class name, so that statements with it fit on a line.
const MAX_CLASS_NAME: usize = 60;

/// Names that the class of a node uses, which no method or class can have.
const TAKEN: [&str; 26] = [
    "Any",
    "EventClient",
    "Lifecycle",
    "LifecycleError",
    "Mapping",
    "NAMESPACE",
    "NodeMetrics",
    "NotImplementedError",
    "Operation",
    "RecordingClient",
    "RuntimeError",
    "default_namespace",
    "drain",
    "failed_events",
    "float",
    "kafka_client",
    "node_id",
    "node_metrics",
    "object",
    "property",
    "redactions",
    "self",
    "state_machine",
    "str",
    "wait_for_receipts",
    "with_client",
];

/// Project around a node.
#[derive(Debug)]
pub struct NodeProject {
    /// Files, which are written once and then belong to the user.
    pub files: Vec<GeneratedFile>,
    /// Methods that the user implements.
    pub operations: Vec<NodeMethod>,
}

/// Method that the user implements.
#[derive(Debug)]
pub struct NodeMethod {
    /// The operation in the contract.
    pub operation: String,
    /// Its decorator.
    pub instrument: String,
    /// Its text without a body, indented as in the class.
    pub text: String,
}

impl NodeProject {
    /// Creates the project of a node with the package name `package`.
    ///
    /// # Errors
    /// If a template can't be rendered.
    pub fn new(node: &Node, package: &str) -> Result<Self, RenderError> {
        let exports = Module::new(node, PythonOptions::default()).names;
        let view = View::new(node, package, &exports);
        let operations = view.methods.iter().map(|method| NodeMethod {
            operation: method.operation.clone(),
            instrument: method.instrument.clone(),
            text: method.text.clone(),
        });
        let operations = operations.collect();
        let view = Value::from(Serde(view));
        let files = FILES.into_iter().map(|(template, path)| {
            let mut contents = String::new();
            Templates::built_in().render_into(&mut contents, template, view.clone())?;
            let is_python = path.rsplit('.').next() == Some("py");
            Ok(GeneratedFile {
                path: path.replace("NODE", package),
                contents: if is_python {
                    allow_long_lines(contents)
                } else {
                    contents
                },
            })
        });
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
            operations,
        })
    }
}

/// Values that the templates print.
#[derive(Debug, Serialize)]
struct View {
    package: String,
    version: &'static str,
    /// Statements for the client, the default namespace, and the node.
    client: String,
    namespace: String,
    node: String,
    /// Statement for the node of the tests.
    tested: String,
    /// Description on one line, and escaped for TOML.
    description: Option<String>,
    toml_description: Option<String>,
    /// Class statement, name and docstring.
    class: String,
    class_name: String,
    summary: String,
    /// Imports of `node.py`, of `service.py`, and of the tests.
    imports: String,
    service_imports: String,
    test_imports: String,
    methods: Vec<Method>,
    /// Operations, each with its failed event.
    failures: Vec<String>,
    state: Option<State>,
    /// Assertions that an error is counted, and that metrics are published.
    counted: Option<String>,
    metric: Option<String>,
}

#[derive(Debug, Serialize)]
struct Method {
    operation: String,
    instrument: String,
    text: String,
    test: String,
    /// Statements of the test: the call, and assertions about published events.
    call: String,
    asserts: Vec<String>,
    /// Whether its input is a model.
    is_typed: bool,
    /// Statement that assigns the request of the test.
    request: String,
    /// Whether that is what it takes.
    is_sampled: bool,
    /// Event types that the statements use.
    #[serde(skip)]
    events: Vec<String>,
}

/// First state transition.
#[derive(Debug, Serialize)]
struct State {
    transition: String,
    published: String,
}

impl View {
    fn new(node: &Node, package: &str, exports: &ModuleExports) -> Self {
        let models = |exports: &OperationExports| [exports.input.clone(), exports.result.clone()];
        let operations = || exports.operations.iter();
        let models: Vec<String> = operations().flat_map(models).flatten().collect();
        let instruments: Vec<&String> = operations().map(|it| &it.instrument).collect();
        let mut names = Names::new(
            (TAKEN.into_iter())
                .chain(models.iter().map(String::as_str))
                .chain(instruments.iter().map(|name| name.as_str()))
                .chain([exports.publisher.as_str()]),
        );
        let mut class_name = class_name(name(node), "Node");
        class_name.truncate(MAX_CLASS_NAME);
        let class_name = names.give(class_name);
        let mut tests = Names::new([
            "test_failures_are_published_and_counted",
            "test_changes_of_state_are_published",
            "test_it_starts_and_stops",
        ]);
        let methods: Vec<Method> = operations()
            .map(|exports| method(node, exports, &mut names, &mut tests))
            .collect();
        let module = format!("{package}.generated.{}", module_name(node));
        let state = state(exports);
        let service = Expr::text(&escape(&node.service_name));
        let client = Expr::call("KafkaClient", vec![Expr::keyword("service", service)]);
        let tested = Expr::call(&class_name, vec![Expr::atom("herald_client")]);
        let given = Expr::keyword("namespace", Expr::atom("namespace"));
        let made = Expr::call(&class_name, vec![Expr::atom("kafka_client"), given]);
        let description = node.description.as_deref().map(one_line);
        let description = description.filter(|it| !it.is_empty());
        Self {
            package: package.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            client: assign(8, "client", &client),
            namespace: assignment(0, "NAMESPACE", &escape(namespace_of(node, None))),
            node: assign(4, "node", &made),
            tested: assign(4, "node", &tested),
            // JSON has the escapes of TOML where no character steers anything.
            toml_description: description.as_ref().map(|it| json!(it).to_string()),
            description,
            class: class(&class_name, &exports.publisher),
            summary: summary(node, state.is_some()),
            imports: node_imports(exports, &models, &methods, &module),
            service_imports: service_imports(&class_name, package),
            test_imports: test_imports(exports, &methods, state.is_some(), {
                (&module, &class_name, package)
            }),
            failures: operations()
                .filter_map(|exports| {
                    let names = [&exports.instrument, exports.failed_event()?];
                    let items = names.map(Expr::atom).to_vec();
                    Some(Expr::Bracket("(".to_owned(), items, ')').fitted(8, 8, 1))
                })
                .collect(),
            class_name,
            methods,
            state,
            counted: exports.metric_recorded.as_ref().map(|event| counted(event)),
            metric: exports.metric_recorded.as_ref().map(|event| {
                let assert = "herald_client.assert_published";
                Expr::call(assert, vec![Expr::atom(event)]).fitted(4, 4, 0)
            }),
        }
    }
}

fn method(node: &Node, exports: &OperationExports, names: &mut Names, tests: &mut Names) -> Method {
    let operation = &node.operations[exports.index];
    let ident = names.give(method_name(&operation.ident));
    let open = "Mapping[str, Any]";
    let input = exports.input.as_deref().unwrap_or(open);
    let result = exports.result.as_deref().unwrap_or(open);
    let flat = format!("    async def {ident}(self, request: {input}) -> {result}:");
    let head = if flat.len() <= WIDTH {
        flat
    } else {
        let result = if "    ) -> :".len() + result.len() > WIDTH && 8 + result.len() <= WIDTH {
            format!("(\n        {result}\n    )")
        } else {
            result.to_owned()
        };
        format!(
            "    async def {ident}(\n        self,\n        request: {input},\n    ) -> {result}:"
        )
    };
    let doc = doc(operation);
    let text = format!(
        "    @{}\n{head}\n        \"\"\"{doc}\"\"\"\n        raise NotImplementedError",
        exports.instrument
    );
    let sampled = match &exports.input {
        Some(_) => Samples::minimal(&node.definitions).object(&operation.input),
        None => Some(serde_json::Map::new()),
    };
    let is_sampled = sampled.is_some();
    let given = defaults::json(&serde_json::Value::Object(sampled.unwrap_or_default()));
    let (target, given) = match &exports.input {
        Some(model) => {
            let read = Expr::call("from_json", vec![Expr::atom(model), given]);
            ("request".to_owned(), read)
        }
        None => (format!("request: {open}"), given),
    };
    let asserts = exports.events.iter().filter_map(|(occasion, event)| {
        let assert = if is_published(&operation.instrument, *occasion)? {
            "herald_client.assert_published"
        } else {
            "herald_client.assert_not_published"
        };
        let statement = Expr::call(assert, vec![Expr::atom(event)]).fitted(4, 4, 0);
        Some((statement, event.clone()))
    });
    let (asserts, events) = asserts.unzip();
    let call = awaited(&format!("node.{ident}"));
    Method {
        operation: operation.name.clone(),
        instrument: exports.instrument.clone(),
        text,
        test: tests.give(format!("test_{ident}")),
        call,
        asserts,
        is_typed: exports.input.is_some(),
        request: assign(4, &target, &given),
        is_sampled,
        events,
    }
}

/// Formats the statement of a test that calls a method, in parentheses if only then its name fits.
fn awaited(method: &str) -> String {
    let call = |name: &str| Expr::call(name, vec![Expr::atom("request")]);
    let head = method.len() + "(".len();
    if 8 + "await ".len() + head > WIDTH && 12 + head <= WIDTH {
        let call = call(method).fitted(12, WIDTH, 0);
        return format!("await (\n            {call}\n        )");
    }
    call(&format!("await {method}")).fitted(8, 8, 0)
}

/// Returns whether a run that completes publishes the event of this occasion; `None` where that
/// depends on the request, or where such a run has no such event.
fn is_published(instrument: &Instrument, occasion: Occasion) -> Option<bool> {
    if !occasion.is_in_completed_run() {
        return None;
    }
    let is_sampled = occasion == Occasion::Start && instrument.sample_started < 1.0;
    match occasion.is_published(instrument.events) {
        true if is_sampled => None,
        is_published => Some(is_published),
    }
}

/// The name of an operation as that of a method.
fn method_name(ident: &str) -> String {
    let mut name = ident.trim_start_matches('_').to_owned();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "run_");
    }
    if is_python_keyword(&name) {
        name.push('_');
    }
    name
}

/// Returns the description of an operation, else its name.
fn doc(operation: &Operation) -> String {
    let described = operation.description.as_deref().map(sanitize);
    let sentence = described
        .filter(|text| !text.trim().is_empty())
        .unwrap_or_else(|| format!("The operation `{}`.", sanitize(&operation.name)));
    closed(wrap(&sentence, 8 + 6, 8), 8)
}

/// The docstring of the class.
fn summary(node: &Node, has_states: bool) -> String {
    let described = node.description.as_deref().unwrap_or_default();
    let mut parts = paragraphs(described, 4);
    if let Some(first) = parts.first_mut() {
        // It begins behind the quotes.
        *first = wrap(first, 4 + 6, 4);
    } else {
        let sentence = format!("The node `{}`.", sanitize(name(node)));
        parts.push(wrap(&sentence, 4 + 6, 4));
    }
    if has_states {
        parts.push("`self.state_machine` changes its state and publishes the change.".to_owned());
    }
    closed(join(&parts, 4), 4)
}

/// Returns the check that an error of an operation is published as a metric.
fn counted(event: &str) -> String {
    let payload = vec![
        Expr::entry("metric_name", Expr::atom("f\"{operation.name}.errors\"")),
        Expr::entry("metric_value", Expr::atom("1")),
    ];
    let payload = Expr::Bracket("{".to_owned(), payload, '}');
    let arguments = vec![Expr::atom(event), Expr::keyword("payload", payload)];
    Expr::call("herald_client.assert_published", arguments).fitted(4, 4, 0)
}

fn state(exports: &ModuleExports) -> Option<State> {
    let states = exports.states.as_ref()?;
    let class = &states.class;
    let (old, (next, new)) = (&states.initial, states.next.as_ref()?);
    let payload = Expr::Bracket(
        "{".to_owned(),
        vec![
            Expr::entry("old_state", Expr::text(&escape(old))),
            Expr::entry("new_state", Expr::text(&escape(new))),
        ],
        '}',
    );
    let transition = Expr::call(
        "await node.state_machine.transition",
        vec![
            Expr::atom(format!("{class}.{next}")),
            Expr::keyword("reason", Expr::text("a test")),
        ],
    );
    let published = Expr::call(
        "herald_client.assert_published",
        vec![
            Expr::atom(exports.state_changed.as_ref()?),
            Expr::keyword("payload", payload),
        ],
    );
    Some(State {
        transition: transition.fitted(8, 8, 0),
        published: published.fitted(4, 4, 0),
    })
}

fn node_imports(
    exports: &ModuleExports,
    models: &[String],
    methods: &[Method],
    module: &str,
) -> String {
    let (mut others, mut own) = (Imports::default(), Imports::default());
    if methods
        .iter()
        .any(|method| method.text.contains("Mapping["))
    {
        others.name("collections.abc", "Mapping");
        others.name("typing", "Any");
    }
    others.name("herald.metrics", "NodeMetrics");
    others.name("herald.runtime", "EventClient");
    own.name(module, &exports.publisher);
    let instruments = exports.operations.iter().map(|it| &it.instrument);
    for name in models.iter().chain(instruments) {
        own.name(module, name);
    }
    format!("{}\n\n{}", others.print(), own.print())
}

fn service_imports(class_name: &str, package: &str) -> String {
    let (mut others, mut own) = (Imports::default(), Imports::default());
    others.module("os");
    others.name("herald.lifecycle", "Lifecycle");
    others.name("herald.runtime", "EventClient");
    let node = format!("{package}.node");
    own.name(&node, "NAMESPACE");
    own.name(&node, class_name);
    format!("{}\n\n{}", others.print(), own.print())
}

fn test_imports(
    exports: &ModuleExports,
    methods: &[Method],
    has_states: bool,
    (module, class_name, package): (&str, &str, &str),
) -> String {
    let (mut others, mut own) = (Imports::default(), Imports::default());
    others.module("asyncio");
    others.name("herald.testing", "RecordingClient");
    for method in methods {
        others.module("pytest");
        others.name("herald.runtime", "Operation");
        if method.is_typed {
            others.name("herald.runtime", "from_json");
        } else {
            others.name("collections.abc", "Mapping");
            others.name("typing", "Any");
        }
        if !method.events.is_empty() {
            own.name(module, &exports.event_types);
        }
    }
    for operation in &exports.operations {
        own.name(module, &operation.instrument);
        if operation.failed_event().is_some() {
            own.name(module, &exports.event_types);
        }
        if let Some(input) = &operation.input {
            own.name(module, input);
        }
    }
    if let (true, Some(states)) = (has_states, &exports.states) {
        own.name(module, &states.class);
    }
    if (has_states && exports.state_changed.is_some()) || exports.metric_recorded.is_some() {
        own.name(module, &exports.event_types);
    }
    if has_states || !methods.is_empty() {
        own.name(&format!("{package}.node"), class_name);
    }
    own.name(&format!("{package}.service"), "service");
    format!("{}\n\n{}", others.print(), own.print())
}
