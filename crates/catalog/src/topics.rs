//! Topics that contracts publish to, and what they say of them together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use herald_envelope::topic;

use crate::Node;
use crate::contract::TopicSettings;

/// A topic that contracts publish to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// In its namespace.
    pub name: String,
    /// Number of partitions, when a contract says it.
    pub partitions: Option<u32>,
    /// Number of replicas, when a contract says it.
    pub replication_factor: Option<u32>,
    /// Kafka's configuration of it.
    pub config: BTreeMap<String, String>,
    /// Paths of the contracts that publish to it.
    pub contracts: Vec<String>,
}

/// The topics of the nodes, sorted by name, and all that the contracts disagree about, each a
/// sentence.
///
/// `namespace` goes before that of a contract or the project.
pub fn published<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    namespace: Option<&str>,
) -> (Vec<Published>, Vec<String>) {
    let mut drafts = BTreeMap::new();
    let mut problems = Vec::new();
    for node in nodes {
        collect(node, namespace, &mut drafts, &mut problems);
    }
    let topics = drafts.into_iter().map(|(name, draft)| draft.finish(name));
    (topics.collect(), problems)
}

/// The namespace of a node's topics: what is asked for, else the contract's, else the usual one.
pub fn namespace_of<'a>(node: &'a Node, asked: Option<&'a str>) -> &'a str {
    asked
        .or(node.namespace.as_deref())
        .unwrap_or(topic::DEFAULT_NAMESPACE)
}

/// What was said so far of a topic, and where.
#[derive(Default)]
struct Draft {
    partitions: Option<Said<u32>>,
    replication_factor: Option<Said<u32>>,
    config: BTreeMap<String, Said<String>>,
    contracts: BTreeSet<String>,
}

struct Said<T> {
    value: T,
    by: String,
}

fn collect(
    node: &Node,
    namespace: Option<&str>,
    drafts: &mut BTreeMap<String, Draft>,
    problems: &mut Vec<String>,
) {
    let namespace = namespace_of(node, namespace);
    let path = &node.origin.path;
    for event in &node.events {
        let name = event.topic.in_namespace(namespace);
        if let Err(reason) = topic::validate(&name) {
            problems.push(format!("`{name}` of {path} can't be a topic: {reason}"));
            continue;
        }
        let settings = event.declared.as_ref().and_then(|d| d.settings.as_ref());
        let draft = drafts.entry(name.clone()).or_default();
        draft.contracts.insert(path.clone());
        if let Some(settings) = settings {
            problems.extend(draft.take(&name, settings, path));
        }
    }
}

impl Draft {
    /// Adds what a contract says, and gives what it contradicts.
    fn take(&mut self, topic: &str, settings: &TopicSettings, path: &str) -> Vec<String> {
        let said = |value| Said {
            value,
            by: path.to_owned(),
        };
        let mut problems = Vec::new();
        let numbers = [
            ("partitions", &mut self.partitions, settings.partitions),
            (
                "replication_factor",
                &mut self.replication_factor,
                settings.replication_factor,
            ),
        ];
        for (what, before, now) in numbers {
            match (&before, now) {
                (Some(before), Some(now)) => {
                    problems.extend(conflict(topic, what, before, &now, path));
                }
                (None, Some(now)) => *before = Some(said(now)),
                (_, None) => {}
            }
        }
        for (name, value) in &settings.config {
            match self.config.entry(name.clone()) {
                Entry::Occupied(before) => {
                    problems.extend(conflict(topic, name, before.get(), value, path));
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(Said {
                        value: value.clone(),
                        by: path.to_owned(),
                    });
                }
            }
        }
        problems
    }

    fn finish(self, name: String) -> Published {
        let config = self.config.into_iter();
        Published {
            name,
            partitions: self.partitions.map(|said| said.value),
            replication_factor: self.replication_factor.map(|said| said.value),
            config: config.map(|(name, said)| (name, said.value)).collect(),
            contracts: self.contracts.into_iter().collect(),
        }
    }
}

fn conflict<T: PartialEq + Display>(
    topic: &str,
    what: &str,
    before: &Said<T>,
    now: &T,
    path: &str,
) -> Option<String> {
    let Said { value, by } = before;
    (value != now).then(|| {
        if by == path {
            format!("{path} contradicts itself about topic `{topic}`: {what} is {value} and {now}")
        } else {
            format!(
                "contracts disagree about topic `{topic}`: {what} is {value} in {by} and {now} in \
                 {path}"
            )
        }
    })
}
