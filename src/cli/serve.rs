//! `brine serve`: rows for whoever asks, from mapped data sets.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use serde_json::json;
use tracing::{info, warn};

use super::{
    figures::{bytes, count},
    listen::Listen,
    report::{Exit, Failure, Output},
    runtime,
};
use crate::{
    limits::wire::SEND_BYTES_MAX,
    schema,
    server::{Drained, Windows, shutdown_signal},
    service::{
        self,
        stream::{Options, Tables},
    },
    store::{self, Catalogue, catalogue::Served},
    wire::{Revision, ServingPlan},
};

mod pickled;

const EXAMPLES: &str = "\
Examples:
  brine serve out/                              every data set of the folder
  brine serve out/recruit out/candidate         these two
  brine serve recruit.pkl                       converts it first, once
  brine pull --from http://localhost:50051      in another terminal

One table of each domain is served: recruit, candidate, skill_embedding_dic. A request names the
last id it has and gets the rows behind it, in the order of the file. A data set that is replaced
while it is served is served anew to the requests that follow.

Exit codes: 0 stopped after a signal, 1 failed, 2 wrong usage, 3 input refused";

/// What `--max-message` may be: room for a row, and what a protobuf message may take.
const MESSAGE_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=i32::MAX as u64;

/// Serve data sets to pullers.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Data sets, folders of data sets, or pickles
    #[arg(required = true, value_name = "DIR|DIR/NAME|IN.pkl")]
    places: Vec<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", env = "BRINE_LISTEN", default_value = "localhost:50051")]
    listen: String,
    /// Refuse a checkpoint that is no row of the table, instead of starting with the first row
    #[arg(long, env = "BRINE_STRICT_CHECKPOINT", value_parser = clap::builder::FalseyValueParser::new())]
    strict_checkpoint: bool,
    /// Bytes of a message at most: a chunk that would be longer is sent in several
    #[arg(long, value_name = "BYTES", env = "BRINE_MAX_MESSAGE", default_value_t = SEND_BYTES_MAX as u64,
        value_parser = clap::value_parser!(u64).range(MESSAGE_BYTES))]
    max_message: u64,
    /// Where pickles are converted to [default: .brine beside each]
    #[arg(long, value_name = "DIR", env = "BRINE_SERVE_CACHE")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    listener: Listen,
}

pub(super) fn run(args: Args, output: Output) -> Result<(), Failure> {
    let convert = |place: &PathBuf| pickled::data_sets(place, args.cache.as_deref(), output);
    let places = args.places.iter().map(convert).collect::<Result<Vec<_>, _>>()?;
    let catalogue = Catalogue::open(&places).map_err(|error| refused(error, &args.places))?;
    let message_bytes_max = args.max_message as usize;
    let options = Options { strict_checkpoint: args.strict_checkpoint, message_bytes_max };
    runtime()?.block_on(serve(args.listen, args.listener, catalogue, options, output))
}

fn refused(error: store::Error, places: &[PathBuf]) -> Failure {
    let known: Vec<_> = schema::builtin().iter().map(|domain| domain.name.as_str()).collect();
    let hint = if matches!(error, store::Error::NothingToServe { .. }) {
        format!("serve data sets of one of the domains {} (convert with --schema)", known.join(", "))
    } else {
        let places = places.iter().map(|place| place.display().to_string());
        format!("serve {}", places.collect::<Vec<_>>().join(" "))
    };
    Failure::new(Exit::Input, anyhow::Error::new(error).context(hint))
}

async fn serve(
    listen: String,
    listener: Listen,
    catalogue: Catalogue,
    options: Options,
    output: Output,
) -> Result<(), Failure> {
    let bound = listener.bind(listen, Windows::Asking, output.quiet).await?;
    let address = bound.address();
    announce(&catalogue, options, address)?;
    let tables = Tables::new(Arc::new(catalogue), options);
    // Whoever reads where it listens may ask it to stop at once.
    let stopped = shutdown_signal();
    let ready = json!({ "listening": address.to_string(), "port": address.port() });
    output.result(&ready, &format!("listening on {address}"))?;
    match bound.run(service::serving(&tables), stopped).await.context("run the server")? {
        // That it stopped, the chassis has said.
        Drained::Whole => {}
        Drained::CutShort => {
            warn!("Streams that were still running were cut: readers go on behind the last row that arrived");
        }
    }
    Ok(())
}

/// What the log says at the start.
fn announce(catalogue: &Catalogue, options: Options, address: std::net::SocketAddr) -> Result<(), Failure> {
    info!("gRPC Server Started Successfully");
    info!("Listening on {address}");
    info!("Max workers: {}", std::thread::available_parallelism().map_or(1, usize::from));
    info!("Max message size: {}", bytes(options.message_bytes_max as u64));
    for table in catalogue.tables() {
        announce_table(table).with_context(|| format!("serve {}", table.place().display()))?;
    }
    for place in catalogue.others() {
        warn!("{} follows no domain and is not served", place.display());
    }
    Ok(())
}

fn announce_table(table: &Served) -> anyhow::Result<()> {
    let snapshot = table.snapshot()?;
    let (domain, rows) = (table.domain(), count(snapshot.rows()));
    info!("Data file path: {} ({}, {rows} rows)", table.place().display(), domain.name);
    let published = ServingPlan::new(Revision::Domains, domain, snapshot.schema())?;
    if !published.unfilled().is_empty() {
        info!(
            "Fields of com.alpha.backend.grpc that {} lacks, sent empty: {}",
            domain.name,
            published.unfilled().join(", ")
        );
    }
    Ok(())
}
