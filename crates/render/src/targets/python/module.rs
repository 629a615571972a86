//! Data of the templates of a module. All values are valid Python at their places.

use std::collections::{BTreeMap, BTreeSet};

use herald_catalog::category::{
    Argument, ArgumentType, CATEGORIES, Category, DECLARED_ARGUMENTS, METRIC_EVENTS, Occasion,
    Part, STATE_EVENTS,
};
use herald_catalog::contract::StateMachine;
use herald_catalog::ident::ident;
use herald_catalog::instrument::{ErrorText, InstrumentedEvents};
use herald_catalog::kind::Kind;
use herald_catalog::{Event, Node};
use herald_envelope::topic::Topic;
use serde::Serialize;

use crate::file::MARKER;
use crate::python::expr::{Expr, assign, assign_opened, class};
use crate::python::layout::{WIDTH, assignment};
use crate::python::names::{Names, class_name, label, publisher_class, sort_exports};
use crate::python::prose::{join, paragraphs, sanitize, wrap};
use crate::python::text::{escape, regex_literal};
use crate::targets::python::enums;
use crate::targets::python::models::{Model, ModelSet, models};
use crate::targets::python::options::{Models, PythonOptions};
use crate::targets::python::scope::Scope;

/// Values that the templates print.
#[derive(Debug, Serialize)]
pub(super) struct Module {
    marker: String,
    version: &'static str,
    fingerprint: String,
    summary: String,
    imports: String,
    /// Text of the runtime, in a standalone module.
    runtime: Option<String>,
    exports: Vec<String>,
    events: Vec<Constants>,
    namespaced: bool,
    categories: Vec<CategoryConstants>,
    enums: Vec<enums::Enumeration>,
    models: Vec<Model>,
    dataclasses: bool,
    states: Option<States>,
    /// Statements that describe operations and events.
    definitions: Vec<String>,
    class: String,
    class_summary: String,
    /// Attributes of the class.
    attributes: Vec<String>,
    methods: Vec<Method>,
    /// Public methods that publish declared events: statements of the class, and of the one for
    /// synchronous programs.
    publish: Vec<String>,
    sync: Option<SyncPublisher>,
    /// The class and the variable of the state machine.
    machine: Option<Machine>,
    parse: Parse,
    /// Fingerprint of the project's own templates for Python, if it has any.
    pub(super) templates: Option<String>,
    /// Names that other modules may import.
    #[serde(skip)]
    pub(super) names: ModuleExports,
}

/// Names of a module that handwritten code uses.
#[derive(Debug)]
pub(super) struct ModuleExports {
    /// The class to inherit from.
    pub(super) publisher: String,
    /// Operations that have events.
    pub(super) operations: Vec<OperationExports>,
    /// Enumeration of states, if there is one.
    pub(super) states: Option<StatesExports>,
    /// Constant of the event type of a change of state.
    pub(super) state_changed: Option<String>,
    /// Constant of the event type of a measured value.
    pub(super) metric_recorded: Option<String>,
}

/// Names that belong to an operation.
#[derive(Debug)]
pub(super) struct OperationExports {
    /// Index of the operation in the node.
    pub(super) index: usize,
    /// Decorator of its method.
    pub(super) instrument: String,
    /// Models of its input and result, if the contract declares their fields.
    pub(super) input: Option<String>,
    pub(super) result: Option<String>,
    /// Constants of its event types, each with its occasion.
    pub(super) events: Vec<(Occasion, String)>,
}

impl OperationExports {
    /// Returns the constant of the event of a failed run.
    pub(super) fn failed_event(&self) -> Option<&String> {
        let mut events = self.events.iter();
        let failed = events.find(|(occasion, _)| *occasion == Occasion::Failure);
        failed.map(|(_, event)| event)
    }
}

/// Names that belong to the states.
#[derive(Debug)]
pub(super) struct StatesExports {
    pub(super) class: String,
    /// Initial state.
    pub(super) initial: String,
    /// Member and text of a state that can follow it.
    pub(super) next: Option<(String, String)>,
}

/// The constants of one event.
#[derive(Debug, Serialize)]
struct Constants {
    event: String,
    event_assignment: String,
    topic: String,
    topic_assignment: String,
}

/// The event types of one category, by the names of their constants.
#[derive(Debug, Serialize)]
struct CategoryConstants {
    key: &'static str,
    constants: Vec<String>,
}

