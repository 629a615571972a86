//! Requests to a registry.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use herald_http::Certificate;
use herald_http::ureq::http::{Method, Request};
use herald_http::ureq::{self, Agent, RequestExt as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connection::{CA_LOCATION, Connection, Credentials};
use crate::{Error, Level};

const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum bytes of an answer.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// Characters of a part of a path that need no escape.
const PATH_PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Codes of the registry for a subject, a version or a schema that it does not have, and for a level that
/// a subject does not set.
const SUBJECT_NOT_FOUND: u64 = 40_401;
const VERSION_NOT_FOUND: u64 = 40_402;
const SCHEMA_NOT_FOUND: u64 = 40_403;
const LEVEL_NOT_FOUND: u64 = 40_408;

/// Client of a schema registry. It keeps connections open between requests.
#[derive(Clone, Debug)]
pub struct Registry {
    connection: Connection,
    agent: Agent,
}

/// JSON Schema, and the schemas of other subjects that it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The schema.
    pub schema: Value,
    /// The subjects that it refers to.
    pub references: Vec<Reference>,
}

/// Reference of a schema to a version of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// Name in the schema: the content of its `$ref`.
    pub name: String,
    /// Subject.
    pub subject: String,
    /// Version of the subject.
    pub version: u32,
}

/// Registered version of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// Version, from 1.
    pub version: u32,
    /// Id of the schema in the registry.
    pub id: u32,
    /// Globally unique id of the schema, where the registry has them.
    pub guid: Option<String>,
    /// The schema.
    pub schema: Schema,
}

/// Verdict of the registry about a new version of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it would be registered.
    pub is_compatible: bool,
    /// Reasons against it, as the registry words them; not every registry gives some.
    pub messages: Vec<String>,
}

#[derive(Deserialize)]
struct VersionDocument {
    version: u32,
    id: u32,
    guid: Option<String>,
    schema: String,
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
    #[serde(default)]
    references: Option<Vec<Reference>>,
}

