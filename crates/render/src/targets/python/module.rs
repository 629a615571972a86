//! Data of the templates of a module. All values are valid Python at their places.

use std::collections::{BTreeMap, BTreeSet};

use herald_catalog::category::{Category, METRIC_EVENTS, Occasion, STATE_EVENTS};
use herald_catalog::contract::StateMachine;
use herald_catalog::ident::ident;
use herald_catalog::instrument::{ErrorText, InstrumentedEvents};
use herald_catalog::kind::Kind;
use herald_catalog::{Event, Node};
use herald_envelope::Profile;
use herald_envelope::topic::Topic;
use serde::Serialize;

use crate::file::MARKER;
use crate::python::expr::{Expr, assign, class};
use crate::python::layout::WIDTH;
use crate::python::names::{class_name, publisher_class, sort_exports};
use crate::python::prose::{join, paragraphs, sanitize, wrap};
use crate::python::text::{escape, regex_literal};
use crate::targets::python::enums::{self, MemberNames};
use crate::targets::python::models::{Model, ModelSet, models, received_models};
use crate::targets::python::options::{Models, PythonOptions};
use crate::targets::python::runtime::Runtime;
use crate::targets::python::scope::Scope;

/// Values that the templates print.
#[derive(Debug, Serialize)]
pub(super) struct Module {
    marker: String,
    version: &'static str,
    fingerprint: String,
    summary: String,
    imports: String,
    exports: Vec<String>,
    /// Event types, topics, and named types.
    enums: Vec<enums::Enumeration>,
    models: Vec<Model>,
    dataclasses: bool,
    /// Statements that describe operations and events.
    definitions: String,
    publishers: Vec<Publisher>,
    received: Vec<Received>,
    parse: Parse,
    /// Fingerprint of the project's own templates for Python, if it has any.
    pub(super) templates: Option<String>,
    /// Names that the code of a service uses: none if the module is for consumers.
    #[serde(skip)]
    pub(super) names: ModuleExports,
}

/// Names of a module that handwritten code uses.
#[derive(Debug, Default)]
pub(super) struct ModuleExports {
    /// The class to inherit from.
    pub(super) publisher: String,
    /// Operations that have events.
    pub(super) operations: Vec<OperationExports>,
    /// Enumeration of event types.
    pub(super) event_types: String,
    /// Enumeration of states, if there is one.
    pub(super) states: Option<StatesExports>,
    /// Event type of a change of state.
    pub(super) state_changed: Option<String>,
    /// Event type of a measured value.
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
    /// Its event types, each with its occasion.
    pub(super) events: Vec<(Occasion, String)>,
}

