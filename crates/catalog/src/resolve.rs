//! From what is written to what is meant: identifiers, event types, topics.

use std::collections::HashMap;

use herald_diagnostics::{Diagnostic, Location, Severity, SourceId, Span};
use herald_envelope::topic::{self, InvalidTopic, Topic, TopicPattern};

use crate::category::{self, Category, DECLARED, METRIC_EVENTS, OPERATION_LIFECYCLE, STATE_EVENTS};
use crate::contract::{ContractFile, Format, Located, StateMachine, WrittenEvent};
use crate::fields::Privacy;
use crate::ident::{ident, is_meaningful, is_python_keyword, slug};
use crate::kind::Kind;
use crate::node::{
    Declared, Event, EventTypeSource, Fingerprint, Identity, Node, Operation, Origin,
};
use crate::onex::OnexTopic;
use crate::rules;

/// What a project sets for all of its contracts.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Namespace of contracts that set none.
    pub namespace: Option<String>,
    /// How topics of generated events are named.
    pub topic_pattern: TopicPattern,
}

/// Resolves a contract. Whatever can't be resolved is a finding, and left out.
pub(crate) fn resolve(
    file: ContractFile,
    origin: Origin,
    defaults: &Defaults,
    findings: &mut Vec<Diagnostic>,
) -> Node {
    let name = file.name.as_ref().map(|name| name.value.clone());
    let service_slug = slug(name.as_deref().unwrap_or(&origin.fallback_name));
    check_name(&file, findings);
    let operations = resolve_operations(&file, findings);
    let mut node = Node {
        format: file.format,
        identity: Identity {
            slug: service_slug.clone(),
            contract_version: file.contract_version,
            node_version: file.node_version,
            name: name.clone(),
        },
        kind: file.kind,
        // ONEX names are free text, and become part of topics that nobody wrote down.
        service_name: match (file.format, name) {
            (Format::Native, Some(name)) => name,
            _ => service_slug,
        },
        namespace: file
            .namespace
            .as_ref()
            .map(|n| n.value.clone())
            .or_else(|| defaults.namespace.clone()),
        description: file.description,
        operations,
        states: file.states,
        metrics: file.metrics,
        events: Vec::new(),
        consumed: file.consumed,
        inputs: file.inputs,
        outputs: file.outputs,
        redact: Vec::new(),
        location: file.location,
        origin,
    };
    if let Some(namespace) = &file.namespace {
        check_namespace(namespace, findings);
    }
    let events = Events {
        node: &node,
        pattern: &defaults.topic_pattern,
    };
    let mut resolved = Vec::new();
    if let Some(kind) = node.kind {
        resolved.extend(events.lifecycle(kind));
        let location = node
            .states
            .as_ref()
            .map_or(node.location, |states| states.location);
        resolved.extend(
            file.state_events
                .then(|| events.of_node(kind, &STATE_EVENTS, location)),
        );
        resolved.extend(
            file.metric_events
                .then(|| events.of_node(kind, &METRIC_EVENTS, node.location)),
        );
    }
    resolved.extend(
        file.events
            .into_iter()
            .map(|event| events.declared(event, findings)),
    );
    node.events = distinct(resolved, findings);
    node.redact = file
        .redact
        .into_iter()
        .filter_map(|p| check_pattern(p, findings))
        .collect();
    check_states(node.states.as_ref(), findings);
    check_topics(&node, findings);
    if node.format == Format::Native
        && node.operations.is_empty()
        && node.declared().next().is_none()
    {
        findings.push(
            Diagnostic::new(
                &rules::CONTRACT_NO_EVENTS,
                "the contract has no operations and no events",
            )
            .at(node.location)
            .help("add `operations: [name]`, or declare `events`"),
        );
    }
    node
}

fn check_name(file: &ContractFile, findings: &mut Vec<Diagnostic>) {
    let Some(name) = &file.name else { return };
    if !is_meaningful(&ident(&name.value)) {
        findings.push(unusable(name));
    }
}

fn unusable(name: &Located<String>) -> Diagnostic {
    Diagnostic::new(
        &rules::NAME_UNUSABLE,
        format!("the name {:?} can't be made an identifier", name.value),
    )
    .at(name.location)
    .help("use at least one ASCII letter or digit")
}

fn check_namespace(namespace: &Located<String>, findings: &mut Vec<Diagnostic>) {
    if let Err(reason) = topic::validate(&namespace.value) {
        findings.push(invalid_topic(
            "the namespace",
            &namespace.value,
            &reason,
            namespace.location,
        ));
    }
}

