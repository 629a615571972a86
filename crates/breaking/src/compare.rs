//! The comparison: pairs the parts of two catalogs and runs every rule on each pair.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use herald_catalog::category::DECLARED;
use herald_catalog::fields::{Definition, Field, Privacy, Type};
use herald_catalog::topics::{TopicNames, namespace_of};
use herald_catalog::{Catalog, Event, Node, Operation};

use crate::Directions;
use crate::change::Change;
use crate::pairs::{
    DefinitionPair, EventPair, FieldPair, FieldsPair, NodePair, Owner, Step, TypePair, Union,
    same_fields, without_null,
};
use crate::rule::Check;
use crate::rules::{RULES, same_operations};
use crate::wire::{Typed, WireField};

/// All changes from `old` to `new` that break a direction, by node and in the order of the rules.
pub fn compare(old: &Catalog, new: &Catalog) -> Vec<Change> {
    compare_except(old, new, &mut |_| false)
}

/// All changes from `old` to `new` that break a direction and are not `allowed`. The version of a
/// contract is judged by its other changes that are left.
pub fn compare_except(
    old: &Catalog,
    new: &Catalog,
    allowed: &mut dyn FnMut(&Change) -> bool,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let old_nodes = &old.nodes;
    for (old, new) in pair_nodes(old_nodes, &new.nodes) {
        let path = &new.unwrap_or(old).origin.path;
        let mut keep = |found: &mut Vec<Change>| {
            for change in &mut *found {
                old.identity.slug.clone_into(&mut change.node);
                path.clone_into(&mut change.path);
            }
            found.retain(|change| !change.breaks.is_empty() && !allowed(change));
        };
        let mut found = match new {
            Some(new) => NodeComparison::new(NodePair { old, new }).run(),
            None => removed_node(old),
        };
        keep(&mut found);
        if let Some(new) = new {
            let mut verdicts = judge(NodePair { old, new }, &found);
            keep(&mut verdicts);
            found.extend(verdicts);
        }
        changes.extend(found);
    }
    add_consumers(&mut changes, old, new, new);
    changes
}

/// Adds the consumers of a catalog to the changes from `old` to `new`.
pub fn add_consumers(changes: &mut [Change], old: &Catalog, new: &Catalog, others: &Catalog) {
    let names = TopicNames::of(old.nodes.iter().chain(&new.nodes));
    let mut consumers: HashMap<&str, BTreeMap<usize, &str>> = HashMap::new();
    for (index, node) in others.nodes.iter().enumerate() {
        for consumed in &node.consumed {
            for topic in names.resolve(&consumed.topic) {
                let of_topic = consumers.entry(topic).or_default();
                of_topic.insert(index, &node.identity.slug);
            }
        }
    }
    for change in changes {
        let of_topics = change.topics.iter();
        let found = of_topics.filter_map(|topic| consumers.get(topic.as_str()));
        // In the order of the catalog.
        let found: BTreeMap<usize, &str> = found.flatten().map(|(at, name)| (*at, *name)).collect();
        for name in found.into_values() {
            if !change.consumers.iter().any(|known| known == name) {
                change.consumers.push(name.to_owned());
            }
        }
    }
}

/// Each old node with its successor: the node of the same name, else of the same file.
fn pair_nodes<'a>(old: &'a [Node], new: &'a [Node]) -> Vec<(&'a Node, Option<&'a Node>)> {
    let mut by_name: HashMap<&str, VecDeque<&Node>> = HashMap::new();
    for node in new {
        let named = by_name.entry(node.identity.slug.as_str()).or_default();
        named.push_back(node);
    }
    let mut pairs: Vec<_> = old
        .iter()
        .map(|node| {
            let named = by_name.get_mut(node.identity.slug.as_str());
            (node, named.and_then(VecDeque::pop_front))
        })
        .collect();
    let mut left: HashMap<&str, &Node> = by_name
        .into_values()
        .flatten()
        .map(|node| (node.origin.relative_path.as_str(), node))
        .collect();
    for (node, successor) in &mut pairs {
        if successor.is_none() {
            *successor = left.remove(node.origin.relative_path.as_str());
        }
    }
    pairs
}

/// Changes that follow from all others of a node.
fn judge(pair: NodePair<'_>, changes: &[Change]) -> Vec<Change> {
    let mut found = Vec::new();
    for rule in RULES {
        if let Check::Verdict(check) = rule.check {
            found.extend(check(&pair, changes));
        }
    }
    found
}

