//! The metrics of a server. Who counts something names it through the `metrics` facade; this is where the names that the
//! chassis counts are explained, and where Prometheus gets its text from.

use std::{sync::OnceLock, time::Duration};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::Error;

/// Calls that ended, by method and code.
pub(super) const REQUESTS: &str = "brine_grpc_requests_total";
/// How long calls took, by method.
pub(super) const SECONDS: &str = "brine_grpc_request_seconds";
/// Calls that run.
pub(super) const RUNNING: &str = "brine_grpc_calls_running";
/// Bytes of requests, by method.
pub(super) const RECEIVED: &str = "brine_grpc_received_bytes_total";
/// Bytes of responses, by method.
pub(super) const SENT: &str = "brine_grpc_sent_bytes_total";
/// Calls without a good token, by reason.
pub(super) const AUTH_FAILURES: &str = "brine_auth_failures_total";
/// Calls that were turned away, by reason.
pub(super) const SHED: &str = "brine_calls_shed_total";
/// Panics that were caught.
pub(super) const PANICS: &str = "brine_panics_total";

/// How often figures are summed up.
pub(super) const UPKEEP: Duration = Duration::from_secs(5);

/// From a call that only looks something up to a bulk transfer.
const SECONDS_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
];

/// Begins to count in this process, which can only be done once: later calls get the same figures.
pub(super) fn install() -> Result<PrometheusHandle, Error> {
    static INSTALLED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let handle = INSTALLED.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let matcher = Matcher::Suffix("_seconds".to_owned());
        let handle =
            builder.set_buckets_for_metric(matcher, SECONDS_BUCKETS).ok()?.install_recorder().ok()?;
        describe();
        Some(handle)
    });
    handle.clone().ok_or(Error::Metrics)
}

fn describe() {
    describe_counter!(REQUESTS, "Calls that ended, by method and status code.");
    describe_histogram!(SECONDS, Unit::Seconds, "Time from a call's headers to its status, by method.");
    describe_gauge!(RUNNING, "Calls that run.");
    describe_counter!(RECEIVED, Unit::Bytes, "Bytes of request bodies, by method.");
    describe_counter!(SENT, Unit::Bytes, "Bytes of response bodies, by method.");
    describe_counter!(AUTH_FAILURES, "Calls without a good token, by reason.");
    describe_counter!(SHED, "Calls that were turned away because of a bound, by reason.");
    describe_counter!(PANICS, "Panics that were caught.");
    describe_counter!("brine_calls_stalled_total", "Calls that were ended because nobody read the response.");
    describe_counter!("brine_connections_total", "Connections that were accepted.");
    describe_gauge!("brine_connections_open", "Connections that are open.");
    describe_counter!("brine_connections_refused_total", "Connections that were refused, by reason.");
    describe_counter!("brine_connections_cut_total", "Connections that never came to a call, by reason.");
}