fn resolve_operations(file: &ContractFile, findings: &mut Vec<Diagnostic>) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    for written in &file.operations {
        let name = &written.name;
        let mut ident = ident(&name.value);
        if !is_meaningful(&ident) {
            findings.push(unusable(name));
            continue;
        }
        if is_python_keyword(&ident) {
            findings.push(
                Diagnostic::new(
                    &rules::NAME_KEYWORD,
                    format!("the operation `{}` is a Python keyword", name.value),
                )
                .at(name.location)
                .help(format!("say what it works on, such as `{ident}_orders`")),
            );
        }
        if let Some(known) = operations.iter().find(|known| known.name == name.value) {
            findings.push(
                Diagnostic::new(
                    &rules::OPERATION_DUPLICATE,
                    format!("the operation `{}` is listed twice", name.value),
                )
                .at(name.location)
                .label(known.location, "first listed here")
                .help("remove one of the two"),
            );
            continue;
        }
        let same = |ident: &str| {
            operations
                .iter()
                .find(|o| o.ident.eq_ignore_ascii_case(ident))
        };
        if let Some(known) = same(&ident) {
            findings.push(collision(
                &known.name,
                &name.value,
                &ident,
                name.location,
                known.location,
            ));
            ident = free(&ident, |candidate| same(candidate).is_some());
        }
        operations.push(Operation {
            name: name.value.clone(),
            ident,
            description: written.description.clone(),
            input: written.input.clone(),
            result: written.result.clone(),
            sources: written.sources.clone(),
            location: name.location,
        });
    }
    operations
}

/// The first of `name_2`, `name_3`, … that is not taken: what collides is a finding, and stays
/// distinct all the same.
fn free(ident: &str, taken: impl Fn(&str) -> bool) -> String {
    (2..)
        .map(|n| format!("{ident}_{n}"))
        .find(|candidate| !taken(candidate))
        .unwrap_or_default()
}

fn collision(first: &str, second: &str, ident: &str, at: Location, before: Location) -> Diagnostic {
    Diagnostic::new(
        &rules::NAME_COLLISION,
        format!("`{first}` and `{second}` both become the identifier `{ident}`"),
    )
    .at(at)
    .label(before, "the other one is here")
    .help("rename one of the two")
}

struct Events<'a> {
    node: &'a Node,
    pattern: &'a TopicPattern,
}

impl Events<'_> {
    fn lifecycle(&self, kind: Kind) -> impl Iterator<Item = Event> {
        self.node
            .operations
            .iter()
            .enumerate()
            .flat_map(move |(index, operation)| {
                OPERATION_LIFECYCLE.stages.iter().map(move |stage| {
                    self.generated(
                        &OPERATION_LIFECYCLE,
                        stage,
                        stage.event_type_of(kind, Some(&operation.name)),
                        stage.ident_of(Some(&operation.ident)),
                        Some(index),
                        operation.location,
                    )
                })
            })
    }

    fn of_node(&self, kind: Kind, category: &'static Category, location: Location) -> Event {
        let stage = &category.stages[0];
        let event_type = stage.event_type_of(kind, None);
        self.generated(
            category,
            stage,
            event_type,
            stage.ident_of(None),
            None,
            location,
        )
    }

    fn generated(
        &self,
        category: &'static Category,
        stage: &'static category::Stage,
        event_type: String,
        ident: String,
        operation: Option<usize>,
        location: Location,
    ) -> Event {
        Event {
            category,
            stage: Some(stage),
            operation,
            topic: self.topic(&event_type),
            event_type,
            ident,
            description: None,
            declared: None,
            location,
        }
    }

    fn topic(&self, event_type: &str) -> Topic {
        let version = self.node.identity.contract_version.as_ref();
        let major = version.map_or(1, crate::version::Version::topic_major);
        self.pattern
            .topic(&self.node.service_name, event_type, major)
    }

    fn declared(&self, written: WrittenEvent, findings: &mut Vec<Diagnostic>) -> Event {
        let topic_name = written
            .topic
            .as_ref()
            .map_or("", |topic| topic.value.as_str());
        let onex = OnexTopic::parse(topic_name);
        let (event_type, event_type_source) = match (&written.event_type, onex) {
            (Some(event_type), _) => (event_type.value.clone(), EventTypeSource::Declared),
            (None, Some(topic)) => (
                format!("{}.{}", topic.producer, topic.event_name),
                EventTypeSource::Derived,
            ),
            (None, None) => (topic_name.to_owned(), EventTypeSource::Verbatim),
        };
        let topic = match &written.topic {
            Some(topic) if self.node.format == Format::Native => declared_topic(&topic.value),
            Some(topic) => Topic::Literal(topic.value.clone()),
            None => self.topic(&event_type),
        };
        if let Some(key) = &written.partition_key {
            check_partition_key(key, &written, findings);
        }
        for field in written
            .payload
            .iter()
            .filter(|field| is_python_keyword(&field.name))
        {
            findings.push(
                Diagnostic::new(
                    &rules::NAME_KEYWORD,
                    format!("the field `{}` is a Python keyword", field.name),
                )
                .at(field.location),
            );
        }
        Event {
            category: &DECLARED,
            stage: None,
            operation: None,
            ident: ident(&event_type),
            topic,
            description: written.description,
            declared: Some(Declared {
                payload: written.payload,
                partition_key: written.partition_key.map(|key| key.value),
                settings: written.settings,
                conforming: onex.is_some_and(|topic| topic.conforming),
                event_type_source,
                roles: written.roles,
                schema_ref: written.schema_ref,
                sources: written.sources,
            }),
            event_type,
            location: written.location,
        }
    }
}

