//! What was received so far, over all attempts: taken in order, on a thread of its own.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use rayon::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::{
    Error, Failed, Options, Output, Progress, Report, Row, Start, Written,
    opened::{Opened, Opener},
    standing::{Arrived, Placed, Standing},
};
use crate::{
    client::push::Sizes,
    columnar::schema::dimension,
    columnar::schema::vector_index,
    digest::{fingerprint, key_hash},
    file::{DatasetOptions, GatheredWriter, SourceInfo, ids::IdsBuilder},
    proto::embedding::StreamEmbeddingRequest,
    schema::Domain,
    wire,
};

/// A message, and its share of what may wait.
pub(super) struct Item {
    pub(super) message: Bytes,
    #[allow(dead_code, reason = "given back when the message is dropped")]
    pub(super) share: OwnedSemaphorePermit,
}

/// What was received so far.
pub(super) struct Intake {
    domain: &'static Domain,
    start: Start,
    chunk_rows: i32,
    progress: Arc<dyn Progress>,
    opener: Opener,
    standing: Standing,
    received: Sizes,
    ids: IdsBuilder,
    last_id: String,
    first: Option<Row>,
    /// The last message with rows.
    last: Bytes,
    /// Ids of the first chunk of this attempt must be new: else the server began again.
    is_resumed: bool,
    checkpoint_unknown: bool,
    output: Option<(Output, SourceInfo)>,
    writer: Option<GatheredWriter>,
}

impl Intake {
    pub(super) fn new(options: &Options, progress: Arc<dyn Progress>) -> Self {
        let source = SourceInfo { file_name: options.target.to_string(), size: 0, blake3: None };
        let folder = options.output.as_ref().map_or_else(std::env::temp_dir, |output| output.folder.clone());
        Self {
            domain: options.domain,
            start: options.start.clone(),
            chunk_rows: options.chunk_rows,
            progress,
            opener: Opener::new(options.domain, options.output.is_some()),
            standing: Standing::default(),
            received: Sizes::default(),
            ids: IdsBuilder::new(Path::new("the ids received"), &folder),
            last_id: String::new(),
            first: None,
            last: Bytes::new(),
            is_resumed: false,
            checkpoint_unknown: false,
            output: options.output.clone().map(|output| (output, source)),
            writer: None,
        }
    }

    /// Rows received.
    pub(super) fn rows(&self) -> u64 {
        self.received.rows
    }

    /// Whether the table's last row is there, as far as the server said.
    pub(super) fn has_all(&self) -> bool {
        self.standing.placed().is_some_and(|placed| placed.next >= placed.total_rows)
    }

    /// The id behind which an attempt goes on, if it goes by ids and is not the first.
    pub(super) fn resumes_behind(&self) -> Option<&str> {
        (matches!(self.standing, Standing::Counted) && self.rows() > 0).then_some(&self.last_id)
    }

    /// Whether the server does not know where it was asked to begin: what the answer says that the rows come from.
    pub(super) fn note_checkpoint(&mut self, is_unknown: bool) {
        self.checkpoint_unknown = is_unknown;
    }

    /// Whether the server is asked for the rows behind those that are there.
    pub(super) fn is_resuming(&self) -> bool {
        self.rows() > 0
    }

    /// The request of the next attempt.
    pub(super) fn request(&mut self) -> StreamEmbeddingRequest {
        self.is_resumed = self.resumes_behind().is_some();
        let mut request = StreamEmbeddingRequest {
            chunk_size: self.chunk_rows,
            domain: self.domain.name.clone(),
            ..StreamEmbeddingRequest::default()
        };
        match (&self.standing, &self.start) {
            (Standing::Placed(placed), _) => {
                request.start_row = placed.next;
                request.expected_fingerprint.clone_from(&placed.fingerprint);
            }
            (Standing::Counted, _) if self.rows() > 0 => {
                request.last_processed_uuid.clone_from(&self.last_id);
            }
            (_, Start::First) => {}
            (_, Start::Row(row)) => request.start_row = *row,
            (_, Start::Behind { checkpoint, strict }) => {
                request.last_processed_uuid.clone_from(checkpoint);
                request.strict_checkpoint = *strict;
            }
        }
        request
    }