fn removed_node(node: &Node) -> Vec<Change> {
    let topics: Vec<_> = node.events.iter().map(|event| topic(node, event)).collect();
    RULES
        .iter()
        .filter_map(|rule| match rule.check {
            Check::RemovedNode(check) => {
                let mut change = check(node);
                change.topics.clone_from(&topics);
                Some(change)
            }
            _ => None,
        })
        .collect()
}

fn topic(node: &Node, event: &Event) -> String {
    event.topic.in_namespace(namespace_of(node, None))
}

/// Two definitions by their names, whether they are reached by public fields, and the events that
/// they are part of.
#[derive(Default)]
struct Reached {
    is_published: bool,
    events: BTreeSet<usize>,
}

struct NodeComparison<'a> {
    node: NodePair<'a>,
    definitions: BTreeMap<(String, String), Reached>,
}

impl<'a> NodeComparison<'a> {
    fn new(node: NodePair<'a>) -> Self {
        Self {
            node,
            definitions: BTreeMap::new(),
        }
    }

    fn run(mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for rule in RULES {
            if let Check::Node(check) = rule.check {
                check(&self.node, &mut changes);
            }
        }
        for (old, new) in pair_events(&self.node) {
            let found = self.compare_event(old, new);
            changes.extend(self.of_events(found, &[old]));
        }
        let node = self.node;
        for (old, new) in same_operations(&node) {
            changes.extend(self.compare_operation(old, new));
        }
        changes.extend(self.compare_definitions());
        changes
    }

    fn compare_event(&mut self, old: usize, new: Option<usize>) -> Vec<Change> {
        let pair = EventPair {
            node: self.node,
            old: &self.node.old.events[old],
            new: new.map(|new| &self.node.new.events[new]),
        };
        let mut changes = Vec::new();
        for rule in RULES {
            if let Check::Event(check) = rule.check {
                check(&pair, &mut changes);
            }
        }
        let Some(new) = pair.new else { return changes };
        if let (Some(before), Some(after)) = (&pair.old.declared, &new.declared) {
            let owner = Owner {
                title: format!("the payload of {}", pair.old.title()),
                is_published: true,
                is_open_when_empty: true,
                old: pair.old.location,
                new: new.location,
            };
            let reached = [old];
            self.reach(&before.payload, &after.payload, true, &reached);
            changes.extend(self.compare_fields(&owner, &before.payload, &after.payload));
        }
        changes
    }

    fn compare_operation(&mut self, old: &Operation, new: &Operation) -> Vec<Change> {
        let mut changes = Vec::new();
        let parts = [
            ("input", "started", &old.input, &new.input),
            ("result", "completed", &old.result, &new.result),
        ];
        for (part, stage, before, after) in parts {
            let owner = Owner {
                title: format!("the {part} of `{}`", old.name),
                is_published: true,
                is_open_when_empty: true,
                old: old.location,
                new: new.location,
            };
            let events = self.lifecycle_events(old, stage);
            self.reach(before, after, true, &events);
            let found = self.compare_fields(&owner, before, after);
            changes.extend(self.of_events(found, &events));
        }
        changes
    }

    /// Indices of the old node's events of a stage of an operation.
    fn lifecycle_events(&self, operation: &Operation, stage: &str) -> Vec<usize> {
        let old = self.node.old;
        let is_meant = |event: &Event| {
            let operation_of = event.operation.map(|at| &old.operations[at].name);
            operation_of == Some(&operation.name)
                && event.stage.is_some_and(|known| known.ident == stage)
        };
        let events = old.events.iter().enumerate();
        events
            .filter_map(|(at, event)| is_meant(event).then_some(at))
            .collect()
    }

    /// Notes the definitions that fields lead to, and where they are part of.
    fn reach(&mut self, old: &[Field], new: &[Field], is_published: bool, events: &[usize]) {
        for (old, new) in same_fields(old, new) {
            let is_public =
                is_published && old.privacy == Privacy::Public && new.privacy == Privacy::Public;
            self.reach_types(&old.ty, &new.ty, is_public, events);
        }
    }

