//! Conversion of errors to the Python exceptions of `herald/errors.py`.

use herald_publish::PublishError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::client::Receipt;
use crate::python_refs;

/// Creates a `SettingsError`.
pub fn settings(py: Python<'_>, message: impl Into<String>) -> PyErr {
    let class = python_refs::get(py).classes.settings_error.bind(py);
    PyErr::from_type(class.clone(), (message.into(),))
}

/// Creates a `PayloadError`.
pub fn payload(py: Python<'_>, message: String) -> PyErr {
    let class = python_refs::get(py).classes.payload_error.bind(py);
    PyErr::from_type(class.clone(), (message,))
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
        error.code().as_str(),
        error.is_retriable(),
        dead_letter.map(|receipt| Receipt::new(receipt, None)),
    );
    let class = python_refs::get(py).classes.publish_error.bind(py);
    match class.call1(arguments) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// Creates the exception for a violated invariant.
pub fn internal(message: &'static str) -> PyErr {
    PyRuntimeError::new_err(message)
}
