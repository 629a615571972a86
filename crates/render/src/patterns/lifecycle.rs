//! Methods that start, monitor and stop a service.

use herald_catalog::kind::Kind;
use serde::Serialize;

use crate::patterns::arguments::{Named, named, owned, positive, seconds};
use crate::patterns::error::InvalidArgument;
use crate::patterns::metrics::MetricsPatternGenerator;
use crate::patterns::parts::{import_block, render};
use crate::patterns::service::Service;
use crate::python::noqa::allow_long_lines;

/// Generator of the methods that start, stop and monitor one node.
///
/// Methods are indented for the body of a class that has `node_id`, `kafka_client` and
/// `default_namespace`. Changes of state are published where it has `_publish_state_changed_event`.
///
/// ```
/// use herald_render::patterns::LifecyclePatternGenerator;
///
/// let generator = LifecyclePatternGenerator::new("effect", "orders", &["place"])?
///     .dependencies(&["database"])?;
/// assert!(generator.generate_startup_method().contains("async def startup(self)"));
/// assert!(generator.generate_helper_methods().contains("def _connect_database(self)"));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
#[derive(Debug)]
pub struct LifecyclePatternGenerator {
    metrics: MetricsPatternGenerator,
    view: LifecycleView,
}

/// The arguments, as the templates print them.
#[derive(Debug, Serialize)]
struct LifecycleView {
    metrics: bool,
    health_checks: bool,
    dependencies: Vec<Named<String>>,
    tasks: Vec<Named<String>>,
    monitor_interval_seconds: String,
    heartbeat_interval_seconds: String,
    drain_timeout_seconds: String,
}

impl LifecyclePatternGenerator {
    /// Creates a generator for the lifecycle of a node. `node_type` is `effect`, `compute`, `reducer` or
    /// `orchestrator`, in any case.
    ///
    /// # Errors
    /// See [`EventPublishingPatternGenerator::new`](crate::patterns::EventPublishingPatternGenerator::new).
    pub fn new(
        node_type: &str,
        service_name: &str,
        operations: &[impl AsRef<str>],
    ) -> Result<Self, InvalidArgument> {
        Ok(Self {
            metrics: MetricsPatternGenerator::new(node_type, service_name, operations)?,
            view: LifecycleView {
                metrics: true,
                health_checks: true,
                dependencies: Vec::new(),
                tasks: Vec::new(),
                monitor_interval_seconds: seconds(5.0),
                heartbeat_interval_seconds: seconds(30.0),
                drain_timeout_seconds: seconds(10.0),
            },
        })
    }

    /// Sets the dependencies, which start one after the other before the service works, and stop in
    /// reverse order. None by default.
    ///
    /// # Errors
    /// If a name is empty or has no identifier, or two have the same one.
    pub fn dependencies(mut self, names: &[impl AsRef<str>]) -> Result<Self, InvalidArgument> {
        self.view.dependencies = named("dependencies", owned(names), |name| name)?;
        Ok(self)
    }

    /// Sets the background tasks of the service. None by default.
    ///
    /// # Errors
    /// If a name is empty or has no identifier, or two have the same one.
    pub fn background_tasks(mut self, names: &[impl AsRef<str>]) -> Result<Self, InvalidArgument> {
        self.view.tasks = named("background_tasks", owned(names), |name| name)?;
        Ok(self)
    }

    /// Sets whether the class has `node_metrics`, which the lifecycle publishes. True by default.
    #[must_use]
    pub fn include_metrics(mut self, include: bool) -> Self {
        self.view.metrics = include;
        self
    }

    /// Sets whether each dependency has a health check. True by default.
    #[must_use]
    pub fn include_health_checks(mut self, include: bool) -> Self {
        self.view.health_checks = include;
        self
    }

