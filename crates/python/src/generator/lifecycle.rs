//! Native part of `herald.codegen.patterns.lifecycle`.

use herald_render::patterns::{InvalidArgument, LifecyclePatternGenerator};
use pyo3::prelude::*;

use super::arguments::{boolean, names, number, operations, text};
use super::value_error;

/// Generator of the methods that start and stop a node.
#[pyclass(frozen, module = "herald._herald")]
pub struct LifecycleGenerator(LifecyclePatternGenerator);

#[pymethods]
impl LifecycleGenerator {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "they are those of Python")]
    fn new(
        node_type: &Bound<'_, PyAny>,
        service_name: &Bound<'_, PyAny>,
        operations: &Bound<'_, PyAny>,
        dependencies: &Bound<'_, PyAny>,
        background_tasks: &Bound<'_, PyAny>,
        include_metrics: &Bound<'_, PyAny>,
        include_health_checks: &Bound<'_, PyAny>,
        monitor_interval_seconds: &Bound<'_, PyAny>,
        heartbeat_interval_seconds: &Bound<'_, PyAny>,
        drain_timeout_seconds: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let heartbeat = if heartbeat_interval_seconds.is_none() {
            None
        } else {
            let name = "heartbeat_interval_seconds";
            Some(number(heartbeat_interval_seconds, name)?)
        };
        let generator = LifecyclePatternGenerator::new(
            &text(node_type, &InvalidArgument::EmptyNodeType)?,
            &text(service_name, &InvalidArgument::EmptyServiceName)?,
            &self::operations(operations)?,
        )
        .map_err(value_error)?
        .dependencies(&names(dependencies, "dependencies")?)
        .map_err(value_error)?
        .background_tasks(&names(background_tasks, "background_tasks")?)
        .map_err(value_error)?
        .intervals(
            number(monitor_interval_seconds, "monitor_interval_seconds")?,
            heartbeat,
            number(drain_timeout_seconds, "drain_timeout_seconds")?,
        )
        .map_err(value_error)?
        .include_metrics(boolean(include_metrics, "include_metrics")?)
        .include_health_checks(boolean(include_health_checks, "include_health_checks")?);
        Ok(Self(generator))
    }

    /// Imports for the module that contains the methods.
    fn imports(&self) -> String {
        self.0.generate_imports()
    }

    /// All methods of the class.
    fn all_methods(&self) -> String {
        self.0.generate_all_lifecycle_methods()
    }

    /// Complete module.
    fn module(&self) -> String {
        self.0.generate_complete_lifecycle_class()
    }

    /// Method that creates `lifecycle`.
    fn init(&self) -> String {
        self.0.generate_init_method()
    }

    /// Methods that start the service.
    fn startup(&self) -> String {
        self.0.generate_startup_method()
    }

    /// Methods that stop the service.
    fn shutdown(&self) -> String {
        self.0.generate_shutdown_method()
    }

    /// Methods that report health.
    fn monitoring(&self) -> String {
        self.0.generate_runtime_monitoring()
    }

    /// Methods for the service's author to implement.
    fn helpers(&self) -> String {
        self.0.generate_helper_methods()
    }
}
