//! Parts of a system that do not fit together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use herald_breaking::is_readable;
use herald_catalog::EventTypeSource;
use herald_catalog::checks::graph as rules;
use herald_catalog::topics::{split_version, without_namespace};
use herald_diagnostics::Diagnostic;

use crate::{Graph, Publication, Topic};

/// Everything about the graph that is probably not meant.
pub fn diagnostics(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let versions = Versions::of(graph);
    let mut found = Vec::new();
    for topic in &graph.topics {
        if topic.published.is_empty() {
            found.extend(unpublished(topic, &versions));
        } else {
            found.extend(unexpected_types(topic));
        }
        found.extend(unconsumed(topic));
        found.extend(two_owners(graph, topic));
        found.extend(different_payloads(graph, topic));
    }
    found.extend(command_cycles(graph));
    found
}

/// Published topics by their names without version.
struct Versions<'a>(HashMap<&'a str, BTreeMap<u32, &'a str>>);

impl<'a> Versions<'a> {
    fn of(graph: &'a Graph<'_>) -> Self {
        let mut versions: HashMap<&str, BTreeMap<u32, &str>> = HashMap::new();
        for topic in graph
            .topics
            .iter()
            .filter(|topic| !topic.published.is_empty())
        {
            let Some((base, version)) = split_version(&topic.name) else {
                continue;
            };
            let mut add = |base| {
                let of_base = versions.entry(base).or_default();
                of_base.insert(version, topic.name.as_str());
            };
            add(base);
            let mut events = topic.published.iter().map(|one| one.event);
            let short = events.find_map(|event| without_namespace(&event.topic));
            if let Some((base, _)) = short.and_then(split_version) {
                add(base);
            }
        }
        Self(versions)
    }
}

fn unpublished(topic: &Topic<'_>, versions: &Versions<'_>) -> Vec<Diagnostic> {
    let other = split_version(&topic.name).and_then(|(base, _)| {
        let published = versions.0.get(base)?;
        published.last_key_value().map(|(_, name)| *name)
    });
    let places = topic.consumed.iter().map(|one| one.consumed.location);
    places
        .map(|location| match other {
            Some(other) => rules::version_skew(&topic.name, other, location),
            None => rules::not_published(&topic.name, location),
        })
        .collect()
}

fn unexpected_types(topic: &Topic<'_>) -> Vec<Diagnostic> {
    if topic
        .consumed
        .iter()
        .all(|one| one.consumed.event_type.is_none())
    {
        return Vec::new();
    }
    // A type that follows from the topic may have another name in the contract of the consumer.
    let is_declared = |one: &Publication<'_>| {
        let declared = one.event.declared.as_ref();
        declared.is_none_or(|one| one.event_type_source == EventTypeSource::Declared)
    };
    if !topic.published.iter().all(is_declared) {
        return Vec::new();
    }
    let types = topic.event_types();
    let expected = topic.consumed.iter().filter_map(|one| {
        let event_type = one.consumed.event_type.as_deref()?;
        (!types.contains(event_type)).then(|| {
            let published: Vec<_> = types.iter().copied().collect();
            let location = one.consumed.location;
            rules::event_type_unknown(event_type, &topic.name, &published, location)
        })
    });
    expected.collect()
}

fn unconsumed(topic: &Topic<'_>) -> Option<Diagnostic> {
    if !topic.consumed.is_empty() {
        return None;
    }
    // Somebody outside of the contracts consumes these.
    let is_external = |one: &Publication<'_>| {
        let declared = one.event.declared.as_ref();
        declared.is_none_or(|declared| declared.roles.contains(&"externally_consumed"))
    };
    let declared = topic
        .published
        .iter()
        .find(|one| one.event.declared.is_some())?;
    if topic.published.iter().any(is_external) {
        return None;
    }
    Some(rules::not_consumed(
        &topic.name,
        declared.event.topic_location,
    ))
}

fn two_owners(graph: &Graph<'_>, topic: &Topic<'_>) -> Option<Diagnostic> {
    if topic.published.len() < 2 {
        return None;
    }
    let producers = topic.producers();
    if producers.len() < 2 {
        return None;
    }
    let names: Vec<_> = producers
        .iter()
        .map(|node| graph.names[*node].as_str())
        .collect();
    let place_of = |node: &usize| {
        let mut events = topic.published.iter();
        let one = events.find(|one| one.node == *node);
        one.map(|one| one.event.topic_location)
    };
    let mut places = producers.iter().filter_map(place_of);
    let (first, second) = (places.next()?, places.next()?);
    Some(rules::two_owners(&topic.name, &names, first, second))
}