/// The enumeration of states.
#[derive(Debug, Serialize)]
struct States {
    summary: String,
    class: String,
    /// `IDLE = "idle"`.
    members: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Machine {
    /// The property, up to its colon.
    property: String,
    variable: String,
}

/// A method that publishes.
#[derive(Debug, Serialize)]
struct Method {
    ident: String,
    summary: String,
    /// Parameters with their annotations and defaults.
    parameters: Vec<String>,
    /// Function that it calls, up to the bracket.
    call: String,
    /// Arguments of that call.
    arguments: String,
    /// Line breaks of the call: 0 for one line, 1 behind its bracket, 2 for brackets of its own.
    breaks: u8,
}

/// The class for programs without asyncio.
#[derive(Debug, Serialize)]
struct SyncPublisher {
    class: String,
    class_summary: String,
    publish: Vec<String>,
}

/// The function that reads messages.
#[derive(Debug, Serialize)]
struct Parse {
    /// The type of events, and the statement that defines it.
    event: String,
    alias: String,
    /// Event types and versions with the readers of their payloads, as tuples.
    readers: Vec<String>,
    variable: String,
}

impl Module {
    pub(super) fn new(node: &Node, options: PythonOptions) -> Self {
        let mut scope = Scope::new(options);
        let title = name(node);
        let class_name = scope.names.give(publisher_class(title));
        let sync_class = scope.names.give(format!("Sync{class_name}"));
        let events = constants(node, &mut scope);
        let enumeration = states(node, &mut scope);
        let models = models(node, &mut scope);
        let parts = Parts {
            node,
            events: &events,
            models: &models,
        };
        let mut variables = Variables::default();
        let mut definitions = parts.operations(&mut scope, &mut variables);
        definitions.extend(parts.node_events(&mut scope, &mut variables));
        let machine = enumeration.as_ref().map(|states| {
            let (statement, machine) = parts.machine(states, &mut scope, &variables);
            definitions.push(statement);
            machine
        });
        let methods = parts.methods(&mut scope, &variables);
        let publish = parts.publish_methods(&variables, "PublishMethod", &mut scope);
        let sync = (!publish.is_empty()).then(|| SyncPublisher {
            class: class(&sync_class, "EventPublisher"),
            class_summary: publisher_summary(title, " Blocks for the receipts."),
            publish: parts.publish_methods(&variables, "SyncPublishMethod", &mut scope),
        });
        let parse = parts.parse(&mut scope);
        let attributes = attributes(node, &mut scope);
        for used in ["Any", "Final", "UUID", "Mapping", "EventPublisher"] {
            scope.uses(used);
        }
        scope.uses("parse_message");
        let names = ModuleExports {
            publisher: class_name.clone(),
            operations: parts.operation_exports(&variables),
            states: enumeration.as_ref().map(|it| parts.states_exports(it)),
            state_changed: parts.constant_of(&STATE_EVENTS),
            metric_recorded: parts.constant_of(&METRIC_EVENTS),
        };
        let mut exports = exports(&events, &class_name, &models, &variables);
        exports.extend(sync.as_ref().map(|_| sync_class.clone()));
        exports.push(parse.event.clone());
        exports.extend(enumeration.as_ref().map(|states| states.class_name.clone()));
        sort_exports(&mut exports);
        let categories = CATEGORIES.into_iter().map(|category| CategoryConstants {
            key: category.key,
            constants: (node.events.iter().zip(&events))
                .filter(|(event, _)| event.category == category)
                .map(|(_, constants)| constants.event.clone())
                .collect(),
        });
        let (imports, runtime) = scope.finish();
        Self {
            marker: format!("# {MARKER}"),
            version: env!("CARGO_PKG_VERSION"),
            fingerprint: node.origin.fingerprint.0.clone(),
            summary: module_summary(node),
            imports,
            runtime,
            exports,
            namespaced: node.events.iter().any(|event| event.topic.is_namespaced()),
            categories: categories.collect(),
            dataclasses: options.models == Models::Dataclass,
            states: enumeration.map(|states| States {
                class: class(&states.class_name, "StrEnum"),
                summary: states.summary,
                members: states
                    .members
                    .iter()
                    .map(|(_, _, member)| member.clone())
                    .collect(),
            }),
            definitions,
            class_summary: publisher_summary(title, ""),
            class: class(&class_name, "EventPublisher"),
            attributes,
            methods,
            publish,
            sync,
            machine,
            parse,
            events,
            enums: models.enums,
            models: models.models,
            templates: None,
            names,
        }
    }
}

/// The variables that describe events, by the places of operations and events.
#[derive(Debug, Default)]
struct Variables {
    operations: BTreeMap<usize, String>,
    events: BTreeMap<usize, String>,
}

/// An enumeration of states: its members with their states.
struct Enumeration {
    class_name: String,
    summary: String,
    /// State, name of the member, statement.
    members: Vec<(String, String, String)>,
}

/// Inputs of all statements.
struct Parts<'a> {
    node: &'a Node,
    events: &'a [Constants],
    models: &'a ModelSet,
}

