//! Conversion of errors to the Python exceptions of `herald/errors.py`.

use herald_publish::PublishError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::client::Receipt;

static SETTINGS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static PAYLOAD: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static PUBLISH: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Creates a `SettingsError`.
pub fn settings(py: Python<'_>, message: impl Into<String>) -> PyErr {
    match SETTINGS.import(py, "herald.errors", "SettingsError") {
        Ok(class) => PyErr::from_type(class.clone(), (message.into(),)),
        Err(error) => error,
    }
}

/// Creates a `PayloadError`.
pub fn payload(py: Python<'_>, message: String) -> PyErr {
    match PAYLOAD.import(py, "herald.errors", "PayloadError") {
        Ok(class) => PyErr::from_type(class.clone(), (message,)),
        Err(error) => error,
    }
}

/// Creates a `PublishError`, or a `SettingsError` if the publisher could not start.
pub fn publish(py: Python<'_>, error: &PublishError) -> PyErr {
    if let PublishError::Settings(failure) = error {
        return settings(py, failure.detail.clone());
    }
    let dead_letter = match error {
        PublishError::Rejected { dead_letter, .. } => dead_letter.clone(),
        _ => None,
    };
    let arguments = (
        error.to_string(),
        error.code(),
        error.is_retriable(),
        dead_letter.map(|receipt| Receipt::new(receipt, None)),
    );
    match PUBLISH.import(py, "herald.errors", "PublishError") {
        Ok(class) => match class.call1(arguments) {
            Ok(exception) => PyErr::from_value(exception),
            Err(error) => error,
        },
        Err(error) => error,
    }
}

/// Creates the exception for a violated invariant.
pub fn internal(message: &'static str) -> PyErr {
    PyRuntimeError::new_err(message)
}