/// A topic of the native format, in which `{namespace}` may stand once.
fn declared_topic(text: &str) -> Topic {
    match text.split_once("{namespace}") {
        Some((before, after)) => Topic::Namespaced {
            before: before.to_owned(),
            after: after.to_owned(),
        },
        None => Topic::Literal(text.to_owned()),
    }
}

fn check_partition_key(
    key: &Located<String>,
    event: &WrittenEvent,
    findings: &mut Vec<Diagnostic>,
) {
    let field = event.payload.iter().find(|field| field.name == key.value);
    let finding = match field {
        Some(field) if field.privacy == Privacy::Private => Diagnostic::new(
            &rules::EVENT_PARTITION_KEY,
            format!("the partition key `{}` is a private field", key.value),
        )
        .label(field.location, "private here"),
        // An open payload may have any field.
        Some(_) => return,
        None if event.payload.is_empty() => return,
        None => {
            let names = event.payload.iter().map(|field| field.name.as_str());
            let finding = Diagnostic::new(
                &rules::EVENT_PARTITION_KEY,
                format!("the payload has no field `{}`", key.value),
            );
            match herald_diagnostics::did_you_mean(&key.value, names) {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None => finding.help("name a field of the payload"),
            }
        }
    };
    findings.push(finding.at(key.location));
}

/// Reports identifiers that are taken already. An event that can't be named is left out.
fn distinct(events: Vec<Event>, findings: &mut Vec<Diagnostic>) -> Vec<Event> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Event> = Vec::new();
    for mut event in events {
        if !is_meaningful(&event.ident) {
            findings.push(unusable(&Located::new(event.event_type, event.location)));
            continue;
        }
        if let Some(&first) = taken.get(&event.ident.to_ascii_lowercase()) {
            let first = &kept[first];
            findings.push(if first.event_type == event.event_type {
                Diagnostic::new(
                    &rules::EVENT_DUPLICATE,
                    format!("the event `{}` is declared twice", event.event_type),
                )
                .at(event.location)
                .label(first.location, "first declared here")
                .help("give one of the two another event type")
            } else {
                collision(
                    &first.event_type,
                    &event.event_type,
                    &event.ident,
                    event.location,
                    first.location,
                )
            });
            event.ident = free(&event.ident, |ident| {
                taken.contains_key(&ident.to_ascii_lowercase())
            });
        }
        taken.insert(event.ident.to_ascii_lowercase(), kept.len());
        kept.push(event);
    }
    kept
}

fn check_pattern(pattern: Located<String>, findings: &mut Vec<Diagnostic>) -> Option<String> {
    match portable_pattern(&pattern.value) {
        Ok(()) => Some(pattern.value),
        Err(reason) => {
            findings.push(
                Diagnostic::new(
                    &rules::REDACT_PATTERN,
                    format!("this is no regular expression that Herald takes: {reason}"),
                )
                .at(pattern.location)
                .help("use what Rust and Python both know: no look-around, back-references or inline flags"),
            );
            None
        }
    }
}