impl OperationExports {
    /// Returns the event type of a failed run.
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

/// Members of the enumerations of event types and topics for one event.
#[derive(Debug)]
struct Members {
    event_type: String,
    topic: String,
    /// Whether both have one name.
    is_alike: bool,
}

/// A class that publishes.
#[derive(Debug, Serialize)]
struct Publisher {
    class: String,
    summary: String,
    /// Blocks of statements: attributes, public methods, and methods that log failures.
    blocks: Vec<Vec<String>>,
}

/// The class of a received event.
#[derive(Debug, Serialize)]
struct Received {
    #[serde(skip)]
    name: String,
    class: String,
    summary: String,
}

/// The function that reads messages.
#[derive(Debug, Serialize)]
struct Parse {
    /// The type of events, and the statement that defines it.
    event: String,
    alias: String,
    /// Definitions of events, or event types and versions, with their classes.
    rows: Vec<String>,
    variable: String,
    /// The statement that begins the function.
    function: String,
}

impl Module {
    /// Returns the module that publishes events, and reads them.
    pub(super) fn new(node: &Node, options: PythonOptions) -> Self {
        let runtime = if options.standalone {
            Runtime::Copied
        } else {
            Runtime::Installed
        };
        let mut scope = Scope::new(options.models, runtime);
        let title = name(node);
        let class_name = scope.names.give(publisher_class(title));
        let sync_class = scope.names.give(format!("Sync{class_name}"));
        let own = NodeNames::new(node, &mut scope);
        let (events, mut enums) = event_enums(node, &own, &mut scope);
        let states = states(node, &mut scope);
        let mut models = models(node, &mut scope);
        let parts = Parts {
            node,
            events: &events,
            models: &models,
            source: scope.names.give("_SOURCE".to_owned()),
        };
        let mut variables = Variables::default();
        let mut definitions = vec![parts.source(&own, &mut scope)];
        definitions.extend(parts.operations(&mut scope, &mut variables));
        definitions.extend(parts.node_events(&mut scope, &mut variables));
        let machine = states.as_ref().map(|states| {
            let (statement, variable) = parts.machine(states, &mut scope, &variables);
            definitions.push(statement);
            variable
        });
        let publishers =
            parts.publishers(&class_name, &sync_class, machine, &mut scope, &variables);
        let received = parts.received(&mut scope);
        let parse = parts.parse(&own, &received, &mut scope, &variables);
        scope.uses("Final");
        let names = ModuleExports {
            publisher: class_name.clone(),
            operations: parts.operation_exports(&variables),
            event_types: own.event_types.clone(),
            states: states.as_ref().map(|it| parts.states_exports(it)),
            state_changed: parts.event_type_of(&STATE_EVENTS),
            metric_recorded: parts.event_type_of(&METRIC_EVENTS),
        };
        let has_sync = publishers.len() > 1;
        enums.append(&mut models.enums);
        let mut exports = exports(&enums, &models, &variables);
        exports.push(class_name);
        exports.extend(has_sync.then_some(sync_class));
        exports.extend(received.iter().flatten().map(|it| it.name.clone()));
        exports.push(parse.event.clone());
        exports.extend(states.as_ref().map(|states| states.class_name.clone()));
        sort_exports(&mut exports);
        enums.extend(states.map(|states| states.enumeration));
        Self {
            marker: format!("# {MARKER}"),
            version: env!("CARGO_PKG_VERSION"),
            fingerprint: node.origin.fingerprint.0.clone(),
            summary: module_summary(node, ""),
            imports: scope.finish(),
            exports,
            dataclasses: options.models == Models::Dataclass,
            definitions: spaced(&definitions),
            publishers,
            received: received.into_iter().flatten().collect(),
            parse,
            enums,
            models: models.models,
            templates: None,
            names,
        }
    }

    /// Returns the module that only reads events.
    pub(super) fn for_consumers(node: &Node, options: PythonOptions) -> Self {
        let mut scope = Scope::new(options.models, Runtime::Reader);
        let own = NodeNames::new(node, &mut scope);
        let (events, mut enums) = event_enums(node, &own, &mut scope);
        let mut models = received_models(node, &mut scope);
        let parts = Parts {
            node,
            events: &events,
            models: &models,
            source: String::new(),
        };
        let received = parts.received(&mut scope);
        let parse = parts.parse(&own, &received, &mut scope, &Variables::default());
        scope.uses("Final");
        enums.append(&mut models.enums);
        let mut exports = exports(&enums, &models, &Variables::default());
        exports.extend(received.iter().flatten().map(|it| it.name.clone()));
        exports.push(parse.event.clone());
        sort_exports(&mut exports);
        Self {
            marker: format!("# {MARKER}"),
            version: env!("CARGO_PKG_VERSION"),
            fingerprint: node.origin.fingerprint.0.clone(),
            summary: module_summary(node, ", for consumers"),
            imports: scope.finish(),
            exports,
            dataclasses: options.models == Models::Dataclass,
            definitions: String::new(),
            publishers: Vec::new(),
            received: received.into_iter().flatten().collect(),
            parse,
            enums,
            models: models.models,
            templates: None,
            names: ModuleExports::default(),
        }
    }
}

/// Names that every module has, after its node.
struct NodeNames {
    event_types: String,
    topics: String,
    /// The union of received events.
    event: String,
}

impl NodeNames {
    fn new(node: &Node, scope: &mut Scope) -> Self {
        let class = class_name(name(node), "Node");
        let mut give = |suffix: &str| scope.names.give(format!("{class}{suffix}"));
        Self {
            event_types: give("EventType"),
            topics: give("Topic"),
            event: give("Event"),
        }
    }
}

/// The variables that describe events, by the places of operations and events.
#[derive(Debug, Default)]
struct Variables {
    operations: BTreeMap<usize, String>,
    events: BTreeMap<usize, String>,
}

impl Variables {
    /// The variable of an event, or of its operation.
    fn of(&self, index: usize, event: &Event) -> Option<&String> {
        match event.operation {
            Some(operation) => self.operations.get(&operation),
            None => self.events.get(&index),
        }
    }
}

/// The enumeration of states.
struct States {
    class_name: String,
    /// States with the names of their members.
    members: Vec<(String, String)>,
    enumeration: enums::Enumeration,
}

/// Inputs of all statements.
struct Parts<'a> {
    node: &'a Node,
    events: &'a [Members],
    models: &'a ModelSet,
    /// The variable of the source.
    source: String,
}

