//! The generators of metrics and lifecycles.

use herald_render::patterns::{
    LifecyclePart, LifecyclePatternGenerator, MetricsPart, MetricsPatternGenerator,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::{arguments, refused};

/// Generates what counts and times one node.
#[pyclass(frozen, module = "herald._herald")]
pub struct MetricsPattern(MetricsPatternGenerator);

#[pymethods]
impl MetricsPattern {
    #[new]
    fn new(
        node_type: &Bound<'_, PyAny>,
        service_name: &Bound<'_, PyAny>,
        operations: &Bound<'_, PyAny>,
        business_metrics: &Bound<'_, PyAny>,
        include_resource_metrics: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (node_type, service_name) = arguments::names(node_type, service_name)?;
        let operations = arguments::operations(operations)?;
        let metrics = arguments::business_metrics(business_metrics)?;
        let resources = arguments::boolean(include_resource_metrics, "include_resource_metrics")?;
        MetricsPatternGenerator::new(&node_type, &service_name, &operations, &metrics, resources)
            .map(Self)
            .map_err(refused)
    }

    /// One part of the code.
    fn part(&self, name: &str) -> PyResult<String> {
        let part = MetricsPart::from_name(name).ok_or_else(|| unknown(name))?;
        Ok(self.0.generate(part))
    }
}

/// Generates what starts and stops one node.
#[pyclass(frozen, module = "herald._herald")]
pub struct LifecyclePattern(LifecyclePatternGenerator);

#[pymethods]
impl LifecyclePattern {
    #[new]
    fn new(
        node_type: &Bound<'_, PyAny>,
        service_name: &Bound<'_, PyAny>,
        dependencies: &Bound<'_, PyAny>,
        background_tasks: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (node_type, service_name) = arguments::names(node_type, service_name)?;
        let names = |values, parameter: &str| {
            let rule = format!("{parameter} must be non-empty strings");
            arguments::list_of_texts(values, parameter, rule)
        };
        let dependencies = names(dependencies, "dependencies")?;
        let tasks = names(background_tasks, "background_tasks")?;
        LifecyclePatternGenerator::new(&node_type, &service_name, &dependencies, &tasks)
            .map(Self)
            .map_err(refused)
    }

    /// One part of the code.
    fn part(&self, name: &str) -> PyResult<String> {
        let part = LifecyclePart::from_name(name).ok_or_else(|| unknown(name))?;
        Ok(self.0.generate(part))
    }
}

fn unknown(name: &str) -> PyErr {
    PyValueError::new_err(format!("there is no part {name}"))
}
