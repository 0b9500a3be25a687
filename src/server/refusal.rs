//! Answers of the chassis itself, as statuses.

use std::{collections::HashMap, time::Duration};

use axum::{body::Body, response::Response};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// "Not now": how long to wait stands in the details, for people and for clients that read them.
pub(super) fn later(message: &str, wait: Duration, reason: &str) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(wait));
    details.set_error_info(reason, "brine.server", HashMap::new());
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The status as a whole response.
pub(super) fn response(status: Status) -> Response {
    status.into_http::<Body>()
}