/// Events of one type on one topic whose payloads no single consumer can read.
fn different_payloads(graph: &Graph<'_>, topic: &Topic<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if topic.published.len() < 2 {
        return found;
    }
    let mut first: BTreeMap<(&str, u32), Publication<'_>> = BTreeMap::new();
    for one in &topic.published {
        let Some(declared) = one
            .event
            .declared
            .as_ref()
            .filter(|one| !one.payload.is_empty())
        else {
            continue;
        };
        let earlier = *first.entry(one.event.identity()).or_insert(*one);
        let Some(other) = earlier.event.declared.as_ref() else {
            continue;
        };
        if earlier.node == one.node {
            continue;
        }
        let definitions = |node: usize| graph.nodes[node].definitions.as_slice();
        let here = (declared.payload.as_slice(), definitions(one.node));
        let there = (other.payload.as_slice(), definitions(earlier.node));
        if !is_readable(here, there) || !is_readable(there, here) {
            found.push(rules::payloads_differ(
                &one.event.event_type,
                &topic.name,
                one.event.location,
                earlier.event.location,
            ));
        }
    }
    found
}

/// Nodes that command each other in a circle.
fn command_cycles(graph: &Graph<'_>) -> Vec<Diagnostic> {
    let mut edges: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); graph.nodes.len()];
    let mut topics: HashMap<(usize, usize), &str> = HashMap::new();
    for topic in graph.topics.iter().filter(|topic| is_command(&topic.name)) {
        let consumers = topic.consumers();
        for producer in topic.producers() {
            for consumer in consumers.iter().filter(|consumer| **consumer != producer) {
                edges[producer].insert(*consumer);
                topics.entry((producer, *consumer)).or_insert(&topic.name);
            }
        }
    }
    let mut found = Vec::new();
    for circle in circles(&edges) {
        let first = circle[0];
        let way: Vec<_> = circle
            .iter()
            .zip(circle.iter().cycle().skip(1))
            .map(|(from, to)| (graph.names[*from].as_str(), topics[&(*from, *to)]))
            .collect();
        found.push(rules::command_cycle(&way, graph.nodes[first].location));
    }
    found
}

fn is_command(topic: &str) -> bool {
    topic
        .split(['.', '-', '_'])
        .any(|part| matches!(part, "cmd" | "command" | "commands"))
}

/// One circle of each group of vertices that reach each other, beginning with its first vertex.
fn circles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut done = vec![false; edges.len()];
    for start in 0..edges.len() {
        if done[start] || edges[start].is_empty() {
            continue;
        }
        if let Some(circle) = shortest_circle(edges, start, &done) {
            for vertex in &circle {
                done[*vertex] = true;
            }
            found.push(circle);
        }
        done[start] = true;
    }
    found
}

/// The shortest way from a vertex back to itself that avoids some vertices.
fn shortest_circle(
    edges: &[BTreeSet<usize>],
    start: usize,
    avoided: &[bool],
) -> Option<Vec<usize>> {
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(vertex) = open.pop_front() {
        for next in &edges[vertex] {
            if *next == start {
                let mut circle = vec![vertex];
                while *circle.last()? != start {
                    circle.push(came_from[circle.last()?]);
                }
                circle.reverse();
                return Some(circle);
            }
            if !avoided[*next] && !came_from.contains_key(next) {
                came_from.insert(*next, vertex);
                open.push_back(*next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_circle_once() {
        let edges = |pairs: &[(usize, usize)]| {
            let mut edges = vec![BTreeSet::new(); 6];
            for (from, to) in pairs {
                edges[*from].insert(*to);
            }
            circles(&edges)
        };
        assert_eq!(edges(&[(0, 1), (1, 2)]), Vec::<Vec<usize>>::new());
        assert_eq!(edges(&[(0, 1), (1, 2), (2, 1)]), [[1, 2]]);
        assert_eq!(
            edges(&[(0, 1), (1, 0), (3, 4), (4, 5), (5, 3)]),
            [vec![0, 1], vec![3, 4, 5]]
        );
    }
}
