//! Methods that record and publish the metrics of a node.

use herald_catalog::Node;
use herald_catalog::kind::Kind;
use serde::Serialize;

use crate::patterns::arguments::{Named, build_node, named, owned, parse_kind, positive, seconds};
use crate::patterns::business::BusinessMetric;
use crate::patterns::error::InvalidArgument;
use crate::patterns::parts::{import_block, operation_parameter, render};
use crate::patterns::service::Service;
use crate::python::noqa::allow_long_lines;

/// Indentation of the parameters of a method, and of a function.
const IN_METHOD: usize = 8;
const IN_FUNCTION: usize = 4;

/// Generator of the methods for metrics of operations, of resources, and of the business.
///
/// Methods are indented for the body of a class that has `_publish_metric_recorded_event`, such
/// as [`EventPublishingPatternGenerator`](crate::patterns::EventPublishingPatternGenerator)
/// prints.
///
/// ```
/// use herald_render::patterns::{BusinessMetric, MetricKind, MetricsPatternGenerator};
///
/// let total = BusinessMetric::new("order.total", MetricKind::Distribution, "EUR");
/// let generator = MetricsPatternGenerator::new("effect", "orders", &["place"])?
///     .business_metrics(vec![total])?;
/// let code = generator.generate_business_metrics_tracking();
/// assert!(code.contains("def _record_order_total_metric("));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
#[derive(Debug)]
pub struct MetricsPatternGenerator {
    kind: Kind,
    node: Node,
    view: MetricsView,
}

/// The arguments, as the templates print them.
#[derive(Debug, Serialize)]
struct MetricsView {
    /// Parameter of a method, and of a function.
    operation: String,
    function_operation: String,
    business: Vec<Named<BusinessMetric>>,
    publish_interval_ops: u64,
    publish_interval_seconds: String,
    resources: bool,
}

impl MetricsPatternGenerator {
    /// Creates a generator for the metrics of `operations`. `node_type` is `effect`, `compute`,
    /// `reducer` or `orchestrator`, in any case.
    ///
    /// # Errors
    /// See [`EventPublishingPatternGenerator::new`](crate::patterns::EventPublishingPatternGenerator::new).
    pub fn new(
        node_type: &str,
        service_name: &str,
        operations: &[impl AsRef<str>],
    ) -> Result<Self, InvalidArgument> {
        let kind = parse_kind(node_type)?;
        let operations = owned(operations);
        Ok(Self {
            kind,
            node: build_node(kind, service_name, &operations)?,
            view: MetricsView {
                operation: operation_parameter(&operations, IN_METHOD),
                function_operation: operation_parameter(&operations, IN_FUNCTION),
                business: Vec::new(),
                publish_interval_ops: 100,
                publish_interval_seconds: seconds(60.0),
                resources: true,
            },
        })
    }

    /// Sets the business metrics. None by default.
    ///
    /// # Errors
    /// If a name or a unit is empty, or a name has no identifier, or two have the same one.
    pub fn business_metrics(
        mut self,
        metrics: Vec<BusinessMetric>,
    ) -> Result<Self, InvalidArgument> {
        self.view.business = named("business_metrics", metrics, |metric| &metric.name)?;
        let mut metrics = self.view.business.iter().map(|metric| &metric.item);
        match metrics.find(|metric| metric.unit.trim().is_empty()) {
            Some(metric) => Err(InvalidArgument::EmptyUnit(metric.name.clone())),
            None => Ok(self),
        }
    }

    /// Sets the numbers of operations and seconds after which metrics are published: 100 and 60
    /// by default.
    ///
    /// # Errors
    /// If one of them is not above 0.
    pub fn publish_interval(
        mut self,
        operations: u64,
        seconds: f64,
    ) -> Result<Self, InvalidArgument> {
        if operations == 0 {
            let value = operations.to_string();
            return Err(InvalidArgument::NotPositive("publish_interval_ops", value));
        }
        self.view.publish_interval_ops = operations;
        self.view.publish_interval_seconds = positive("publish_interval_seconds", seconds)?;
        Ok(self)
    }

    /// Sets whether memory, processor time, files and sockets are measured. True by default.
    #[must_use]
    pub fn include_resource_metrics(mut self, include: bool) -> Self {
        self.view.resources = include;
        self
    }

    /// The kind of the node.
    pub fn node_type(&self) -> Kind {
        self.kind
    }

