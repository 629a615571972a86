//! Proposals: the part of a contract that publishes the old and the new version of events beside
//! each other, so that nothing breaks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use herald_catalog::fields::{Field, Type};
use herald_catalog::lock;
use herald_catalog::topics::{namespace_of, split_version};
use herald_catalog::{Catalog, Event, Node};

use crate::{Change, Direction};

/// A way to make the changes of a contract without breaking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The node's name.
    pub node: String,
    /// Path of its new contract.
    pub path: String,
    /// The next version of the contract.
    pub version: String,
    /// Events in their next version.
    pub events: Vec<NextEvent>,
    /// Definitions that have changed and that both versions of an event name.
    pub definitions: Vec<String>,
    /// The part of the contract that declares the events in both versions.
    pub fragment: String,
}

/// The next version of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextEvent {
    /// Event type of both versions.
    pub event_type: String,
    /// Version that stays as it was.
    pub version: u32,
    /// Its topic.
    pub topic: String,
    /// The next version.
    pub next_version: u32,
    /// Topic of the next version.
    pub next_topic: String,
}

/// Returns a proposal for each contract with declared events whose changes break consumers or
/// producers.
pub fn proposals(changes: &[Change], old: &Catalog, new: &Catalog) -> Vec<Proposal> {
    let is_on_wire = |change: &&Change| {
        change.breaks.contains(Direction::Consumer) || change.breaks.contains(Direction::Producer)
    };
    let mut broken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in changes.iter().filter(is_on_wire) {
        let events = broken.entry(change.node.as_str()).or_default();
        events.extend(change.events.iter().map(String::as_str));
    }
    let (old, new) = (by_name(old), by_name(new));
    let proposal =
        |(name, events): (&str, BTreeSet<&str>)| propose(old.get(name)?, new.get(name)?, &events);
    broken.into_iter().filter_map(proposal).collect()
}

/// The nodes by their names; the first one of each name.
fn by_name(catalog: &Catalog) -> HashMap<&str, &Node> {
    let nodes = catalog.nodes.iter().rev();
    nodes
        .map(|node| (node.identity.slug.as_str(), node))
        .collect()
}

fn propose(old: &Node, new: &Node, broken: &BTreeSet<&str>) -> Option<Proposal> {
    let namespace = namespace_of(old, None);
    let mut pairs = Vec::new();
    let mut events = Vec::new();
    for (before, _) in old.declared() {
        let of_type = |after: &&Event| after.event_type == before.event_type;
        let successors = || new.declared().map(|(event, _)| event).filter(of_type);
        let after = successors()
            .find(|after| after.version == before.version)
            .or_else(|| successors().next());
        let Some(after) = after.filter(|after| broken.contains(after.event_type.as_str())) else {
            continue;
        };
        let topic = before.topic.as_template();
        let taken = old.declared().chain(new.declared()).map(|(event, _)| event);
        let versions = taken.filter(of_type).map(|event| event.version);
        // Versions of the new contract that the old one lacks are proposed under their own number.
        let last = versions.max().unwrap_or(before.version);
        let next = if after.version > before.version {
            after.version
        } else {
            last.saturating_add(1)
        };
        let next_topic = with_version(&topic, next);
        events.push(NextEvent {
            event_type: before.event_type.clone(),
            version: before.version,
            topic: before.topic.in_namespace(namespace),
            next_topic: next_topic.replace("{namespace}", namespace),
            next_version: next,
        });
        pairs.push((before, after, next, next_topic));
    }
    if pairs.is_empty() {
        return None;
    }
    Some(Proposal {
        node: new.identity.slug.clone(),
        path: new.origin.path.clone(),
        version: next_minor(old),
        definitions: changed_definitions(old, new, pairs.iter().map(|pair| pair.0)),
        fragment: lock::both_versions(&pairs),
        events,
    })
}

/// Returns a topic with this version at its end.
fn with_version(topic: &str, version: u32) -> String {
    let base = split_version(topic).map_or(topic, |(base, _)| base);
    format!("{base}.v{version}")
}

/// The next version of a contract that only adds events.
fn next_minor(node: &Node) -> String {
    let version = node.identity.contract_version.as_ref();
    let text = version.map_or("1.0.0", |version| version.text.as_str());
    let mut numbers = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let major = numbers.next().unwrap_or(1);
    let minor = numbers.next().unwrap_or(0);
    format!("{major}.{}.0", minor.saturating_add(1))
}

/// Definitions that the events lead to and that both versions of the contract have differently.
fn changed_definitions<'a>(
    old: &Node,
    new: &Node,
    events: impl Iterator<Item = &'a Event>,
) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    for event in events {
        let declared = event.declared.as_ref();
        names(
            declared.map_or(&[], |declared| &declared.payload),
            &mut open,
        );
    }
    let mut seen = BTreeSet::new();
    let mut changed = Vec::new();
    while let Some(name) = open.pop() {
        let Some(before) = old
            .definition(name)
            .filter(|_| seen.insert(name.to_owned()))
        else {
            continue;
        };
        let is_same = new.definition(name).is_some_and(|after| {
            let facts = |fields: &[Field]| -> Vec<_> {
                let facts = fields.iter().map(|field| {
                    (
                        field.name.clone(),
                        field.ty.clone(),
                        field.required,
                        field.limits.clone(),
                    )
                });
                facts.collect()
            };
            facts(&before.fields) == facts(&after.fields)
        });
        if !is_same {
            changed.push(name.to_owned());
        }
        let mut inner = Vec::new();
        names(&before.fields, &mut inner);
        open.extend(inner);
    }
    changed.sort();
    changed
}

fn names<'a>(fields: &'a [Field], found: &mut Vec<&'a str>) {
    fn inside<'a>(ty: &'a Type, found: &mut Vec<&'a str>) {
        match ty {
            Type::Defined(name) => found.push(name),
            Type::List(item) | Type::Map(item) => inside(item, found),
            Type::Union(members) => members.iter().for_each(|member| inside(member, found)),
            _ => {}
        }
    }
    for field in fields {
        inside(&field.ty, found);
    }
}

#[cfg(test)]
mod tests {
    use super::with_version;

    #[test]
    fn topics_end_with_the_version() {
        assert_eq!(
            with_version("shop.order.placed.v12", 13),
            "shop.order.placed.v13"
        );
        assert_eq!(with_version("order.placed", 2), "order.placed.v2");
        assert_eq!(with_version("order.vip", 2), "order.vip.v2");
    }
}
