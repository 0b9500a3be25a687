//! A small server of `StreamEmbedding` that does as it is told: of the original contract or of ours, sound or not.

use std::{
    net::SocketAddr,
    ops::Range,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use arrow_array::{
    Array as _, Float32Array, Int32Array, ListArray, RecordBatch, StringArray, cast::AsArray as _,
    types::Int32Type,
};
use arrow_select::concat::concat_batches;
use brine::{
    digest::RowHasher,
    file::Dataset,
    proto::embedding::{
        CandidateRow, ChunkHeader, IngestDataRequest, IngestDataResponse, RecruitRow, RowChunk,
        SkillEmbeddingDicRow, StreamEmbeddingRequest,
        embedding_stream_service_server::{EmbeddingStreamService, EmbeddingStreamServiceServer},
    },
};
use tokio::net::TcpListener;
use tokio_stream::{Stream, wrappers::TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming, codec::CompressionEncoding, transport::Server};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What is done to a chunk.
pub(super) type Spoil = fn(&mut RowChunk);

/// What the server does.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// Knows only the original contract.
    pub(super) is_old: bool,
    /// After so many chunks each stream breaks, as often as there are numbers.
    pub(super) breaks: Vec<usize>,
    /// With this status; none: UNAVAILABLE.
    pub(super) status: Option<(Code, &'static str)>,
    /// Begins with the first row whatever the checkpoint is.
    pub(super) ignores_checkpoints: bool,
    /// Ends each stream in good order before its last so many chunks.
    pub(super) withholds: usize,
    /// Pauses before each chunk.
    pub(super) pause: Duration,
    /// Does something to the chunk of this number, counted from 0 in each stream.
    pub(super) spoil: Option<(usize, Spoil)>,
    /// Packs messages for those who ask.
    pub(super) packs: Option<CompressionEncoding>,
    /// Says so of the table, whatever it holds.
    pub(super) fingerprint: Option<&'static str>,
}

pub(super) struct Serving {
    pub(super) address: SocketAddr,
    pub(super) requests: Arc<Mutex<Vec<StreamEmbeddingRequest>>>,
    packed: Arc<Mutex<Vec<bool>>>,
}

impl Serving {
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether packed messages were asked for, call by call.
    pub(super) fn received_packed(&self) -> Vec<bool> {
        self.packed.lock().unwrap().clone()
    }

    pub(super) fn requests(&self) -> Vec<StreamEmbeddingRequest> {
        self.requests.lock().unwrap().clone()
    }
}

/// Serves `dataset`.
pub(super) async fn serve(dataset: &Path, script: Script) -> Serving {
    let dataset = Dataset::open(dataset).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let scripted = Scripted::new(&dataset, script);
    let (requests, packed) = (Arc::clone(&scripted.requests), Arc::clone(&scripted.packed));
    let packs = scripted.script.packs;
    let mut service = EmbeddingStreamServiceServer::new(scripted).max_encoding_message_size(usize::MAX);
    if let Some(encoding) = packs {
        service = service.send_compressed(encoding);
    }
    let serving =
        Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    Serving { address, requests, packed }
}

pub(super) struct Scripted {
    table: RecordBatch,
    fingerprint: String,
    script: Script,
    breaks: Mutex<std::vec::IntoIter<usize>>,
    pub(super) requests: Arc<Mutex<Vec<StreamEmbeddingRequest>>>,
    packed: Arc<Mutex<Vec<bool>>>,
}

impl Scripted {
    pub(super) fn new(dataset: &Dataset, script: Script) -> Self {
        let breaks = Mutex::new(script.breaks.clone().into_iter());
        let batches: Vec<_> = (0..dataset.batch_count()).map(|index| dataset.batch(index).unwrap()).collect();
        Self {
            table: concat_batches(dataset.schema(), &batches).unwrap(),
            fingerprint: dataset.manifest().fingerprint.clone(),
            script,
            breaks,
            requests: Arc::default(),
            packed: Arc::default(),
        }
    }

    /// The first row to send, and whether a checkpoint was unknown.
    fn start(&self, request: &StreamEmbeddingRequest) -> Result<(u64, bool), Status> {
        let checkpoint = request.last_processed_uuid.as_str();
        if checkpoint.is_empty() || self.script.ignores_checkpoints {
            return Ok((if self.script.is_old { 0 } else { request.start_row }, false));
        }
        match self.first_of(checkpoint) {
            Some(row) => Ok((row + 1, false)),
            None if request.strict_checkpoint && !self.script.is_old => {
                Err(refused("CHECKPOINT_UNKNOWN", "no such row"))
            }
            None => Ok((0, true)),
        }
    }

    /// The first row with this id, as the published server finds it.
    fn first_of(&self, id: &str) -> Option<u64> {
        let ids: &StringArray = self.table.column(0).as_string();
        ids.iter().position(|other| other == Some(id)).map(|row| row as u64)
    }

    fn chunks(&self, request: &StreamEmbeddingRequest, start: u64) -> Vec<RowChunk> {
        let rows = match request.chunk_size {
            0 => 300,
            rows => u64::try_from(rows).unwrap(),
        };
        let total = self.table.num_rows() as u64;
        let starts = (start..total).step_by(usize::try_from(rows).unwrap());
        let mut chunks: Vec<_> =
            starts.map(|first| self.chunk(request, first..total.min(first + rows))).collect();
        if !self.script.is_old {
            if chunks.is_empty() {
                let header = ChunkHeader { first_row: start, ..ChunkHeader::default() };
                chunks.push(RowChunk { header: Some(header), ..RowChunk::default() });
            }
            let fingerprint = self.script.fingerprint.unwrap_or(&self.fingerprint);
            (chunks[0].total_rows, chunks[0].fingerprint) = (total, fingerprint.to_owned());
        }
        if let Some((number, spoil)) = self.script.spoil
            && let Some(chunk) = chunks.get_mut(number)
        {
            spoil(chunk);
        }
        chunks.truncate(chunks.len() - self.script.withholds.min(chunks.len()));
        chunks
    }

    fn chunk(&self, request: &StreamEmbeddingRequest, rows: Range<u64>) -> RowChunk {
        let batch = self.rows(rows.clone());
        let mut chunk = RowChunk::default();
        match request.domain.as_str() {
            "candidate" if !self.script.is_old => chunk.candidate_rows = candidates(&batch),
            "skill_embedding_dic" if !self.script.is_old => chunk.skill_rows = skills(&batch),
            _ => chunk.rows = recruits(&batch),
        }
        if !self.script.is_old {
            let hasher = RowHasher::new(batch.schema_ref()).unwrap();
            let digest = hasher.range_digest(&batch, 0..batch.num_rows(), rows.start).unwrap();
            chunk.header = Some(ChunkHeader {
                first_row: rows.start,
                row_count: u32::try_from(batch.num_rows()).unwrap(),
                range_digest: digest.to_le_bytes().to_vec(),
            });
        }
        chunk
    }

    fn rows(&self, rows: Range<u64>) -> RecordBatch {
        let [start, end] = [rows.start, rows.end].map(|row| usize::try_from(row).unwrap());
        self.table.slice(start, end - start)
    }
}

fn refused(reason: &str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, "brine", std::collections::HashMap::new());
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

fn text(batch: &RecordBatch, column: usize, row: usize) -> String {
    let column = batch.column(column);
    if column.is_null(row) {
        return String::new();
    }
    match column.as_dictionary_opt::<Int32Type>() {
        Some(words) => words.values().as_string::<i32>().value(words.key(row).unwrap()).to_owned(),
        None => column.as_string::<i32>().value(row).to_owned(),
    }
}

fn number(batch: &RecordBatch, column: usize, row: usize) -> i32 {
    let numbers: &Int32Array = batch.column(column).as_primitive();
    numbers.value(row)
}

fn vector(batch: &RecordBatch, column: usize, row: usize) -> Vec<f32> {
    let floats = batch.column(column).as_fixed_size_list().value(row);
    let floats: &Float32Array = floats.as_primitive();
    floats.values().to_vec()
}

fn recruits(batch: &RecordBatch) -> Vec<RecruitRow> {
    let row = |row| RecruitRow {
        id: text(batch, 0, row),
        company_name: text(batch, 1, row),
        exp_years: number(batch, 2, row),
        english_level: text(batch, 3, row),
        primary_keyword: text(batch, 4, row),
        vector: vector(batch, 5, row),
    };
    (0..batch.num_rows()).map(row).collect()
}

fn candidates(batch: &RecordBatch) -> Vec<CandidateRow> {
    let lists: &ListArray = batch.column(4).as_list();
    let skills = |row| {
        let items = lists.value(row);
        items.as_string::<i32>().iter().map(|item| item.unwrap().to_owned()).collect()
    };
    let row = |row| CandidateRow {
        candidate_id: text(batch, 0, row),
        position_category: if batch.column(1).is_null(row) {
            "Unknown".to_owned()
        } else {
            text(batch, 1, row)
        },
        experience_years: number(batch, 2, row),
        original_resume: text(batch, 3, row),
        skills: skills(row),
        vector: vector(batch, 5, row),
    };
    (0..batch.num_rows()).map(row).collect()
}

fn skills(batch: &RecordBatch) -> Vec<SkillEmbeddingDicRow> {
    let row = |row| SkillEmbeddingDicRow {
        skill: text(batch, 0, row),
        position_category: text(batch, 1, row),
        vector: vector(batch, 2, row),
    };
    (0..batch.num_rows()).map(row).collect()
}

#[tonic::async_trait]
impl EmbeddingStreamService for Scripted {
    type StreamEmbeddingStream = Pin<Box<dyn Stream<Item = Result<RowChunk, Status>> + Send>>;

    async fn stream_embedding(
        &self,
        request: Request<StreamEmbeddingRequest>,
    ) -> Result<Response<Self::StreamEmbeddingStream>, Status> {
        let accepted = request.metadata().get("grpc-accept-encoding");
        self.packed.lock().unwrap().push(accepted.is_some());
        let request = request.into_inner();
        self.requests.lock().unwrap().push(request.clone());
        let size = request.chunk_size;
        if size != 0 && !(100..=1000).contains(&size) {
            let text = format!("Invalid chunk_size: {size}. Must be between 100 and 1000");
            return Err(Status::invalid_argument(text));
        }
        let expected = request.expected_fingerprint.as_str();
        if !self.script.is_old && !expected.is_empty() && expected != self.fingerprint {
            return Err(refused("FINGERPRINT_MISMATCH", "the table is another one"));
        }
        let (start, is_unknown) = self.start(&request)?;
        let chunks = self.chunks(&request, start);
        let breaks = self.breaks.lock().unwrap().next();
        let (pause, status) = (self.script.pause, self.script.status);
        let stream = up_to_break(chunks, breaks, pause, status);
        let mut response = Response::new(stream);
        if is_unknown && !self.script.is_old {
            response.metadata_mut().insert("x-checkpoint", "unknown".parse().unwrap());
        }
        Ok(response)
    }

    async fn ingest_data_stream(
        &self,
        _: Request<Streaming<IngestDataRequest>>,
    ) -> Result<Response<IngestDataResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// The chunks up to a break, if there is one.
fn up_to_break(
    chunks: Vec<RowChunk>,
    breaks: Option<usize>,
    pause: Duration,
    status: Option<(Code, &'static str)>,
) -> Pin<Box<dyn Stream<Item = Result<RowChunk, Status>> + Send>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let kept = breaks.unwrap_or(chunks.len()).min(chunks.len());
        for chunk in chunks.into_iter().take(kept) {
            tokio::time::sleep(pause).await;
            if sender.send(Ok(chunk)).await.is_err() {
                return;
            }
        }
        if breaks.is_some() {
            let (code, text) = status.unwrap_or((Code::Unavailable, "going away"));
            let _ = sender.send(Err(Status::new(code, text))).await;
        }
    });
    Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))
}
