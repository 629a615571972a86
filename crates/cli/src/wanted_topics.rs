//! The topics that contracts publish to and read, as they should be on the cluster.

use std::collections::{BTreeMap, BTreeSet};

use herald_catalog::Catalog;
use herald_catalog::load::Loaded;
use herald_catalog::topics::{self, Published};
use herald_diagnostics::render::Format;
use herald_envelope::{Profile, topic};
use herald_project::Project;
use herald_publish::kafka::WantedTopic;

use crate::{Error, project, terminal};

/// The relation of the contracts to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A contract publishes to it.
    Published,
    /// It takes the records that could not be written to another topic.
    DeadLetters,
    /// Contracts only read it.
    Consumed,
}

impl Role {
    /// The word in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::DeadLetters => "dead_letters",
            Self::Consumed => "consumed",
        }
    }
}

/// A topic, and the contracts that mention it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractTopic {
    /// Its name and settings.
    pub topic: WantedTopic,
    /// Their relation to it.
    pub role: Role,
    /// Paths of the contracts.
    pub contracts: Vec<String>,
    /// Envelope profile of its events.
    pub profile: Profile,
}

impl From<Published> for ContractTopic {
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
            profile: topic.profile,
        }
    }
}

/// Reads contracts and fails if one has errors: the topics of half a contract are not the topics of
/// its service.
pub fn load_contracts(project: &Project, paths: &[String]) -> Result<Loaded, Error> {
    let mut loaded = project::load(project, paths, Format::Human)?;
    terminal::print_errors(&mut loaded);
    if loaded.has_errors() {
        return Err(Error::Message(
            "the contracts have errors; nothing was compared".to_owned(),
        ));
    }
    Ok(loaded)
}

/// Returns the topics that the nodes publish to and read, sorted by name.
///
/// `namespace` takes precedence over that of a contract or the project.
///
/// # Errors
/// A sentence for each setting that contracts disagree about.
pub fn of_catalog(
    catalog: &Catalog,
    namespace: Option<&str>,
) -> Result<Vec<ContractTopic>, Vec<String>> {
    let (published, conflicts) = topics::published(&catalog.nodes, namespace);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let mut topics: Vec<_> = published.into_iter().map(ContractTopic::from).collect();
    topics.extend(consumed(catalog, &topics));
    topics.sort_by(|a, b| a.topic.name.cmp(&b.topic.name));
    Ok(topics)
}

/// Prints every problem on standard error and returns the error to end the command with.
pub fn report_problems(problems: Vec<String>) -> Error {
    for problem in problems {
        terminal::error(&problem);
    }
    Error::Reported
}

/// Returns the names of the topics that nodes publish to, even if contracts disagree about settings.
pub fn names(catalog: &Catalog, namespace: Option<&str>) -> BTreeSet<String> {
    let (published, _) = topics::published(&catalog.nodes, namespace);
    published.into_iter().map(|topic| topic.name).collect()
}

/// Returns the dead letter topic of each published topic, unless a contract declares it itself.
/// It has as many replicas as its topic, so that it is as safe.
pub fn dead_letter_topics(topics: &[ContractTopic]) -> Vec<ContractTopic> {
    let names: BTreeSet<_> = topics.iter().map(|it| it.topic.name.as_str()).collect();
    let published = topics.iter().filter(|it| it.role == Role::Published);
    // Topics may share one for dead letters.
    let mut found: BTreeMap<String, ContractTopic> = BTreeMap::new();
    for it in published {
        let name = it.profile.dead_letter_topic(&it.topic.name);
        let letters = found.entry(name.clone()).or_insert_with(|| ContractTopic {
            topic: WantedTopic::new(name),
            role: Role::DeadLetters,
            contracts: Vec::new(),
            profile: it.profile,
        });
        let replicas = &mut letters.topic.replication_factor;
        *replicas = (*replicas).max(it.topic.replication_factor);
        letters.contracts.extend(it.contracts.iter().cloned());
        letters.contracts.sort();
        letters.contracts.dedup();
    }
    found
        .into_values()
        // A name at Kafka's length limit leaves no room for the suffix. The publisher then keeps
        // dead letters in its spool only.
        .filter(|it| topic::validate(&it.topic.name).is_ok())
        .filter(|it| !names.contains(it.topic.name.as_str()))
        .collect()
}

