//! Topics that contracts publish to, with the combined settings of all contracts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;

use herald_envelope::Profile;
use herald_envelope::topic::{self, Topic};

use crate::Node;
use crate::contract::TopicSettings;

/// A topic that contracts publish to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Name with its namespace.
    pub name: String,
    /// Number of partitions, when a contract states it.
    pub partitions: Option<u32>,
    /// Number of replicas, when a contract states it.
    pub replication_factor: Option<u32>,
    /// Topic configuration of Kafka.
    pub config: BTreeMap<String, String>,
    /// Paths of the contracts that publish to it.
    pub contracts: Vec<String>,
    /// Envelope profile of its events.
    pub profile: Profile,
}

/// Returns the topics of the nodes, sorted by name, and one message for each contradiction between
/// contracts.
///
/// `namespace` overrides that of a contract or the project.
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

/// Returns the namespace of a node's topics: the requested one, else the contract's, else the default.
pub fn namespace_of<'a>(node: &'a Node, requested: Option<&'a str>) -> &'a str {
    requested
        .or(node.namespace.as_deref())
        .unwrap_or(topic::DEFAULT_NAMESPACE)
}

/// Splits a name that ends with a version, such as `orders.placed.v2`, into what is before it and the
/// number.
pub fn split_version(name: &str) -> Option<(&str, u32)> {
    let (base, version) = name.rsplit_once(".v")?;
    Some((base, version.parse().ok()?))
}

/// Returns the name of a topic without its namespace, if it begins with one.
pub fn without_namespace(topic: &Topic) -> Option<&str> {
    match topic {
        Topic::Namespaced { before, after } if before.is_empty() => after.strip_prefix('.'),
        _ => None,
    }
}

/// Names of the topics that nodes publish to. They decide which topic a consumer means: contracts may
/// leave out the namespace of a consumed topic.
#[derive(Clone, Debug, Default)]
pub struct TopicNames {
    /// Names with their namespaces.
    published: HashSet<String>,
    /// Names by those without their namespaces.
    without_namespace: HashMap<String, BTreeSet<String>>,
}

impl TopicNames {
    /// The topics of nodes, in their own namespaces.
    pub fn of<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        let mut names = Self::default();
        for node in nodes {
            let namespace = namespace_of(node, None);
            for event in &node.events {
                let name = event.topic.in_namespace(namespace);
                if let Some(short) = without_namespace(&event.topic) {
                    let full = names.without_namespace.entry(short.to_owned());
                    full.or_default().insert(name.clone());
                }
                names.published.insert(name);
            }
        }
        names
    }

    /// Whether nodes publish to a topic that has this name without its namespace.
    pub fn has_without_namespace(&self, name: &str) -> bool {
        self.without_namespace.contains_key(name)
    }

    /// Returns the topics that a consumer means: the one of exactly this name, else those that have it
    /// without their namespaces, else one that nobody publishes to.
    pub fn resolve<'n>(&'n self, consumed: &'n str) -> impl Iterator<Item = &'n str> {
        let others =
            (self.without_namespace.get(consumed)).filter(|_| !self.published.contains(consumed));
        let itself = others.is_none().then_some(consumed);
        let others = others.into_iter().flatten().map(String::as_str);
        itself.into_iter().chain(others)
    }
}

/// Settings of a topic that were collected so far.
#[derive(Default)]
struct Draft {
    partitions: Option<Setting<u32>>,
    replication_factor: Option<Setting<u32>>,
    config: BTreeMap<String, Setting<String>>,
    contracts: BTreeSet<String>,
    profile: Profile,
}

/// A setting and the contract that states it.
struct Setting<T> {
    value: T,
    path: String,
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
        draft.profile = node.profile();
        if let Some(settings) = settings {
            problems.extend(draft.add(&name, settings, path));
        }
    }
}

impl Draft {
    /// Adds the settings of a contract, and returns a message for each contradiction.
    fn add(&mut self, topic: &str, settings: &TopicSettings, path: &str) -> Vec<String> {
        let setting = |value| Setting {
            value,
            path: path.to_owned(),
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
                (None, Some(now)) => *before = Some(setting(now)),
                (_, None) => {}
            }
        }
        for (name, value) in &settings.config {
            match self.config.entry(name.clone()) {
                Entry::Occupied(before) => {
                    problems.extend(conflict(topic, name, before.get(), value, path));
                }
                Entry::Vacant(vacant) => {
                    vacant.insert(Setting {
                        value: value.clone(),
                        path: path.to_owned(),
                    });
                }
            }
        }
        problems
    }

    fn finish(self, name: String) -> Published {
        let config = self.config.into_iter();
        Published {
            profile: self.profile,
            name,
            partitions: self.partitions.map(|setting| setting.value),
            replication_factor: self.replication_factor.map(|setting| setting.value),
            config: config
                .map(|(name, setting)| (name, setting.value))
                .collect(),
            contracts: self.contracts.into_iter().collect(),
        }
    }
}

fn conflict<T: PartialEq + Display>(
    topic: &str,
    what: &str,
    before: &Setting<T>,
    now: &T,
    path: &str,
) -> Option<String> {
    let Setting { value, path: other } = before;
    (value != now).then(|| {
        if other == path {
            format!("{path} contradicts itself about topic `{topic}`: {what} is {value} and {now}")
        } else {
            format!(
                "contracts disagree about topic `{topic}`: {what} is {value} in {other} and {now} in \
                 {path}"
            )
        }
    })
}
