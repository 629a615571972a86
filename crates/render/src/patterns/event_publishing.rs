//! The report's generator: methods that publish the events of a node, each self-contained, so that it can
//! be pasted into any class. Its output is frozen: tests of other projects look for its lines.

mod catalog;
mod method;
mod module;

pub use catalog::EventTypeCatalog;

use herald_catalog::Node;
use herald_catalog::category::{
    Category, METRIC_EVENTS, OPERATION_COMPLETED, OPERATION_FAILED, OPERATION_LIFECYCLE,
    OPERATION_STARTED, STATE_EVENTS, Stage,
};
use herald_catalog::kind::Kind;

use crate::patterns::InvalidArgument;
use crate::patterns::arguments::{build_node, owned, parse_kind};
use crate::patterns::event_publishing::module::PatternModule;

/// Generator of the publishing methods of one node.
///
/// State and metric events are included unless they are switched off.
#[derive(Debug)]
pub struct EventPublishingPatternGenerator {
    kind: Kind,
    service_name: String,
    operations: Vec<String>,
    include_state_events: bool,
    include_metric_events: bool,
    /// With all events; disabled ones are skipped when methods are generated.
    node: Node,
    module: PatternModule,
}

impl EventPublishingPatternGenerator {
    /// Creates a generator for the events of `operations`. `node_type` is `effect`, `compute`,
    /// `reducer` or `orchestrator`, in any case.
    ///
    /// # Errors
    /// When an argument is missing or unknown, when two operations become one identifier, and
    /// when a name cannot stand in a Kafka topic.
    ///
    /// ```
    /// use herald_render::patterns::EventPublishingPatternGenerator;
    ///
    /// let error = EventPublishingPatternGenerator::new("orchestratr", "orders", &["place"]);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "Invalid node_type 'orchestratr'. \
    ///      Valid options: compute, effect, orchestrator, reducer",
    /// );
    /// ```
    pub fn new(
        node_type: &str,
        service_name: &str,
        operations: &[impl AsRef<str>],
    ) -> Result<Self, InvalidArgument> {
        let kind = parse_kind(node_type)?;
        let operations = owned(operations);
        let node = build_node(kind, service_name, &operations)?;
        Ok(Self {
            kind,
            service_name: service_name.to_owned(),
            operations,
            include_state_events: true,
            include_metric_events: true,
            module: PatternModule::new(&node),
            node,
        })
    }

    /// Sets whether there is an event for changes of the node's state. True by default.
    #[must_use]
    pub fn include_state_events(mut self, include: bool) -> Self {
        self.include_state_events = include;
        self
    }

    /// Sets whether there is an event for metrics. True by default.
    #[must_use]
    pub fn include_metric_events(mut self, include: bool) -> Self {
        self.include_metric_events = include;
        self
    }

    /// The kind of the node.
    pub fn node_type(&self) -> Kind {
        self.kind
    }

    /// The service in topics.
    pub fn service_name(&self) -> &str {
        &self.service_name
    }

    /// The operations, as they were given.
    pub fn operations(&self) -> &[String] {
        &self.operations
    }

    /// Whether state events are included.
    pub fn includes_state_events(&self) -> bool {
        self.include_state_events
    }

    /// Whether metric events are included.
    pub fn includes_metric_events(&self) -> bool {
        self.include_metric_events
    }

    /// Returns the beginning of the module of the methods: imports, with fallbacks if `omnibase_core` is
    /// not installed, and the functions that the methods call.
    pub fn generate_imports(&self) -> String {
        self.module.imports()
    }

    /// Generates the methods of all events, indented for the body of a class.
    pub fn generate_all_event_methods(&self) -> String {
        let is_included = |index| self.includes(index);
        self.module.methods(is_included)
    }

    /// Generates the method for the start of an operation, which need not be one of
    /// [`operations`](Self::operations).
    ///
    /// # Errors
    /// If [`new`](Self::new) would reject the operation.
    pub fn generate_operation_started_event(
        &self,
        operation: &str,
    ) -> Result<String, InvalidArgument> {
        self.lifecycle_event(operation, &OPERATION_STARTED)
    }

    /// Generates the method for the completion of an operation.
    ///
    /// # Errors
    /// If [`new`](Self::new) would reject the operation.
    pub fn generate_operation_completed_event(
        &self,
        operation: &str,
    ) -> Result<String, InvalidArgument> {
        self.lifecycle_event(operation, &OPERATION_COMPLETED)
    }

    /// Generates the method for the failure of an operation.
    ///
    /// # Errors
    /// If [`new`](Self::new) would reject the operation.
    pub fn generate_operation_failed_event(
        &self,
        operation: &str,
    ) -> Result<String, InvalidArgument> {
        self.lifecycle_event(operation, &OPERATION_FAILED)
    }

