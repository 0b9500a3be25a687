//! The stream of one epoch: rows on their way into segments, and into the run that the session may become.
//!
//! Rows are held until their group is sealed. Whoever secures the group writes them, on a thread of its own, while the next
//! ones arrive and go into the run.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::{
    super::super::{
        Error,
        sessions::{Attempt, Group},
    },
    entry::{Entry, Prepared},
    log::{Log, Record, Segment},
    segment::SegmentWriter,
};
use crate::{
    digest::{RowHasher, Summed},
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
    held: Vec<RecordBatch>,
    held_bytes: usize,
    prepared: Option<Prepared>,
    /// Rows were taken and not kept: nothing of the stream can become durable any more.
    is_broken: bool,
}

struct Rows {
    entry: Arc<Entry>,
    epoch: u64,
    log: Arc<std::sync::Mutex<Log>>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    first: u64,
    end: Position,
}

impl Stream {
    pub(super) fn begin(entry: Arc<Entry>, epoch: u64, prepared: Option<Prepared>) -> Result<Self, Error> {
        let (log, schema) = (entry.log(), entry.schema());
        let hasher = RowHasher::new(&schema)?;
        let (held, held_bytes, is_broken) = (Vec::new(), 0, false);
        Ok(Self { entry, epoch, log, schema, hasher, held, held_bytes, prepared, is_broken })
    }

    fn summed(&self, chunk: ChunkRange, batch: &RecordBatch) -> Result<Summed, Error> {
        let first_row = self.entry.first_row() + chunk.first_row;
        Ok(self.hasher.summed(batch, first_row)?)
    }

    /// Gives the rows to the run as well, which saves reading them again if the session is not interrupted.
    fn prepare(&mut self, first: u64, summed: &Summed, batch: &RecordBatch) -> Result<(), Error> {
        let Some(prepared) = &mut self.prepared else { return Ok(()) };
        if prepared.at.rows != first {
            self.prepared = None;
            return Ok(());
        }
        prepared.at = prepared.at.after(summed.rows(), summed.digest());
        prepared.run.append_summed(batch, Some(summed))
    }

    fn keep(&mut self, first: u64, summed: &Summed, batch: RecordBatch) -> Result<(), Error> {
        self.is_broken = true;
        self.prepare(first, summed, &batch)?;
        self.held_bytes += batch.get_array_memory_size();
        self.held.push(batch);
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
        let summed = self.summed(chunk, &batch)?;
        let found = Position { rows: summed.rows(), digest: summed.digest() };
        self.entry.check_keys(&batch, chunk.first_row)?;
        let admission = self.entry.seat.with(|state| state.session.take(self.epoch, chunk, found))?;
        if admission == Admission::Next && batch.num_rows() > 0 {
            self.keep(chunk.first_row, &summed, batch)?;
        }
        Ok(admission)
    }

    fn skip(&mut self, chunk: ChunkRange, _: u64) -> Result<Admission, Error> {
        debug_assert!(false, "a table needs the rows");
        Err(Refusal::ChunkCorrupt { first_row: chunk.first_row }.into())
    }

    fn unsealed_bytes(&self) -> usize {
        self.held_bytes
    }

    fn seal(&mut self) -> Option<Box<dyn Group>> {
        let batches = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        if batches.is_empty() || self.is_broken {
            return None;
        }
        let end = self.entry.seat.with(|state| state.session.taken());
        let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        // A newer attempt may have begun where less is durable: then this group is refused, wherever it stands.
        let first = end.rows.saturating_sub(rows);
        let (entry, log, schema) = (Arc::clone(&self.entry), Arc::clone(&self.log), Arc::clone(&self.schema));
        Some(Box::new(Rows { entry, epoch: self.epoch, log, schema, batches, first, end }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(prepared) = self.prepared.take() {
            self.entry.keep(prepared);
        }
    }
}

impl Rows {
    /// Writes the rows; durable when it returns, but nobody knows of it yet.
    fn write(&self) -> Result<Segment, Error> {
        let Self { entry, epoch, schema, batches, first, end, .. } = self;
        let mut segment = SegmentWriter::create(&entry.folder, *epoch, *first, schema)?;
        for batch in batches {
            failpoint::hit("append.before_write");
            segment.write(batch, &entry.domain().name)?;
            failpoint::hit("append.after_write");
        }
        segment.finish(&entry.folder, (*end).into())
    }
}

impl Group for Rows {
    fn secure(self: Box<Self>) -> Result<Position, Error> {
        let Self { entry, epoch, log, first, end, .. } = &*self;
        let (epoch, end) = (*epoch, *end);
        let durable =
            entry.seat.with(|state| state.session.check_epoch(epoch).map(|()| state.session.durable()))?;
        if durable.rows != *first {
            // The group before this one failed.
            return Err(Refusal::OffsetGap { expected_row: durable.rows }.into());
        }
        let segment = self.write()?;
        super::lock(log).append(&Record::Rows(segment.clone()))?;
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