    /// Returns the imports of all methods for the module that they are put into, and the
    /// decorator.
    pub fn generate_imports(&self) -> String {
        import_block(&IMPORTS)
    }

    /// Generates the method that creates `node_metrics`, which `__init__` calls.
    pub fn generate_metrics_initialization(&self) -> String {
        self.method("initialization")
    }

    /// Generates the methods that measure operations.
    pub fn generate_operation_metrics_tracking(&self) -> String {
        self.method("operations")
    }

    /// Generates the methods for resources of the process and for gauges; also if resource metrics are
    /// not included.
    pub fn generate_resource_metrics_collection(&self) -> String {
        self.method("resources")
    }

    /// Generates a method for each business metric, and one that returns all.
    pub fn generate_business_metrics_tracking(&self) -> String {
        self.method("business")
    }

    /// Generates the methods that start publishing, publish now, and stop.
    pub fn generate_metrics_publishing(&self) -> String {
        self.method("publishing")
    }

    /// Generates the decorator `track_metrics`, a function of the module that precedes the class.
    pub fn generate_metrics_decorator(&self) -> String {
        allow_long_lines(self.decorator())
    }

    /// Generates all methods, separated by empty lines.
    pub fn generate_all_metrics_methods(&self) -> String {
        allow_long_lines(self.parts().join("\n"))
    }

    /// Generates a complete module: imports, the decorator, and a class that has all methods and publishes.
    pub fn generate_complete_metrics_class(&self) -> String {
        Service {
            suffix: "MetricsPublisher",
            summary: "Measures the node",
            metrics: Some(self),
            lifecycle: None,
        }
        .print(&self.node)
    }

