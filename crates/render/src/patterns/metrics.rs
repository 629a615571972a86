//! What counts and times a node, in parts.

use herald_catalog::Node;
use herald_catalog::category::METRIC_EVENTS;
use serde::Serialize;

use crate::patterns::parts::{Announced, identifiers, print, sentence};
use crate::patterns::{InvalidArgument, build_node, parse_kind};
use crate::python::layout::call;
use crate::python::names::class_name;
use crate::python::text::escape;

/// What a business metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A sum that grows.
    Counter,
    /// A value of now.
    Gauge,
    /// Values whose percentiles count.
    Distribution,
}

impl MetricKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Counter, Self::Gauge, Self::Distribution];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Distribution => "distribution",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What the node does with it: the verb of the method, the method of the instrument, and what
    /// it is given.
    fn verb(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Counter => ("count", "add", "amount: float = 1"),
            Self::Gauge => ("set", "set", "value: float"),
            Self::Distribution => ("record", "record", "value: float"),
        }
    }
}

/// A figure of the node's own field of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessMetric {
    /// Its name on the wire, such as `order.total`.
    pub name: String,
    /// Unit of its values, such as `EUR`.
    pub unit: String,
    /// What it is.
    pub kind: MetricKind,
}

/// A part of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsPart {
    /// What belongs at the top of the module.
    Imports,
    /// The method that makes what counts.
    Initialization,
    /// A method for each operation, whose result is a scope.
    OperationTracking,
    /// The method that reads memory, processor, files and connections.
    ResourceMetrics,
    /// A method for each business metric.
    BusinessMetrics,
    /// The methods that begin, hasten and end publishing.
    Publishing,
    /// A decorator for each operation, for the top of the module.
    Decorator,
    /// All methods.
    Methods,
    /// A module that runs as it is.
    Complete,
}

impl MetricsPart {
    /// All of them, and what each is called.
    pub const ALL: [(&'static str, Self); 9] = [
        ("imports", Self::Imports),
        ("initialization", Self::Initialization),
        ("operation_tracking", Self::OperationTracking),
        ("resource_metrics", Self::ResourceMetrics),
        ("business_metrics", Self::BusinessMetrics),
        ("publishing", Self::Publishing),
        ("decorator", Self::Decorator),
        ("methods", Self::Methods),
        ("complete", Self::Complete),
    ];

    /// The part with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(known, part)| (known == name).then_some(part))
    }

    fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        let found = all.find_map(|(name, part)| (part == self).then_some(name));
        found.expect("every part has a name")
    }
}

/// Generates what counts and times one node, over `herald.metrics` of the Python package.
///
/// ```
/// use herald_render::patterns::{MetricsPart, MetricsPatternGenerator};
///
/// let generator = MetricsPatternGenerator::new("effect", "orders", &["place"], &[], true)?;
/// assert!(generator.generate(MetricsPart::OperationTracking).contains("def _track_place("));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
#[derive(Debug)]
pub struct MetricsPatternGenerator {
    view: MetricsView,
}

impl MetricsPatternGenerator {
    /// A generator for the figures of `operations` and `business_metrics`.
    ///
    /// # Errors
    /// As [`EventPublishingPatternGenerator::new`](super::EventPublishingPatternGenerator::new),
    /// and when a name has more than 50 characters, becomes no identifier, or that of another.
    pub fn new(
        node_type: &str,
        service_name: &str,
        operations: &[impl AsRef<str>],
        business_metrics: &[BusinessMetric],
        include_resource_metrics: bool,
    ) -> Result<Self, InvalidArgument> {
        let operations: Vec<_> = operations.iter().map(|o| o.as_ref().to_owned()).collect();
        let node = build_node(parse_kind(node_type)?, service_name, &operations)?;
        identifiers("service_name", [service_name])?;
        identifiers("operations", operations.iter().map(String::as_str))?;
        let names = business_metrics.iter().map(|metric| &*metric.name);
        let idents = identifiers("business_metrics", names)?;
        let metrics = business_metrics.iter().zip(&idents);
        Ok(Self {
            view: MetricsView {
                class_name: class_name(service_name, "Node") + "Metrics",
                class_summary: sentence(&format!("Counts and times the node `{service_name}`."), 4),
                module_summary: sentence(&format!("Metrics of the node `{service_name}`."), 0),
                node_type: node.kind.map_or("", herald_catalog::kind::Kind::name),
                service_name: escape(service_name),
                recorded: Announced::of(&node, &METRIC_EVENTS),
                resources: if include_resource_metrics {
                    "True"
                } else {
                    "False"
                },
                include_resources: include_resource_metrics,
                operations: operation_views(&node),
                business: metrics
                    .map(|(metric, ident)| business_view(metric, ident))
                    .collect(),
            },
        })
    }

    /// One part of the code.
    pub fn generate(&self, part: MetricsPart) -> String {
        print("patterns/metrics.py", &self.view, part.name())
    }
}

#[derive(Debug, Serialize)]
struct MetricsView {
    class_name: String,
    class_summary: String,
    module_summary: String,
    node_type: &'static str,
    service_name: String,
    recorded: Announced,
    resources: &'static str,
    include_resources: bool,
    operations: Vec<OperationView>,
    business: Vec<BusinessView>,
}

#[derive(Debug, Serialize)]
struct OperationView {
    signature: String,
    summary: String,
    body: String,
    decorator: String,
}

#[derive(Debug, Serialize)]
struct BusinessView {
    made: String,
    signature: String,
    summary: String,
    body: String,
}

fn operation_views(node: &Node) -> Vec<OperationView> {
    let of_one = |operation: &herald_catalog::Operation| {
        let (ident, name) = (&operation.ident, format!("\"{}\"", escape(&operation.name)));
        let scope = " -> AbstractContextManager[object]:";
        OperationView {
            signature: call(
                4,
                &format!("def _track_{ident}"),
                &["self".to_owned()],
                scope,
            ),
            summary: sentence(
                &format!("Count and time a run of `{}`, for `with`.", operation.name),
                8,
            ),
            body: call(
                8,
                "return self.metrics.track",
                std::slice::from_ref(&name),
                "",
            ),
            decorator: call(0, &format!("measure_{ident} = measure"), &[name], ""),
        }
    };
    node.operations.iter().map(of_one).collect()
}

fn business_view(metric: &BusinessMetric, ident: &str) -> BusinessView {
    let (verb, method, argument) = metric.kind.verb();
    let given = argument.split(':').next().unwrap_or_default();
    let kind = metric.kind.name();
    let made = [
        format!("\"{}\"", escape(&metric.name)),
        format!("unit=\"{}\"", escape(&metric.unit)),
    ];
    let arguments = ["self".to_owned(), argument.to_owned()];
    let said = format!("The {kind} `{}`, in `{}`.", metric.name, metric.unit);
    BusinessView {
        made: call(
            8,
            &format!("self._{ident}_metric = self.metrics.{kind}"),
            &made,
            "",
        ),
        signature: call(4, &format!("def _{verb}_{ident}"), &arguments, " -> None:"),
        summary: sentence(&said, 8),
        body: format!("self._{ident}_metric.{method}({given})"),
    }
}
