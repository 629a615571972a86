//! Statistics and traces exported through OpenTelemetry.
#![cfg(feature = "opentelemetry")]

use herald_envelope::{Envelope, Origin};
use herald_publish::memory::MemoryCluster;
use herald_publish::{Publisher, PublisherOptions};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

fn cluster() -> MemoryCluster {
    MemoryCluster::new().with_auto_created_topics(1)
}

async fn publish(publisher: &Publisher) {
    let origin = Origin::new("shop", "1.0.0", "test");
    let envelope = origin.envelope("effect.place.completed", "n", serde_json::json!({}));
    publisher.publish_to("t", envelope).await.unwrap();
}

/// The traceparent of the only message: in its header, and in its metadata.
fn traceparent(cluster: &MemoryCluster) -> Option<String> {
    let message = cluster.messages("t").remove(0).message;
    let mut headers = message.headers();
    let header = headers.find(|(name, _)| *name == "traceparent");
    let header = header.map(|(_, value)| String::from_utf8(value.to_vec()).unwrap());
    let envelope = Envelope::parse(message.payload()).unwrap();
    let metadata: serde_json::Value = serde_json::from_str(envelope.metadata.get()).unwrap();
    assert_eq!(
        metadata.get("traceparent").and_then(|text| text.as_str()),
        header.as_deref()
    );
    header
}

#[tokio::test]
async fn propagates_the_trace_of_the_current_tracing_span() {
    let provider = SdkTracerProvider::builder().build();
    let tracer = provider.tracer("test");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let cluster = cluster();
    let publisher = Publisher::open(PublisherOptions::new(cluster.clone())).unwrap();
    let span = tracing::info_span!("placing");
    let context = tracing_opentelemetry::OpenTelemetrySpanExt::context(&span);
    let trace_id = context.span().span_context().trace_id();
    publish(&publisher).instrument(span).await;
    let traceparent = traceparent(&cluster).unwrap();
    assert!(traceparent.contains(&trace_id.to_string()), "{traceparent}");
}

#[tokio::test]
async fn propagates_the_trace_of_the_opentelemetry_context() {
    let provider = SdkTracerProvider::builder().build();
    let tracer = provider.tracer("test");
    let context = opentelemetry::Context::new().with_span(tracer.start("placing"));
    let trace_id = context.span().span_context().trace_id();

    let cluster = cluster();
    let publisher = Publisher::open(PublisherOptions::new(cluster.clone())).unwrap();
    let origin = Origin::new("shop", "1.0.0", "test");
    let message = {
        let _guard = context.attach();
        let envelope = origin.envelope("effect.place.completed", "n", serde_json::json!({}));
        publisher.message_to("t", envelope).unwrap()
    };
    publisher.send(message).await.unwrap();
    let traceparent = traceparent(&cluster).unwrap();
    assert!(traceparent.contains(&trace_id.to_string()), "{traceparent}");
}

#[tokio::test]
async fn adds_no_header_without_a_trace() {
    let cluster = cluster();
    let publisher = Publisher::open(PublisherOptions::new(cluster.clone())).unwrap();
    publish(&publisher).await;
    assert_eq!(traceparent(&cluster), None);
}

#[tokio::test]
async fn exports_statistics_and_latencies_to_a_meter() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    let publisher = Publisher::open(PublisherOptions::new(cluster())).unwrap();
    publisher.observe(&provider.meter("herald"), &[]);
    for _ in 0..3 {
        publish(&publisher).await;
    }
    provider.force_flush().unwrap();
    let collected = exporter.get_finished_metrics().unwrap();
    let metric = |wanted: &str| {
        let metrics = collected.iter().flat_map(ResourceMetrics::scope_metrics);
        let mut metrics = metrics.flat_map(ScopeMetrics::metrics);
        metrics
            .find(|metric| metric.name() == wanted)
            .unwrap()
            .data()
    };
    let AggregatedMetrics::U64(MetricData::Sum(delivered)) = metric("herald.events.delivered")
    else {
        panic!("it is a counter");
    };
    assert_eq!(delivered.data_points().next().unwrap().value(), 3);
    let AggregatedMetrics::F64(MetricData::Histogram(times)) =
        metric("messaging.client.operation.duration")
    else {
        panic!("it is a histogram");
    };
    assert_eq!(times.data_points().next().unwrap().count(), 3);
}
