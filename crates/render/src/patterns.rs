//! Generators without a contract file: from a kind, a service name and operations.
//!
//! ```
//! use herald_render::patterns::EventPublishingPatternGenerator;
//!
//! let generator = EventPublishingPatternGenerator::new(
//!     "orchestrator",
//!     "orchestrator",
//!     &["orchestration", "routing", "intelligence_query"],
//! )?;
//! let methods = generator.generate_all_event_methods();
//! assert_eq!(methods.matches("async def _publish_").count(), 11);
//! # Ok::<(), herald_render::patterns::InvalidArgument>(())
//! ```
//!
//! The methods are indented for the body of your own class. The imports that they need are returned by
//! [`generate_imports`](EventPublishingPatternGenerator::generate_imports). A complete module is
//! returned by [`generate_event_publishing_methods`].
//!
//! [`MetricsPatternGenerator`] and [`LifecyclePatternGenerator`] generate the other parts of a service in
//! the same way. Their methods belong in the same class, and are thin wrappers around
//! `herald.metrics` and `herald.lifecycle`.

mod arguments;
mod business;
mod error;
mod event_publishing;
mod joined;
mod lifecycle;
mod metrics;
mod parts;
mod service;

pub use business::{BusinessMetric, MetricKind};
pub use error::InvalidArgument;
pub use event_publishing::{
    EventPublishingPatternGenerator, EventTypeCatalog, generate_event_publishing_methods,
    generate_operation_completed_event, generate_operation_failed_event,
    generate_operation_started_event, get_event_type_catalog,
};
pub use joined::join_imports;
pub use lifecycle::{
    LifecyclePatternGenerator, generate_complete_lifecycle_class, generate_helper_methods,
    generate_init_method, generate_runtime_monitoring, generate_shutdown_method,
    generate_startup_method,
};
pub use metrics::{
    MetricsPatternGenerator, generate_business_metrics_tracking, generate_complete_metrics_class,
    generate_metrics_decorator, generate_metrics_initialization, generate_metrics_publishing,
    generate_operation_metrics_tracking, generate_resource_metrics_collection,
};
