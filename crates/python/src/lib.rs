//! Native module `herald._herald` of the Python package in `python/herald`.

mod client;
mod contracts;
mod errors;
mod generator;
mod payload;
mod python_refs;
mod redaction;

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Messages are made on one thread and freed on another, which costs glibc's allocator a quarter of
/// the time of a publisher.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Native part of the package `herald`.
#[pymodule]
mod _herald {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, client, payload, python_refs};

    #[pymodule_export]
    use super::{payload_json, run_command, to_json};

    #[pymodule_export]
    use crate::contracts::{Loaded, categories, load, load_text, targets};
    #[pymodule_export]
    use crate::generator::{
        LifecycleGenerator, MetricsGenerator, PatternGenerator, completed_for_service,
        failed_for_service, join_imports, started_for_service,
    };

    #[pymodule_export]
    use crate::redaction::Redactor;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        python_refs::init(py)?;
        payload::warm_up(py)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        client::add_to(module)
    }
}

/// Serializes a value to the JSON of event payloads.
#[pyfunction]
#[pyo3(signature = (value, /))]
fn to_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut json = Vec::with_capacity(1024);
    payload::write(value, "payload", &mut json)?;
    Ok(PyBytes::new(value.py(), &json))
}

/// Serializes an event payload, which must be a JSON object.
#[pyfunction]
#[pyo3(signature = (payload, /))]
fn payload_json<'py>(payload: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut json = Vec::with_capacity(1024);
    payload::write_object(payload, "payload", &mut json)?;
    Ok(PyBytes::new(payload.py(), &json))
}

/// Runs the command `herald`, and returns its exit code.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| herald_cli::run(arguments))
}
