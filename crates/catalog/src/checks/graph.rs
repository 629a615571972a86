//! `graph.*`: nodes and topics that do not fit together. Reported by `herald graph`.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::text::quote;

pub(super) static RULES: &[&Rule] = &[
    &NOT_PUBLISHED,
    &NOT_CONSUMED,
    &VERSION_SKEW,
    &EVENT_TYPE_UNKNOWN,
    &TWO_OWNERS,
    &PAYLOADS_DIFFER,
    &COMMAND_CYCLE,
    &TOPIC_UNDECLARED,
];

static NOT_PUBLISHED: Rule = Rule {
    code: "graph.not_published",
    severity: Severity::Warning,
    title: "nobody publishes a consumed topic",
    docs: "No contract of the system publishes to the topic: its name has a typo, its producer has \
           no contract, or its contracts were not read. For a topic from outside of the system, a \
           comment states it: `# herald: ignore[graph.not_published] published by the bank`.",
    bad: "herald graph mail.yaml   # consumes: [order.palced.v1]",
    good: "herald graph mail.yaml shop.yaml   # consumes: [order.placed.v1]",
};

static NOT_CONSUMED: Rule = Rule {
    code: "graph.not_consumed",
    severity: Severity::Info,
    title: "nobody consumes a declared event",
    docs: "No contract of the system consumes the topic. Perhaps it is consumed from outside, or it \
           is left over. Events of operations, states and metrics are not reported: they are \
           published for operators.",
    bad: "herald graph shop.yaml   # events: [order.placed], and nobody consumes it",
    good: "herald graph shop.yaml mail.yaml   # consumes: [order.placed.v1]",
};

static VERSION_SKEW: Rule = Rule {
    code: "graph.version_skew",
    severity: Severity::Warning,
    title: "a consumed version of a topic is not published",
    docs: "Only other versions of the topic are published. The consumer waits for events that come \
           no more, or not yet.",
    bad: "herald graph mail.yaml shop.yaml   # v1 is consumed, v2 is published",
    good: "herald graph mail.yaml shop.yaml   # v2 is consumed, v2 is published",
};

static EVENT_TYPE_UNKNOWN: Rule = Rule {
    code: "graph.event_type_unknown",
    severity: Severity::Warning,
    title: "an expected event type is not published to its topic",
    docs: "The contract of the consumer names an event type that no producer publishes to the \
           topic, so the consumer ignores all that it gets.",
    bad: "herald graph mail.yaml shop.yaml   # consumes: [{topic: order.placed.v1, event_type: order.payed}]",
    good: "herald graph mail.yaml shop.yaml   # consumes: [{topic: order.placed.v1, event_type: order.placed}]",
};

static TWO_OWNERS: Rule = Rule {
    code: "graph.two_owners",
    severity: Severity::Info,
    title: "several nodes publish to a topic",
    docs: "A topic with one owner has one place where its payload is decided and one team to ask. \
           Shared topics are fine where that is meant, for commands and dead letters for instance.",
    bad: "herald graph shop.yaml kiosk.yaml   # both publish order.placed.v1",
    good: "herald graph shop.yaml kiosk.yaml   # shop.order.placed.v1, kiosk.order.placed.v1",
};

static PAYLOADS_DIFFER: Rule = Rule {
    code: "graph.payloads_differ",
    severity: Severity::Error,
    title: "two nodes publish one event type with different payloads",
    docs: "A consumer with the model of one producer rejects events of the other: a required field \
           is missing, or a type is another one.",
    bad: "herald graph shop.yaml kiosk.yaml   # order.placed {total: decimal}, order.placed {total: integer}",
    good: "herald graph shop.yaml kiosk.yaml   # order.placed {total: decimal} in both",
};

static COMMAND_CYCLE: Rule = Rule {
    code: "graph.command_cycle",
    severity: Severity::Warning,
    title: "nodes command each other in a circle",
    docs: "Every node of the circle consumes a command topic of the one before it (`cmd` or \
           `command` in its name). One command can keep all of them busy without end. Events in a \
           circle are usual, and not reported.",
    bad: "herald graph a.yaml b.yaml   # a commands b, and b commands a",
    good: "herald graph a.yaml b.yaml   # a commands b, and b answers with an event",
};

