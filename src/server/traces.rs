//! Spans of calls for an OpenTelemetry collector, over OTLP. Behind the feature `otel`, because most servers have no collector
//! and it adds ten crates.

use std::sync::OnceLock;

use axum::http::HeaderMap;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    registry::LookupSpan,
};

use super::Error;

/// What a collector knows this program by.
const SERVICE: &str = "brine";

/// The provider of this process: spans that it holds are sent before the process ends.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// A layer that sends the spans of our own modules to the collector at `endpoint`, in batches, from a thread of its own. It
/// must be made inside an async runtime.
pub(super) fn layer<S>(endpoint: &str) -> Result<impl Layer<S> + Send + Sync + use<S>, Error>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
    let exporter = exporter.map_err(|error| Error::Collector(error.into()))?;
    let resource = Resource::builder().with_service_name(SERVICE).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer(SERVICE);
    PROVIDER.set(provider).map_err(|_| Error::Log)?;
    let ours = Targets::new().with_target(SERVICE, LevelFilter::INFO);
    Ok(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours))
}

/// Makes `span` a child of the caller's, if the call's headers name one as W3C's trace context does.
pub(super) fn adopt(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // Fails only where spans are not sent.
    let _ = span.set_parent(parent);
}

/// Sends what is left.
pub(super) async fn flush() {
    if let Some(provider) = PROVIDER.get() {
        let flushed = tokio::task::spawn_blocking(|| provider.force_flush()).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!("the last spans did not reach the collector: {error}");
        }
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
