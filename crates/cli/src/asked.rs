//! Topics that contracts ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use herald_catalog::Catalog;
use herald_catalog::config::Project;
use herald_catalog::load::Loaded;
use herald_catalog::topics::{self, Published};
use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::Format;
use herald_envelope::topic;
use herald_publish::dead_letter::TOPIC_SUFFIX;
use herald_publish::kafka::WantedTopic;

use crate::{Failure, project, terminal};

/// Why contracts ask for a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A contract publishes to it.
    Published,
    /// It takes what another topic did not.
    DeadLetters,
    /// Contracts only read it.
    Consumed,
}

impl Role {
    /// The word in machine formats.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::DeadLetters => "dead_letters",
            Self::Consumed => "consumed",
        }
    }
}

/// A topic, and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is said of it.
    pub topic: WantedTopic,
    /// Why.
    pub role: Role,
    /// Paths of the contracts.
    pub contracts: Vec<String>,
}

impl From<Published> for Asked {
    fn from(topic: Published) -> Self {
        Self {
            topic: WantedTopic {
                name: topic.name,
                partitions: topic.partitions,
                replication_factor: topic.replication_factor,
                config: topic.config,
            },
            role: Role::Published,
            contracts: topic.contracts,
        }
    }
}

/// Reads contracts that have to be without errors: topics of half a contract are not the topics
/// of its service.
pub fn load(project: &Project, paths: &[String]) -> Result<Loaded, Failure> {
    let mut loaded = project::load(project, paths, Format::Human)?;
    loaded.diagnostics.retain(Diagnostic::is_error);
    terminal::write_diagnostics(Format::Human, &loaded, io::stderr())?;
    if loaded.has_errors() {
        return Err(Failure::Message(
            "the contracts have errors; no topic was looked at".to_owned(),
        ));
    }
    Ok(loaded)
}

/// The topics that the nodes publish to and read, sorted by name.
///
/// `namespace` goes before that of a contract or the project. The error is all that contracts
/// disagree about, each a sentence.
pub fn topics(catalog: &Catalog, namespace: Option<&str>) -> Result<Vec<Asked>, Vec<String>> {
    let (published, problems) = topics::published(&catalog.nodes, namespace);
    let mut asked: Vec<_> = published.into_iter().map(Asked::from).collect();
    asked.extend(consumed(catalog, &asked));
    asked.sort_by(|a, b| a.topic.name.cmp(&b.topic.name));
    if problems.is_empty() {
        Ok(asked)
    } else {
        Err(problems)
    }
}

/// Tells everything that is wrong with topics of contracts.
pub fn all(problems: Vec<String>) -> Failure {
    for problem in problems {
        terminal::error(&problem);
    }
    Failure::Reported
}

/// Names of the topics of the nodes, whatever else contracts disagree about.
pub fn names(catalog: &Catalog, namespace: Option<&str>) -> BTreeSet<String> {
    let (published, _) = topics::published(&catalog.nodes, namespace);
    published.into_iter().map(|topic| topic.name).collect()
}

/// The dead letter topic of each topic that is published to, unless a contract asks for it itself.
/// It is as safe as the topic: it has as many replicas.
pub fn dead_letters(asked: &[Asked]) -> Vec<Asked> {
    let names: BTreeSet<_> = asked
        .iter()
        .map(|asked| asked.topic.name.as_str())
        .collect();
    let published = asked.iter().filter(|asked| asked.role == Role::Published);
    published
        .map(|asked| Asked {
            topic: WantedTopic {
                replication_factor: asked.topic.replication_factor,
                ..WantedTopic::new(format!("{}{TOPIC_SUFFIX}", asked.topic.name))
            },
            role: Role::DeadLetters,
            contracts: asked.contracts.clone(),
        })
        // The publisher knows too that a long topic has none.
        .filter(|asked| topic::validate(&asked.topic.name).is_ok())
        .filter(|asked| !names.contains(asked.topic.name.as_str()))
        .collect()
}

