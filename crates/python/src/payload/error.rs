//! Errors of payload serialization, with the path to the value.

use std::fmt::Write as _;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::errors;

pub(super) type WriteResult = Result<(), WriteError>;

/// Serialization error. Boxed, so that the result of a successful write is one word.
pub(super) struct WriteError(Box<Details>);

/// The path is built from the inside out while the error propagates, so that a successful write
/// does not track it.
struct Details {
    what: String,
    path: Vec<PathSegment>,
    cause: Option<PyErr>,
}

pub(super) enum PathSegment {
    Key(String),
    Index(usize),
    /// Element of a set, which has no index.
    Element,
}

/// Longest key in messages; longer ones are truncated.
const MAX_KEY_CHARS: usize = 40;

impl WriteError {
    #[cold]
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Details {
            what: what.into(),
            path: Vec::new(),
            cause: None,
        }))
    }

    /// Error for a value without a JSON representation.
    #[cold]
    pub(super) fn unsupported(value: &Bound<'_, PyAny>) -> Self {
        Self::new(format!(
            "{} has no JSON form; send text, a number, a list, a dict, a dataclass or a model",
            name_of(value)
        ))
    }

    /// Error for an exception raised by user code. Its text may quote values, so the message has
    /// only its type; the exception itself becomes `__cause__`.
    #[cold]
    pub(super) fn raised(py: Python<'_>, by: &str, cause: PyErr) -> Self {
        let mut error = Self::new(format!("{by} raised {}", type_name(&cause.get_type(py))));
        error.0.cause = Some(cause);
        error
    }

    #[cold]
    pub(super) fn below(mut self, step: PathSegment) -> Self {
        self.0.path.push(step);
        self
    }

    #[cold]
    pub(super) fn in_a_key(mut self) -> Self {
        self.0.what.insert_str(0, "a key: ");
        // A path inside a key would read as a path in the payload.
        self.0.path.clear();
        self
    }

    pub(super) fn into_error(self, py: Python<'_>, name: &str) -> PyErr {
        if let Some(cause) = &self.0.cause
            && !cause.is_instance_of::<PyException>(py)
        {
            // `KeyboardInterrupt` and the like pass unchanged.
            return cause.clone_ref(py);
        }
        let mut message = String::from(name);
        for step in self.0.path.iter().rev() {
            step.show(&mut message);
        }
        // The rule about the whole payload is a sentence: "payload must be …".
        message.push_str(if self.0.what.starts_with("must be") {
            " "
        } else {
            ": "
        });
        message.push_str(&self.0.what);
        let error = errors::payload(py, message);
        error.set_cause(py, self.0.cause);
        error
    }
}

impl PathSegment {
    fn show(&self, message: &mut String) {
        let shown = match self {
            Self::Key(key) if is_plain(key) => write!(message, ".{key}"),
            Self::Key(key) => write!(message, "[{}]", quoted(key)),
            Self::Index(index) => write!(message, "[{index}]"),
            Self::Element => write!(message, "[*]"),
        };
        shown.expect("a String takes everything");
    }
}

fn is_plain(key: &str) -> bool {
    key.len() <= MAX_KEY_CHARS
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Quotes a key for a message: on one line, truncated.
pub(super) fn quoted(key: &str) -> String {
    match key.char_indices().nth(MAX_KEY_CHARS) {
        None => format!("{key:?}"),
        Some((end, _)) => format!("{:?}…", &key[..end]),
    }
}

/// Name of a value's actual type, regardless of its `__class__`.
pub(super) fn name_of(value: &Bound<'_, PyAny>) -> String {
    type_name(&value.get_type())
}

fn type_name(kind: &Bound<'_, PyType>) -> String {
    let name = kind.fully_qualified_name().or_else(|_| kind.name());
    let name = name.map_or_else(|_| "?".into(), |name| name.to_string_lossy().into_owned());
    name.chars()
        .filter(|c| !c.is_control())
        .take(3 * MAX_KEY_CHARS)
        .collect()
}
