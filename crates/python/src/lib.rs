//! What Python sees of Herald, below the module `herald`: see `python/herald`.

mod client;
mod contracts;
mod errors;
mod generator;
mod payload;

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The part of `herald` that is written in Rust.
#[pymodule]
mod _herald {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, client};

    #[pymodule_export]
    use super::{payload_json, run_command, to_json};

    #[pymodule_export]
    use crate::contracts::{Loaded, categories, load, load_text, targets};
    #[pymodule_export]
    use crate::generator::{
        LifecycleGenerator, MetricsGenerator, PatternGenerator, completed_of_service,
        failed_of_service, join_imports, started_of_service,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        client::add_to(module)
    }
}

/// Any value as the JSON that stands for it in the payload of an event.
#[pyfunction]
#[pyo3(signature = (value, /))]
fn to_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut json = Vec::with_capacity(1024);
    payload::write(value, "payload", &mut json)?;
    Ok(PyBytes::new(value.py(), &json))
}

/// The payload of an event as JSON: like `to_json`, but it has to be an object.
#[pyfunction]
#[pyo3(signature = (payload, /))]
fn payload_json<'py>(payload: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut json = Vec::with_capacity(1024);
    payload::write_object(payload, "payload", &mut json)?;
    Ok(PyBytes::new(payload.py(), &json))
}

/// Runs the command `herald`; gives the code to exit with.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| herald_cli::run(arguments))
}
