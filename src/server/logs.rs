//! The log: one line an event on stderr, as text or as JSON, by target and level.
//!
//! Text is `[2025-12-11 16:48:29] INFO [server] - message key=value`, with times in UTC and the module for the logger.

use std::{fmt, io, str::FromStr};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use super::Error;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or several with the modules they are for, as
/// in `info,brine::server=debug`.
#[derive(Debug, Clone)]
pub struct Filter(Targets);

/// A filter that says nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither a level (error, warn, info, debug, trace, off) nor MODULE=LEVEL")]
pub struct NoFilter(String);

impl FromStr for Filter {
    type Err = NoFilter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Alone, a name would mean everything of a module; it is more often a level that was misspelt.
        let part = |part: &str| {
            let (_, level) = part.split_once('=').unwrap_or(("", part));
            // Nothing would be taken for `error`.
            let known = !level.is_empty() && level.parse::<LevelFilter>().is_ok();
            if known { Ok(()) } else { Err(NoFilter(part.to_owned())) }
        };
        text.split(',').try_for_each(part)?;
        text.parse().map(Self).map_err(|_| NoFilter(text.to_owned()))
    }
}

impl From<tracing::Level> for Filter {
    fn from(level: tracing::Level) -> Self {
        Self(Targets::new().with_default(level))
    }
}

/// What is logged, how, and who else is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How lines look.
    pub format: Format,
    /// What is logged.
    pub filter: Filter,
    /// The collector that spans of calls are sent to, such as `http://localhost:4317`.
    #[cfg(feature = "otel")]
    pub collector: Option<String>,
}

/// Begins to log in this process; inside an async runtime if there is a collector.
pub fn init(settings: Settings) -> Result<(), Error> {
    let Settings { format, filter, .. } = settings;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        Format::Text => lines.event_format(Line).boxed(),
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter.0));
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(settings.collector.as_deref().map(super::traces::layer).transpose()?);
    subscriber.try_init().map_err(|_| Error::Log)
}

/// One event as text.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (level, target) = (event.metadata().level(), logger(event.metadata().target()));
        write!(writer, "[{}] {level} [{target}] - ", now()?)?;
        context.format_fields(writer.by_ref(), event)?;
        if let Some(span) = context.lookup_current()
            && let Some(fields) = span.extensions().get::<FormattedFields<N>>()
            && !fields.is_empty()
        {
            write!(writer, " {fields}")?;
        }
        writeln!(writer)
    }
}

/// The time to the second.
fn now() -> Result<String, fmt::Error> {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    time.truncate("2025-12-11T16:48:29".len());
    Ok(time.replace('T', " "))
}

/// The module of ours that an event comes from, or the crate of others.
fn logger(target: &str) -> &str {
    let inside = target.strip_prefix("brine::").unwrap_or(target);
    inside.split("::").next().unwrap_or(inside)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_time_level_logger_and_message() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt::layer().event_format(Line).with_ansi(false);
        let lines = lines.with_writer(move || writer.clone());
        let filter: Filter = "info,brine::store=off".parse().unwrap();
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter.0));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "brine::server::bound", port = 50051, "started");
            tracing::debug!(target: "brine::server", "unseen");
            tracing::error!(target: "brine::store::parquet", "unseen");
            let span = tracing::info_span!("call", request_id = "r-1");
            span.in_scope(|| tracing::error!(target: "h2", "failed"));
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        let (time, rest) = lines[0].split_at("[2025-12-11 16:48:29] ".len());
        assert_eq!(rest, "INFO [server] - started port=50051");
        let shape = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
        assert_eq!(time.chars().map(shape).collect::<String>(), "[0000-00-00 00:00:00] ");
        assert!(lines[1].ends_with(r#"ERROR [h2] - failed request_id="r-1""#), "{text}");
    }

    #[test]
    fn a_filter_that_says_nothing_is_refused() {
        assert!("loud".parse::<Filter>().is_err());
        assert!("brine::server=loud".parse::<Filter>().is_err());
        assert!("".parse::<Filter>().is_err());
    }
}