    /// Takes what comes through `queue` until it ends.
    pub(super) fn take_all(&mut self, mut queue: mpsc::Receiver<Item>) -> Result<(), Error> {
        while let Some(first) = queue.blocking_recv() {
            let mut group = vec![first];
            while group.len() < rayon::current_num_threads()
                && let Ok(next) = queue.try_recv()
            {
                group.push(next);
            }
            self.take_group(&group)?;
        }
        Ok(())
    }

    fn take_group(&mut self, group: &[Item]) -> Result<(), Error> {
        let mut messages = group.iter().map(|item| &item.message);
        while let (None, Some(message)) = (self.opener.schema(), messages.next()) {
            let learned = self.opener.learn(message);
            learned.map_err(|error| self.unread(0, error))?;
            self.begin()?;
        }
        let opened = group.par_iter().map(|item| self.opener.open(&item.message));
        let opened: Vec<Result<Opened, wire::Error>> = opened.collect();
        for (item, opened) in group.iter().zip(opened) {
            let opened = opened.map_err(|error| self.unread(self.received.rows, error))?;
            self.take(&item.message, opened)?;
        }
        Ok(())
    }

    /// Begins what depends on the first row.
    fn begin(&mut self) -> Result<(), Error> {
        let Some(schema) = self.opener.schema() else { return Ok(()) };
        if dimension_of(schema) == Some(0) {
            return Err(Error::NoVector);
        }
        let Some((Output { folder, name, overwrite }, source)) = &self.output else { return Ok(()) };
        let source = Some(source.clone());
        let options = DatasetOptions { overwrite: *overwrite, source, ..DatasetOptions::default() };
        self.writer = Some(GatheredWriter::create(folder, name, Arc::clone(schema), options)?);
        Ok(())
    }

    fn take(&mut self, message: &Bytes, opened: Opened) -> Result<(), Error> {
        let (chunk, rows) = (self.received.chunks + 1, opened.keys.len());
        if let Some((row, id)) = opened.bad_id {
            return Err(Error::BadId { row: self.received.rows + row, id });
        }
        let is_first = matches!(self.standing, Standing::Unknown);
        let arrived = Arrived { about: &opened.about, rows, digest: opened.digest };
        self.standing.take(&arrived, &self.start).map_err(|fault| fault.of_chunk(chunk))?;
        if is_first && let Some(Placed { first, total_rows, .. }) = self.standing.placed() {
            self.progress.expected(total_rows.saturating_sub(*first));
        }
        self.check_resumed(&opened)?;
        self.ids.add_keys(&opened.keys)?;
        if let (Some(writer), Some(batch)) = (&mut self.writer, &opened.batch) {
            writer.write(batch)?;
        }
        self.received.add(rows as u64, message.len() as u64);
        if rows > 0 {
            self.keep_ends(message, opened.last_id)?;
        }
        self.progress.chunk(&self.received, &self.last_id);
        Ok(())
    }

    /// The first row behind a checkpoint is a new one.
    fn check_resumed(&mut self, opened: &Opened) -> Result<(), Error> {
        let Some(key) = opened.keys.first().filter(|_| self.is_resumed) else { return Ok(()) };
        self.is_resumed = false;
        if self.ids.count(key)? > 0 {
            return Err(self.restarted());
        }
        Ok(())
    }

    /// The server began again, where it should have gone on.
    pub(super) fn restarted(&self) -> Error {
        Error::Restarted { checkpoint: self.last_id.clone() }
    }