impl Parts<'_> {
    fn node_type(&self) -> Expr {
        let kind = self.node.kind.map(Kind::as_str);
        let kind = kind.map_or_else(|| Expr::atom("None"), Expr::text);
        Expr::keyword("node_type", kind)
    }

    fn service_name(&self) -> Expr {
        Expr::keyword("service_name", Expr::text(&escape(&self.node.service_name)))
    }

    /// The operations that have events.
    fn operations(&self, scope: &mut Scope, variables: &mut Variables) -> Vec<String> {
        let mut statements = Vec::new();
        for (index, operation) in self.node.operations.iter().enumerate() {
            let events = (self.node.events.iter().zip(self.events))
                .filter(|(event, _)| event.operation == Some(index));
            let (events, topics): (Vec<_>, Vec<_>) = events
                .map(|(_, constants)| (Expr::atom(&constants.event), Expr::atom(&constants.topic)))
                .unzip();
            if events.is_empty() {
                continue;
            }
            let name = scope.names.give(format!("instrument_{}", operation.ident));
            let tuple = |items| Expr::Bracket("(".to_owned(), items, ')');
            let mut arguments = vec![
                Expr::text(&escape(&operation.name)),
                self.node_type(),
                self.service_name(),
                Expr::keyword("topics", tuple(topics)),
                Expr::keyword("events", tuple(events)),
            ];
            let models = [
                ("input", self.models.inputs.get(&index)),
                ("result", self.models.results.get(&index)),
            ];
            arguments.extend(
                models
                    .into_iter()
                    .filter_map(|(name, model)| Some(Expr::keyword(name, Expr::atom(model?)))),
            );
            let instrument = &operation.instrument;
            if instrument.events != InstrumentedEvents::All {
                let announced = Expr::text(instrument.events.as_str());
                arguments.push(Expr::keyword("publish", announced));
            }
            if instrument.sample_started < 1.0 {
                let share = Expr::atom(instrument.sample_started.to_string());
                arguments.push(Expr::keyword("sample_started", share));
            }
            if !instrument.fields.is_empty() {
                let fields = instrument
                    .fields
                    .iter()
                    .map(|(name, value)| Expr::entry(&escape(name), literal(value)));
                let fields = Expr::Bracket("{".to_owned(), fields.collect(), '}');
                arguments.push(Expr::keyword("fields", fields));
            }
            arguments.extend(self.version_of_operation(index));
            if instrument.error_text != ErrorText::Masked {
                let choice = Expr::text(instrument.error_text.as_str());
                arguments.push(Expr::keyword("error_text", choice));
            }
            let class = match models.map(|(_, model)| model) {
                [Some(_), Some(_)] => "TypedOperation",
                [Some(_), None] => "InputOperation",
                _ => "Operation",
            };
            statements.push(described(&name, scope.uses(class), arguments));
            variables.operations.insert(index, name);
        }
        statements
    }

    fn version_of_operation(&self, operation: usize) -> Option<Expr> {
        let mut events = self.node.events.iter();
        version(events.find(|event| event.operation == Some(operation))?)
    }

    /// The events that belong to no operation.
    fn node_events(&self, scope: &mut Scope, variables: &mut Variables) -> Vec<String> {
        let mut statements = Vec::new();
        for (index, event) in self.node.events.iter().enumerate() {
            if event.operation.is_some() {
                continue;
            }
            let constants = &self.events[index];
            let mut arguments = vec![
                Expr::atom(&constants.event),
                Expr::atom(&constants.topic),
                self.node_type(),
                self.service_name(),
            ];
            let class = match &event.declared {
                _ if event.category == &STATE_EVENTS => "StateEvent",
                _ if event.category == &METRIC_EVENTS => "MetricEvent",
                None => continue,
                Some(declared) => {
                    let model = self.models.payloads.get(&index);
                    arguments.extend(model.map(|it| Expr::keyword("model", Expr::atom(it))));
                    arguments.extend(
                        declared
                            .partition_key
                            .as_deref()
                            .map(|key| Expr::keyword("partition_key", Expr::text(&escape(key)))),
                    );
                    match model {
                        Some(_) => "DeclaredEvent",
                        None => "OpenEvent",
                    }
                }
            };
            arguments.extend(version(event));
            // A class would mangle a name with two underscores.
            let name = event.ident.trim_start_matches('_').to_ascii_uppercase();
            let name = scope.names.give(format!("_{name}"));
            statements.push(described(&name, scope.uses(class), arguments));
            variables.events.insert(index, name);
        }
        statements
    }

    /// The state machine that the contract describes.
    fn machine(
        &self,
        states: &Enumeration,
        scope: &mut Scope,
        variables: &Variables,
    ) -> (String, Machine) {
        let class = &states.class_name;
        let member = |state: &str| {
            let found = states.members.iter().find(|(known, ..)| known == state);
            found.map(|(_, name, _)| Expr::atom(format!("{class}.{name}")))
        };
        let set = |states: Vec<Expr>| {
            let inner = if states.is_empty() {
                vec![]
            } else {
                vec![Expr::Bracket("{".to_owned(), states, '}')]
            };
            Expr::call("frozenset", inner)
        };
        let mut events = self.node.events.iter();
        let event = events.position(|event| event.category == &STATE_EVENTS);
        let event = event.and_then(|index| variables.events.get(&index));
        let machine = self.node.states.as_ref();
        let initial = machine
            .and_then(|machine| member(machine.initial.as_deref()?))
            .unwrap_or_else(|| Expr::atom(format!("{class}.{}", states.members[0].1)));
        let mut arguments = vec![
            Expr::atom(event.map_or("None", String::as_str)),
            Expr::atom(class),
            Expr::keyword("initial", initial),
            Expr::keyword("transitions", self.transitions(states, &member, &set)),
        ];
        let terminal: Vec<_> = (machine.into_iter())
            .flat_map(|machine| machine.terminal.iter().filter_map(|state| member(state)))
            .collect();
        if !terminal.is_empty() {
            arguments.push(Expr::keyword("terminal", set(terminal)));
        }
        let variable = scope.names.give("_STATES".to_owned());
        let statement = described(&variable, scope.uses("States"), arguments);
        scope.uses("StateMachine");
        let machine = Machine {
            property: property(class),
            variable,
        };
        (statement, machine)
    }

    /// Returns the names that belong to operations.
    fn operation_exports(&self, variables: &Variables) -> Vec<OperationExports> {
        let exports = |(index, instrument): (&usize, &String)| OperationExports {
            index: *index,
            instrument: instrument.clone(),
            input: self.models.inputs.get(index).cloned(),
            result: self.models.results.get(index).cloned(),
            events: (self.node.events.iter().zip(self.events))
                .filter(|(event, _)| event.operation == Some(*index))
                .filter_map(|(event, constants)| {
                    Some((event.stage?.occasion, constants.event.clone()))
                })
                .collect(),
        };
        variables.operations.iter().map(exports).collect()
    }

    /// Returns the names that belong to the states.
    fn states_exports(&self, states: &Enumeration) -> StatesExports {
        let machine = self.node.states.as_ref();
        let begins = machine.and_then(|machine| machine.initial.as_deref());
        let members = || states.members.iter();
        let initial = members()
            .find(|(state, ..)| Some(state.as_str()) == begins)
            .unwrap_or(&states.members[0]);
        let terminal = machine.is_some_and(|machine| machine.terminal.contains(&initial.0));
        let follows = |state: &str| {
            machine.is_none_or(|machine| {
                machine.transitions.is_empty() || following(machine, &initial.0).contains(&state)
            })
        };
        let next = members().find(|(state, ..)| !terminal && *state != initial.0 && follows(state));
        StatesExports {
            class: states.class_name.clone(),
            initial: initial.0.clone(),
            next: next.map(|(state, member, _)| (member.clone(), state.clone())),
        }
    }

    /// The constant of the event type of the first event in a category.
    fn constant_of(&self, category: &'static Category) -> Option<String> {
        let mut events = self.node.events.iter().zip(self.events);
        let found = events.find(|(event, _)| event.category == category);
        found.map(|(_, constants)| constants.event.clone())
    }

    /// Returns the states that may follow each state; all others where the contract names none.
    fn transitions(
        &self,
        states: &Enumeration,
        member: &dyn Fn(&str) -> Option<Expr>,
        set: &dyn Fn(Vec<Expr>) -> Expr,
    ) -> Expr {
        let class = &states.class_name;
        let Some(machine) = (self.node.states.as_ref()).filter(|it| !it.transitions.is_empty())
        else {
            let all = Expr::call("frozenset", vec![Expr::atom(class)]);
            return Expr::call("dict.fromkeys", vec![Expr::atom(class), all]);
        };
        let entries = states.members.iter().map(|(state, name, _)| {
            let following = following(machine, state);
            let followers = (states.members.iter())
                .filter(|(state, ..)| following.contains(state.as_str()))
                .filter_map(|(state, ..)| member(state));
            let value = set(followers.collect());
            Expr::Named(format!("{class}.{name}: "), Box::new(value))
        });
        Expr::Bracket("{".to_owned(), entries.collect(), '}')
    }

    fn methods(&self, scope: &mut Scope, variables: &Variables) -> Vec<Method> {
        let mut methods = Vec::with_capacity(self.node.events.len());
        for (index, event) in self.node.events.iter().enumerate() {
            let arguments = event
                .stage
                .map_or(&DECLARED_ARGUMENTS[..], |it| it.arguments);
            let of_operation = event.operation.zip(event.stage);
            let part = arguments.iter().find_map(Argument::part);
            let model = match (part, event.operation) {
                (Some(Part::Input), Some(operation)) => self.models.inputs.get(&operation),
                (Some(Part::Result), Some(operation)) => self.models.results.get(&operation),
                (Some(Part::Payload), _) => self.models.payloads.get(&index),
                _ => None,
            };
            let names = arguments.iter().map(|argument| argument.name);
            let handed_over = ["self"].into_iter().chain(names).collect::<Vec<_>>();
            let handed_over = handed_over.join(", ");
            let call = of_operation.map_or_else(
                || format!("{}.publish", variables.events[&index]),
                |(operation, stage)| {
                    format!("{}.{}", variables.operations[&operation], stage.ident)
                },
            );
            let line = 8 + "await ()".len() + call.len() + handed_over.len();
            let head = call.len() + "(".len();
            let breaks = if line <= WIDTH {
                0
            } else if 8 + "await ".len() + head > WIDTH && 12 + head <= WIDTH {
                2
            } else {
                1
            };
            scope.uses("Any");
            let parameter =
                |argument: &Argument| format!("{}: {}", argument.name, annotation(argument, model));
            methods.push(Method {
                ident: event.ident.clone(),
                summary: summary(self.node, event),
                breaks,
                parameters: arguments.iter().map(parameter).collect(),
                arguments: handed_over,
                call,
            });
        }
        methods
    }

    /// Returns the statements that define the public methods.
    fn publish_methods(
        &self,
        variables: &Variables,
        class: &'static str,
        scope: &mut Scope,
    ) -> Vec<String> {
        let events = self.node.events.iter().enumerate();
        let declared = events.filter(|(_, event)| event.declared.is_some());
        let method = |(index, event): (usize, &Event)| {
            let variable = Expr::atom(&variables.events[&index]);
            let made = Expr::call(scope.uses(class), vec![variable]);
            assign(4, &format!("publish_{}", event.ident), &made)
        };
        declared.map(method).collect()
    }

    /// The function that reads messages: what the payload of each event is.
    fn parse(&self, scope: &mut Scope) -> Parse {
        let mut payloads = Vec::new();
        let mut readers = Vec::new();
        for (index, event) in self.node.events.iter().enumerate() {
            let class = match event.stage {
                Some(stage) => scope.uses(stage.received_class).to_owned(),
                None => match self.models.received.get(&index) {
                    Some(class) => class.clone(),
                    None => continue,
                },
            };
            let constant = &self.events[index].event;
            let reader = if event.declared.is_some() {
                Expr::call(scope.uses("reader"), vec![Expr::atom(&class)])
            } else {
                Expr::atom(format!("{class}.read"))
            };
            let version = Expr::atom(event.version.to_string());
            let entry = vec![Expr::atom(constant), version, reader];
            readers.push(Expr::Bracket("(".to_owned(), entry, ')').fitted(4, 4, 1));
            if !payloads.contains(&class) {
                payloads.push(class);
            }
        }
        let payloads = payloads.into_iter().map(Expr::Atom);
        let open = format!("{}[str, Any]", scope.uses("Mapping"));
        let payloads = payloads.chain([Expr::Atom(open)]).collect();
        let received = Expr::generic(scope.uses("ReceivedEvent"), vec![Expr::or(payloads)]);
        let event = class_name(name(self.node), "Node") + "Event";
        let event = scope.names.give(event);
        let target = format!("{event}: {}", scope.uses("TypeAlias"));
        scope.uses("payload_readers");
        Parse {
            alias: assign(0, &target, &received),
            event,
            readers,
            variable: scope.names.give("_READERS".to_owned()),
        }
    }
}