/// Topics that nodes read and nobody here publishes to.
fn consumed(catalog: &Catalog, published: &[Asked]) -> Vec<Asked> {
    let mut readers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for node in &catalog.nodes {
        for consumed in &node.consumed {
            let contracts = readers.entry(&consumed.topic).or_default();
            contracts.insert(node.origin.path.clone());
        }
    }
    readers
        .into_iter()
        .filter(|(name, _)| topic::validate(name).is_ok())
        .filter(|(name, _)| published.iter().all(|asked| asked.topic.name != *name))
        .map(|(name, contracts)| Asked {
            topic: WantedTopic::new(name),
            role: Role::Consumed,
            contracts: contracts.into_iter().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use herald_catalog::load;

    use super::*;

    fn catalog(contracts: &[(&str, &str)]) -> Catalog {
        let mut nodes = Vec::new();
        for (path, text) in contracts {
            let loaded = load::load_text(path, text, &load::Options::default());
            assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
            nodes.extend(loaded.catalog.nodes);
        }
        Catalog {
            nodes,
            ..Catalog::default()
        }
    }

    fn contract(service: &str, events: &str) -> String {
        format!(
            "node_type: effect\nservice_name: {service}\ninclude_state_events: false\n\
             include_metric_events: false\nevents: {events}\n"
        )
    }

    fn names(asked: &[Asked]) -> Vec<&str> {
        asked
            .iter()
            .map(|asked| asked.topic.name.as_str())
            .collect()
    }

    #[test]
    fn one_topic_of_two_contracts_has_what_either_says() {
        let a = contract(
            "a",
            "[{event_type: x, topic: t, topic_settings: {partitions: 3}}]",
        );
        let b = contract(
            "b",
            "[{event_type: y, topic: t, topic_settings: {partitions: 3, config: {retention.ms: 1}}}]",
        );
        let asked = topics(&catalog(&[("a.yaml", &a), ("b.yaml", &b)]), None).unwrap();
        assert_eq!(names(&asked), ["t"]);
        assert_eq!(asked[0].topic.partitions, Some(3));
        assert_eq!(asked[0].topic.config["retention.ms"], "1");
        assert_eq!(asked[0].contracts, ["a.yaml", "b.yaml"]);
    }

    #[test]
    fn everything_that_contracts_disagree_about_is_told_with_both_places() {
        let settings = |n: u32| {
            format!(
                "[{{event_type: x, topic: t, topic_settings: {{partitions: {n}, \
                 replication_factor: {n}, config: {{retention.ms: {n}}}}}}}]"
            )
        };
        let (a, b) = (contract("a", &settings(1)), contract("b", &settings(2)));
        let problems = topics(&catalog(&[("a.yaml", &a), ("b.yaml", &b)]), None).unwrap_err();
        assert_eq!(
            problems,
            ["partitions", "replication_factor", "retention.ms"].map(|what| format!(
                "contracts disagree about topic `t`: {what} is 1 in a.yaml and 2 in b.yaml"
            ))
        );
    }

    #[test]
    fn the_namespace_of_the_command_line_goes_first() {
        let text = "node_type: effect\nservice_name: a\noperations: [x]\nnamespace: stage\n\
                    include_state_events: false\ninclude_metric_events: false\n";
        let catalog = catalog(&[("a.yaml", text)]);
        let first = |namespace| topics(&catalog, namespace).unwrap()[0].topic.name.clone();
        assert_eq!(first(None), "stage.a.effect.x.completed.v1");
        assert_eq!(first(Some("prod")), "prod.a.effect.x.completed.v1");
    }

    #[test]
    fn dead_letters_are_as_safe_as_the_topic_and_never_doubled() {
        let text = contract(
            "a",
            "[{event_type: x, topic: t, topic_settings: {partitions: 6, replication_factor: 3}}, \
             {event_type: y, topic: u}, {event_type: z, topic: u.dlq}]",
        );
        let asked = topics(&catalog(&[("a.yaml", &text)]), None).unwrap();
        let dead = dead_letters(&asked);
        assert_eq!(names(&dead), ["t.dlq", "u.dlq.dlq"]);
        assert_eq!(dead[0].topic.replication_factor, Some(3));
        assert_eq!(dead[0].topic.partitions, None);
    }

    #[test]
    fn what_is_read_and_published_is_published() {
        let onex = "name: node_a\ncontract_version: {major: 1, minor: 0, patch: 0}\n\
                    node_type: effect\nevent_bus:\n  subscribe_topics: [t, elsewhere]\n";
        let a = contract("a", "[{event_type: x, topic: t}]");
        let asked = topics(&catalog(&[("a.yaml", &a), ("b.yaml", onex)]), None).unwrap();
        let of = |name: &str| asked.iter().find(|asked| asked.topic.name == name).unwrap();
        assert_eq!(of("t").role, Role::Published);
        assert_eq!(of("elsewhere").role, Role::Consumed);
        assert_eq!(of("elsewhere").contracts, ["b.yaml"]);
    }
}