/// Whether Rust's and Python's regular expressions read the pattern in the same way.
fn portable_pattern(pattern: &str) -> Result<(), String> {
    const ONLY_RUST: [&str; 14] = [
        r"\p", r"\P", r"\z", r"\x{", r"\u{", r"\U", r"\b{", r"\<", r"\>", "[[", "[^[", "&&", "--",
        "~~",
    ];
    if let Some(syntax) = ONLY_RUST.iter().find(|syntax| pattern.contains(**syntax)) {
        return Err(format!(
            "`{syntax}` means different things in Rust and Python"
        ));
    }
    let group = pattern.match_indices("(?").find(|(at, _)| {
        let rest = &pattern[at + 2..];
        !(rest.starts_with(':') || rest.starts_with("P<"))
    });
    if group.is_some() {
        return Err("only `(?:…)` and `(?P<name>…)` may begin with `(?`".to_owned());
    }
    let doubled = pattern
        .as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, [b'*' | b'+' | b'?' | b'}', b'*' | b'+']));
    if doubled {
        return Err("two repetitions stand side by side".to_owned());
    }
    match regex::Regex::new(pattern) {
        Err(error) => {
            let text = error.to_string();
            Err(text
                .lines()
                .last()
                .unwrap_or("it can't be parsed")
                .trim_start_matches("error: ")
                .to_owned())
        }
        Ok(regex) if regex.is_match("") => {
            Err("it matches everywhere, even where nothing stands".to_owned())
        }
        Ok(_) => Ok(()),
    }
}

fn check_states(states: Option<&StateMachine>, findings: &mut Vec<Diagnostic>) {
    let Some(machine) = states.filter(|machine| !machine.states.is_empty()) else {
        return;
    };
    for transition in &machine.transitions {
        for end in [&transition.from, &transition.to] {
            if end.value == "*" || machine.states.contains(&end.value) {
                continue;
            }
            let names = machine.states.iter().map(String::as_str);
            let finding = Diagnostic::new(
                &rules::STATE_UNKNOWN,
                format!("`{}` is none of the states", end.value),
            )
            .at(end.location);
            findings.push(match herald_diagnostics::did_you_mean(&end.value, names) {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None => finding.help("add it to the states"),
            });
        }
    }
}

fn check_topics(node: &Node, findings: &mut Vec<Diagnostic>) {
    let namespace = node
        .namespace
        .as_deref()
        .unwrap_or(topic::DEFAULT_NAMESPACE);
    let mut reported = Vec::new();
    for event in &node.events {
        let name = event.topic.in_namespace(namespace);
        let Err(reason) = topic::validate(&name) else {
            continue;
        };
        // The three events of an operation break the rule for one reason.
        if reported.contains(&event.location) {
            continue;
        }
        reported.push(event.location);
        findings.push(invalid_topic("the topic", &name, &reason, event.location));
    }
}

fn invalid_topic(what: &str, name: &str, reason: &InvalidTopic, at: Location) -> Diagnostic {
    let rule = match reason {
        InvalidTopic::TooLong(_) => &rules::TOPIC_TOO_LONG,
        _ => &rules::TOPIC_INVALID,
    };
    let shown: String = if name.chars().count() > 80 {
        name.chars().take(77).chain("...".chars()).collect()
    } else {
        name.to_owned()
    };
    Diagnostic::new(
        rule,
        format!("Kafka does not take {what} `{shown}`: {reason}"),
    )
    .at(at)
    .help(match reason {
        InvalidTopic::TooLong(_) => "shorten the names that it consists of",
        _ => "topics take letters, digits, `.`, `_` and `-`",
    })
}

/// Builds a node without a file, from the arguments of the original generator.
///
/// # Errors
/// The findings at error level, when there are any.
pub fn node_from_parts(
    kind: Kind,
    service_name: &str,
    operations: &[&str],
    state_events: bool,
    metric_events: bool,
) -> Result<Node, Vec<Diagnostic>> {
    let location = Location {
        source: SourceId(0),
        span: Span::default(),
    };
    let file = ContractFile {
        format: Format::Native,
        location,
        name: Some(Located::new(service_name.to_owned(), location)),
        kind: Some(kind),
        contract_version: None,
        node_version: None,
        namespace: None,
        description: None,
        operations: operations
            .iter()
            .map(|name| crate::contract::WrittenOperation {
                name: Located::new((*name).to_owned(), location),
                description: None,
                input: Vec::new(),
                result: Vec::new(),
                sources: vec!["operations"],
            })
            .collect(),
        state_events,
        metric_events,
        states: None,
        metrics: Vec::new(),
        events: Vec::new(),
        consumed: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        redact: Vec::new(),
    };
    let text = format!("{kind} {service_name} {operations:?} {state_events} {metric_events}");
    let origin = Origin {
        path: "<arguments>".to_owned(),
        relative_path: "<arguments>".to_owned(),
        fallback_name: String::new(),
        fingerprint: Fingerprint::of(text.as_bytes()),
    };
    let mut findings = Vec::new();
    let node = resolve(file, origin, &Defaults::default(), &mut findings);
    findings.retain(|finding| finding.severity == Severity::Error);
    if findings.is_empty() {
        Ok(node)
    } else {
        Err(findings)
    }
}
