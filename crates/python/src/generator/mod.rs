//! The generators that need no contract file: what `herald.codegen.patterns` stands on.

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

/// Generates the publishers of one node's events.
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
        let generator = arguments.generator().map_err(refused)?;
        Ok(Self {
            arguments,
            generator,
        })
    }

    /// What belongs at the top of the module that the methods are put into.
    fn imports(&self) -> String {
        self.generator.generate_imports()
    }

    /// The methods of all events.
    fn all_methods(&self) -> String {
        self.generator.generate_all_event_methods()
    }

    /// A whole module.
    fn module(&self) -> PyResult<String> {
        let arguments = &self.arguments;
        generate_event_publishing_methods(
            &arguments.node_type,
            &arguments.service_name,
            &arguments.operations,
            arguments.include_state_events,
            arguments.include_metric_events,
        )
        .map_err(refused)
    }

    /// The method for an operation that begins.
    fn started(&self, operation: &Bound<'_, PyAny>) -> PyResult<String> {
        let operation = arguments::operation(operation)?;
        (self.generator)
            .generate_operation_started_event(&operation)
            .map_err(refused)
    }

    /// The method for an operation that succeeded.
    fn completed(&self, operation: &Bound<'_, PyAny>) -> PyResult<String> {
        let operation = arguments::operation(operation)?;
        (self.generator)
            .generate_operation_completed_event(&operation)
            .map_err(refused)
    }

    /// The method for an operation that failed.
    fn failed(&self, operation: &Bound<'_, PyAny>) -> PyResult<String> {
        let operation = arguments::operation(operation)?;
        (self.generator)
            .generate_operation_failed_event(&operation)
            .map_err(refused)
    }

    /// The method for a change of the node's state.
    fn state_changed(&self) -> String {
        self.generator.generate_state_changed_event()
    }

    /// The method for a measured value.
    fn metric_recorded(&self) -> String {
        self.generator.generate_metric_recorded_event()
    }

    /// The event types by category.
    fn catalog<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let catalog = PyDict::new(py);
        for (category, event_types) in self.generator.get_event_type_catalog().iter() {
            catalog.set_item(category, event_types)?;
        }
        Ok(catalog)
    }
}

/// The imports of several generators, as the beginning of one module.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "Python gives it")]
pub fn join_imports(texts: Vec<String>) -> String {
    patterns::join_imports(&texts)
}

/// The method for an operation that begins, of any service.
#[pyfunction]
pub fn started_of_service(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (service_name, operation) = arguments::of_service(service_name, operation)?;
    patterns::generate_operation_started_event(&service_name, &operation).map_err(refused)
}

/// The method for an operation that succeeded, of any service.
#[pyfunction]
pub fn completed_of_service(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (service_name, operation) = arguments::of_service(service_name, operation)?;
    patterns::generate_operation_completed_event(&service_name, &operation).map_err(refused)
}

/// The method for an operation that failed, of any service.
#[pyfunction]
pub fn failed_of_service(
    service_name: &Bound<'_, PyAny>,
    operation: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (service_name, operation) = arguments::of_service(service_name, operation)?;
    patterns::generate_operation_failed_event(&service_name, &operation).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn refused(argument: InvalidArgument) -> PyErr {
    PyValueError::new_err(argument.to_string())
}
