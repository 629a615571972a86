//! How commands reach a cluster: the command line before the environment before `herald.yaml`.

use std::env;
use std::path::Path;
use std::time::Duration;

use herald_catalog::config::Project;
use herald_publish::kafka::{KafkaOptions, Property, Secret};

use crate::Failure;
use crate::args::cluster::Cluster;

/// How long a cluster is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The variable that says where a cluster is.
pub const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";

/// Variables that Kafka's clients have in common, and the properties that they stand for.
const VARIABLES: &[(&str, &str)] = &[
    ("KAFKA_CLIENT_ID", "client.id"),
    ("KAFKA_SECURITY_PROTOCOL", "security.protocol"),
    ("KAFKA_SASL_MECHANISM", "sasl.mechanism"),
    ("KAFKA_SASL_MECHANISMS", "sasl.mechanism"),
    ("KAFKA_SASL_USERNAME", "sasl.username"),
    ("KAFKA_SASL_PASSWORD", "sasl.password"),
    ("KAFKA_SSL_CAFILE", "ssl.ca.location"),
    ("KAFKA_SSL_CA_LOCATION", "ssl.ca.location"),
    ("KAFKA_SSL_CERTFILE", "ssl.certificate.location"),
    ("KAFKA_SSL_CERTIFICATE_LOCATION", "ssl.certificate.location"),
    ("KAFKA_SSL_KEYFILE", "ssl.key.location"),
    ("KAFKA_SSL_KEY_LOCATION", "ssl.key.location"),
    ("KAFKA_SSL_PASSWORD", "ssl.key.password"),
    ("KAFKA_SSL_KEY_PASSWORD", "ssl.key.password"),
];

/// The cluster that is meant.
pub fn options(args: &Cluster, project: &Project) -> Result<KafkaOptions, Failure> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    options_from(args, &variable, project)
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
        .or_else(|| variable(SERVERS))
        .or_else(|| (!of_project.is_empty()).then_some(of_project))
        .ok_or_else(no_servers)?;
    let mut options = KafkaOptions::new(servers.trim());
    for (name, value) in &project.kafka.properties {
        let property = of_file(name, value, project.root.as_deref());
        options = options.with(checked(property, "herald.yaml")?);
    }
    for (name, property) in VARIABLES {
        if let Some(value) = variable(name) {
            // What is a secret is hidden wherever it occurs in a message, so a user's name is none.
            options = if property.ends_with("password") {
                options.secret(*property, Secret::from_env(*name))
            } else {
                options.property(*property, value)
            };
        }
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

/// A property of `herald.yaml`. Paths are relative to that file, as all paths in it.
fn of_file(name: &str, value: &str, root: Option<&Path>) -> Property {
    // An empty root is the working folder.
    let Some(root) = root.filter(|root| !root.as_os_str().is_empty()) else {
        return Property::new(name, value);
    };
    let below = |path: &str| root.join(path).to_string_lossy().into_owned();
    if let Some(path) = value.strip_prefix("file:") {
        return Property::new(name, &format!("file:{}", below(path)));
    }
    // The word `probe` lets librdkafka look for the system's certificates.
    if name.ends_with(".location") && value != "probe" && !value.starts_with("env:") {
        return Property::new(name, &below(value));
    }
    Property::new(name, value)
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

    #[test]
    fn paths_of_the_project_are_relative_to_its_file() {
        let value = |name: &str, value: &str| {
            let root = Path::new("/srv/shop");
            of_file(name, value, Some(root)) == Property::new(name, value)
        };
        assert!(
            of_file("ssl.ca.location", "certs/ca.pem", Some(Path::new("/srv")))
                == Property::new("ssl.ca.location", "/srv/certs/ca.pem")
        );
        assert!(
            of_file("sasl.password", "file:secret", Some(Path::new("/srv")))
                == Property::new("sasl.password", "file:/srv/secret")
        );
        for (name, text) in [
            ("ssl.ca.location", "/etc/ca.pem"),
            ("ssl.ca.location", "probe"),
            ("ssl.ca.location", "env:CA"),
            ("sasl.password", "env:PASSWORD"),
            ("client.id", "certs/ca.pem"),
        ] {
            assert!(value(name, text), "{name}={text}");
        }
        assert!(
            of_file("ssl.ca.location", "ca.pem", None)
                == Property::new("ssl.ca.location", "ca.pem")
        );
    }
}