    /// Generates the method for a state change, also if such events are not included.
    pub fn generate_state_changed_event(&self) -> String {
        self.node_event(&STATE_EVENTS)
    }

    /// Generates the method for a metric, also if such events are not included.
    pub fn generate_metric_recorded_event(&self) -> String {
        self.node_event(&METRIC_EVENTS)
    }

    /// Returns the event types by category.
    ///
    /// ```
    /// use herald_render::patterns::EventPublishingPatternGenerator;
    ///
    /// let generator =
    ///     EventPublishingPatternGenerator::new("reducer", "reducer", &["aggregation"])?;
    /// let catalog = generator.include_metric_events(false).get_event_type_catalog();
    /// assert_eq!(
    ///     catalog.get("operation_lifecycle").unwrap(),
    ///     [
    ///         "reducer.aggregation.started",
    ///         "reducer.aggregation.completed",
    ///         "reducer.aggregation.failed",
    ///     ],
    /// );
    /// assert_eq!(catalog.get("state_events").unwrap(), ["reducer.state.changed"]);
    /// assert!(catalog.get("metric_events").unwrap().is_empty());
    /// # Ok::<(), herald_render::patterns::InvalidArgument>(())
    /// ```
    pub fn get_event_type_catalog(&self) -> EventTypeCatalog {
        let event_types = |category: &'static Category| {
            (self.node.events.iter().enumerate())
                .filter(|(index, event)| event.category == category && self.includes(*index))
                .map(|(_, event)| event.event_type.clone())
                .collect()
        };
        EventTypeCatalog(
            GENERATED
                .map(|category| (category.key, event_types(category)))
                .to_vec(),
        )
    }

    fn lifecycle_event(&self, operation: &str, stage: &Stage) -> Result<String, InvalidArgument> {
        if self.operations.iter().any(|known| known == operation) {
            return Ok(method_of(&self.node, &self.module, stage, operation));
        }
        let operations = [operation.to_owned()];
        let node = build_node(self.kind, &self.service_name, &operations)?;
        Ok(method_of(
            &node,
            &PatternModule::new(&node),
            stage,
            operation,
        ))
    }

    fn node_event(&self, category: &'static Category) -> String {
        let mut events = self.node.events.iter();
        let index = events.position(|event| event.category == category);
        let index = index.expect("a node has all events");
        self.module.method(index)
    }

    /// Returns whether the event with this index is included.
    fn includes(&self, index: usize) -> bool {
        let category = self.node.events[index].category;
        (self.include_state_events || category != &STATE_EVENTS)
            && (self.include_metric_events || category != &METRIC_EVENTS)
    }
}

/// The categories that are generated from a kind and its operations.
static GENERATED: [&Category; 3] = [&OPERATION_LIFECYCLE, &STATE_EVENTS, &METRIC_EVENTS];

/// Generates a complete module: imports, and a class with the methods of all events.
///
/// # Errors
/// See [`EventPublishingPatternGenerator::new`].
///
/// ```
/// use herald_render::patterns::generate_event_publishing_methods;
///
/// let operations = ["aggregation", "state_snapshot"];
/// let code = generate_event_publishing_methods("reducer", "reducer", &operations, true, true)?;
/// assert_eq!(code.matches("async def _publish_").count(), 8);
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
pub fn generate_event_publishing_methods(
    node_type: &str,
    service_name: &str,
    operations: &[impl AsRef<str>],
    include_state_events: bool,
    include_metric_events: bool,
) -> Result<String, InvalidArgument> {
    let generator = EventPublishingPatternGenerator::new(node_type, service_name, operations)?
        .include_state_events(include_state_events)
        .include_metric_events(include_metric_events);
    Ok((generator.module).standalone(|index| generator.includes(index)))
}

/// Generates the method for the start of an operation of any service.
///
/// The kind is the service's name if that is a kind, else `effect`.
///
/// # Errors
/// See [`EventPublishingPatternGenerator::new`].
///
/// ```
/// use herald_render::patterns::generate_operation_started_event;
///
/// let code = generate_operation_started_event("billing", "charge")?;
/// assert!(code.contains(r#"event_type="effect.charge.started""#));
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
pub fn generate_operation_started_event(
    service_name: &str,
    operation: &str,
) -> Result<String, InvalidArgument> {
    of_service(service_name, operation)?.generate_operation_started_event(operation)
}

/// Generates the method for the completion of an operation of any service; see
/// [`generate_operation_started_event`].
///
/// # Errors
/// See [`EventPublishingPatternGenerator::new`].
pub fn generate_operation_completed_event(
    service_name: &str,
    operation: &str,
) -> Result<String, InvalidArgument> {
    of_service(service_name, operation)?.generate_operation_completed_event(operation)
}