/// The argument of an event's version, if it is not the default.
fn version(event: &Event) -> Option<Expr> {
    let version = Expr::atom(event.version.to_string());
    (event.version != 1).then(|| Expr::keyword("version", version))
}

/// The states that may follow one.
fn following<'a>(machine: &'a StateMachine, state: &str) -> BTreeSet<&'a str> {
    let is_terminal = machine.terminal.iter().any(|terminal| terminal == state);
    let follows = machine.transitions.iter().filter(|transition| {
        let from = transition.from.value.as_str();
        from == state || (from == "*" && state != transition.to.value && !is_terminal)
    });
    follows
        .map(|transition| transition.to.value.as_str())
        .collect()
}

/// Returns the annotation of a parameter, with its default.
fn annotation(argument: &Argument, model: Option<&String>) -> String {
    match argument.ty {
        ArgumentType::Uuid => "UUID".to_owned(),
        ArgumentType::OptionalUuid => "UUID | None = None".to_owned(),
        ArgumentType::Text => "str".to_owned(),
        ArgumentType::Number => "float".to_owned(),
        ArgumentType::Error => "BaseException".to_owned(),
        ArgumentType::Metadata => "Mapping[str, Any] | None = None".to_owned(),
        ArgumentType::Data(_) => {
            let model = model.map(Expr::atom);
            let types = model.into_iter().chain([Expr::atom("Mapping[str, Any]")]);
            Expr::or(types.collect()).fitted(8, 8 + argument.name.len() + ": ".len(), 1)
        }
    }
}

