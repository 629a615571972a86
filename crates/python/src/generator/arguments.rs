//! Validation of the Python arguments of generators.
//!
//! A value that is not a string is a `ValueError`; a value that is not a list or a boolean is a
//! `TypeError`. Callers of the original API catch these.

use std::fmt::Display;

use herald_render::patterns::{EventPublishingPatternGenerator, InvalidArgument};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString};

/// Arguments of a generator.
pub struct Arguments {
    pub node_type: String,
    pub service_name: String,
    pub operations: Vec<String>,
    pub include_state_events: bool,
    pub include_metric_events: bool,
}

impl Arguments {
    pub fn read(
        node_type: &Bound<'_, PyAny>,
        service_name: &Bound<'_, PyAny>,
        operations: &Bound<'_, PyAny>,
        include_state_events: &Bound<'_, PyAny>,
        include_metric_events: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        Ok(Self {
            node_type: text(node_type, &InvalidArgument::EmptyNodeType)?,
            service_name: text(service_name, &InvalidArgument::EmptyServiceName)?,
            operations: self::operations(operations)?,
            include_state_events: boolean(include_state_events, "include_state_events")?,
            include_metric_events: boolean(include_metric_events, "include_metric_events")?,
        })
    }

    pub fn generator(&self) -> Result<EventPublishingPatternGenerator, InvalidArgument> {
        let generator = EventPublishingPatternGenerator::new(
            &self.node_type,
            &self.service_name,
            &self.operations,
        )?;
        Ok(generator
            .include_state_events(self.include_state_events)
            .include_metric_events(self.include_metric_events))
    }
}

/// Reads the argument of methods that take one operation.
pub fn operation(operation: &Bound<'_, PyAny>) -> PyResult<String> {
    let rule = "operation must be a non-empty string";
    let operation = text(operation, rule)?;
    if operation.trim().is_empty() {
        return Err(PyValueError::new_err(rule));
    }
    Ok(operation)
}

/// Reads the arguments of functions that take a service and an operation.
pub fn service_and_operation(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<(String, String)> {
    let service_name = text(service_name, &InvalidArgument::EmptyServiceName)?;
    Ok((service_name, self::operation(operation)?))
}

pub fn text(value: &Bound<'_, PyAny>, rule: impl Display) -> PyResult<String> {
    let Ok(text) = value.cast::<PyString>() else {
        let got = type_name(value);
        return Err(PyValueError::new_err(format!("{rule}; got {got}")));
    };
    match text.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(PyValueError::new_err(format!(
            "{rule}; got one with a lone surrogate, which is not a character"
        ))),
    }
}

/// Reads the list of operations.
pub fn operations(values: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    texts(values, "operations", &InvalidArgument::EmptyOperation)
}

/// Reads a list of names.
pub fn names(values: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Vec<String>> {
    texts(values, name, &InvalidArgument::EmptyItem(name))
}

fn texts(values: &Bound<'_, PyAny>, name: &str, rule: &InvalidArgument) -> PyResult<Vec<String>> {
    let values = list(values, name, "strings")?;
    values.iter().map(|value| text(&value, rule)).collect()
}

/// Reads a list.
pub fn list<'a, 'py>(
    values: &'a Bound<'py, PyAny>,
    name: &str,
    of: &str,
) -> PyResult<&'a Bound<'py, PyList>> {
    values.cast::<PyList>().map_err(|_| {
        let got = type_name(values);
        PyTypeError::new_err(format!("{name} must be a list of {of}; got {got}"))
    })
}

/// Reads a number; the generator checks that it is positive.
pub fn number(value: &Bound<'_, PyAny>, name: &'static str) -> PyResult<f64> {
    let is_number = value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>();
    if !is_number || value.is_instance_of::<PyBool>() {
        let got = type_name(value);
        return Err(PyTypeError::new_err(format!(
            "{name} must be a number; got {got}"
        )));
    }
    // An integer beyond the range of floats stands for no limit.
    Ok(value.extract().unwrap_or(f64::INFINITY))
}

/// Reads a positive integer.
pub fn count(value: &Bound<'_, PyAny>, name: &'static str) -> PyResult<u64> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        let got = type_name(value);
        return Err(PyTypeError::new_err(format!(
            "{name} must be a whole number; got {got}"
        )));
    }
    value.extract().map_err(|_| {
        let text =
            (value.str()).map_or_else(|_| "an integer this large".to_owned(), |it| it.to_string());
        PyValueError::new_err(InvalidArgument::NotPositive(name, text).to_string())
    })
}

pub fn boolean(value: &Bound<'_, PyAny>, name: &str) -> PyResult<bool> {
    match value.cast::<PyBool>() {
        Ok(value) => Ok(value.is_true()),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{name} must be a boolean, True or False; got {}",
            type_name(value)
        ))),
    }
}

pub fn type_name(value: &Bound<'_, PyAny>) -> String {
    if value.is_none() {
        return "None".to_owned();
    }
    let name = value.get_type().name();
    name.map_or_else(|_| "something else".to_owned(), |name| name.to_string())
}
