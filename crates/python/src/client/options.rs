//! Client settings: arguments take precedence over the environment, and that over `herald.yaml`.

use std::collections::HashMap;
use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use herald_diagnostics::render::{self, Format};
use herald_envelope::headers::HeaderSet;
use herald_envelope::schema_id::{Framing, SubjectStrategy, UnknownFraming, UnknownStrategy};
use herald_envelope::topic::{self, DEFAULT_NAMESPACE, TopicPattern};
use herald_envelope::{Origin, UnknownProfile};
use herald_project::Project;
use herald_publish::kafka::{KafkaOptions, Property, environment};
use herald_publish::schemas::SchemaOptions;
use herald_publish::spool::{SpoolOptions, WhenOwned};
use herald_publish::{Mode, PublisherOptions};
use herald_registry::{Connection, Credentials, Registry, URL};
use pyo3::prelude::*;

use super::memory::MemoryCluster;
use super::publisher::duration_from_secs;
use super::token_provider::PythonTokens;
use crate::errors;

/// Arguments of a client.
#[derive(FromPyObject)]
pub struct Settings {
    bootstrap_servers: Option<String>,
    properties: Vec<(String, String)>,
    token_provider: Option<Py<PyAny>>,
    service: Option<String>,
    service_version: Option<String>,
    environment: Option<String>,
    instance: Option<String>,
    region: Option<String>,
    namespace: Option<String>,
    topic_pattern: Option<String>,
    envelope: Option<String>,
    headers: Option<Vec<String>>,
    /// Settings of a schema registry, by their names.
    schema_registry: HashMap<String, String>,
    /// `None` disables the spool; the empty path stands for the default one.
    spool: Option<PathBuf>,
    spool_max_bytes: Option<u64>,
    write_ahead: bool,
    deadline: Option<f64>,
    max_in_flight: Option<usize>,
    max_in_flight_bytes: Option<usize>,
    config: Option<PathBuf>,
    cluster: Option<Py<MemoryCluster>>,
}

/// Settings merged from all sources.
pub struct Resolved {
    pub options: PublisherOptions,
    pub origin: Origin,
    pub spool: Option<PathBuf>,
    /// The cluster, unless it is one in memory.
    pub kafka: Option<KafkaOptions>,
}

/// Name of a service that has none.
const UNNAMED: &str = "unnamed";

/// Most processes on one machine with a spool file each for one path.
const MAX_SPOOLS: u16 = 64;

impl Settings {
    /// Merges the arguments with the environment and `herald.yaml`.
    ///
    /// `topics` are those that the program is known to publish to.
    pub fn resolve(&self, py: Python<'_>, topics: &[String]) -> PyResult<Resolved> {
        let project = self
            .project()
            .map_err(|message| errors::settings(py, message))?;
        let origin = self.origin();
        let spool = self
            .spool(&project, &origin)
            .map_err(|message| errors::settings(py, message))?;
        let (options, kafka) = if let Some(cluster) = &self.cluster {
            (PublisherOptions::new(cluster.get().cluster()), None)
        } else {
            let kafka = self.kafka(py, &project);
            let kafka = kafka.map_err(|message| errors::settings(py, message))?;
            (PublisherOptions::new(kafka.clone()), Some(kafka))
        };
        let options = self
            .complete(options, &project, spool.as_deref())
            .map_err(|message| errors::settings(py, message))?
            .environment(origin.environment.clone());
        let schemas = self
            .schemas(&project, topics)
            .map_err(|message| errors::settings(py, message))?;
        let options = match schemas {
            Some(schemas) => options.schemas(schemas),
            None => options,
        };
        Ok(Resolved {
            options,
            origin,
            spool,
            kafka,
        })
    }

    fn project(&self) -> Result<Project, String> {
        let path = match &self.config {
            Some(path) => Some(path.clone()),
            None => env::current_dir()
                .ok()
                .and_then(|here| herald_project::find(&here)),
        };
        let Some(path) = path else {
            return Ok(Project::default());
        };
        herald_project::read(&path).map_err(|(diagnostics, sources)| {
            let mut text = Vec::new();
            let options = render::Options::default();
            match render::write(Format::Human, &diagnostics, &sources, &options, &mut text) {
                Ok(()) => String::from_utf8_lossy(&text).trim_end().to_owned(),
                Err(error) => format!("{}: {error}", path.display()),
            }
        })
    }

