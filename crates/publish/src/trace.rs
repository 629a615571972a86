//! Trace context of the current span.

use herald_envelope::TraceParent;

/// Returns the trace context of the current span, of `tracing` or of OpenTelemetry.
#[cfg(feature = "opentelemetry")]
pub(crate) fn current() -> Option<TraceParent> {
    use opentelemetry::trace::TraceContextExt;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let of_tracing = tracing::Span::current().context();
    let of_opentelemetry = opentelemetry::Context::current();
    [of_tracing, of_opentelemetry].iter().find_map(|context| {
        let span = context.span();
        let span = span.span_context();
        TraceParent::new(
            span.trace_id().to_bytes(),
            span.span_id().to_bytes(),
            span.trace_flags().to_u8(),
        )
        .ok()
    })
}

#[cfg(not(feature = "opentelemetry"))]
pub(crate) fn current() -> Option<TraceParent> {
    None
}