/// Returns topics that nodes read and no node here publishes to.
fn consumed(catalog: &Catalog, published: &[ContractTopic]) -> Vec<ContractTopic> {
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
        .filter(|(name, _)| published.iter().all(|it| it.topic.name != *name))
        .map(|(name, contracts)| ContractTopic {
            topic: WantedTopic::new(name),
            role: Role::Consumed,
            contracts: contracts.into_iter().collect(),
            profile: Profile::default(),
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

    fn names(topics: &[ContractTopic]) -> Vec<&str> {
        topics.iter().map(|it| it.topic.name.as_str()).collect()
    }

    #[test]
    fn merges_settings_of_two_contracts() {
        let a = contract(
            "a",
            "[{event_type: x, topic: t, topic_settings: {partitions: 3}}]",
        );
        let b = contract(
            "b",
            "[{event_type: y, topic: t, topic_settings: {partitions: 3, config: {retention.ms: 1}}}]",
        );
        let topics = of_catalog(&catalog(&[("a.yaml", &a), ("b.yaml", &b)]), None).unwrap();
        assert_eq!(names(&topics), ["t"]);
        assert_eq!(topics[0].topic.partitions, Some(3));
        assert_eq!(topics[0].topic.config["retention.ms"], "1");
        assert_eq!(topics[0].contracts, ["a.yaml", "b.yaml"]);
    }

    #[test]
    fn reports_every_conflict_with_both_paths() {
        let settings = |n: u32| {
            format!(
                "[{{event_type: x, topic: t, topic_settings: {{partitions: {n}, \
                 replication_factor: {n}, config: {{retention.ms: {n}}}}}}}]"
            )
        };
        let (a, b) = (contract("a", &settings(1)), contract("b", &settings(2)));
        let problems = of_catalog(&catalog(&[("a.yaml", &a), ("b.yaml", &b)]), None).unwrap_err();
        assert_eq!(
            problems,
            ["partitions", "replication_factor", "retention.ms"].map(|what| format!(
                "contracts disagree about topic `t`: {what} is 1 in a.yaml and 2 in b.yaml"
            ))
        );
    }

    #[test]
    fn command_line_namespace_takes_precedence() {
        let text = "node_type: effect\nservice_name: a\noperations: [x]\nnamespace: stage\n\
                    include_state_events: false\ninclude_metric_events: false\n";
        let catalog = catalog(&[("a.yaml", text)]);
        let first = |namespace| {
            of_catalog(&catalog, namespace).unwrap()[0]
                .topic
                .name
                .clone()
        };
        assert_eq!(first(None), "stage.a.effect.x.completed.v1");
        assert_eq!(first(Some("prod")), "prod.a.effect.x.completed.v1");
    }

    #[test]
    fn dead_letter_topics_inherit_replication_and_are_unique() {
        let text = contract(
            "a",
            "[{event_type: x, topic: t, topic_settings: {partitions: 6, replication_factor: 3}}, \
             {event_type: y, topic: u}, {event_type: z, topic: u.dlq}]",
        );
        let topics = of_catalog(&catalog(&[("a.yaml", &text)]), None).unwrap();
        let dead = dead_letter_topics(&topics);
        assert_eq!(names(&dead), ["t.dlq", "u.dlq.dlq"]);
        assert_eq!(dead[0].topic.replication_factor, Some(3));
        assert_eq!(dead[0].topic.partitions, None);
    }

    #[test]
    fn a_topic_read_and_published_counts_as_published() {
        let onex = "name: node_a\ncontract_version: {major: 1, minor: 0, patch: 0}\n\
                    node_type: effect\nevent_bus:\n  subscribe_topics: [t, elsewhere]\n";
        let a = contract("a", "[{event_type: x, topic: t}]");
        let topics = of_catalog(&catalog(&[("a.yaml", &a), ("b.yaml", onex)]), None).unwrap();
        let of = |name: &str| topics.iter().find(|it| it.topic.name == name).unwrap();
        assert_eq!(of("t").role, Role::Published);
        assert_eq!(of("elsewhere").role, Role::Consumed);
        assert_eq!(of("elsewhere").contracts, ["b.yaml"]);
    }
}
