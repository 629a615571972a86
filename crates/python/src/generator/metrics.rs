//! Native part of `herald.codegen.patterns.metrics`.

use herald_render::patterns::{BusinessMetric, InvalidArgument, MetricsPatternGenerator};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::arguments::{boolean, count, list, number, operations, text, type_name};
use super::value_error;

/// Generator of the methods that measure a node.
#[pyclass(frozen, module = "herald._herald")]
pub struct MetricsGenerator(MetricsPatternGenerator);

#[pymethods]
impl MetricsGenerator {
    #[new]
    fn new(
        node_type: &Bound<'_, PyAny>,
        service_name: &Bound<'_, PyAny>,
        operations: &Bound<'_, PyAny>,
        business_metrics: &Bound<'_, PyAny>,
        publish_interval_ops: &Bound<'_, PyAny>,
        publish_interval_seconds: &Bound<'_, PyAny>,
        include_resource_metrics: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let generator = MetricsPatternGenerator::new(
            &text(node_type, &InvalidArgument::EmptyNodeType)?,
            &text(service_name, &InvalidArgument::EmptyServiceName)?,
            &self::operations(operations)?,
        )
        .map_err(value_error)?
        .business_metrics(self::business_metrics(business_metrics)?)
        .map_err(value_error)?
        .publish_interval(
            count(publish_interval_ops, "publish_interval_ops")?,
            number(publish_interval_seconds, "publish_interval_seconds")?,
        )
        .map_err(value_error)?
        .include_resource_metrics(boolean(
            include_resource_metrics,
            "include_resource_metrics",
        )?);
        Ok(Self(generator))
    }

    /// Imports for the module that contains the methods.
    fn imports(&self) -> String {
        self.0.generate_imports()
    }

    /// All methods of the class.
    fn all_methods(&self) -> String {
        self.0.generate_all_metrics_methods()
    }

    /// Complete module.
    fn module(&self) -> String {
        self.0.generate_complete_metrics_class()
    }

    /// Method that creates `node_metrics`.
    fn initialization(&self) -> String {
        self.0.generate_metrics_initialization()
    }

    /// Methods that measure operations.
    fn operations(&self) -> String {
        self.0.generate_operation_metrics_tracking()
    }

    /// Methods that measure the process.
    fn resources(&self) -> String {
        self.0.generate_resource_metrics_collection()
    }

    /// Method for each business metric.
    fn business(&self) -> String {
        self.0.generate_business_metrics_tracking()
    }

    /// Methods that publish metrics.
    fn publishing(&self) -> String {
        self.0.generate_metrics_publishing()
    }

    /// Decorator for methods.
    fn decorator(&self) -> String {
        self.0.generate_metrics_decorator()
    }
}

fn business_metrics(values: &Bound<'_, PyAny>) -> PyResult<Vec<BusinessMetric>> {
    let values = list(values, "business_metrics", "BusinessMetric")?;
    values.iter().map(|value| business_metric(&value)).collect()
}

fn business_metric(value: &Bound<'_, PyAny>) -> PyResult<BusinessMetric> {
    let (Ok(name), Ok(kind), Ok(unit)) = (
        value.getattr("name"),
        value.getattr("kind"),
        value.getattr("unit"),
    ) else {
        return Err(PyTypeError::new_err(format!(
            "business_metrics must be a list of BusinessMetric; got one with {}",
            type_name(value)
        )));
    };
    let name = text(&name, InvalidArgument::EmptyItem("business_metrics"))?;
    let kind = text(&kind, InvalidArgument::UnknownMetricKind(String::new()))?;
    Ok(BusinessMetric {
        unit: text(&unit, InvalidArgument::EmptyUnit(name.clone()))?,
        kind: kind.parse().map_err(value_error)?,
        name,
    })
}
