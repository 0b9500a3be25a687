//! How many rows go into a message: by count, by encoded bytes, by bandwidth.

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::Bytes;

use super::{
    ChunkPlan, Error,
    encode::{Envelope, InnerLens, Measured},
    plan::Plan,
    spare::Spare,
};
use crate::limits;

/// Bounds of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunking {
    /// Rows at most.
    pub chunk_rows: usize,
    /// Encoded bytes at most.
    pub message_bytes_max: usize,
}

impl Default for Chunking {
    fn default() -> Self {
        Self { chunk_rows: 1_000, message_bytes_max: limits::wire::SEND_BYTES_MAX }
    }
}

/// The rows of one chunk and the length of each row: exact in protobuf, an upper bound in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub(super) rows: Range<usize>,
    pub(super) row_lens: Vec<usize>,
    /// Lengths of the messages inside the rows, in the order in which they are written.
    pub(super) inner_lens: InnerLens,
}

/// What a row takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowLen {
    /// By itself.
    pub(super) alone: usize,
    /// Among the others of its chunk.
    pub(super) in_chunk: usize,
}

impl Cut {
    fn at(row: usize) -> Self {
        Self { rows: row..row, row_lens: Vec::new(), inner_lens: InnerLens::new() }
    }
}

impl ChunkPlan {
    /// Cuts `rows` into ranges of at most `chunk_rows` rows whose messages take at most `message_bytes_max` bytes. A
    /// row that alone takes more is an error that names it.
    pub fn split(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        chunk_rows: usize,
        message_bytes_max: usize,
    ) -> Result<Vec<Range<usize>>, Error> {
        let cuts = self.cut_rows(batch, rows, Chunking { chunk_rows, message_bytes_max })?;
        Ok(cuts.into_iter().map(|cut| cut.rows).collect())
    }

    /// The same with the length of each row, which the encoder needs too.
    pub(super) fn cut_rows(
        &self,
        batch: &RecordBatch,
        rows: Range<usize>,
        bounds: Chunking,
    ) -> Result<Vec<Cut>, Error> {
        let columns = self.bind(batch)?;
        let measured = Measured::of(self.rows(&columns), rows.clone());
        let row_len = |row, inner_lens: &mut InnerLens| {
            let alone = measured.len(row, inner_lens)?;
            Ok(RowLen { alone, in_chunk: self.wrap.share(alone) })
        };
        cut_greedily(rows, bounds, row_len, |chunk_len| self.wrap.chunk_len(chunk_len))
    }
}

impl Plan for ChunkPlan {
    fn cut(&self, batch: &RecordBatch, _: u64, bounds: Chunking) -> Result<Vec<Cut>, Error> {
        self.cut_rows(batch, 0..batch.num_rows(), bounds)
    }

    fn encode_framed(&self, batch: &RecordBatch, cut: &Cut, _: u64, spare: &Spare) -> Result<Bytes, Error> {
        self.framed(batch, cut, &Envelope::default(), spare)
    }
}

/// Puts as many rows into each chunk as the bounds allow, by what a row takes and what a message of a chunk takes. `row_len`
/// notes the lengths of messages inside the row.
#[inline]
pub(super) fn cut_greedily(
    rows: Range<usize>,
    bounds: Chunking,
    row_len: impl Fn(usize, &mut InnerLens) -> Result<RowLen, Error>,
    message_len: impl Fn(usize) -> usize,
) -> Result<Vec<Cut>, Error> {
    let Chunking { chunk_rows, message_bytes_max } = bounds;
    let mut cuts = Vec::new();
    let (mut cut, mut chunk_len, mut inner_lens) = (Cut::at(rows.start), 0, InnerLens::new());
    for row in rows {
        let RowLen { alone, in_chunk } = row_len(row, &mut inner_lens)?;
        let is_too_long = message_len(chunk_len + in_chunk) > message_bytes_max;
        // A row that fits beside others fits alone.
        let bytes = if is_too_long { message_len(in_chunk) } else { 0 };
        if bytes > message_bytes_max {
            return Err(Error::RowTooLong { row: row as u64, bytes, message_bytes_max });
        }
        if is_too_long || cut.row_lens.len() >= chunk_rows.max(1) {
            cuts.push(std::mem::replace(&mut cut, Cut::at(row)));
            chunk_len = 0;
        }
        chunk_len += in_chunk;
        cut.rows.end = row + 1;
        cut.row_lens.push(alone);
        cut.inner_lens.append(&mut inner_lens);
    }
    cuts.extend(Some(cut).filter(|cut| !cut.rows.is_empty()));
    Ok(cuts)
}

/// Rows of a chunk that takes `target_latency_ms` to send at `bandwidth_mbps`, by the published rule: 500 bytes a row
/// beside its vector, 100 to 10,000 rows, and never more than a message of the contract holds.
pub fn optimal_chunk_rows(bandwidth_mbps: f64, dimension: usize, target_latency_ms: f64) -> usize {
    const BESIDE_VECTOR_BYTES: usize = 500;
    let row_bytes = dimension.saturating_mul(size_of::<f32>()).saturating_add(BESIDE_VECTOR_BYTES);
    let bytes_per_second = bandwidth_mbps * 1024.0 * 1024.0 / 8.0;
    // A float that is NaN or out of range becomes 0 or the largest integer, and the clamp takes it from there.
    let rows = (bytes_per_second * target_latency_ms / 1000.0 / row_bytes as f64) as usize;
    let rows_max = (limits::wire::CONTRACT_BYTES_MAX / row_bytes).max(1);
    rows.clamp(100, 10_000).min(rows_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_hold() {
        assert_eq!(optimal_chunk_rows(100.0, 384, 100.0), 643);
        assert_eq!(optimal_chunk_rows(100.0, 768, 100.0), 366);
        assert_eq!(optimal_chunk_rows(1000.0, 384, 100.0), 6_437);
        assert_eq!(optimal_chunk_rows(1000.0, 768, 100.0), 3_669);
    }

    #[test]
    fn a_message_of_the_contract_is_never_exceeded() {
        assert_eq!(optimal_chunk_rows(1e9, 384, 100.0), 8_240);
        assert_eq!(optimal_chunk_rows(1e9, 768, 100.0), 4_696);
        assert_eq!(optimal_chunk_rows(0.0, 384, 100.0), 100);
        assert_eq!(optimal_chunk_rows(f64::NAN, 384, 100.0), 100);
        assert_eq!(optimal_chunk_rows(1.0, 1 << 22, 1.0), 1);
    }
}