impl Parts<'_> {
    /// The node as source of events.
    fn source(&self, own: &NodeNames, scope: &mut Scope) -> String {
        let mut arguments = vec![
            Expr::text(&escape(&self.node.service_name)),
            Expr::atom(&own.topics),
        ];
        let kind = self.node.kind.map(Kind::as_str);
        arguments.extend(kind.map(|kind| Expr::keyword("node_type", Expr::text(kind))));
        let mut events = self.node.events.iter();
        let is_namespaced = events.any(|event| event.topic.is_namespaced());
        let namespace = self.node.namespace.as_deref().filter(|_| is_namespaced);
        arguments
            .extend(namespace.map(|name| Expr::keyword("namespace", Expr::text(&escape(name)))));
        let envelope = self.node.envelope.map(Profile::as_str);
        arguments.extend(envelope.map(|name| Expr::keyword("envelope", Expr::text(name))));
        let headers = self.node.headers.map(|set| {
            let names = set.names().map(Expr::text).collect();
            Expr::keyword("headers", Expr::Bracket("[".to_owned(), names, ']'))
        });
        arguments.extend(headers);
        described(&self.source, scope.uses("EventSource"), arguments)
    }

    /// The operations that have events.
    fn operations(&self, scope: &mut Scope, variables: &mut Variables) -> Vec<String> {
        let mut statements = Vec::new();
        for (index, operation) in self.node.operations.iter().enumerate() {
            let events: Vec<_> = (self.node.events.iter().zip(self.events))
                .filter(|(event, _)| event.operation == Some(index))
                .map(|(_, members)| members)
                .collect();
            if events.is_empty() {
                continue;
            }
            let name = scope.names.give(format!("instrument_{}", operation.ident));
            let mut arguments = vec![
                Expr::text(&escape(&operation.name)),
                Expr::atom(&self.source),
            ];
            arguments.extend(events.iter().map(|members| Expr::atom(&members.event_type)));
            if events.iter().any(|members| !members.is_alike) {
                let topics = events.iter().map(|members| Expr::atom(&members.topic));
                let topics = Expr::Bracket("(".to_owned(), topics.collect(), ')');
                arguments.push(Expr::keyword("topics", topics));
            }
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
                [None, Some(_)] => "ResultOperation",
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
            let members = &self.events[index];
            let mut arguments = vec![Expr::atom(&members.event_type), Expr::atom(&self.source)];
            if !members.is_alike {
                arguments.push(Expr::keyword("topic", Expr::atom(&members.topic)));
            }
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
        states: &States,
        scope: &mut Scope,
        variables: &Variables,
    ) -> (String, String) {
        let class = &states.class_name;
        let member = |state: &str| {
            let found = states.members.iter().find(|(known, _)| known == state);
            found.map(|(_, name)| Expr::atom(format!("{class}.{name}")))
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
        (statement, variable)
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
                .filter_map(|(event, members)| {
                    Some((event.stage?.occasion, members.event_type.clone()))
                })
                .collect(),
        };
        variables.operations.iter().map(exports).collect()
    }

    /// Returns the names that belong to the states.
    fn states_exports(&self, states: &States) -> StatesExports {
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
            next: next.map(|(state, member)| (member.clone(), state.clone())),
        }
    }

    /// The event type of the first event in a category.
    fn event_type_of(&self, category: &'static Category) -> Option<String> {
        let mut events = self.node.events.iter().zip(self.events);
        let found = events.find(|(event, _)| event.category == category);
        found.map(|(_, members)| members.event_type.clone())
    }

    /// Returns the states that may follow each state; all others where the contract names none.
    fn transitions(
        &self,
        states: &States,
        member: &dyn Fn(&str) -> Option<Expr>,
        set: &dyn Fn(Vec<Expr>) -> Expr,
    ) -> Expr {
        let class = &states.class_name;
        let Some(machine) = (self.node.states.as_ref()).filter(|it| !it.transitions.is_empty())
        else {
            let all = Expr::call("frozenset", vec![Expr::atom(class)]);
            return Expr::call("dict.fromkeys", vec![Expr::atom(class), all]);
        };
        let entries = states.members.iter().map(|(state, name)| {
            let following = following(machine, state);
            let followers = (states.members.iter())
                .filter(|(state, ..)| following.contains(state.as_str()))
                .filter_map(|(state, ..)| member(state));
            let value = set(followers.collect());
            Expr::Named(format!("{class}.{name}: "), Box::new(value))
        });
        Expr::Bracket("{".to_owned(), entries.collect(), '}')
    }

    /// The class that publishes, and the one for synchronous programs.
    fn publishers(
        &self,
        class_name: &str,
        sync_class: &str,
        machine: Option<String>,
        scope: &mut Scope,
        variables: &Variables,
    ) -> Vec<Publisher> {
        let title = name(self.node);
        let base = scope.uses("EventPublisher");
        let mut publish = self.publish_methods(variables, "PublishMethod", scope);
        publish.extend(machine.map(|machine| format!("state_machine = {machine}")));
        let redactions = redactions(self.node, scope);
        let inherited = redactions.as_ref().map(|_| {
            let value = Expr::atom(format!("{class_name}.redactions"));
            assign(4, "redactions", &value)
        });
        let mut publishers = vec![Publisher {
            class: class(class_name, base),
            summary: publisher_summary(title, ""),
            blocks: vec![
                redactions.into_iter().collect(),
                publish,
                self.logged_methods(variables, scope),
            ],
        }];
        let publish = self.publish_methods(variables, "SyncPublishMethod", scope);
        if !publish.is_empty() {
            publishers.push(Publisher {
                class: class(sync_class, base),
                summary: publisher_summary(title, " Blocks for the receipts."),
                blocks: vec![inherited.into_iter().collect(), publish],
            });
        }
        for publisher in &mut publishers {
            publisher.blocks.retain(|block| !block.is_empty());
        }
        publishers
    }

    /// Returns the statements that define the methods that log failures.
    fn logged_methods(&self, variables: &Variables, scope: &mut Scope) -> Vec<String> {
        let method = |(index, event): (usize, &Event)| {
            let publish = match event.operation.zip(event.stage) {
                None => format!("{}.publish", variables.events[&index]),
                Some((operation, stage)) => {
                    format!("{}.{}", variables.operations[&operation], stage.ident)
                }
            };
            let made = Expr::call(scope.uses("logged_method"), vec![Expr::atom(publish)]);
            assign(4, &format!("_publish_{}_event", event.ident), &made)
        };
        self.node.events.iter().enumerate().map(method).collect()
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

    /// Returns the classes of received events, for each event that has one of its own.
    fn received(&self, scope: &mut Scope) -> Vec<Option<Received>> {
        let received = |(index, event): (usize, &Event)| {
            event.declared.as_ref()?;
            let payload = match self.models.received.get(&index) {
                Some(model) => Expr::atom(model),
                None => Expr::generic(
                    scope.uses("Mapping"),
                    vec![Expr::atom("str"), Expr::atom(scope.uses("Any"))],
                ),
            };
            let name = class_name(&event.ident, "Event") + "Event";
            let name = scope.names.give_or(name, "Received");
            let base = Expr::generic(scope.uses("ReceivedEvent"), vec![payload]);
            let of = sanitize(&event.event_type);
            Some(Received {
                class: class(&name, &base.fitted(4, 4, 0)),
                summary: super::models::described(&format!("`{of}`, as received."), None),
                name,
            })
        };
        self.node.events.iter().enumerate().map(received).collect()
    }

    /// The function that reads messages: the class of each event. Definitions of events know their
    /// types and versions, and operations their classes, too.
    fn parse(
        &self,
        own: &NodeNames,
        received: &[Option<Received>],
        scope: &mut Scope,
        variables: &Variables,
    ) -> Parse {
        let mut classes = Vec::new();
        let mut rows = Vec::new();
        for (index, event) in self.node.events.iter().enumerate() {
            let (class, is_own) = match (event.stage, &received[index]) {
                (Some(stage), _) => (scope.uses(stage.received_event).to_owned(), false),
                (None, Some(received)) => (received.name.clone(), true),
                (None, None) => continue,
            };
            let row = match variables.of(index, event) {
                Some(variable) if !is_own => variable.clone(),
                variable => {
                    let mut row = match variable {
                        Some(variable) => vec![Expr::atom(variable)],
                        None => vec![
                            Expr::atom(&self.events[index].event_type),
                            Expr::atom(event.version.to_string()),
                        ],
                    };
                    row.push(Expr::atom(&class));
                    Expr::Bracket("(".to_owned(), row, ')').fitted(4, 4, 1)
                }
            };
            // An operation has several events.
            if !rows.contains(&row) {
                rows.push(row);
            }
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        classes.push(scope.uses("UnknownEvent").to_owned());
        let union = Expr::or(classes.into_iter().map(Expr::Atom).collect());
        let target = format!("{}: {}", own.event, scope.uses("TypeAlias"));
        scope.uses("event_classes");
        scope.uses("parse_message");
        Parse {
            alias: assign(0, &target, &union),
            event: own.event.clone(),
            rows,
            variable: scope.names.give("_EVENTS".to_owned()),
            function: function(&own.event),
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

/// `name: Final = Class(…)`.
fn described(name: &str, class: &str, arguments: Vec<Expr>) -> String {
    assign(0, &format!("{name}: Final"), &Expr::call(class, arguments))
}

/// The statement that begins the function `parse`.
fn function(event: &str) -> String {
    let flat = format!("def parse(message: object) -> {event}:");
    if flat.len() <= WIDTH {
        flat
    } else {
        format!("def parse(\n    message: object,\n) -> {event}:")
    }
}

/// Joins definitions, with an empty line beside each that takes several lines.
fn spaced(definitions: &[String]) -> String {
    let mut text = String::new();
    let mut was_long = false;
    for definition in definitions {
        let is_long = definition.contains('\n');
        if !text.is_empty() {
            text.push_str(if is_long || was_long { "\n\n" } else { "\n" });
        }
        text.push_str(definition);
        was_long = is_long;
    }
    text
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
fn module_summary(node: &Node, more: &str) -> String {
    let sentence = format!("Events of the node `{}`{more}.", sanitize(name(node)));
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

/// Enumerations of event types and topics, and the members of each event, in the order of
/// [`Node::events`].
fn event_enums(
    node: &Node,
    own: &NodeNames,
    scope: &mut Scope,
) -> (Vec<Members>, Vec<enums::Enumeration>) {
    let mut type_names = MemberNames::new("EVENT");
    let mut topic_names = MemberNames::new("EVENT");
    let mut types: BTreeMap<&str, String> = BTreeMap::new();
    let (mut type_members, mut topic_members) = (Vec::new(), Vec::new());
    let has_versions = |event: &Event| {
        let same = |other: &&Event| other.event_type == event.event_type;
        node.events.iter().filter(same).nth(1).is_some()
    };
    let mut members = Vec::with_capacity(node.events.len());
    for event in &node.events {
        let topic = match &event.topic {
            Topic::Literal(name) => escape(name),
            Topic::Namespaced { before, after } => {
                format!("{}{{namespace}}{}", escape(before), escape(after))
            }
        };
        let topic_member = topic_names.give(&event.ident);
        topic_members.push((topic_member.clone(), topic));
        let type_member = types.entry(&event.event_type).or_insert_with(|| {
            let member = if has_versions(event) {
                type_names.give(&ident(&event.event_type))
            } else {
                type_names.give(&event.ident)
            };
            type_members.push((member.clone(), escape(&event.event_type)));
            member
        });
        members.push(Members {
            event_type: format!("{}.{type_member}", own.event_types),
            topic: format!("{}.{topic_member}", own.topics),
            is_alike: *type_member == topic_member,
        });
    }
    let base = scope.uses("StrEnum");
    let title = sanitize(name(node));
    let is_namespaced = node.events.iter().any(|event| event.topic.is_namespaced());
    let more = "`{namespace}` is the deployment's: `topic.format(namespace=\"dev\")`.";
    let enums = vec![
        enums::Enumeration::of_texts(
            &own.event_types,
            base,
            &format!("Event types of the node `{title}`."),
            None,
            &type_members,
        ),
        enums::Enumeration::of_texts(
            &own.topics,
            base,
            &format!("Topics of the node `{title}`, by the names of its events."),
            is_namespaced.then_some(&more.to_owned()),
            &topic_members,
        ),
    ];
    (members, enums)
}

/// The states as an enumeration, where the node has some and publishes their changes.
fn states(node: &Node, scope: &mut Scope) -> Option<States> {
    let machine = node.states.as_ref().filter(|it| !it.states.is_empty())?;
    if !node
        .events
        .iter()
        .any(|event| event.category == &STATE_EVENTS)
    {
        return None;
    }
    let mut names = MemberNames::new("STATE");
    let members = machine.states.iter();
    let members: Vec<_> = members
        .map(|state| (state.clone(), names.give(&ident(state))))
        .collect();
    let class_name = scope.names.give(class_name(name(node), "Node") + "State");
    let texts: Vec<_> = members
        .iter()
        .map(|(state, name)| (name.clone(), escape(state)))
        .collect();
    let sentence = format!("States of the node `{}`.", sanitize(name(node)));
    let base = scope.uses("StrEnum");
    Some(States {
        enumeration: enums::Enumeration::of_texts(&class_name, base, &sentence, None, &texts),
        members,
        class_name,
    })
}

/// Returns the attribute of the class with the contract's patterns of secrets.
fn redactions(node: &Node, scope: &mut Scope) -> Option<String> {
    if node.redact.is_empty() {
        return None;
    }
    scope.uses("re");
    let patterns = node.redact.iter().map(|pattern| {
        let pattern = Expr::Text(regex_literal(pattern));
        Expr::call("re.compile", vec![pattern, Expr::atom("re.IGNORECASE")])
    });
    let patterns = Expr::Bracket("(".to_owned(), patterns.collect(), ')');
    Some(assign(4, "redactions", &patterns))
}

/// Returns the entries of `__all__` that the contract names.
fn exports(enums: &[enums::Enumeration], models: &ModelSet, variables: &Variables) -> Vec<String> {
    ["parse".to_owned()]
        .into_iter()
        .chain(enums.iter().map(|one| one.name.clone()))
        .chain(models.models.iter().map(|model| model.name().to_owned()))
        .chain(
            models
                .own
                .iter()
                .filter(|name| !name.contains('.'))
                .cloned(),
        )
        .chain(variables.operations.values().cloned())
        .collect()
}

/// Returns the name of the node for people.
pub(super) fn name(node: &Node) -> &str {
    node.identity.name.as_deref().unwrap_or(&node.identity.slug)
}
