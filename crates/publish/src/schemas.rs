//! Schema ids of published events, from a schema registry.
//!
//! The id of a subject is looked up once, by a thread of its own, and never while an event is published.
//! An event whose id is not known yet has the name of its subject in a header, [`SUBJECT_HEADER`]: it waits
//! in the spool, or without one in the in-flight limit, and gets its id before it is given to the transport.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, Once, PoisonError, RwLock, Weak};
use std::time::Duration;

use herald_envelope::schema_id::{self, Framing, SubjectStrategy, VALUE_SCHEMA_ID, record_name};
use herald_envelope::{Envelope, Uuid};
use tracing::{info, warn};

use crate::clock::lock;
use crate::core::Core;
use crate::message::Message;

/// Header of an event that waits for the schema id of this subject. It is never sent.
pub const SUBJECT_HEADER: &str = "herald_schema_subject";

/// First wait before a failed lookup is repeated. It doubles with each failure.
const INITIAL_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// Maximum wait for the registry when a publisher opens.
const FIRST_LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Schema id of a version of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaId {
    /// Number in the registry.
    pub number: u32,
    /// Globally unique id, where the registry has them.
    pub guid: Option<Uuid>,
}

/// Lookup of schema ids in a registry.
pub trait SchemaLookup: Send + Sync + 'static {
    /// Returns the id of the last version of a subject; `None` if the registry does not have the subject.
    /// May block for some seconds.
    ///
    /// # Errors
    /// A sentence for people, without secrets.
    fn latest(&self, subject: &str) -> Result<Option<SchemaId>, String>;
}

#[cfg(feature = "registry")]
impl SchemaLookup for herald_registry::Registry {
    fn latest(&self, subject: &str) -> Result<Option<SchemaId>, String> {
        let registered = Self::latest(self, subject).map_err(|error| error.to_string())?;
        Ok(registered.map(|registered| SchemaId {
            number: registered.id,
            guid: registered.guid.and_then(|guid| guid.parse().ok()),
        }))
    }
}

/// Settings of schema ids.
#[derive(Clone)]
pub struct SchemaOptions {
    lookup: Arc<dyn SchemaLookup>,
    framing: Framing,
    strategy: SubjectStrategy,
    subjects: Vec<String>,
}

impl SchemaOptions {
    /// Creates settings for records with this framing.
    pub fn new(lookup: impl SchemaLookup, framing: Framing) -> Self {
        Self {
            lookup: Arc::new(lookup),
            framing,
            strategy: SubjectStrategy::default(),
            subjects: Vec::new(),
        }
    }

    /// Sets the strategy by which subjects are named.
    #[must_use]
    pub fn strategy(mut self, strategy: SubjectStrategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets subjects whose ids are looked up when the publisher opens. Those of others are looked up with
    /// their first events.
    #[must_use]
    pub fn subjects(mut self, subjects: Vec<String>) -> Self {
        self.subjects = subjects;
        self
    }
}

impl fmt::Debug for SchemaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaOptions")
            .field("framing", &self.framing)
            .field("strategy", &self.strategy)
            .finish_non_exhaustive()
    }
}

/// Warns, once in a process, that the spool has events that this publisher can't deliver.
pub(crate) fn warn_unconfigured() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        warn!(
            target: "herald::publisher",
            code = "schema_unknown",
            "the spool has events that wait for schema ids, and this publisher has no schema registry; set \
             `schema_registry` with its framing"
        );
    });
}

/// Schema id as a record has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Prefix([u8; 5]),
    Number([u8; 5]),
    Guid([u8; 17]),
}

impl Frame {
    fn of(id: SchemaId, framing: Framing) -> Self {
        match (framing, id.guid) {
            (Framing::Header, Some(guid)) => Self::Guid(schema_id::guid(guid)),
            // Readers take the number in the header too.
            (Framing::Header, None) => Self::Number(schema_id::number(id.number)),
            (Framing::Prefix | Framing::None, _) => Self::Prefix(schema_id::number(id.number)),
        }
    }

    /// Returns the bytes before the value.
    pub(crate) fn prefix(&self) -> &[u8] {
        match self {
            Self::Prefix(bytes) => bytes,
            Self::Number(_) | Self::Guid(_) => &[],
        }
    }

    /// Returns the header with the id.
    pub(crate) fn header(&self) -> Option<(&'static str, &[u8])> {
        match self {
            Self::Prefix(_) => None,
            Self::Number(bytes) => Some((VALUE_SCHEMA_ID, bytes)),
            Self::Guid(bytes) => Some((VALUE_SCHEMA_ID, bytes)),
        }
    }
}

/// Schema id of an event that is written.
pub(crate) enum Framed {
    /// It has none.
    No,
    By(Frame),
    /// The id of this subject is not known yet.
    Later(String),
}

/// Known ids, and the subjects whose ids are looked up.
pub(crate) struct Schemas {
    options: SchemaOptions,
    known: RwLock<HashMap<Box<str>, Frame>>,
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Default)]
struct Wanted {
    /// Each with the message that was logged about it last.
    subjects: HashMap<String, String>,
    /// Number of rounds of lookups that have ended.
    rounds: u64,
    closed: bool,
}

