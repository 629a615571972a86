//! Comparison of the subjects of contracts with those of a registry.

use herald_breaking::Change;
use herald_registry::{Error as RegistryError, Level, Registered, Registry, Schema};
use herald_render::registry_schema::{ContentModel, definition_name, keep_removed};
use serde_json::Value;

use super::subjects::Subject;
use super::verdict;
use crate::Error;

/// A subject beside its last registered version.
pub struct Comparison<'a> {
    /// The subject.
    pub subject: Subject<'a>,
    /// Its compatibility level.
    pub level: Level,
    /// Its last version, if it has one.
    pub registered: Option<Registered>,
    /// The form of the contract's schema that is registered, or would be.
    pub form: Form,
    /// The relation of both.
    pub state: State,
    /// Changes that break consumers or the reading of older events, by `herald breaking`; `None` if
    /// it can't compare them.
    pub changes: Option<Vec<Change>>,
}

/// A form of the schema of a contract.
pub struct Form {
    /// The schema.
    pub schema: Schema,
    /// Whether payloads may have undeclared fields.
    pub model: ContentModel,
    /// Paths of fields that only the registered version declares, and that stay in the schema.
    pub kept: Vec<String>,
}

/// The relation of a schema to the last registered version.
pub enum State {
    /// There is none.
    New,
    /// They are the same.
    Registered,
    /// It can be the next version.
    Compatible,
    /// The registry refuses it in each form.
    Incompatible {
        /// Reasons of the registry for the first form, if it gives some.
        messages: Vec<String>,
    },
    /// Its references are registered first.
    Waiting,
    /// The registry can't say.
    Failed(RegistryError),
}

impl State {
    /// The word in machine formats.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Registered => "registered",
            Self::Compatible => "compatible",
            Self::Incompatible { .. } => "incompatible",
            Self::Waiting => "waiting",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether there is something to register.
    pub fn can_be_registered(&self) -> bool {
        matches!(self, Self::New | Self::Compatible | Self::Waiting)
    }
}

impl<'a> Comparison<'a> {
    /// Compares a subject. `model` is the content model of the settings; without one it depends on the
    /// compatibility level.
    ///
    /// # Errors
    /// The registry can't be asked.
    pub fn make(
        registry: &Registry,
        subject: Subject<'a>,
        model: Option<ContentModel>,
    ) -> Result<Self, Error> {
        let level = registry.level(&subject.name)?;
        let registered = registry.latest(&subject.name)?;
        let mut forms = forms(&subject, level, model, registered.as_ref());
        let (at, state) = match &registered {
            _ if subject.waits_for_parts() => (0, State::Waiting),
            None => (0, State::New),
            Some(registered) => judge(registry, &subject.name, level, registered, &forms)?,
        };
        let changes = match &registered {
            Some(registered) if !matches!(state, State::Registered) => {
                changes(&subject, &registered.schema.schema)?
            }
            _ => None,
        };
        Ok(Self {
            subject,
            level,
            registered,
            form: forms.swap_remove(at),
            state,
            changes,
        })
    }
}

/// Returns the changes of all events of a subject that break somebody; `None` if none can be compared.
fn changes(subject: &Subject<'_>, registered: &Value) -> Result<Option<Vec<Change>>, Error> {
    if let Some(event) = subject.only_event() {
        return verdict::changes(event, registered, "");
    }
    let mut all = None;
    for event in &subject.events {
        let place = format!("/definitions/{}", definition_name(&event.record));
        // An event that is not there yet breaks nobody.
        if let Some(changes) = verdict::changes(event, registered, &place)? {
            all.get_or_insert_with(Vec::new).extend(changes);
        }
    }
    Ok(all)
}

/// Returns the forms in which a schema may be registered, the preferred one first.
fn forms(
    subject: &Subject<'_>,
    level: Level,
    model: Option<ContentModel>,
    registered: Option<&Registered>,
) -> Vec<Form> {
    let models = match model {
        Some(model) => vec![model],
        // A closed schema can grow where new schemas read old events, an open one where old schemas read
        // new events.
        None if level.is_forward() && !level.is_backward() => {
            vec![ContentModel::Open, ContentModel::Closed]
        }
        None => vec![ContentModel::Closed, ContentModel::Open],
    };
    let mut forms = Vec::new();
    for model in models {
        let schema = subject.schema(model);
        let mut evolved = schema.clone();
        let kept = match registered {
            Some(old) => keep_removed(&mut evolved.schema, &old.schema.schema),
            None => Vec::new(),
        };
        forms.push(Form {
            schema,
            model,
            kept: Vec::new(),
        });
        if !kept.is_empty() {
            forms.push(Form {
                schema: evolved,
                model,
                kept,
            });
        }
    }
    forms
}

/// Returns the form that is registered, or the first that can be, and the state of it. If none can be,
/// it is the state of the first.
fn judge(
    registry: &Registry,
    subject: &str,
    level: Level,
    registered: &Registered,
    forms: &[Form],
) -> Result<(usize, State), Error> {
    let is_registered = |form: &Form| form.schema == registered.schema;
    if let Some(at) = forms.iter().position(is_registered) {
        return Ok((at, State::Registered));
    }
    // Nothing is compared then, though some registries answer as if it were.
    if level == Level::None {
        return Ok((0, State::Compatible));
    }
    let mut first = None;
    for (at, form) in forms.iter().enumerate() {
        let state = match registry.check(subject, &form.schema, level) {
            Ok(verdict) if verdict.is_compatible => return Ok((at, State::Compatible)),
            Ok(verdict) => State::Incompatible {
                messages: verdict.messages,
            },
            Err(error @ (RegistryError::Refused { .. } | RegistryError::Failed { .. })) => {
                State::Failed(error)
            }
            Err(error) => return Err(error.into()),
        };
        first.get_or_insert(state);
    }
    Ok((0, first.unwrap_or(State::New)))
}