    fn keep_ends(&mut self, message: &Bytes, last_id: String) -> Result<(), Error> {
        if self.first.is_none() {
            let ends = self.opener.ends(message).map_err(|error| self.unread(0, error))?;
            self.first = ends.map(|(first, _)| first);
        }
        (self.last, self.last_id) = (message.clone(), last_id);
        Ok(())
    }

    /// An error of the next chunk, in which rows are counted from `rows` on.
    fn unread(&self, rows: u64, error: wire::Error) -> Error {
        match error {
            wire::Error::ChunkKind { found, .. } => {
                Error::OtherDomain { domain: self.domain.name.clone(), found }
            }
            error => Error::Wire { chunk: self.received.chunks + 1, source: Box::new(error.shifted(rows)) },
        }
    }

    /// An error if the stream ended before the table's last row.
    pub(super) fn check_end(&self) -> Result<(), Failed> {
        self.standing.check_end()
    }

    /// An error if a stream that goes by ids cannot be taken up again.
    pub(super) fn check_resumable(&mut self, failed: &Failed) -> Result<(), Error> {
        let Some(id) = self.resumes_behind().map(str::to_owned) else { return Ok(()) };
        if self.ids.count(&key_hash(&id))? > 1 {
            return Err(Error::Ambiguous { id, failed: failed.clone() });
        }
        Ok(())
    }

    /// An error if all rows of the table came and are not those of its fingerprint.
    pub(super) fn check_content(&self) -> Result<(), Error> {
        let (Some(placed), Some(schema)) = (self.standing.placed(), self.opener.schema()) else {
            return Ok(());
        };
        let found = fingerprint(schema, placed.next, placed.digest);
        if placed.first > 0 || found == placed.fingerprint {
            return Ok(());
        }
        Err(Error::Fingerprint { announced: placed.fingerprint.clone(), found })
    }

    /// Writes the data set, if one is wanted, and says what was received.
    pub(super) fn finish(self) -> Result<Report, Error> {
        let last = self.opener.ends(&self.last).map_err(|error| self.unread(0, error))?;
        let repeats = self.ids.repeats()?;
        let repeated_ids = repeats.superseded.len() as u64;
        let placed = self.standing.placed().cloned();
        if let (None, Some((first, second))) = (&placed, repeats.example) {
            return Err(Error::RepeatedIds { rows: repeated_ids, first, second });
        }
        let written = match (&self.output, self.writer) {
            (Some((output, _)), Some(writer)) => Some(write(output, writer)?),
            (Some(_), None) if self.start == Start::First => return Err(Error::NoRows),
            // Nothing new is an answer as good as any.
            (Some(_), None) | (None, _) => None,
        };
        let checkpoint = match (self.last_id, self.start) {
            (id, _) if !id.is_empty() => Some(id),
            (_, Start::Behind { checkpoint, .. }) if !self.checkpoint_unknown => Some(checkpoint),
            _ => None,
        };
        let announced = placed.as_ref().map(|placed| placed.fingerprint.clone());
        Ok(Report {
            domain: self.domain.name.clone(),
            received: self.received,
            elapsed: Duration::ZERO,
            time_to_first_chunk: None,
            attempts: 0,
            first: self.first,
            last: last.map(|(_, last)| last),
            dimension: self.opener.schema().and_then(|schema| dimension_of(schema)),
            checkpoint_unknown: self.checkpoint_unknown,
            checkpoint,
            total_rows: placed.as_ref().map(|placed| placed.total_rows),
            fingerprint: announced.or_else(|| Some(written.as_ref()?.fingerprint.clone())),
            verified: placed.is_some(),
            repeated_ids,
            written,
        })
    }
}

fn write(output: &Output, writer: GatheredWriter) -> Result<Written, Error> {
    let fingerprint = writer.finish()?.fingerprint;
    Ok(Written { dataset: output.folder.join(&output.name), fingerprint })
}

fn dimension_of(schema: &arrow_schema::Schema) -> Option<usize> {
    dimension(schema.field(vector_index(schema)?).data_type())
}
