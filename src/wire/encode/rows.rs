//! The rows of a batch: how long each is, and the bytes of each.

use std::{ops::Range, slice};

use super::{InnerLens, check_choices, field::Cell, lane::Lane};
use crate::{
    columnar::cells::Column,
    wire::{ChunkPlan, Error, plan::FieldPlan},
};

/// Rows of a batch, field by field.
pub(in crate::wire) struct Rows<'a> {
    pub(super) plan: &'a ChunkPlan,
    pub(super) columns: &'a [Column],
    /// None where cells are looked at one by one.
    pub(super) lanes: Vec<Option<Box<dyn Lane + 'a>>>,
}

/// The same with the lengths of some rows, as far as loops could find them.
pub(in crate::wire) struct Measured<'a> {
    rows: Rows<'a>,
    /// The fields that no lane knows.
    by_cell: Vec<usize>,
    first: usize,
    lens: Vec<usize>,
}

impl<'a> Measured<'a> {
    /// Adds up what the lanes of `rows` know of them. If something does not fit, nobody knows anything: the cells then tell
    /// what, in the order of rows.
    pub(in crate::wire) fn of(mut rows: Rows<'a>, range: Range<usize>) -> Self {
        let first = range.start;
        let mut lens = vec![0; range.len()];
        let added = rows.lanes.iter().flatten().try_for_each(|lane| lane.add_lens(range.clone(), &mut lens));
        if added.is_none() {
            rows.lanes.iter_mut().for_each(|lane| *lane = None);
            lens.fill(0);
        }
        let by_cell = (0..rows.lanes.len()).filter(|index| rows.lanes[*index].is_none()).collect();
        Self { rows, by_cell, first, lens }
    }

    /// Bytes of one row's message, without its key and length; the lengths of those inside it go to `inner_lens`.
    #[inline]
    pub(in crate::wire) fn len(&self, row: usize, inner_lens: &mut InnerLens) -> Result<usize, Error> {
        let Rows { plan, columns, .. } = &self.rows;
        let mut len = self.lens[row - self.first];
        for &index in &self.by_cell {
            let field = &plan.fields[index];
            len += field.len(&field.cell(&columns[index], row, row)?, inner_lens)?;
        }
        if !plan.choices.is_empty() {
            let is_there = |index: usize, field: &FieldPlan| -> Result<bool, Error> {
                Ok(!matches!(field.cell(&columns[index], row, row)?, Cell::Absent))
            };
            check_choices(&plan.choices, &plan.fields, row, is_there)?;
        }
        Ok(len)
    }
}

impl Rows<'_> {
    /// Appends one row's message.
    #[inline]
    pub(super) fn put(
        &self,
        row: usize,
        inner_lens: &mut slice::Iter<'_, usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for ((field, column), lane) in self.plan.fields.iter().zip(self.columns).zip(&self.lanes) {
            match lane {
                Some(lane) => lane.put(row, out),
                None => field.put(field.cell(column, row, row)?, inner_lens, out)?,
            }
        }
        Ok(())
    }
}
