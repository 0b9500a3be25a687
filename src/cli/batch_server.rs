//! `brine batch-server`: the reference Batch Server.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use serde_json::json;

use super::{
    listen::Listen,
    report::{Exit, Failure, Output},
    runtime,
};
use crate::{
    limits::wire::{ChunkLimits, RECEIVE_BYTES_MAX, RECEIVE_ROWS_MAX},
    server::{Drained, Windows, shutdown_signal},
    service::{self, ingest::Ingest},
    store::{Discard, ParquetStore, Store},
};

const EXAMPLES: &str = "\
Examples:
  brine batch-server --store received
  brine batch-server --discard --listen localhost:0
  brine batch-server --store received --listen 0.0.0.0:50052 --token-file tokens \\
    --tls-cert server.pem --tls-key server.key --admin 9090

Each finished stream is merged by key into the table of its domain, STORE/<domain>, and published as its next version.
A stream that breaks off leaves nothing; the same stream again changes nothing.

Exit codes: 0 stopped after a signal, 1 failed, 2 wrong usage, 3 a file of certificates or tokens refused";

/// Receive data sets into a store.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    sink: Sink,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", env = "BRINE_LISTEN", default_value = "localhost:50052")]
    listen: String,
    /// Bytes of a message at most
    #[arg(long, value_name = "BYTES", env = "BRINE_MAX_MESSAGE", default_value_t = RECEIVE_BYTES_MAX)]
    max_message: usize,
    /// Rows of a message at most
    #[arg(long, value_name = "N", env = "BRINE_MAX_ROWS", default_value_t = RECEIVE_ROWS_MAX)]
    max_rows: usize,
    #[command(flatten)]
    listener: Listen,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Sink {
    /// The folder of the store
    #[arg(long, value_name = "DIR", env = "BRINE_STORE")]
    store: Option<PathBuf>,
    /// Keep nothing, only count
    #[arg(long)]
    discard: bool,
}

impl Sink {
    fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        match &self.store {
            Some(folder) => Ok(Arc::new(ParquetStore::open(folder).context("open the store")?)),
            None => Ok(Arc::new(Discard::default())),
        }
    }
}

pub(super) fn run(args: Args, output: Output) -> Result<(), Failure> {
    let limits = ChunkLimits { rows_max: args.max_rows, message_bytes_max: args.max_message };
    let store = args.sink.open()?;
    let ingest = Ingest::new(store, limits);
    runtime()?.block_on(serve(args.listen, args.listener, ingest, output))
}

async fn serve(listen: String, listener: Listen, ingest: Ingest, output: Output) -> Result<(), Failure> {
    let bound = listener.bind(listen, Windows::Receiving, output.quiet).await?;
    let address = bound.address();
    // Whoever reads where it listens may ask it to stop at once.
    let stopped = shutdown_signal();
    let ready = json!({ "listening": address.to_string(), "port": address.port() });
    output.result(&ready, &format!("listening on {address}"))?;
    let drained = bound.run(service::batch_server(&ingest), stopped).await;
    match drained.context("run the Batch Server")? {
        Drained::Whole => Ok(()),
        Drained::CutShort => Err(Failure::new(
            Exit::Failed,
            anyhow::anyhow!("stopped while streams were still running: they left nothing"),
        )),
    }
}