impl Schemas {
    /// `None` if records have no ids.
    pub(crate) fn new(options: &SchemaOptions) -> Option<Self> {
        if options.framing == Framing::None {
            return None;
        }
        let subjects = options.subjects.iter();
        Some(Self {
            options: options.clone(),
            known: RwLock::default(),
            wanted: Mutex::new(Wanted {
                subjects: subjects.map(|name| (name.clone(), String::new())).collect(),
                rounds: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// Returns the id for the record of an envelope.
    pub(crate) fn of_envelope<P, M>(&self, topic: &str, envelope: &Envelope<'_, P, M>) -> Framed {
        let record = match self.options.strategy {
            SubjectStrategy::TopicName => String::new(),
            SubjectStrategy::RecordName | SubjectStrategy::TopicRecordName => record_name(
                &envelope.source_service,
                &envelope.event_type,
                envelope.major_version().unwrap_or(1),
            ),
        };
        self.of_record(topic, &record)
    }

    /// Returns the id for a record of this name.
    pub(crate) fn of_record(&self, topic: &str, record: &str) -> Framed {
        let subject = self.options.strategy.subject(topic, record);
        if let Some(frame) = self.known(&subject) {
            return Framed::By(frame);
        }
        self.look_up(&subject);
        Framed::Later(subject)
    }

    /// Returns a message that waits for its id with the id, if it is known now.
    pub(crate) fn frame(&self, message: Message) -> Message {
        let Some(subject) = message.schema_subject() else {
            return message;
        };
        if let Some(frame) = self.known(subject) {
            return message.framed(&frame);
        }
        self.look_up(subject);
        message
    }

    fn known(&self, subject: &str) -> Option<Frame> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(subject).copied()
    }

    /// Adds a subject to those that the thread looks up.
    fn look_up(&self, subject: &str) {
        let mut wanted = lock(&self.wanted);
        if !wanted.subjects.contains_key(subject) {
            wanted.subjects.insert(subject.to_owned(), String::new());
            self.changed.notify_all();
        }
    }

    /// Waits until the subjects that are known at the start were looked up once, at most some seconds.
    pub(crate) fn wait_for_first_lookup(&self) {
        let wanted = lock(&self.wanted);
        let is_first = |wanted: &mut Wanted| wanted.rounds == 0 && !wanted.subjects.is_empty();
        drop((self.changed).wait_timeout_while(wanted, FIRST_LOOKUP_TIMEOUT, is_first));
    }

    pub(crate) fn close(&self) {
        lock(&self.wanted).closed = true;
        self.changed.notify_all();
    }

    /// Looks up the wanted subjects once. Returns whether all were found.
    pub(crate) fn look_up_wanted(&self, core: &Weak<Core>) -> bool {
        let wanted: Vec<_> = lock(&self.wanted).subjects.keys().cloned().collect();
        let mut found_all = true;
        for subject in wanted {
            if lock(&self.wanted).closed {
                return false;
            }
            let id = match self.options.lookup.latest(&subject) {
                Ok(Some(id)) => id,
                Ok(None) => {
                    found_all = false;
                    let problem = format!(
                        "the schema registry has no subject `{subject}`; `herald registry register` registers it"
                    );
                    self.log(&subject, problem);
                    continue;
                }
                Err(problem) => {
                    self.log(&subject, problem);
                    // The others would wait for the same registry.
                    return false;
                }
            };
            let Some(core) = core.upgrade() else {
                return false;
            };
            core.schema_found(|| {
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.insert(subject.as_str().into(), Frame::of(id, self.options.framing));
            });
            let logged = lock(&self.wanted).subjects.remove(&subject);
            if logged.is_some_and(|logged| !logged.is_empty()) {
                info!(
                    target: "herald::publisher",
                    subject,
                    id = id.number,
                    "the schema id is known now; events that waited for it are delivered"
                );
            }
        }
        found_all
    }

    /// Logs a problem, unless it is the same as the last time.
    fn log(&self, subject: &str, problem: String) {
        let mut wanted = lock(&self.wanted);
        let Some(logged) = wanted.subjects.get_mut(subject) else {
            return;
        };
        if *logged != problem {
            warn!(
                target: "herald::publisher",
                code = "schema_unknown",
                subject,
                detail = %problem,
                "events wait for their schema id"
            );
            *logged = problem;
        }
    }

    /// Looks up subjects until the publisher is closed.
    pub(crate) fn run(&self, core: &Weak<Core>) {
        let mut backoff = INITIAL_BACKOFF;
        loop {
            let wanted = lock(&self.wanted);
            let wanted = self
                .changed
                .wait_while(wanted, |wanted| {
                    wanted.subjects.is_empty() && !wanted.closed
                })
                .unwrap_or_else(PoisonError::into_inner);
            if wanted.closed {
                return;
            }
            drop(wanted);
            let found_all = self.look_up_wanted(core);
            lock(&self.wanted).rounds += 1;
            self.changed.notify_all();
            if found_all {
                backoff = INITIAL_BACKOFF;
                continue;
            }
            let wanted = lock(&self.wanted);
            if wanted.closed {
                return;
            }
            // A new subject is looked up at once; the others then too.
            drop(self.changed.wait_timeout(wanted, backoff));
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }
}