    fn origin(&self) -> Origin {
        let resource = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let from_resource = |name: &str| {
            resource.split(',').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                (key.trim() == name).then(|| value.trim().to_owned())
            })
        };
        let service = (self.service.clone())
            .or_else(|| variable("HERALD_SERVICE"))
            .or_else(|| variable("OTEL_SERVICE_NAME"))
            .or_else(|| from_resource("service.name"));
        let version = (self.service_version.clone())
            .or_else(|| variable("HERALD_SERVICE_VERSION"))
            .or_else(|| from_resource("service.version"));
        let environment = (self.environment.clone())
            .or_else(|| variable("HERALD_ENVIRONMENT"))
            .or_else(|| from_resource("deployment.environment.name"))
            .or_else(|| from_resource("deployment.environment"));
        let mut origin = Origin::new(
            service.unwrap_or_else(|| UNNAMED.to_owned()),
            version.unwrap_or_else(|| "0.0.0".to_owned()),
            environment.unwrap_or_else(|| "development".to_owned()),
        );
        origin.instance = (self.instance.clone()).or_else(|| from_resource("service.instance.id"));
        origin.region = (self.region.clone()).or_else(|| from_resource("cloud.region"));
        origin
    }

    /// Path of the spool, or `None` without one.
    fn spool(&self, project: &Project, origin: &Origin) -> Result<Option<PathBuf>, String> {
        let Some(given) = &self.spool else {
            return Ok(None);
        };
        if !given.as_os_str().is_empty() {
            return Ok(Some(given.clone()));
        }
        if let Some(path) = variable("HERALD_SPOOL") {
            return Ok(Some(path.into()));
        }
        if let Some(path) = &project.spool {
            let root = project.root.clone().unwrap_or_default();
            return Ok(Some(root.join(path)));
        }
        if origin.service == UNNAMED {
            return Err(
                "the spool needs a name, because services must not share one: set service='NAME' \
                 or HERALD_SERVICE (the spool is then in the state folder of the user), or its \
                 path with spool=PATH, HERALD_SPOOL or `spool:` in herald.yaml; spool=None works \
                 without one, and then events are lost that Kafka does not accept"
                    .to_owned(),
            );
        }
        Ok(Some(
            state_folder().join(format!("{}.db", file_name(&origin.service))),
        ))
    }

    fn complete(
        &self,
        mut options: PublisherOptions,
        project: &Project,
        spool: Option<&Path>,
    ) -> Result<PublisherOptions, String> {
        if let Some(path) = spool {
            let mut spool =
                SpoolOptions::new(path).when_owned(WhenOwned::Numbered { max: MAX_SPOOLS });
            if let Some(bytes) = self.spool_max_bytes {
                spool = spool.max_bytes(bytes);
            }
            options = options.spool(spool);
        }
        if self.write_ahead {
            options = options.mode(Mode::WriteAhead);
        }
        if let Some(seconds) = self.deadline {
            let deadline = duration_from_secs(seconds)
                .ok_or_else(|| "deadline must be a number of seconds, 0 or more".to_owned())?;
            options = options.deadline(deadline);
        }
        if let Some(events) = self.max_in_flight {
            options = options.max_in_flight(events);
        }
        if let Some(bytes) = self.max_in_flight_bytes {
            options = options.max_in_flight_bytes(bytes);
        }
        let pattern = match &self.topic_pattern {
            Some(pattern) => Some(
                TopicPattern::parse(pattern).map_err(|error| format!("topic_pattern: {error}"))?,
            ),
            None => project.options.defaults.topic_pattern.clone(),
        };
        let namespace = (self.namespace.clone())
            .or_else(|| variable("HERALD_NAMESPACE"))
            .or_else(|| project.options.defaults.namespace.clone())
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        topic::validate(&namespace).map_err(|reason| {
            format!("the namespace {namespace:?} is not a valid start of a topic: {reason}")
        })?;
        let envelope = (self.envelope.clone()).or_else(|| variable("HERALD_ENVELOPE"));
        let envelope = match envelope {
            Some(name) => name
                .parse()
                .map_err(|error: UnknownProfile| format!("envelope: {error}"))?,
            None => project.options.defaults.envelope.unwrap_or_default(),
        };
        options = options.envelope(envelope);
        let headers = match &self.headers {
            Some(names) => Some(
                HeaderSet::of(names.iter().map(String::as_str))
                    .map_err(|error| format!("headers: {error}"))?,
            ),
            None => project.options.defaults.headers,
        };
        options = options.headers(headers.unwrap_or_default());
        Ok(match pattern {
            Some(pattern) => options.topics(pattern, namespace),
            None => options.namespace(namespace),
        })
    }

    /// Returns the settings of schema ids, if records have some.
    fn schemas(
        &self,
        project: &Project,
        topics: &[String],
    ) -> Result<Option<SchemaOptions>, String> {
        let of_project = &project.schema_registry;
        let given = |name: &str| self.schema_registry.get(name).cloned();
        let named = |name: &str, error: &dyn Display| format!("schema_registry: {name}: {error}");
        let framing = match given("framing").or_else(|| variable("HERALD_SCHEMA_FRAMING")) {
            Some(name) => name
                .parse()
                .map_err(|error: UnknownFraming| named("framing", &error))?,
            None => of_project.framing.unwrap_or_default(),
        };
        if framing == Framing::None {
            // An argument without an effect is a mistake.
            return if self.schema_registry.contains_key("framing")
                || self.schema_registry.is_empty()
            {
                Ok(None)
            } else {
                Err(
                    "schema_registry: the framing is not set; set it to 'prefix', 'header' or 'none'"
                        .to_owned(),
                )
            };
        }
        let strategy = match given("subjects").or_else(|| variable("HERALD_SCHEMA_SUBJECTS")) {
            Some(name) => name
                .parse()
                .map_err(|error: UnknownStrategy| named("subjects", &error))?,
            None => of_project.subjects.unwrap_or_default(),
        };
        let found = Connection::find(
            given("url").as_deref(),
            of_project.url.as_deref(),
            of_project.ca.clone(),
            &variable,
        );
        let mut connection = found
            .map_err(|error| format!("schema_registry: {error}"))?
            .ok_or_else(|| {
                format!(
                    "schema_registry: the framing needs a registry: set its url, or {URL}, or \
                     `schema_registry: {{url: URL}}` in herald.yaml"
                )
            })?;
        if let Some(token) = given("token") {
            connection.credentials = Some(Credentials::Bearer(token));
        } else if let Some(login) = given("user_info") {
            let login = Credentials::of_user_info(&login);
            let login = login.map_err(|error| named("user_info", &error))?;
            connection.credentials = Some(login);
        }
        if let Some(path) = given("ca") {
            connection.ca = Some(path.into());
        }
        let registry = Registry::new(connection).map_err(|error| error.to_string())?;
        let subjects = match strategy {
            SubjectStrategy::TopicName => topics
                .iter()
                .map(|topic| strategy.subject(topic, ""))
                .collect(),
            SubjectStrategy::RecordName | SubjectStrategy::TopicRecordName => Vec::new(),
        };
        let options = SchemaOptions::new(registry, framing).strategy(strategy);
        Ok(Some(options.subjects(subjects)))
    }

    fn kafka(&self, py: Python<'_>, project: &Project) -> Result<KafkaOptions, String> {
        let variable = |name: &str| env::var(name).ok();
        let from_project = project.kafka.bootstrap_servers.join(",");
        let servers = (self.bootstrap_servers.clone())
            .or_else(|| environment::bootstrap_servers(&variable))
            .or_else(|| (!from_project.is_empty()).then_some(from_project))
            .ok_or_else(|| {
                format!(
                    "no cluster is configured: set bootstrap_servers='HOST:PORT', or {}, or \
                     `kafka: {{bootstrap_servers: HOST:PORT}}` in herald.yaml",
                    environment::BOOTSTRAP_SERVERS
                )
            })?;
        let mut options = KafkaOptions::new(servers);
        for (name, value) in &project.kafka.properties {
            options = options.with(Property::of_file(name, value, project.root.as_deref()));
        }
        for property in environment::properties(&variable) {
            options = options.with(property);
        }
        for (name, value) in &self.properties {
            options = options.with(Property::new(name, value));
        }
        if let Some(function) = &self.token_provider {
            options = options.token_provider(PythonTokens::new(function.clone_ref(py)));
        }
        Ok(options)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Folder for the user's persistent state, by the XDG base directory specification.
fn state_folder() -> PathBuf {
    let home = || variable("HOME").map(|home| Path::new(&home).join(".local/state"));
    variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .unwrap_or_else(env::temp_dir)
        .join("herald")
}

/// Converts a service name to a file name.
fn file_name(service: &str) -> String {
    let replace = |c: char| {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    service.chars().take(100).map(replace).collect()
}
