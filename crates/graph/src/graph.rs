//! Nodes, connected by topics.

use std::collections::{BTreeSet, HashMap};

use herald_catalog::topics::{TopicNames, namespace_of};
use herald_catalog::{Catalog, Consumed, Event, Node};

/// All topics of a catalog, with those who publish and consume them.
#[derive(Debug)]
pub struct Graph<'a> {
    /// The nodes, in the order of the catalog.
    pub nodes: &'a [Node],
    /// Display names of the nodes; unique.
    pub names: Vec<String>,
    /// The topics, by name.
    pub topics: Vec<Topic<'a>>,
}

/// A topic, with those who publish and consume it.
#[derive(Debug)]
pub struct Topic<'a> {
    /// Name with its namespace, if anybody states one.
    pub name: String,
    /// Events that are published to it.
    pub published: Vec<Publication<'a>>,
    /// Subscriptions to it.
    pub consumed: Vec<Subscription<'a>>,
}

/// An event that a node publishes.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// Index of the node.
    pub node: usize,
    /// The event.
    pub event: &'a Event,
}

/// A topic that a node consumes.
#[derive(Clone, Copy, Debug)]
pub struct Subscription<'a> {
    /// Index of the node.
    pub node: usize,
    /// The topic and what is expected there.
    pub consumed: &'a Consumed,
}

impl<'a> Graph<'a> {
    /// Connects the nodes of a catalog.
    pub fn new(catalog: &'a Catalog) -> Self {
        let nodes = catalog.nodes.as_slice();
        let names_of_topics = TopicNames::of(nodes);
        let mut topics: HashMap<String, Sides<'a>> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            let namespace = namespace_of(node, None);
            for event in &node.events {
                let sides = topics
                    .entry(event.topic.in_namespace(namespace))
                    .or_default();
                sides.published.push(Publication { node: index, event });
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            for consumed in &node.consumed {
                let subscription = Subscription {
                    node: index,
                    consumed,
                };
                for name in names_of_topics.resolve(&consumed.topic) {
                    let sides = topics.entry(name.to_owned()).or_default();
                    sides.consumed.push(subscription);
                }
            }
        }
        let mut topics: Vec<_> = topics
            .into_iter()
            .map(|(name, sides)| Topic {
                name,
                published: sides.published,
                consumed: sides.consumed,
            })
            .collect();
        topics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Self {
            nodes,
            names: names(nodes),
            topics,
        }
    }

    /// Keeps the topics that pass a test. Nodes stay.
    pub fn retain(&mut self, keep: impl Fn(&Topic<'a>) -> bool) {
        self.topics.retain(keep);
    }

    /// Indices of the nodes that publish or consume a topic.
    pub fn connected_nodes(&self) -> BTreeSet<usize> {
        let topics = self.topics.iter();
        topics
            .flat_map(|topic| topic.producers().into_iter().chain(topic.consumers()))
            .collect()
    }
}

impl Topic<'_> {
    /// Indices of the nodes that publish to it.
    pub fn producers(&self) -> BTreeSet<usize> {
        self.published.iter().map(|one| one.node).collect()
    }

    /// Indices of the nodes that consume it.
    pub fn consumers(&self) -> BTreeSet<usize> {
        self.consumed.iter().map(|one| one.node).collect()
    }

    /// Event types that are published to it.
    pub fn event_types(&self) -> BTreeSet<&str> {
        let events = self.published.iter();
        events.map(|one| one.event.event_type.as_str()).collect()
    }

    /// Whether contracts name it: generated events are published for operators, and that nobody
    /// consumes them is usual.
    pub fn is_declared(&self) -> bool {
        let mut events = self.published.iter();
        !self.consumed.is_empty() || events.any(|one| one.event.declared.is_some())
    }
}

/// Both sides of a topic.
#[derive(Default)]
struct Sides<'a> {
    published: Vec<Publication<'a>>,
    consumed: Vec<Subscription<'a>>,
}

/// The names of the nodes; those that several nodes have get the paths of their contracts.
fn names(nodes: &[Node]) -> Vec<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for node in nodes {
        *count.entry(node.identity.slug.as_str()).or_default() += 1;
    }
    let name = |node: &Node| {
        let slug = node.identity.slug.as_str();
        if count[slug] > 1 {
            format!("{slug} ({})", node.origin.path)
        } else {
            slug.to_owned()
        }
    };
    nodes.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use herald_catalog::load::{Options, load_text};

    use super::*;

    #[test]
    fn connects_topics_with_and_without_their_namespace() {
        let mut catalog = Catalog::default();
        for text in [
            "node_type: effect\nservice_name: shop\noperations: [place]\nevents:\n- {event_type: order.placed, topic: '{namespace}.order.placed.v1'}\n",
            "node_type: effect\nservice_name: mail\noperations: []\nconsumes: [order.placed.v1, 'dev.shop.effect.place.failed.v1', '{namespace}.order.placed.v1', elsewhere.v1]\n",
        ] {
            let mut loaded = load_text("contract.yaml", text, &Options::default());
            catalog.nodes.append(&mut loaded.catalog.nodes);
        }
        let graph = Graph::new(&catalog);
        let consumed: Vec<_> = graph
            .topics
            .iter()
            .filter(|topic| !topic.consumed.is_empty())
            .map(|topic| {
                (
                    topic.name.as_str(),
                    topic.published.len(),
                    topic.consumed.len(),
                )
            })
            .collect();
        assert_eq!(
            consumed,
            [
                ("dev.order.placed.v1", 1, 2),
                ("dev.shop.effect.place.failed.v1", 1, 1),
                ("elsewhere.v1", 0, 1),
            ]
        );
    }
}
