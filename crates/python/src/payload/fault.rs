//! What is wrong in a payload, and where.

use std::fmt::Write as _;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::errors;

pub(super) type Written = Result<(), Fault>;

/// What is wrong, behind a pointer so that what succeeds moves one word.
pub(super) struct Fault(Box<Details>);

/// The path grows from the inside out, while the fault travels up: what succeeds pays nothing.
struct Details {
    what: String,
    path: Vec<Step>,
    cause: Option<PyErr>,
}

pub(super) enum Step {
    Key(String),
    Index(usize),
    /// Somewhere in a set, which has no order.
    Element,
}

/// Longer keys are cut in messages.
const MAX_SHOWN: usize = 40;

impl Fault {
    #[cold]
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Details {
            what: what.into(),
            path: Vec::new(),
            cause: None,
        }))
    }

    /// No JSON stands for a value.
    #[cold]
    pub(super) fn no_form(value: &Bound<'_, PyAny>) -> Self {
        Self::new(format!(
            "{} has no JSON form; send text, a number, a list, a dict, a dataclass or a model",
            name_of(value)
        ))
    }

    /// Code of somebody else raised an exception. Its text may quote values, so only its type is
    /// told; the rest stands in `__cause__`.
    #[cold]
    pub(super) fn raised(py: Python<'_>, by: &str, cause: PyErr) -> Self {
        let mut fault = Self::new(format!("{by} raised {}", type_name(&cause.get_type(py))));
        fault.0.cause = Some(cause);
        fault
    }

    #[cold]
    pub(super) fn below(mut self, step: Step) -> Self {
        self.0.path.push(step);
        self
    }

    #[cold]
    pub(super) fn in_a_key(mut self) -> Self {
        self.0.what.insert_str(0, "a key: ");
        // A path into a key would read as one of the payload.
        self.0.path.clear();
        self
    }

    pub(super) fn into_error(self, py: Python<'_>, name: &str) -> PyErr {
        if let Some(cause) = &self.0.cause
            && !cause.is_instance_of::<PyException>(py)
        {
            // A KeyboardInterrupt, say, is nobody's mistake.
            return cause.clone_ref(py);
        }
        let mut message = String::from(name);
        for step in self.0.path.iter().rev() {
            step.show(&mut message);
        }
        // The rule for the whole payload reads as a sentence: "payload must be".
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

impl Step {
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
    key.len() <= MAX_SHOWN
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A key for a message: on one line, and not too long.
pub(super) fn quoted(key: &str) -> String {
    match key.char_indices().nth(MAX_SHOWN) {
        None => format!("{key:?}"),
        Some((end, _)) => format!("{:?}…", &key[..end]),
    }
}

/// The name of a value's real type, whatever its `__class__` says.
pub(super) fn name_of(value: &Bound<'_, PyAny>) -> String {
    type_name(&value.get_type())
}

fn type_name(kind: &Bound<'_, PyType>) -> String {
    let name = kind.fully_qualified_name().or_else(|_| kind.name());
    let name = name.map_or_else(|_| "?".into(), |name| name.to_string_lossy().into_owned());
    name.chars()
        .filter(|c| !c.is_control())
        .take(3 * MAX_SHOWN)
        .collect()
}
