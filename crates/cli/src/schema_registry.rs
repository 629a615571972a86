//! Schema registry of a command, from the command line, the environment and `herald.yaml`, in this order of
//! precedence.

use std::env;

use herald_envelope::schema_id::{Framing, SubjectStrategy};
use herald_project::SchemaRegistry;
use herald_publish::schemas::SchemaOptions;
use herald_registry::{Connection, Registry, URL};

use crate::Error;
use crate::args::registry::{Framed, Subjects};

/// Returns the registry that the user named.
pub fn connect(args: &Subjects, settings: &SchemaRegistry) -> Result<Registry, Error> {
    let (given, project) = (args.registry.as_deref(), settings.url.as_deref());
    let connection = Connection::find(given, project, settings.ca.clone(), &variable)?;
    let connection = connection.ok_or_else(|| {
        Error::Message(format!(
            "no schema registry is configured; give --registry URL, set {URL}, or add \
             `schema_registry: {{url: URL}}` to herald.yaml"
        ))
    })?;
    Ok(Registry::new(connection)?)
}

/// Returns the settings of schema ids, if records have some.
pub fn schemas(args: &Framed, settings: &SchemaRegistry) -> Result<Option<SchemaOptions>, Error> {
    let framing = args.framing.or(settings.framing).unwrap_or_default();
    if framing == Framing::None {
        return Ok(None);
    }
    let registry = connect(&args.subjects, settings)?;
    let options = SchemaOptions::new(registry, framing);
    Ok(Some(options.strategy(strategy(&args.subjects, settings))))
}

/// Returns the strategy by which subjects are named.
pub fn strategy(args: &Subjects, settings: &SchemaRegistry) -> SubjectStrategy {
    args.subjects.or(settings.subjects).unwrap_or_default()
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