static TOPIC_UNDECLARED: Rule = Rule {
    code: "graph.topic_undeclared",
    severity: Severity::Warning,
    title: "a topic in source code is in no contract",
    docs: "A program sends to a topic or reads one that no contract of the system publishes or \
           consumes: its name has a typo, or the contract does not tell all that the program does. \
           Reported for the files of `--sources`. A literal is the name of a topic if it is passed to a \
           producer or consumer of Kafka, if its variable, argument or key is called a topic, or if it \
           ends with a version and begins like a topic of the system. Texts that are put together are \
           not judged. A comment states an exception, in TypeScript with `//`: \
           `# herald: ignore[graph.topic_undeclared] of the bank`.",
    bad: "herald graph --sources service.py   # producer.send(\"shop.order.palced.v1\", value)",
    good: "herald graph --sources service.py   # producer.send(\"shop.order.placed.v1\", value)",
};

/// Reports a consumed topic that nobody publishes.
pub fn not_published(topic: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&NOT_PUBLISHED, format!("nobody publishes {}", quote(topic)))
        .at(location)
        .detail(topic)
        .help("check its name, or name the contracts of its producer too")
}

/// Reports a declared topic that nobody consumes.
pub fn not_consumed(topic: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&NOT_CONSUMED, format!("nobody consumes {}", quote(topic)))
        .at(location)
        .detail(topic)
        .help("name the contracts of its consumers too, or remove the event")
}

/// Reports a consumed topic of which only other versions are published.
pub fn version_skew(topic: &str, published: &str, location: Location) -> Diagnostic {
    let message = format!(
        "nobody publishes {}, but {} is published",
        quote(topic),
        quote(published)
    );
    Diagnostic::new(&VERSION_SKEW, message)
        .at(location)
        .detail(topic)
        .help("consume the version that is published, or publish both until consumers have moved")
}

/// Reports an expected event type that is not published to the topic.
pub fn event_type_unknown(
    event_type: &str,
    topic: &str,
    published: &[&str],
    location: Location,
) -> Diagnostic {
    let published: Vec<_> = published.iter().map(|one| quote(one)).collect();
    let message = format!("{} is not published to {}", quote(event_type), quote(topic));
    Diagnostic::new(&EVENT_TYPE_UNKNOWN, message)
        .at(location)
        .help(format!("published there: {}", published.join(", ")))
}

/// Reports a topic of several nodes.
pub fn two_owners(topic: &str, nodes: &[&str], first: Location, second: Location) -> Diagnostic {
    let nodes: Vec<_> = nodes.iter().map(|node| quote(node)).collect();
    let message = format!("{} publish to {}", nodes.join(" and "), quote(topic));
    Diagnostic::new(&TWO_OWNERS, message)
        .at(first)
        .label(second, "published here too")
        .help("give each its own topic, unless a shared one is meant")
}

/// Reports an event type with two payloads.
pub fn payloads_differ(
    event_type: &str,
    topic: &str,
    here: Location,
    there: Location,
) -> Diagnostic {
    let message = format!(
        "{} on {} has different payloads",
        quote(event_type),
        quote(topic)
    );
    Diagnostic::new(&PAYLOADS_DIFFER, message)
        .at(here)
        .label(there, "the other payload")
        .help("a consumer of the topic reads both: make them equal, or use two topics")
}

/// Reports a circle of commands; `way` has each node and the topic on which it commands the next.
pub fn command_cycle(way: &[(&str, &str)], location: Location) -> Diagnostic {
    let nodes: Vec<_> = way.iter().map(|(node, _)| quote(node)).collect();
    let topics: Vec<_> = way.iter().map(|(_, topic)| quote(topic)).collect();
    Diagnostic::new(
        &COMMAND_CYCLE,
        format!("{} command each other in a circle", nodes.join(", ")),
    )
    .at(location)
    .help(format!(
        "the topics are {}; let one of them answer with an event",
        topics.join(", ")
    ))
}

/// Reports a topic of a program that no contract declares.
pub fn topic_undeclared(topic: &str, meant: Option<&str>, location: Location) -> Diagnostic {
    let message = format!("{} is in no contract", quote(topic));
    let found = Diagnostic::new(&TOPIC_UNDECLARED, message)
        .at(location)
        .detail(topic);
    match meant {
        Some(meant) => found.help(format!("did you mean {}?", quote(meant))),
        None => found.help(
            "declare it: in `events` if the program publishes to it, in `consumes` if it reads it",
        ),
    }
}