    /// Returns the methods, one part after the other.
    pub(crate) fn parts(&self) -> Vec<String> {
        let is_included = |name: &&str| match *name {
            "resources" => self.view.resources,
            "business" => !self.view.business.is_empty(),
            _ => true,
        };
        let parts = [
            "initialization",
            "operations",
            "resources",
            "business",
            "publishing",
        ];
        (parts.into_iter().filter(is_included))
            .map(|name| self.part(name))
            .collect()
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    pub(crate) fn decorator(&self) -> String {
        self.part("decorator")
    }

    fn method(&self, name: &str) -> String {
        allow_long_lines(self.part(name))
    }

    fn part(&self, name: &str) -> String {
        render(&format!("patterns/metrics/{name}.py"), &self.view)
    }
}

/// Imports of the methods and the decorator.
pub(crate) const IMPORTS: [(&str, &str); 8] = [
    ("collections.abc", "Callable"),
    ("collections.abc", "Mapping"),
    ("herald.metrics", "NodeMetrics"),
    ("herald.metrics", "OperationSnapshot"),
    ("herald.metrics", "Track"),
    ("herald.metrics", "measured_method"),
    ("typing", "Literal"),
    ("typing", "TypeVar"),
];

/// Generates the method that creates `node_metrics`, for any node.
///
/// # Errors
/// See [`MetricsPatternGenerator::publish_interval`].
pub fn generate_metrics_initialization(
    publish_interval_ops: u64,
    publish_interval_seconds: f64,
    include_resource_metrics: bool,
) -> Result<String, InvalidArgument> {
    let generator = of_any_operation()
        .publish_interval(publish_interval_ops, publish_interval_seconds)?
        .include_resource_metrics(include_resource_metrics);
    Ok(generator.generate_metrics_initialization())
}

/// Generates the methods that measure operations, for any node.
///
/// # Errors
/// If there is no operation, or its name is not valid in a topic.
pub fn generate_operation_metrics_tracking(
    operations: &[impl AsRef<str>],
) -> Result<String, InvalidArgument> {
    Ok(of_any_node(operations)?.generate_operation_metrics_tracking())
}

/// Generates the methods for resources of the process, for any node.
pub fn generate_resource_metrics_collection() -> String {
    of_any_operation().generate_resource_metrics_collection()
}

/// Generates a method for each business metric, for any node.
///
/// # Errors
/// See [`MetricsPatternGenerator::business_metrics`].
pub fn generate_business_metrics_tracking(
    business_metrics: Vec<BusinessMetric>,
) -> Result<String, InvalidArgument> {
    let generator = of_any_operation().business_metrics(business_metrics)?;
    Ok(generator.generate_business_metrics_tracking())
}

/// Generates the methods that start publishing, publish now, and stop, for any node.
pub fn generate_metrics_publishing() -> String {
    of_any_operation().generate_metrics_publishing()
}

/// Generates the decorator `track_metrics`, for any node.
///
/// # Errors
/// If there is no operation, or its name is not valid in a topic.
pub fn generate_metrics_decorator(
    operations: &[impl AsRef<str>],
) -> Result<String, InvalidArgument> {
    Ok(of_any_node(operations)?.generate_metrics_decorator())
}

/// Generates a complete module that measures a node.
///
/// # Errors
/// See [`MetricsPatternGenerator::new`] and [`MetricsPatternGenerator::business_metrics`].
///
/// ```
/// use herald_render::patterns::generate_complete_metrics_class;
///
/// let code = generate_complete_metrics_class("effect", "orders", &["place"], vec![])?;
/// assert!(code.contains("class OrdersMetricsPublisher(EventPublisher):"));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
pub fn generate_complete_metrics_class(
    node_type: &str,
    service_name: &str,
    operations: &[impl AsRef<str>],
    business_metrics: Vec<BusinessMetric>,
) -> Result<String, InvalidArgument> {
    let generator = MetricsPatternGenerator::new(node_type, service_name, operations)?
        .business_metrics(business_metrics)?;
    Ok(generator.generate_complete_metrics_class())
}

/// Some parts do not depend on the operations either.
fn of_any_operation() -> MetricsPatternGenerator {
    of_any_node(&["any"]).expect("the arguments are valid")
}

/// Most parts depend neither on the kind nor on the service; any will do.
fn of_any_node(operations: &[impl AsRef<str>]) -> Result<MetricsPatternGenerator, InvalidArgument> {
    MetricsPatternGenerator::new(Kind::Effect.as_str(), Kind::Effect.as_str(), operations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::business::MetricKind;

    fn generator() -> MetricsPatternGenerator {
        MetricsPatternGenerator::new("effect", "orders", &["place"]).expect("valid")
    }

    fn counter(name: &str, unit: &str) -> BusinessMetric {
        BusinessMetric::new(name, MetricKind::Counter, unit)
    }

    #[test]
    fn errors_say_which_argument_is_wrong() {
        let error = |metrics| {
            generator()
                .business_metrics(metrics)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(vec![counter(" ", "count")]),
            "All business_metrics must be non-empty strings"
        );
        assert_eq!(
            error(vec![counter("a", "")]),
            "business_metrics: the unit of `a` must be a non-empty string"
        );
        assert_eq!(
            error(vec![counter("a b", "x"), counter("a-b", "x")]),
            "business_metrics: `a b` and `a-b` both become the identifier `a_b`"
        );
        assert_eq!(
            "sum".parse::<MetricKind>().unwrap_err().to_string(),
            "Invalid kind 'sum'. Valid options: counter, distribution, gauge"
        );
        let error = |ops, seconds| {
            generator()
                .publish_interval(ops, seconds)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            error(0, 60.0),
            "publish_interval_ops must be a number above 0, not 0"
        );
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(error(1, seconds).starts_with("publish_interval_seconds must be a number"));
        }
    }

    #[test]
    fn all_methods_are_the_parts() {
        let of_any = [
            generate_metrics_initialization(100, 60.0, true).expect("valid"),
            generate_operation_metrics_tracking(&["place"]).expect("valid"),
            generate_resource_metrics_collection(),
            generate_business_metrics_tracking(vec![counter("a", "x")]).expect("valid"),
            generate_metrics_publishing(),
        ];
        let generator = generator().business_metrics(vec![counter("a", "x")]);
        let generator = generator.expect("valid");
        assert_eq!(generator.generate_all_metrics_methods(), of_any.join("\n"));
        let module = generator.generate_complete_metrics_class();
        let decorator = generate_metrics_decorator(&["place"]).expect("valid");
        assert!(
            of_any
                .iter()
                .chain([&decorator])
                .all(|part| module.contains(part))
        );
    }

    #[test]
    fn disabled_events_are_left_out() {
        let generator = generator().include_resource_metrics(false);
        let methods = generator.generate_all_metrics_methods();
        assert!(methods.contains("resources=False"));
        assert!(!methods.contains("_get_resource_metrics"));
        assert!(!methods.contains("_get_business_metrics"));
    }
}