    fn reach_types(&mut self, old: &Type, new: &Type, is_published: bool, events: &[usize]) {
        for (old, new) in inner_pairs(old, new) {
            self.reach_types(old, new, is_published, events);
        }
        let (Type::Defined(before), Type::Defined(after)) = (without_null(old), without_null(new))
        else {
            return;
        };
        let key = (before.clone(), after.clone());
        let is_new = !self.definitions.contains_key(&key);
        let reached = self.definitions.entry(key).or_default();
        let known = (reached.is_published, reached.events.len());
        reached.is_published |= is_published;
        reached.events.extend(events);
        let now = (reached.is_published, reached.events.len());
        // What it leads to in turn is part of the same events; a circle adds nothing and ends.
        if is_new || known != now {
            let node = self.node;
            let pair = (node.old.definition(before), node.new.definition(after));
            if let (Some(before), Some(after)) = pair {
                self.reach(&before.fields, &after.fields, is_published, events);
            }
        }
    }

    fn compare_definitions(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for ((before, after), reached) in &self.definitions {
            let pair = (
                self.node.old.definition(before),
                self.node.new.definition(after),
            );
            let (Some(old), Some(new)) = pair else {
                continue;
            };
            let mut found = Vec::new();
            for rule in RULES {
                if let Check::Definition(check) = rule.check {
                    check(&DefinitionPair { old, new }, &mut found);
                }
            }
            let owner = Owner {
                title: format!("the definition `{before}`"),
                is_published: reached.is_published,
                is_open_when_empty: false,
                old: old.location,
                new: new.location,
            };
            found.extend(self.compare_fields(&owner, &old.fields, &new.fields));
            let events: Vec<_> = reached.events.iter().copied().collect();
            changes.extend(self.of_events(found, &events));
        }
        changes
    }

    fn compare_fields(&self, owner: &Owner, old: &[Field], new: &[Field]) -> Vec<Change> {
        let mut changes = Vec::new();
        let pair = FieldsPair {
            node: self.node,
            owner,
            old,
            new,
        };
        for rule in RULES {
            if let Check::Fields(check) = rule.check {
                check(&pair, &mut changes);
            }
        }
        if owner.is_open_when_empty && (old.is_empty() || new.is_empty()) {
            return changes;
        }
        for (old, new) in same_fields(old, new) {
            compare_field(pair, old, new, &mut changes);
        }
        changes
    }

    /// Names the events that the changes affect.
    fn of_events(&self, mut changes: Vec<Change>, events: &[usize]) -> Vec<Change> {
        let old = self.node.old;
        for change in &mut changes {
            let events = events.iter().map(|at| &old.events[*at]);
            for event in events {
                change.events.push(event.event_type.clone());
                change.topics.push(topic(old, event));
            }
        }
        changes
    }
}

fn compare_field(fields: FieldsPair<'_>, old: &Field, new: &Field, changes: &mut Vec<Change>) {
    let privacy = (old.privacy, new.privacy);
    let field = FieldPair {
        fields,
        old,
        new,
        is_published: fields.owner.is_published && privacy == (Privacy::Public, Privacy::Public),
    };
    for rule in RULES {
        if let Check::Field(check) = rule.check {
            check(&field, changes);
        }
    }
    // From private to public, or back, everything changes; the rules about that have said so.
    if old.privacy != new.privacy {
        return;
    }
    let (before, after) = (WireField::of(old), WireField::of(new));
    let node = fields.node;
    let path = vec![Step::Field(new.name.clone())];
    let pair = if old.privacy == Privacy::Public {
        TypePair {
            field,
            path,
            old: before.typed(&node.old.definitions),
            new: after.typed(&node.new.definitions),
            union: None,
        }
    } else {
        TypePair {
            field,
            path,
            old: declared(old, &node.old.definitions),
            new: declared(new, &node.new.definitions),
            union: None,
        }
    };
    compare_types(&pair, changes);
}

/// The type of a field as the process sees it, whether private or not.
fn declared<'a>(field: &'a Field, definitions: &'a [Definition]) -> Typed<'a> {
    Typed {
        ty: &field.ty,
        limits: &field.limits,
        definitions,
    }
}