/// The property that is the state machine, up to its colon.
fn property(states: &str) -> String {
    let machine = Expr::generic("StateMachine", vec![Expr::atom(states)]);
    let flat = format!("def state_machine(self) -> {}", machine.flat());
    if 4 + flat.len() < WIDTH {
        return flat;
    }
    let machine = machine.fitted(4, 4 + ") -> ".len(), 1);
    format!("def state_machine(\n        self,\n    ) -> {machine}")
}

/// `name: Final = Class(…)`, each argument on a line of its own.
fn described(name: &str, class: &str, arguments: Vec<Expr>) -> String {
    assign_opened(&format!("{name}: Final"), &Expr::call(class, arguments))
}

/// A value of the metadata.
fn literal(value: &serde_json::Value) -> Expr {
    match value {
        serde_json::Value::Bool(true) => Expr::atom("True"),
        serde_json::Value::Bool(false) => Expr::atom("False"),
        serde_json::Value::String(text) => Expr::text(&escape(text)),
        serde_json::Value::Number(number) => Expr::atom(number.to_string()),
        _ => Expr::atom("None"),
    }
}

/// The docstring of the module.
fn module_summary(node: &Node) -> String {
    let sentence = format!("Events of the node `{}`.", sanitize(name(node)));
    // Six quotes: where the sentence is all there is, those at its end stay on its line.
    let mut parts = vec![wrap(&sentence, 6, 0)];
    if let Some(description) = &node.description {
        parts.extend(paragraphs(description, 0));
    }
    let mut summary = join(&parts, 0);
    if summary.contains('\n') {
        summary.push('\n');
    }
    summary
}

