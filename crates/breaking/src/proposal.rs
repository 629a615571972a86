//! Proposals: the part of a contract that publishes the old and the new version of events beside
//! each other, so that nothing breaks.

use std::collections::BTreeSet;

use herald_catalog::fields::{Field, Type};
use herald_catalog::lock;
use herald_catalog::topics::namespace_of;
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
    /// Event type that stays as it was.
    pub event_type: String,
    /// Topic that stays as it was.
    pub topic: String,
    /// Event type of the next version.
    pub next_event_type: String,
    /// Topic of the next version.
    pub next_topic: String,
}

/// Returns a proposal for each contract with declared events whose changes break consumers or
/// producers.
pub fn proposals(changes: &[Change], old: &Catalog, new: &Catalog) -> Vec<Proposal> {
    let is_on_wire = |change: &&Change| {
        change.breaks.contains(Direction::Consumer) || change.breaks.contains(Direction::Producer)
    };
    let broken = || changes.iter().filter(is_on_wire);
    let nodes: BTreeSet<&str> = broken().map(|change| change.node.as_str()).collect();
    let proposal = |slug: &str| {
        let of = |catalog: &'_ Catalog| catalog.nodes.iter().position(|n| n.identity.slug == slug);
        let (before, after) = (&old.nodes[of(old)?], &new.nodes[of(new)?]);
        let events: BTreeSet<&str> = broken()
            .filter(|change| change.node == slug)
            .flat_map(|change| change.events.iter().map(String::as_str))
            .collect();
        propose(before, after, &events)
    };
    nodes.into_iter().filter_map(proposal).collect()
}

fn propose(old: &Node, new: &Node, broken: &BTreeSet<&str>) -> Option<Proposal> {
    let namespace = namespace_of(old, None);
    let mut pairs = Vec::new();
    let mut events = Vec::new();
    for (before, _) in old.declared() {
        let mut successors = new.declared().map(|(event, _)| event);
        let after = successors.find(|after| after.event_type == before.event_type);
        let Some(after) = after.filter(|after| broken.contains(after.event_type.as_str())) else {
            continue;
        };
        let topic = before.topic.as_template();
        let next_topic = next_version(&topic);
        let next_event_type = next_version(&before.event_type);
        events.push(NextEvent {
            event_type: before.event_type.clone(),
            topic: before.topic.in_namespace(namespace),
            next_topic: next_topic.replace("{namespace}", namespace),
            next_event_type: next_event_type.clone(),
        });
        pairs.push((before, after, next_event_type, next_topic));
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

/// A name with the next version at its end: `.v2` where there is none.
fn next_version(name: &str) -> String {
    let versioned = name.rsplit_once(".v");
    match versioned.and_then(|(base, number)| Some((base, number.parse::<u32>().ok()?))) {
        Some((base, number)) => format!("{base}.v{}", number.saturating_add(1)),
        None => format!("{name}.v2"),
    }
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
    use super::next_version;

    #[test]
    fn versions_at_the_end_of_names_are_counted() {
        assert_eq!(next_version("shop.order.placed.v1"), "shop.order.placed.v2");
        assert_eq!(
            next_version("shop.order.placed.v12"),
            "shop.order.placed.v13"
        );
        assert_eq!(next_version("order.placed"), "order.placed.v2");
        assert_eq!(next_version("order.vip"), "order.vip.v2");
    }
}