fn compare_types(pair: &TypePair<'_>, changes: &mut Vec<Change>) {
    for rule in RULES {
        if let Check::Type(check) = rule.check {
            check(pair, changes);
        }
    }
    let (old, new) = pair.cores();
    let below = |old: Typed<'_>, new: Typed<'_>, step: Option<Step>, changes: &mut Vec<Change>| {
        let mut path = pair.path.clone();
        let is_member = step.is_none();
        path.extend(step);
        let (whole, successor) = pair.cores();
        let union = if is_member && pair.union.is_none() {
            Some(Union {
                old: whole,
                new: successor,
                is_direct: true,
            })
        } else {
            pair.union.map(|union| Union {
                is_direct: false,
                ..union
            })
        };
        let pair = TypePair {
            field: pair.field,
            path,
            old,
            new,
            union,
        };
        compare_types(&pair, changes);
    };
    match (old.ty, new.ty) {
        // Lists without items have none to compare.
        (Type::List(_), Type::List(_))
            if [old, new]
                .iter()
                .any(|list| list.limits.max_items == Some(0)) => {}
        (Type::List(before), Type::List(after)) => {
            let step = Step::Item {
                old: old.limits.min_items.unwrap_or(0),
                new: new.limits.min_items.unwrap_or(0),
            };
            below(old.items(before), new.items(after), Some(step), changes);
        }
        (Type::Map(before), Type::Map(after)) => {
            below(
                old.values(before),
                new.values(after),
                Some(Step::Value),
                changes,
            );
        }
        (Type::Union(_), Type::Union(_)) => {
            for (before, after) in inner_pairs(old.ty, new.ty) {
                below(old.with(before), new.with(after), None, changes);
            }
        }
        _ => {}
    }
}

/// The types inside of two types of the same form that stand for each other.
fn inner_pairs<'a>(old: &'a Type, new: &'a Type) -> Vec<(&'a Type, &'a Type)> {
    match (without_null(old), without_null(new)) {
        (Type::List(before), Type::List(after)) | (Type::Map(before), Type::Map(after)) => {
            vec![(&**before, &**after)]
        }
        (Type::Union(before), Type::Union(after)) => {
            let same = |old: &'a Type| {
                let spelled = old.to_string();
                let new = after.iter().find(|new| new.to_string() == spelled)?;
                Some((old, new))
            };
            before.iter().filter_map(same).collect()
        }
        _ => Vec::new(),
    }
}

/// A test of whether the second event is the successor of the first one.
type IsSuccessor<'a> = &'a dyn Fn(&Event, &Event) -> bool;

/// Each old event with its successor, as indices: of the same stage and operation; a declared
/// event by its identity and topic, else by its identity, else by its type, else by its topic.
fn pair_events(node: &NodePair<'_>) -> Vec<(usize, Option<usize>)> {
    let (old, new) = (node.old, node.new);
    let operation = |node: &Node, event: &Event| {
        let operation = event.operation.map(|at| &node.operations[at]);
        operation.map(|operation| operation.name.clone())
    };
    let mut taken = vec![false; new.events.len()];
    let mut pairs: Vec<(usize, Option<usize>)> =
        (0..old.events.len()).map(|at| (at, None)).collect();
    let same_lifecycle = |before: &Event, after: &Event| {
        before.category != &DECLARED
            && before.category == after.category
            && before.stage == after.stage
            && operation(old, before) == operation(new, after)
    };
    let are_declared =
        |before: &Event, after: &Event| before.declared.is_some() && after.declared.is_some();
    let passes: [IsSuccessor<'_>; 5] = [
        &same_lifecycle,
        &|before, after| {
            are_declared(before, after)
                && before.identity() == after.identity()
                && before.topic == after.topic
        },
        &|before, after| are_declared(before, after) && before.identity() == after.identity(),
        &|before, after| are_declared(before, after) && before.event_type == after.event_type,
        &|before, after| are_declared(before, after) && before.topic == after.topic,
    ];
    for is_successor in passes {
        for (at, successor) in &mut pairs {
            if successor.is_some() {
                continue;
            }
            let mut candidates = new.events.iter().enumerate();
            let found = candidates
                .find(|(other, event)| !taken[*other] && is_successor(&old.events[*at], event));
            if let Some((other, _)) = found {
                taken[other] = true;
                *successor = Some(other);
            }
        }
    }
    pairs
}

/// The directions that a set of changes breaks.
pub(crate) fn broken(changes: &[Change]) -> Directions {
    let sets = changes.iter().map(|change| change.breaks);
    sets.fold(Directions::NONE, Directions::and)
}
