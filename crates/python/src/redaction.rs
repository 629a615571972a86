//! Redaction of secrets: `herald/redaction.py`.

use std::borrow::Cow;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The built-in table of secrets, with patterns beside it.
#[pyclass(frozen, module = "herald._herald")]
pub struct Redactor(herald_redact::Redactor);

#[pymethods]
impl Redactor {
    #[new]
    #[pyo3(signature = (patterns, /))]
    fn new(patterns: Vec<String>) -> PyResult<Self> {
        herald_redact::Redactor::new(patterns)
            .map(Self)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Returns a text with `***` for secrets.
    #[pyo3(signature = (text, /))]
    fn redact<'py>(&self, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
        Ok(match self.0.redact(text.to_cow()?.as_ref()) {
            Cow::Borrowed(_) => text.clone(),
            Cow::Owned(masked) => PyString::new(text.py(), &masked),
        })
    }
}
