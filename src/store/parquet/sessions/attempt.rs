//! The stream of one epoch: rows on their way into segments, and into the run that the session may become.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    super::super::{
        Error, Run as _,
        sessions::{Attempt, Group},
    },
    entry::{Entry, Prepared},
    log::{Log, Record},
    segment::SegmentWriter,
};
use crate::{
    digest::RowHasher,
    failpoint,
    schema::Domain,
    session::{Admission, ChunkRange, Position, Refusal},
};

/// The stream of an epoch.
pub(super) struct Stream {
    entry: Arc<Entry>,
    epoch: u64,
    log: Arc<std::sync::Mutex<Log>>,
    schema: SchemaRef,
    hasher: RowHasher,
    segment: Option<SegmentWriter>,
    prepared: Option<Prepared>,
    /// Rows were taken and not written: nothing of the stream can become durable any more.
    is_broken: bool,
}

struct Rows {
    entry: Arc<Entry>,
    epoch: u64,
    log: Arc<std::sync::Mutex<Log>>,
    segment: SegmentWriter,
    first: u64,
    end: Position,
}

impl Stream {
    pub(super) fn begin(entry: Arc<Entry>, epoch: u64, prepared: Option<Prepared>) -> Result<Self, Error> {
        let (log, schema) = (entry.log(), entry.schema());
        let hasher = RowHasher::new(&schema)?;
        Ok(Self { entry, epoch, log, schema, hasher, segment: None, prepared, is_broken: false })
    }

    fn found(&self, chunk: ChunkRange, batch: &RecordBatch) -> Result<Position, Error> {
        let first_row = self.entry.first_row() + chunk.first_row;
        let digest = self.hasher.range_digest(batch, 0..batch.num_rows(), first_row)?;
        Ok(Position { rows: batch.num_rows() as u64, digest })
    }

    fn write(&mut self, first: u64, batch: &RecordBatch) -> Result<(), Error> {
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => none.insert(SegmentWriter::create(&self.entry.folder, self.epoch, first, &self.schema)?),
        };
        segment.write(batch, &self.entry.domain().name)
    }

    /// Gives the rows to the run as well, which saves reading them again if the session is not interrupted.
    fn prepare(&mut self, first: u64, found: Position, batch: RecordBatch) -> Result<(), Error> {
        let Some(prepared) = &mut self.prepared else { return Ok(()) };
        if prepared.at.rows != first {
            self.prepared = None;
            return Ok(());
        }
        prepared.at = prepared.at.after(found.rows, found.digest);
        prepared.run.append(batch)
    }

    fn keep(&mut self, first: u64, found: Position, batch: RecordBatch) -> Result<(), Error> {
        self.is_broken = true;
        failpoint::hit("append.before_write");
        self.write(first, &batch)?;
        self.prepare(first, found, batch)?;
        failpoint::hit("append.after_write");
        self.is_broken = false;
        Ok(())
    }
}

impl Attempt for Stream {
    fn table(&self) -> (&'static Domain, usize) {
        (self.entry.domain(), self.entry.dimension)
    }

    fn admit(&self, chunk: ChunkRange) -> Result<Admission, Error> {
        Ok(self.entry.seat.with(|state| state.session.admit(self.epoch, chunk))?)
    }

    fn append(&mut self, chunk: ChunkRange, batch: RecordBatch) -> Result<Admission, Error> {
        if self.is_broken {
            return Err(Refusal::SessionUnknown.into());
        }
        let found = self.found(chunk, &batch)?;
        self.entry.check_keys(&batch, chunk.first_row)?;
        let admission = self.entry.seat.with(|state| state.session.take(self.epoch, chunk, found))?;
        if admission == Admission::Next && batch.num_rows() > 0 {
            self.keep(chunk.first_row, found, batch)?;
        }
        Ok(admission)
    }

    fn skip(&mut self, chunk: ChunkRange, _: u64) -> Result<Admission, Error> {
        debug_assert!(false, "a table needs the rows");
        Err(Refusal::ChunkCorrupt { first_row: chunk.first_row }.into())
    }

    fn unsealed_bytes(&self) -> usize {
        self.segment.as_ref().map_or(0, |segment| segment.bytes)
    }

    fn seal(&mut self) -> Option<Box<dyn Group>> {
        let segment = self.segment.take().filter(|_| !self.is_broken)?;
        let end = self.entry.seat.with(|state| state.session.taken());
        let (entry, log) = (Arc::clone(&self.entry), Arc::clone(&self.log));
        Some(Box::new(Rows { entry, epoch: self.epoch, log, first: segment.first(), segment, end }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(prepared) = self.prepared.take() {
            self.entry.keep(prepared);
        }
    }
}

impl Group for Rows {
    fn secure(self: Box<Self>) -> Result<Position, Error> {
        let Self { entry, epoch, log, segment, first, end } = *self;
        let durable =
            entry.seat.with(|state| state.session.check_epoch(epoch).map(|()| state.session.durable()))?;
        if durable.rows != first {
            // The group before this one failed.
            return Err(Refusal::OffsetGap { expected_row: durable.rows }.into());
        }
        let segment = segment.finish(&entry.folder, end.into())?;
        super::lock(&log).append(&Record::Rows(segment.clone()))?;
        failpoint::hit("group.after_record");
        entry.seat.with(|state| {
            state.session.secure(epoch, end)?;
            state.own.segments.push(segment);
            Ok::<_, Refusal>(())
        })?;
        failpoint::hit("group.before_acknowledgement");
        Ok(end)
    }
}