/// The docstring of a class of publishers.
fn publisher_summary(title: &str, more: &str) -> String {
    let sentence = format!(
        "Publishes the events of the node `{}`.{more}",
        sanitize(title)
    );
    wrap(&sentence, 4 + 3, 4)
}

/// The docstring of a method.
fn summary(node: &Node, event: &Event) -> String {
    let sentence = format!("Publish {} event.", sanitize(&label(node, event)));
    let text = wrap(&sentence, 8 + 6, 8);
    super::models::closed(text, 8)
}

/// Constants of event types and topics, in the order of [`Node::events`].
fn constants(node: &Node, scope: &mut Scope) -> Vec<Constants> {
    let constants = |event: &Event| {
        let ident = event.ident.to_ascii_uppercase();
        let name = scope.names.give(format!("EVENT_{ident}"));
        let topic_name = scope.names.give(format!("TOPIC_{ident}"));
        let topic = match &event.topic {
            Topic::Literal(name) => escape(name),
            Topic::Namespaced { before, after } => {
                format!("{}{{namespace}}{}", escape(before), escape(after))
            }
        };
        Constants {
            event_assignment: assignment(0, &format!("{name}: Final"), &escape(&event.event_type)),
            event: name,
            topic_assignment: assignment(0, &format!("{topic_name}: Final"), &topic),
            topic: topic_name,
        }
    };
    node.events.iter().map(constants).collect()
}

