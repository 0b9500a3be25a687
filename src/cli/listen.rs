//! What every subcommand that listens has in common: encryption, tokens, bounds, the admin port, the log.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::builder::FalseyValueParser;

use super::{
    report::{Exit, Failure},
    seconds,
};
use crate::{
    limits::server as limits,
    server::{
        Bound, Config, Error, Patience, TlsFiles, Windows,
        logs::{self, Filter, Format, Settings},
    },
};

/// The options of a listener, but for where it listens.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
pub(super) struct Listen {
    /// Listen where other machines can connect, although nothing is encrypted
    #[arg(long, env = "BRINE_INSECURE", value_parser = FalseyValueParser::new())]
    insecure: bool,
    /// The server's certificate and what signed it, as PEM; read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "BRINE_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, value_name = "FILE", env = "BRINE_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Take only clients with a certificate signed by one of these
    #[arg(long, value_name = "FILE", env = "BRINE_TLS_CLIENT_CA", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Of those, only clients whose certificate holds this host name or address; may be given several times
    #[arg(
        long,
        value_name = "NAME",
        env = "BRINE_TLS_CLIENT_NAME",
        value_delimiter = ',',
        requires = "tls_client_ca"
    )]
    tls_client_name: Vec<String>,
    /// Take only calls with a token of this file: one a line, at most two; read again on SIGHUP
    #[arg(long, value_name = "FILE", env = "BRINE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Serve /metrics, /live and /ready over HTTP here; without a host on loopback
    #[arg(long, value_name = "[HOST:]PORT", env = "BRINE_ADMIN")]
    admin: Option<String>,
    /// How lines of the log look
    #[arg(long, value_enum, env = "BRINE_LOG_FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, also by module, as `info,brine::server=debug` [default: info, or
    /// warn with --quiet]
    #[arg(long, value_name = "FILTER", env = "BRINE_LOG")]
    log: Option<Filter>,
    /// The OpenTelemetry collector that spans of calls are sent to, over gRPC
    #[cfg(feature = "otel")]
    #[arg(long, value_name = "http://HOST:PORT", env = "BRINE_OTLP")]
    otlp: Option<String>,
    /// Calls at a time
    #[arg(long, value_name = "N", env = "BRINE_MAX_CALLS", default_value_t = limits::CALLS_MAX)]
    max_calls: usize,
    /// Calls that one peer may make in a second; 0 for any number
    #[arg(long, value_name = "N", env = "BRINE_RATE", default_value_t = limits::CALLS_PER_SECOND)]
    rate: u32,
    /// Connections at a time
    #[arg(long, value_name = "N", env = "BRINE_CONNECTIONS_MAX", default_value_t = limits::CONNECTIONS_MAX)]
    connections_max: usize,
    /// Calls of a connection that may be cancelled before they were looked at; more end it [default: 20]
    #[arg(long, value_name = "N", env = "BRINE_RESETS_MAX")]
    resets_max: Option<usize>,
    /// Seconds that a call may take
    #[arg(long, value_name = "S", env = "BRINE_DEADLINE_MAX", value_parser = seconds::any, default_value = "21600")]
    deadline_max: Duration,
    /// Seconds from the wish to stop to the end of the last call
    #[arg(long, value_name = "S", env = "BRINE_DRAIN", value_parser = seconds::any, default_value = "25")]
    drain: Duration,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Listen {
    /// Begins to log, and opens the sockets.
    pub(super) async fn bind(self, listen: String, windows: Windows, quiet: bool) -> Result<Bound, Failure> {
        self.start_log(quiet)?;
        self.config(listen, windows).bind().await.map_err(failure)
    }

    fn start_log(&self, quiet: bool) -> Result<(), Failure> {
        let format = match self.log_format {
            LogFormat::Text => Format::Text,
            LogFormat::Json => Format::Json,
        };
        let filter = match &self.log {
            Some(filter) => filter.clone(),
            None => Filter::from(if quiet { tracing::Level::WARN } else { tracing::Level::INFO }),
        };
        let settings = Settings {
            format,
            filter,
            #[cfg(feature = "otel")]
            collector: self.otlp.clone(),
        };
        Ok(logs::init(settings).context("begin the log")?)
    }

    fn config(self, listen: String, windows: Windows) -> Config {
        let tls = self.tls_cert.zip(self.tls_key).map(|(certificate, key)| TlsFiles {
            certificate,
            key,
            client_ca: self.tls_client_ca,
            client_names: self.tls_client_name,
        });
        let mut patience = Patience::default();
        if windows == Windows::Receiving {
            // A stream without a session begins again from nothing: cut because of its age, it would never arrive.
            patience.connection_grace = self.deadline_max;
        }
        Config {
            insecure: self.insecure,
            tls,
            token_file: self.token_file,
            admin: self.admin,
            windows,
            connections_max: self.connections_max,
            calls_max: self.max_calls,
            calls_per_second: self.rate,
            resets_max: self.resets_max,
            deadline_max: self.deadline_max,
            drain: self.drain,
            patience,
            ..Config::new(listen)
        }
    }
}

/// What kind of fault kept the server from starting.
fn failure(error: Error) -> Failure {
    let exit = match &error {
        Error::Contradiction(_) | Error::ClientName(_) | Error::Address { .. } | Error::NotLoopback(_) => {
            Exit::Usage
        }
        Error::File { .. } | Error::Readable { .. } | Error::Content { .. } | Error::Tls { .. } => {
            Exit::Input
        }
        _ => Exit::Failed,
    };
    Failure::new(exit, anyhow::Error::new(error).context("start the server"))
}