    /// Sets, in seconds, the interval of health checks, the interval of heartbeats (`None` for none),
    /// and the time to finish operations in flight at the shutdown. 5, 30 and 10 by default.
    ///
    /// # Errors
    /// If one of them is not above 0.
    pub fn intervals(
        mut self,
        monitor_seconds: f64,
        heartbeat_seconds: Option<f64>,
        drain_timeout_seconds: f64,
    ) -> Result<Self, InvalidArgument> {
        let view = &mut self.view;
        view.monitor_interval_seconds = positive("monitor_interval_seconds", monitor_seconds)?;
        view.heartbeat_interval_seconds = match heartbeat_seconds {
            Some(seconds) => positive("heartbeat_interval_seconds", seconds)?,
            None => "None".to_owned(),
        };
        view.drain_timeout_seconds = positive("drain_timeout_seconds", drain_timeout_seconds)?;
        Ok(self)
    }

    /// The kind of the node.
    pub fn node_type(&self) -> Kind {
        self.metrics.node_type()
    }

    /// Returns the imports of all methods, for the module that they are put into.
    pub fn generate_imports(&self) -> String {
        import_block(&IMPORTS)
    }

    /// Generates the method that creates `lifecycle` and declares dependencies and tasks, which
    /// `__init__` calls.
    pub fn generate_init_method(&self) -> String {
        self.method("init")
    }

    /// Generates the methods that start the service, and that run it as a program.
    pub fn generate_startup_method(&self) -> String {
        self.method("startup")
    }

    /// Generates the methods that stop the service.
    pub fn generate_shutdown_method(&self) -> String {
        self.method("shutdown")
    }

    /// Generates the methods for health and status.
    pub fn generate_runtime_monitoring(&self) -> String {
        self.method("monitoring")
    }

    /// Generates the scope of an operation, and the methods to implement for dependencies and tasks.
    pub fn generate_helper_methods(&self) -> String {
        self.method("helpers")
    }

    /// Generates all methods, separated by empty lines.
    pub fn generate_all_lifecycle_methods(&self) -> String {
        allow_long_lines(self.parts().join("\n"))
    }

    /// Generates a complete module: imports, and a class that has all methods and publishes its states;
    /// with metrics also those of [`MetricsPatternGenerator`].
    pub fn generate_complete_lifecycle_class(&self) -> String {
        Service {
            suffix: "Service",
            summary: "Runs the node",
            metrics: self.view.metrics.then_some(&self.metrics),
            lifecycle: Some(self),
        }
        .print(self.metrics.node())
    }

    /// Returns the methods, one part after the other.
    pub(crate) fn parts(&self) -> Vec<String> {
        ["init", "startup", "shutdown", "monitoring", "helpers"]
            .map(|name| self.part(name))
            .to_vec()
    }

    fn method(&self, name: &str) -> String {
        allow_long_lines(self.part(name))
    }

    fn part(&self, name: &str) -> String {
        render(&format!("patterns/lifecycle/{name}.py"), &self.view)
    }
}

/// Imports of the methods.
pub(crate) const IMPORTS: [(&str, &str); 7] = [
    ("collections.abc", "Callable"),
    ("collections.abc", "Coroutine"),
    ("herald.lifecycle", "Admission"),
    ("herald.lifecycle", "Health"),
    ("herald.lifecycle", "Lifecycle"),
    ("herald.lifecycle", "StopReport"),
    ("typing", "Any"),
];

/// Generates the method that creates `lifecycle`, for any node.
///
/// # Errors
/// See [`LifecyclePatternGenerator::dependencies`].
pub fn generate_init_method(
    dependencies: &[impl AsRef<str>],
    background_tasks: &[impl AsRef<str>],
    include_metrics: bool,
    include_health_checks: bool,
) -> Result<String, InvalidArgument> {
    let generator = of_any_node()
        .dependencies(dependencies)?
        .background_tasks(background_tasks)?
        .include_metrics(include_metrics)
        .include_health_checks(include_health_checks);
    Ok(generator.generate_init_method())
}

/// Generates the methods that start the service, for any node.
pub fn generate_startup_method() -> String {
    of_any_node().generate_startup_method()
}

/// Generates the methods that stop the service, for any node.
pub fn generate_shutdown_method() -> String {
    of_any_node().generate_shutdown_method()
}

/// Generates the methods for health and status, for any node.
pub fn generate_runtime_monitoring() -> String {
    of_any_node().generate_runtime_monitoring()
}

