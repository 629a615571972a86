//! Native part of `herald.codegen.patterns`: generators that need no contract file.

mod arguments;
mod lifecycle;
mod metrics;

pub use lifecycle::LifecycleGenerator;
pub use metrics::MetricsGenerator;

use herald_render::patterns::{
    self, EventPublishingPatternGenerator, InvalidArgument, generate_event_publishing_methods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use arguments::Arguments;

/// Generator of the methods that publish a node's events.
#[pyclass(frozen, module = "herald._herald")]
pub struct PatternGenerator {
    arguments: Arguments,
    generator: EventPublishingPatternGenerator,
}

#[pymethods]
impl PatternGenerator {
    #[new]
    fn new(
        node_type: &Bound<'_, PyAny>,
        service_name: &Bound<'_, PyAny>,
        operations: &Bound<'_, PyAny>,
        include_state_events: &Bound<'_, PyAny>,
        include_metric_events: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let arguments = Arguments::read(
            node_type,
            service_name,
            operations,
            include_state_events,
            include_metric_events,
        )?;
        let generator = arguments.generator().map_err(value_error)?;
        Ok(Self {
            arguments,
            generator,
        })
    }

    /// Imports for the module that contains the methods.
    fn imports(&self) -> String {
        self.generator.generate_imports()
    }

    /// Methods for all events.
    fn all_methods(&self) -> String {
        self.generator.generate_all_event_methods()
    }

    /// Complete module.
    fn module(&self) -> PyResult<String> {
        let arguments = &self.arguments;
        generate_event_publishing_methods(
            &arguments.node_type,
            &arguments.service_name,
            &arguments.operations,
            arguments.include_state_events,
            arguments.include_metric_events,
        )
        .map_err(value_error)
    }

    /// Method for a started operation.
    fn started(&self, operation: &Bound<'_, PyAny>) -> PyResult<String> {
        let operation = arguments::operation(operation)?;
        (self.generator)
            .generate_operation_started_event(&operation)
            .map_err(value_error)
    }

    /// Method for a completed operation.
    fn completed(&self, operation: &Bound<'_, PyAny>) -> PyResult<String> {
        let operation = arguments::operation(operation)?;
        (self.generator)
            .generate_operation_completed_event(&operation)
            .map_err(value_error)
    }

    /// Method for a failed operation.
    fn failed(&self, operation: &Bound<'_, PyAny>) -> PyResult<String> {
        let operation = arguments::operation(operation)?;
        (self.generator)
            .generate_operation_failed_event(&operation)
            .map_err(value_error)
    }

    /// Method for a state change.
    fn state_changed(&self) -> String {
        self.generator.generate_state_changed_event()
    }

    /// Method for a metric.
    fn metric_recorded(&self) -> String {
        self.generator.generate_metric_recorded_event()
    }

    /// Event types by category.
    fn catalog<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let catalog = PyDict::new(py);
        for (category, event_types) in self.generator.get_event_type_catalog().iter() {
            catalog.set_item(category, event_types)?;
        }
        Ok(catalog)
    }
}

/// Merges the imports of several generators for one module.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "Python gives it")]
pub fn join_imports(texts: Vec<String>) -> String {
    patterns::join_imports(&texts)
}

/// Method for a started operation of any service.
#[pyfunction]
pub fn started_for_service(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (service_name, operation) = arguments::service_and_operation(service_name, operation)?;
    patterns::generate_operation_started_event(&service_name, &operation).map_err(value_error)
}

/// Method for a completed operation of any service.
#[pyfunction]
pub fn completed_for_service(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (service_name, operation) = arguments::service_and_operation(service_name, operation)?;
    patterns::generate_operation_completed_event(&service_name, &operation).map_err(value_error)
}

/// Method for a failed operation of any service.
#[pyfunction]
pub fn failed_for_service(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (service_name, operation) = arguments::service_and_operation(service_name, operation)?;
    patterns::generate_operation_failed_event(&service_name, &operation).map_err(value_error)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn value_error(argument: InvalidArgument) -> PyErr {
    PyValueError::new_err(argument.to_string())
}
