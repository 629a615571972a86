//! How commands reach a cluster: the command line before the environment before `herald.yaml`.

use std::env;
use std::time::Duration;

use herald_catalog::config::Project;
use herald_publish::kafka::{KafkaOptions, Property, environment};

use crate::Failure;
use crate::args::cluster::Cluster;

/// How long a cluster is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The variable that says where a cluster is.
pub use environment::BOOTSTRAP_SERVERS as SERVERS;

/// The cluster that is meant.
pub fn options(args: &Cluster, project: &Project) -> Result<KafkaOptions, Failure> {
    options_from(args, &|name| env::var(name).ok(), project)
}

/// What went wrong between here and the cluster.
pub fn failed(failure: &herald_publish::Failure) -> Failure {
    Failure::Message(failure.detail.clone())
}

fn options_from(
    args: &Cluster,
    variable: &dyn Fn(&str) -> Option<String>,
    project: &Project,
) -> Result<KafkaOptions, Failure> {
    let of_project = project.kafka.bootstrap_servers.join(",");
    let servers = args
        .bootstrap_servers
        .clone()
        .or_else(|| environment::bootstrap_servers(variable))
        .or_else(|| (!of_project.is_empty()).then_some(of_project))
        .ok_or_else(no_servers)?;
    let mut options = KafkaOptions::new(servers.trim());
    for (name, value) in &project.kafka.properties {
        let property = Property::of_file(name, value, project.root.as_deref());
        options = options.with(checked(property, "herald.yaml")?);
    }
    for property in environment::properties(variable) {
        options = options.with(property);
    }
    for text in &args.properties {
        let property = text.parse().map_err(|failure| self::failed(&failure))?;
        options = options.with(checked(property, "--property")?);
    }
    Ok(options)
}

fn no_servers() -> Failure {
    Failure::Message(format!(
        "which cluster? Give --bootstrap-servers HOST:PORT, or set {SERVERS}, or write \
         `kafka: {{bootstrap_servers: HOST:PORT}}` into herald.yaml. `herald dev` starts one in \
         memory"
    ))
}

fn checked(property: Property, place: &str) -> Result<Property, Failure> {
    let name = property.name();
    if property.exposes_secret() {
        return Err(Failure::Message(format!(
            "{place}: {name} is a secret, and others could read it there; write \
             {name}=env:VARIABLE or {name}=file:PATH"
        )));
    }
    if matches!(name, "bootstrap.servers" | "metadata.broker.list") {
        return Err(Failure::Message(format!(
            "{place}: {name} is given by --bootstrap-servers, {SERVERS} or \
             kafka.bootstrap_servers of herald.yaml"
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

    fn message(result: Result<KafkaOptions, Failure>) -> String {
        match result {
            Err(Failure::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_goes_before_the_environment_before_the_project() {
        let project = project(&["p:1", "q:1"], &[]);
        let environment = |name: &str| (name == SERVERS).then(|| "e:1".to_owned());
        let servers = |args: Option<&str>, environment: &dyn Fn(&str) -> Option<String>| {
            let options = options_from(&cluster(args, &[]), environment, &project).unwrap();
            options.bootstrap_servers().to_owned()
        };
        assert_eq!(servers(Some("c:1"), &environment), "c:1");
        assert_eq!(servers(None, &environment), "e:1");
        assert_eq!(servers(None, &nothing), "p:1,q:1");
    }

    #[test]
    fn without_any_address_all_three_ways_are_named() {
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
    fn a_later_source_overrides_an_earlier_one_under_any_name() {
        let args = cluster(Some("c:1"), &["client.id=line", "sasl.mechanisms=PLAIN"]);
        let project = project(&[], &[("client.id", "file"), ("sasl.mechanism", "GSSAPI")]);
        let options = options_from(&args, &nothing, &project).unwrap();
        let config = options.client_config().unwrap();
        assert_eq!(config.get("client.id"), Some("line"));
        assert_eq!(config.get("sasl.mechanisms"), Some("PLAIN"));
    }

    #[test]
    fn variables_of_other_clients_count() {
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
    fn a_literal_secret_is_refused_and_not_repeated() {
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
    fn a_property_without_a_value_is_an_error_that_does_not_repeat_it() {
        let args = cluster(Some("c:1"), &["hunter2"]);
        let message = message(options_from(&args, &nothing, &Project::default()));
        assert!(
            !message.contains("hunter2") && message.contains("NAME=VALUE"),
            "{message}"
        );
    }

    #[test]
    fn brokers_have_one_way_in() {
        let args = cluster(Some("c:1"), &["bootstrap.servers=d:1"]);
        let message = message(options_from(&args, &nothing, &Project::default()));
        assert!(message.contains("--bootstrap-servers"), "{message}");
    }
}
