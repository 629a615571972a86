//! What `herald.codegen.patterns.lifecycle` stands on.

use herald_render::patterns::{InvalidArgument, LifecyclePatternGenerator};
use pyo3::prelude::*;

use super::arguments::{boolean, names, number, operations, text};
use super::refused;

/// Generates what starts and stops one node.
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
        .map_err(refused)?
        .dependencies(&names(dependencies, "dependencies")?)
        .map_err(refused)?
        .background_tasks(&names(background_tasks, "background_tasks")?)
        .map_err(refused)?
        .intervals(
            number(monitor_interval_seconds, "monitor_interval_seconds")?,
            heartbeat,
            number(drain_timeout_seconds, "drain_timeout_seconds")?,
        )
        .map_err(refused)?
        .include_metrics(boolean(include_metrics, "include_metrics")?)
        .include_health_checks(boolean(include_health_checks, "include_health_checks")?);
        Ok(Self(generator))
    }

    /// What belongs at the top of the module that the methods are put into.
    fn imports(&self) -> String {
        self.0.generate_imports()
    }

    /// All methods.
    fn all_methods(&self) -> String {
        self.0.generate_all_lifecycle_methods()
    }

    /// A whole module.
    fn module(&self) -> String {
        self.0.generate_complete_lifecycle_class()
    }

    /// The method that makes `lifecycle`.
    fn init(&self) -> String {
        self.0.generate_init_method()
    }

    /// The methods that start the service.
    fn startup(&self) -> String {
        self.0.generate_startup_method()
    }

    /// The methods that stop the service.
    fn shutdown(&self) -> String {
        self.0.generate_shutdown_method()
    }

    /// The methods that say how the service is.
    fn monitoring(&self) -> String {
        self.0.generate_runtime_monitoring()
    }

    /// The methods to fill in.
    fn helpers(&self) -> String {
        self.0.generate_helper_methods()
    }
}