/// The states as an enumeration, where the node has some and publishes their changes.
fn states(node: &Node, scope: &mut Scope) -> Option<Enumeration> {
    let machine = node.states.as_ref().filter(|it| !it.states.is_empty())?;
    if !node
        .events
        .iter()
        .any(|event| event.category == &STATE_EVENTS)
    {
        return None;
    }
    scope.uses("StrEnum");
    let mut names = Names::new([]);
    let members = machine.states.iter().map(|state| {
        let name = ident(state).trim_matches('_').to_ascii_uppercase();
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase());
        let name = names.give(if is_name {
            name
        } else {
            format!("STATE_{name}")
        });
        let statement = assign(4, &name, &Expr::text(&escape(state)));
        (state.clone(), name, statement)
    });
    let sentence = format!("States of the node `{}`.", sanitize(name(node)));
    Some(Enumeration {
        members: members.collect(),
        summary: super::models::closed(wrap(&sentence, 10, 4), 4),
        class_name: scope.names.give(class_name(name(node), "Node") + "State"),
    })
}

/// Returns the attributes of the class that the contract sets.
fn attributes(node: &Node, scope: &mut Scope) -> Vec<String> {
    let namespaced = node.events.iter().any(|event| event.topic.is_namespaced());
    let mut attributes = Vec::new();
    if let Some(namespace) = node.namespace.as_deref().filter(|_| namespaced) {
        attributes.push(assignment(4, "default_namespace: str", &escape(namespace)));
    }
    if !node.redact.is_empty() {
        scope.uses("re");
        let patterns = node.redact.iter().map(|pattern| {
            let pattern = Expr::Text(regex_literal(pattern));
            Expr::call("re.compile", vec![pattern, Expr::atom("re.IGNORECASE")])
        });
        let patterns = Expr::Bracket("(".to_owned(), patterns.collect(), ')');
        attributes.push(assign(4, "redactions", &patterns));
    }
    attributes
}

/// Returns the entries of `__all__`.
fn exports(
    constants: &[Constants],
    class_name: &str,
    models: &ModelSet,
    variables: &Variables,
) -> Vec<String> {
    let own = ["EVENT_CATALOG", "TOPICS", "parse", class_name];
    own.into_iter()
        .map(str::to_owned)
        .chain((constants.iter()).flat_map(|event| [event.event.clone(), event.topic.clone()]))
        .chain(models.enums.iter().map(|one| one.name.clone()))
        .chain(models.models.iter().map(|model| model.name().to_owned()))
        .chain(variables.operations.values().cloned())
        .collect()
}

/// Returns the name of the node for people.
pub(super) fn name(node: &Node) -> &str {
    node.identity.name.as_deref().unwrap_or(&node.identity.slug)
}
