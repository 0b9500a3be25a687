//! Deadlines hold for the whole of a call, its last message too.

use std::{future::Future as _, pin::Pin, task::Context, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::Status;

use super::body::{Polled, Watch, ask, ended, watched};
use crate::server::{health, refusal};

const HEADER: &str = "grpc-timeout";

pub(super) async fn keep(State(server): State<Duration>, request: Request, next: Next) -> Response {
    let client = wanted(request.headers());
    // Whoever watches health does so for as long as it likes.
    let server = (!request.uri().path().starts_with(health::PATH)).then_some(server);
    let Some(time) = client.into_iter().chain(server).min() else { return next.run(request).await };
    let end = Instant::now() + time;
    let exceeded = Status::deadline_exceeded(if client == Some(time) {
        "the deadline of the call was exceeded"
    } else {
        "the call took longer than this server permits"
    });
    match timeout_at(end, next.run(request)).await {
        Ok(response) => watched(response, Until { end: Box::pin(sleep_until(end)), exceeded }),
        Err(_) => refusal::response(exceeded),
    }
}

struct Until {
    end: Pin<Box<Sleep>>,
    exceeded: Status,
}

impl Watch for Until {
    fn poll(&mut self, inner: &mut Body, context: &mut Context<'_>) -> Polled {
        if self.end.as_mut().poll(context).is_ready() {
            return ended(&self.exceeded);
        }
        ask(inner, context)
    }
}

/// The client's time, if it sent one that can be read: at most eight digits and a unit.
fn wanted(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let unit = text.chars().last()?;
    let digits = &text[..text.len() - unit.len_utf8()];
    let well_formed = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let amount: u64 = well_formed.then(|| digits.parse().ok())??;
    Some(match unit {
        'H' => Duration::from_secs(amount * 60 * 60),
        'M' => Duration::from_secs(amount * 60),
        'S' => Duration::from_secs(amount),
        'm' => Duration::from_millis(amount),
        'u' => Duration::from_micros(amount),
        'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_unit_and_nonsense_is_none() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, text.parse().unwrap());
            wanted(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_hours(2)));
        assert_eq!(read("99999999M"), Some(Duration::from_mins(99_999_999)));
        assert_eq!(read("1S"), Some(Duration::from_secs(1)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("3u"), Some(Duration::from_micros(3)));
        assert_eq!(read("4n"), Some(Duration::from_nanos(4)));
        for text in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1 S", "1.5S"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(wanted(&HeaderMap::new()), None);
    }
}
