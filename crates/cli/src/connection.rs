//! Connection options of a cluster, from the command line, the environment and `herald.yaml`, in this
//! order of precedence.

use std::env;
use std::time::Duration;

use herald_project::Project;
use herald_publish::kafka::{KafkaOptions, Property, environment};

use crate::Error;
use crate::args::cluster::Cluster;

/// Time-out for a response of the cluster.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The environment variable with the addresses of brokers.
pub use environment::BOOTSTRAP_SERVERS;

/// Returns the options for the cluster that the user named.
pub fn options(args: &Cluster, project: &Project) -> Result<KafkaOptions, Error> {
    options_from(args, &|name| env::var(name).ok(), project)
}

/// Converts a failure of the cluster or of the way to it.
pub fn cluster_error(failure: &herald_publish::Failure) -> Error {
    Error::Message(failure.detail.clone())
}

fn options_from(
    args: &Cluster,
    variable: &dyn Fn(&str) -> Option<String>,
    project: &Project,
) -> Result<KafkaOptions, Error> {
    let of_project = project.kafka.bootstrap_servers.join(",");
    let servers = args
        .bootstrap_servers
        .clone()
        .or_else(|| environment::bootstrap_servers(variable))
        .or_else(|| (!of_project.is_empty()).then_some(of_project))
        .ok_or_else(no_cluster_named)?;
    let mut options = KafkaOptions::new(servers.trim());
    for (name, value) in &project.kafka.properties {
        let property = Property::of_file(name, value, project.root.as_deref());
        options = options.with(validated(property, "herald.yaml")?);
    }
    for property in environment::properties(variable) {
        options = options.with(property);
    }
    for text in &args.properties {
        let property = text
            .parse()
            .map_err(|failure| self::cluster_error(&failure))?;
        options = options.with(validated(property, "--property")?);
    }
    Ok(options)
}

fn no_cluster_named() -> Error {
    Error::Message(format!(
        "no cluster is configured; give --bootstrap-servers HOST:PORT, set {BOOTSTRAP_SERVERS}, or \
         add `kafka: {{bootstrap_servers: HOST:PORT}}` to herald.yaml. `herald dev` starts a cluster \
         in memory"
    ))
}

fn validated(property: Property, place: &str) -> Result<Property, Error> {
    let name = property.name();
    if property.exposes_secret() {
        return Err(Error::Message(format!(
            "{place}: {name} is a secret and must not be given literally, because others could read it; \
             write {name}=env:VARIABLE or {name}=file:PATH"
        )));
    }
    if matches!(name, "bootstrap.servers" | "metadata.broker.list") {
        return Err(Error::Message(format!(
            "{place}: {name} is not a property here; use --bootstrap-servers, {BOOTSTRAP_SERVERS} or \
             kafka.bootstrap_servers in herald.yaml"
        )));
    }
    Ok(property)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(servers: Option<&str>, properties: &[&str]) -> Cluster {
        Cluster {
            bootstrap_servers: servers.map(str::to_owned),
            properties: properties.iter().map(ToString::to_string).collect(),
        }
    }

    fn project(servers: &[&str], properties: &[(&str, &str)]) -> Project {
        let mut project = Project {
            root: Some("/srv/shop".into()),
            ..Project::default()
        };
        project.kafka.bootstrap_servers = servers.iter().map(ToString::to_string).collect();
        let pairs = properties.iter();
        project.kafka.properties = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        project
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn message(result: Result<KafkaOptions, Error>) -> String {
        match result {
            Err(Error::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bootstrap_servers_precedence() {
        let project = project(&["p:1", "q:1"], &[]);
        let environment = |name: &str| (name == BOOTSTRAP_SERVERS).then(|| "e:1".to_owned());
        let servers = |args: Option<&str>, environment: &dyn Fn(&str) -> Option<String>| {
            let options = options_from(&cluster(args, &[]), environment, &project).unwrap();
            options.bootstrap_servers().to_owned()
        };
        assert_eq!(servers(Some("c:1"), &environment), "c:1");
        assert_eq!(servers(None, &environment), "e:1");
        assert_eq!(servers(None, &nothing), "p:1,q:1");
    }

    #[test]
    fn missing_address_names_all_sources() {
        let message = message(options_from(
            &cluster(None, &[]),
            &nothing,
            &Project::default(),
        ));
        for way in [
            "--bootstrap-servers",
            "KAFKA_BOOTSTRAP_SERVERS",
            "herald.yaml",
        ] {
            assert!(message.contains(way), "{message}");
        }
    }

    #[test]
    fn later_sources_override_properties_and_their_aliases() {
        let args = cluster(Some("c:1"), &["client.id=line", "sasl.mechanisms=PLAIN"]);
        let project = project(&[], &[("client.id", "file"), ("sasl.mechanism", "GSSAPI")]);
        let options = options_from(&args, &nothing, &project).unwrap();
        let config = options.client_config().unwrap();
        assert_eq!(config.get("client.id"), Some("line"));
        assert_eq!(config.get("sasl.mechanisms"), Some("PLAIN"));
    }

    #[test]
    fn reads_properties_from_environment_variables() {
        let environment = |name: &str| match name {
            "KAFKA_SECURITY_PROTOCOL" => Some("SASL_PLAINTEXT".to_owned()),
            "KAFKA_SASL_MECHANISM" => Some("PLAIN".to_owned()),
            "KAFKA_SASL_USERNAME" => Some("orders".to_owned()),
            _ => None,
        };
        let args = cluster(Some("c:1"), &["sasl.username=other"]);
        let options = options_from(&args, &environment, &Project::default()).unwrap();
        let config = options.client_config().unwrap();
        assert_eq!(config.get("security.protocol"), Some("SASL_PLAINTEXT"));
        assert_eq!(config.get("sasl.mechanisms"), Some("PLAIN"));
        assert_eq!(config.get("sasl.username"), Some("other"));
    }

    #[test]
    fn rejects_literal_secrets_without_printing_them() {
        let args = cluster(Some("c:1"), &["sasl.password=hunter2"]);
        let on_line = message(options_from(&args, &nothing, &Project::default()));
        let project = project(&["p:1"], &[("ssl.key.password", "hunter2")]);
        let in_file = message(options_from(&cluster(None, &[]), &nothing, &project));
        for (message, name) in [(on_line, "sasl.password"), (in_file, "ssl.key.password")] {
            assert!(!message.contains("hunter2"), "{message}");
            let advice = format!("{name}=env:VARIABLE or {name}=file:PATH");
            assert!(message.contains(&advice), "{message}");
        }
    }

    #[test]
    fn rejects_a_property_without_a_value() {
        let args = cluster(Some("c:1"), &["hunter2"]);
        let message = message(options_from(&args, &nothing, &Project::default()));
        assert!(
            !message.contains("hunter2") && message.contains("NAME=VALUE"),
            "{message}"
        );
    }

    #[test]
    fn rejects_bootstrap_servers_as_a_property() {
        let args = cluster(Some("c:1"), &["bootstrap.servers=d:1"]);
        let message = message(options_from(&args, &nothing, &Project::default()));
        assert!(message.contains("--bootstrap-servers"), "{message}");
    }
}