/// Generates the method for the failure of an operation of any service; see
/// [`generate_operation_started_event`].
///
/// # Errors
/// See [`EventPublishingPatternGenerator::new`].
pub fn generate_operation_failed_event(
    service_name: &str,
    operation: &str,
) -> Result<String, InvalidArgument> {
    of_service(service_name, operation)?.generate_operation_failed_event(operation)
}

/// Returns the event types of a node by category.
///
/// # Errors
/// See [`EventPublishingPatternGenerator::new`].
///
/// ```
/// use herald_render::patterns::get_event_type_catalog;
///
/// let catalog = get_event_type_catalog("effect", &["process"], true, true)?;
/// assert_eq!(catalog.total(), 5);
/// # Ok::<(), herald_render::patterns::InvalidArgument>(())
/// ```
pub fn get_event_type_catalog(
    node_type: &str,
    operations: &[impl AsRef<str>],
    include_state_events: bool,
    include_metric_events: bool,
) -> Result<EventTypeCatalog, InvalidArgument> {
    // Event types don't depend on the service; every kind is a valid name for one.
    let generator = EventPublishingPatternGenerator::new(node_type, node_type, operations)?
        .include_state_events(include_state_events)
        .include_metric_events(include_metric_events);
    Ok(generator.get_event_type_catalog())
}

fn of_service(
    service_name: &str,
    operation: &str,
) -> Result<EventPublishingPatternGenerator, InvalidArgument> {
    let kind = service_name.parse().unwrap_or(Kind::Effect);
    EventPublishingPatternGenerator::new(kind.as_str(), service_name, &[operation])
}

fn method_of(node: &Node, module: &PatternModule, stage: &Stage, operation: &str) -> String {
    let index = node.events.iter().position(|event| {
        event.stage == Some(stage)
            && event
                .operation
                .is_some_and(|index| node.operations[index].name == operation)
    });
    let index = index.expect("every operation has every stage of its life");
    module.method(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(node_type: &str, service_name: &str, operations: &[&str]) -> String {
        EventPublishingPatternGenerator::new(node_type, service_name, operations)
            .expect_err("an argument is wrong")
            .to_string()
    }

    #[test]
    fn errors_say_which_argument_is_wrong() {
        assert!(error(" ", "s", &["a"]).contains("node_type must be a non-empty string"));
        let unknown = error("query", "s", &["a"]);
        assert!(unknown.contains("Invalid node_type 'query'"));
        assert!(unknown.contains("Valid options: compute, effect, orchestrator, reducer"));
        assert!(error("effect", "", &["a"]).contains("service_name must be a non-empty string"));
        assert!(
            error("effect", "s", &[]).contains("operations must contain at least one operation")
        );
        assert!(
            error("effect", "s", &["a", ""]).contains("All operations must be non-empty strings")
        );
    }

    #[test]
    fn rejects_names_that_are_not_valid_in_topics() {
        let error = EventPublishingPatternGenerator::new("effect", "s", &["a b"]);
        assert!(matches!(error, Err(InvalidArgument::Names(_))));
    }

    #[test]
    fn a_single_method_is_the_one_among_all() {
        let generator =
            EventPublishingPatternGenerator::new("effect", "s", &["process"]).expect("valid");
        let all = generator.generate_all_event_methods();
        let single = [
            generator
                .generate_operation_started_event("process")
                .expect("valid"),
            generator
                .generate_operation_completed_event("process")
                .expect("valid"),
            generator
                .generate_operation_failed_event("process")
                .expect("valid"),
            generator.generate_state_changed_event(),
            generator.generate_metric_recorded_event(),
        ];
        assert_eq!(single.join("\n"), all);
    }

    #[test]
    fn an_operation_need_not_be_one_of_the_generators() {
        let generator =
            EventPublishingPatternGenerator::new("effect", "s", &["process"]).expect("valid");
        let code = generator
            .generate_operation_failed_event("other")
            .expect("valid");
        assert!(code.contains("async def _publish_other_failed_event("));
    }

    #[test]
    fn single_events_work_for_any_service() {
        for (service, event_type) in [
            ("reducer", "reducer.fold.completed"),
            ("billing", "effect.fold.completed"),
        ] {
            let code = generate_operation_completed_event(service, "fold").expect("valid");
            assert!(code.contains(event_type), "{code}");
        }
        assert!(generate_operation_failed_event("billing", "fold").is_ok());
    }

    #[test]
    fn disabled_events_are_left_out() {
        let generator = EventPublishingPatternGenerator::new("effect", "s", &["process"])
            .expect("valid")
            .include_state_events(false)
            .include_metric_events(false);
        assert!(!generator.includes_state_events() && !generator.includes_metric_events());
        let methods = generator.generate_all_event_methods();
        assert_eq!(methods.matches("async def _publish_").count(), 3);
        assert_eq!(generator.get_event_type_catalog().total(), 3);
    }
}