/// Answer of a registry.
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Registry {
    /// Creates a client. Nothing is sent yet.
    ///
    /// # Errors
    /// The certificates can't be read.
    pub fn new(connection: Connection) -> Result<Self, Error> {
        let config = herald_http::client(&roots(&connection)?)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .build();
        Ok(Self {
            connection,
            agent: config.new_agent(),
        })
    }

    /// Returns the address.
    pub fn url(&self) -> &str {
        self.connection.url()
    }

    /// Returns the last version of a subject; `None` if the registry does not know it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn latest(&self, subject: &str) -> Result<Option<Registered>, Error> {
        self.version_at(subject, "latest")
    }

    /// Returns a version of a subject; `None` if the registry does not know it.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn version(&self, subject: &str, version: u32) -> Result<Option<Registered>, Error> {
        self.version_at(subject, &version.to_string())
    }

    fn version_at(&self, subject: &str, version: &str) -> Result<Option<Registered>, Error> {
        let action = format!("read the subject `{subject}`");
        let path = format!("/subjects/{}/versions/{version}", part(subject));
        let answer = self.send(Method::GET, &path, None)?;
        match self.judge(answer, &action)? {
            Ok(body) => self.registered(&body, &action).map(Some),
            Err(SUBJECT_NOT_FOUND | VERSION_NOT_FOUND) => Ok(None),
            Err(_) => Err(self.not_a_registry(404)),
        }
    }

    /// Returns the version of a subject with this schema; `None` if there is none.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn find(&self, subject: &str, schema: &Schema) -> Result<Option<Registered>, Error> {
        let action = format!("look up a schema of the subject `{subject}`");
        let path = format!("/subjects/{}", part(subject));
        let answer = self.send(Method::POST, &path, Some(&body_of(schema)))?;
        match self.judge(answer, &action)? {
            Ok(body) => self.registered(&body, &action).map(Some),
            Err(SUBJECT_NOT_FOUND | SCHEMA_NOT_FOUND) => Ok(None),
            Err(_) => Err(self.not_a_registry(404)),
        }
    }

    /// Returns the compatibility level of a subject: its own, else that of the registry.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn level(&self, subject: &str) -> Result<Level, Error> {
        let action = format!("read the compatibility level of the subject `{subject}`");
        let own = format!("/config/{}", part(subject));
        for path in [own.as_str(), "/config"] {
            let answer = self.send(Method::GET, path, None)?;
            let body = match self.judge(answer, &action)? {
                Ok(body) => body,
                Err(LEVEL_NOT_FOUND | SUBJECT_NOT_FOUND) => continue,
                Err(_) => break,
            };
            let name = body.get("compatibilityLevel").and_then(Value::as_str);
            let level = name.and_then(|name| name.parse().ok());
            return level.ok_or_else(|| self.not_a_registry(200));
        }
        Err(self.not_a_registry(404))
    }

    /// Asks whether the registry would take a new version of a subject, by the rules of its level. A
    /// subject without versions takes every schema.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn check(&self, subject: &str, schema: &Schema, level: Level) -> Result<Verdict, Error> {
        let action = format!("check the compatibility with the subject `{subject}`");
        let subject = part(subject);
        let all = format!("/compatibility/subjects/{subject}/versions?verbose=true");
        let latest = format!("/compatibility/subjects/{subject}/versions/latest?verbose=true");
        let body = body_of(schema);
        let mut answer = None;
        if level.is_transitive() {
            let answered = self.send(Method::POST, &all, Some(&body))?;
            // Not every registry compares with all versions at once.
            if !matches!(answered.status, 404 | 405) {
                answer = Some(answered);
            }
        }
        let answer = match answer {
            Some(answer) => answer,
            None => self.send(Method::POST, &latest, Some(&body))?,
        };
        let body = match self.judge(answer, &action)? {
            Ok(body) => body,
            Err(SUBJECT_NOT_FOUND | VERSION_NOT_FOUND) => json!({"is_compatible": true}),
            Err(_) => return Err(self.not_a_registry(404)),
        };
        let is_compatible = body.get("is_compatible").and_then(Value::as_bool);
        let messages = body.get("messages").and_then(Value::as_array);
        let messages = messages.into_iter().flatten().filter_map(Value::as_str);
        Ok(Verdict {
            is_compatible: is_compatible.ok_or_else(|| self.not_a_registry(200))?,
            messages: messages.map(str::to_owned).collect(),
        })
    }

    /// Registers a schema as the next version of a subject, and returns its id. A schema that the subject
    /// has already is not registered again.
    ///
    /// # Errors
    /// [`Error::Refused`] if it is not compatible or not valid; others.
    pub fn register(&self, subject: &str, schema: &Schema) -> Result<u32, Error> {
        let action = format!("register a version of the subject `{subject}`");
        let path = format!("/subjects/{}/versions", part(subject));
        let answer = self.send(Method::POST, &path, Some(&body_of(schema)))?;
        let Ok(body) = self.judge(answer, &action)? else {
            return Err(self.not_a_registry(404));
        };
        let id = body.get("id").and_then(Value::as_u64);
        id.and_then(|id| u32::try_from(id).ok())
            .ok_or_else(|| self.not_a_registry(200))
    }

    /// Sets the compatibility level of a subject.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn set_level(&self, subject: &str, level: Level) -> Result<(), Error> {
        let action = format!("set the compatibility level of the subject `{subject}`");
        let path = format!("/config/{}", part(subject));
        let body = json!({"compatibility": level.as_str()});
        let answer = self.send(Method::PUT, &path, Some(&body))?;
        match self.judge(answer, &action)? {
            Ok(_) => Ok(()),
            Err(_) => Err(self.not_a_registry(404)),
        }
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Error> {
        let url = format!("{}{path}", self.connection.url());
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header("Accept", CONTENT_TYPE)
            .header("Content-Type", CONTENT_TYPE);
        if let Some(credentials) = &self.connection.credentials {
            request = request.header("Authorization", authorization(credentials));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(body).map_err(|_| {
            Error::Settings(
                "the address or the credentials of the schema registry have characters that HTTP can't send"
                    .to_owned(),
            )
        })?;
        let answer = request.with_agent(&self.agent).run();
        let mut answer = answer.map_err(|error| self.way_failed(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        let body = body
            .read_to_vec()
            .map_err(|error| self.way_failed(&error))?;
        Ok(Answer { status, body })
    }

    fn way_failed(&self, error: &ureq::Error) -> Error {
        let url = self.connection.url().to_owned();
        let reason = error.to_string();
        // TLS errors come from within the connection, as I/O errors.
        let is_tls = match error {
            ureq::Error::Io(error) => error
                .get_ref()
                .is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => true,
            _ => false,
        };
        if is_tls {
            Error::Tls { url, reason }
        } else {
            Error::Unreachable { url, reason }
        }
    }

    /// Returns the document of a success, or the code of something that is not there.
    fn judge(&self, answer: Answer, action: &str) -> Result<Result<Value, u64>, Error> {
        let Answer { status, body } = answer;
        let url = || self.connection.url().to_owned();
        let action = || action.to_owned();
        match status {
            401 | 407 => {
                return Err(Error::Login {
                    url: url(),
                    status,
                    given: self.connection.credentials.is_some(),
                });
            }
            403 => {
                return Err(Error::Forbidden {
                    url: url(),
                    action: action(),
                });
            }
            _ => {}
        }
        let document: Option<Value> = serde_json::from_slice(&body).ok();
        let Some(document) = document.filter(Value::is_object) else {
            return Err(if status >= 500 {
                Error::Failed {
                    url: url(),
                    action: action(),
                    status,
                    message: "the answer is not JSON".to_owned(),
                }
            } else {
                self.not_a_registry(status)
            });
        };
        if (200..300).contains(&status) {
            return Ok(Ok(document));
        }
        let code = document.get("error_code").and_then(Value::as_u64);
        if status == 404 {
            return code.map(Err).ok_or_else(|| self.not_a_registry(status));
        }
        let message = document.get("message").and_then(Value::as_str);
        let message = message.unwrap_or("it gave no reason").to_owned();
        Err(if status >= 500 || status == 429 {
            Error::Failed {
                url: url(),
                action: action(),
                status,
                message,
            }
        } else {
            Error::Refused {
                action: action(),
                status,
                code: code.unwrap_or_default(),
                message,
            }
        })
    }

    fn registered(&self, body: &Value, action: &str) -> Result<Registered, Error> {
        let document = VersionDocument::deserialize(body).map_err(|_| self.not_a_registry(200))?;
        let other = |found: &str| Error::Refused {
            action: action.to_owned(),
            status: 200,
            code: 0,
            message: format!("its schema is {found}, and Herald reads JSON Schema"),
        };
        // A registry leaves out the type of Avro, and some leave it out of the answer to a look-up.
        match document.schema_type.as_deref() {
            None | Some("JSON") => {}
            Some(found) => return Err(other(found)),
        }
        let schema =
            serde_json::from_str(&document.schema).map_err(|_| other("not a JSON document"))?;
        Ok(Registered {
            version: document.version,
            id: document.id,
            guid: document.guid,
            schema: Schema {
                schema,
                references: document.references.unwrap_or_default(),
            },
        })
    }

    fn not_a_registry(&self, status: u16) -> Error {
        Error::NotARegistry {
            url: self.connection.url().to_owned(),
            status,
        }
    }
}

fn part(text: &str) -> String {
    utf8_percent_encode(text, PATH_PART).to_string()
}

fn body_of(schema: &Schema) -> Value {
    let mut body = json!({"schemaType": "JSON", "schema": schema.schema.to_string()});
    if !schema.references.is_empty() {
        let references = schema.references.iter().map(|reference| {
            json!({
                "name": reference.name,
                "subject": reference.subject,
                "version": reference.version,
            })
        });
        body["references"] = references.collect();
    }
    body
}

fn authorization(credentials: &Credentials) -> String {
    match credentials {
        Credentials::Basic(user, password) => {
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        }
        Credentials::Bearer(token) => format!("Bearer {token}"),
    }
}

/// Returns the certificates that may sign that of the registry.
fn roots(connection: &Connection) -> Result<Vec<Certificate<'static>>, Error> {
    if !connection.url().starts_with("https:") {
        return Ok(Vec::new());
    }
    let Some(path) = &connection.ca else {
        return Ok(herald_http::platform_roots());
    };
    let problem = |reason: &str| {
        Error::Settings(format!(
            "the certificates of the schema registry ({CA_LOCATION}) can't be read from {}: {reason}",
            path.display()
        ))
    };
    let pem = std::fs::read(path).map_err(|error| problem(&error.to_string()))?;
    let certificates = herald_http::certificates(&pem);
    if certificates.is_empty() {
        return Err(problem("there is no certificate in it; expected PEM"));
    }
    Ok(certificates)
}