/// Generates the scope of an operation and the methods to implement, for any node.
///
/// # Errors
/// See [`LifecyclePatternGenerator::dependencies`].
pub fn generate_helper_methods(
    dependencies: &[impl AsRef<str>],
    background_tasks: &[impl AsRef<str>],
    include_health_checks: bool,
) -> Result<String, InvalidArgument> {
    let generator = of_any_node()
        .dependencies(dependencies)?
        .background_tasks(background_tasks)?
        .include_health_checks(include_health_checks);
    Ok(generator.generate_helper_methods())
}

/// Generates a complete module with a service.
///
/// # Errors
/// See [`LifecyclePatternGenerator::new`] and [`LifecyclePatternGenerator::dependencies`].
///
/// ```
/// use herald_render::patterns::generate_complete_lifecycle_class;
///
/// let (dependencies, tasks) = (["database"], ["refresh"]);
/// let code =
///     generate_complete_lifecycle_class("effect", "orders", &["place"], &dependencies, &tasks)?;
/// assert!(code.contains("class OrdersService(EventPublisher):"));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
pub fn generate_complete_lifecycle_class(
    node_type: &str,
    service_name: &str,
    operations: &[impl AsRef<str>],
    dependencies: &[impl AsRef<str>],
    background_tasks: &[impl AsRef<str>],
) -> Result<String, InvalidArgument> {
    let generator = LifecyclePatternGenerator::new(node_type, service_name, operations)?
        .dependencies(dependencies)?
        .background_tasks(background_tasks)?;
    Ok(generator.generate_complete_lifecycle_class())
}

/// The parts depend neither on the kind nor on the service nor on its operations; any will do.
fn of_any_node() -> LifecyclePatternGenerator {
    let kind = Kind::Effect.as_str();
    LifecyclePatternGenerator::new(kind, kind, &["any"]).expect("the arguments are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_which_argument_is_wrong() {
        let names = |names: &[&str]| {
            of_any_node()
                .background_tasks(names)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            names(&[""]),
            "All background_tasks must be non-empty strings"
        );
        assert_eq!(names(&["a", "a"]), "background_tasks: `a` is listed twice");
        let intervals = |a, b, c| of_any_node().intervals(a, b, c).unwrap_err().to_string();
        assert!(intervals(0.0, None, 1.0).starts_with("monitor_interval_seconds must be"));
        assert!(intervals(1.0, Some(-1.0), 1.0).starts_with("heartbeat_interval_seconds must be"));
        assert!(intervals(1.0, None, f64::NAN).starts_with("drain_timeout_seconds must be"));
    }

    #[test]
    fn all_methods_are_the_parts() {
        let (dependencies, tasks) = (["database", "cache"], ["refresh"]);
        let of_any = [
            generate_init_method(&dependencies, &tasks, true, true).expect("valid"),
            generate_startup_method(),
            generate_shutdown_method(),
            generate_runtime_monitoring(),
            generate_helper_methods(&dependencies, &tasks, true).expect("valid"),
        ];
        let generator = LifecyclePatternGenerator::new("reducer", "ledger", &["post"])
            .and_then(|generator| generator.dependencies(&dependencies))
            .and_then(|generator| generator.background_tasks(&tasks))
            .expect("valid");
        assert_eq!(
            generator.generate_all_lifecycle_methods(),
            of_any.join("\n")
        );
        let module = generator.generate_complete_lifecycle_class();
        assert!(of_any.iter().all(|part| module.contains(part)));
        assert!(module.contains("_initialize_metrics"));
        assert!(of_any[0].contains("after=[\"database\"],"));
    }

    #[test]
    fn disabled_events_are_left_out() {
        let generator = of_any_node()
            .dependencies(&["database"])
            .expect("valid")
            .include_metrics(false)
            .include_health_checks(false)
            .intervals(1.0, None, 1.0)
            .expect("valid");
        let module = generator.generate_complete_lifecycle_class();
        assert!(module.contains("heartbeat_interval=None"));
        assert!(!module.contains("node_metrics") && !module.contains("_check_database"));
    }
}
