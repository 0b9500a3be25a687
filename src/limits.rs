//! Every bound in one place, with its default and its reason, and the budget that is spent before anything is allocated.
//!
//! A bound exists because somebody else chose the input. Nothing here is a tuning knob for speed: legitimate files stay
//! far below, and a flag raises what a very large one may need.

pub mod client;
pub mod files;
mod named;
pub mod schema;
pub mod server;
pub mod serving;
pub mod wire;

pub use named::NoSuchLimit;

use files::Decompression;

/// One KiB in bytes.
pub const KIB: usize = 1 << 10;
/// One MiB in bytes.
pub const MIB: usize = 1 << 20;

/// Bytes of text in one cell, and in one dictionary of categories: Arrow's offsets are 32 bits, and a small file can name
/// one long text any number of times.
pub const TEXT_BYTES_MAX: usize = 1 << 30;

/// Nesting of lists and dicts in a cell. Columns are read and written by functions that call themselves for what is inside,
/// here and in every reader; Arrow's own stop at 64 levels of a schema.
pub const COLUMN_NESTING_MAX: usize = 32;

/// Bytes of `DataFrame.attrs` as JSON, which stand in the footer of a Parquet file three times.
pub const ATTRS_BYTES_MAX: usize = 16 * MIB;

/// Fields of one struct that dicts become: those with more keys are maps. Every row takes room for every field.
pub const STRUCT_FIELDS_MAX: usize = 1 << 10;

/// Ids that one command makes, or names that it reads: they are held in memory until they are printed together, about 100
/// bytes each.
pub const IDS_MAX: usize = 1_000_000;

/// Bytes of names that one command reads from standard input.
pub const ID_NAMES_BYTES_MAX: usize = 256 * MIB;

/// The bounds of reading one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Values the pickle machine's stack may hold. Writers stay near 2,100 (a batch of 1,000 items, twice); other
    /// implementations put a whole list between two marks.
    pub stack_depth_max: usize,
    /// Marks open at once. Legitimate files stay below 15 plus the nesting of their values.
    pub mark_depth_max: usize,
    /// Nesting of values that become columns.
    pub nesting_max: usize,
    /// Bytes that the graph of one pickle may take besides the input it borrows from; the floor of
    /// [`Limits::graph_bytes_max`].
    pub graph_bytes_floor: u64,
    /// Bytes that the largest table of a graph, or of what is made of it, takes of the heap; the others take a part of it.
    /// What is beyond goes to a mapped file where there is a folder for it. A frame of 140,000 rows stays below.
    pub table_heap_bytes: usize,
    /// Bytes of one line of a text opcode (module and class names, numbers, protocol 0 strings have their own rule).
    pub line_bytes_max: usize,
    /// Decimal digits of one integer: what `CPython` itself accepts.
    pub int_digits_max: usize,
    /// Dimensions of one array: NumPy's own bound.
    pub array_dimensions_max: usize,
    /// Pickles inside each other: joblib writes an array of objects as one inside the other, and no deeper.
    pub nested_pickles_max: usize,
    /// Rows that a column may name without holding them (a sparse column, runs, nulls), for each byte of the input: a
    /// sparse column with one value in 10,000 rows takes 12 bytes for it.
    pub rows_per_byte_max: usize,
    /// Rows that a column may name without holding them, however small the input is.
    pub rows_without_bytes_max: usize,
    /// Columns of one table.
    pub columns_max: usize,
    /// Elements of one embedding vector.
    pub vector_dimension_max: usize,
    /// Members of one container that are looked at: a file can name one object any number of times.
    pub members_max: usize,
    /// Bytes that cells picked out of rows may take besides the input; the floor of [`Limits::cell_bytes_max`].
    pub cell_bytes_floor: u64,
    /// Bytes that one cell of nested values may expand to: a small file can name one value any number of times.
    pub object_bytes_max: u64,
    /// Bytes that the cells of one column of objects may expand to, together; the floor of
    /// [`Limits::column_bytes_max`].
    pub column_bytes_floor: u64,
    /// What packed input may become.
    pub unpacking: Decompression,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stack_depth_max: 1 << 24,
            mark_depth_max: 1 << 10,
            nesting_max: 256,
            graph_bytes_floor: 64 * MIB as u64,
            table_heap_bytes: 16 * MIB,
            line_bytes_max: 64 * KIB,
            int_digits_max: 4_300,
            array_dimensions_max: 64,
            nested_pickles_max: 2,
            rows_per_byte_max: 1 << 10,
            rows_without_bytes_max: 1 << 20,
            columns_max: 1 << 16,
            vector_dimension_max: 1 << 16,
            members_max: 10_000,
            cell_bytes_floor: 8 * MIB as u64,
            object_bytes_max: 1 << 30,
            column_bytes_floor: 16 << 30,
            unpacking: Decompression::default(),
        }
    }
}

impl Limits {
    /// Bytes that the graph of a pickle of `input_bytes` may take: every opcode is at least one byte and makes at most
    /// one node, but an honest file spends several bytes on each.
    pub fn graph_bytes_max(&self, input_bytes: usize) -> u64 {
        self.graph_bytes_floor.saturating_add(3 * input_bytes as u64)
    }

    /// Bytes that one cell of a file of `input_bytes` may expand to. A value of one byte, such as `None`, takes eight.
    pub fn object_bytes_max(&self, input_bytes: usize) -> u64 {
        self.object_bytes_max.min(16 * MIB as u64 + 16 * input_bytes as u64)
    }

    /// Bytes that the cells of one column of a file of `input_bytes` may expand to. A row that names a vector of a row
    /// before takes three bytes and stands for a thousand times as many.
    pub fn column_bytes_max(&self, input_bytes: usize) -> u64 {
        self.column_bytes_floor.saturating_add(1_000 * input_bytes as u64)
    }

    /// Bytes that the cells of a table of rows may take: 16 for each, and an honest file spends a byte on each at least.
    pub fn cell_bytes_max(&self, input_bytes: usize) -> u64 {
        self.cell_bytes_floor.saturating_add(16 * input_bytes as u64)
    }

    /// Rows that a table may have: those of a range, of a sparse array, or without any column are only a number in the
    /// file, and cost time more than memory. All others take a byte each.
    pub fn rows_max(&self, input_bytes: usize) -> u64 {
        self.cell_bytes_max(input_bytes) / 2
    }
}

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// In words.
    pub what: &'static str,
    /// The name that `--limit` knows it by; fixed bounds have none.
    pub flag: Option<&'static str>,
}

/// [`Limits::cell_bytes_max`], as errors call it.
pub const CELL_BYTES: Bound = Bound { what: "bytes of a table's cells", flag: Some("cell-bytes") };

/// A bound that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {wanted} is more than the limit of {limit}{}", of.what, of.flag.map_or_else(String::new, raised_by))]
pub struct Exceeded {
    /// What is bounded.
    pub of: &'static Bound,
    /// The bound.
    pub limit: u64,
    /// What the input asked for.
    pub wanted: u64,
}

/// How a user gets past a bound.
pub fn raised_by(flag: &str) -> String {
    format!("; --limit {flag}=N moves it")
}

/// Bytes that may still be allocated; spent before the allocation happens.
#[derive(Debug)]
pub struct Budget {
    of: &'static Bound,
    limit: u64,
    spent: u64,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(of: &'static Bound, limit: u64) -> Self {
        Self { of, limit, spent: 0 }
    }

    /// Takes `bytes` out of the budget, or fails and takes nothing.
    pub fn spend(&mut self, bytes: u64) -> Result<(), Exceeded> {
        let wanted = self.spent.saturating_add(bytes);
        if wanted > self.limit {
            return Err(Exceeded { of: self.of, limit: self.limit, wanted });
        }
        self.spent = wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once_and_says_what_was_wanted() {
        const GRAPH: Bound = Bound { what: "graph bytes", flag: Some("graph-bytes") };
        let mut budget = Budget::new(&GRAPH, 10);
        budget.spend(7).unwrap();
        assert_eq!(budget.spend(4), Err(Exceeded { of: &GRAPH, limit: 10, wanted: 11 }));
        budget.spend(3).unwrap();
        assert!(budget.spend(u64::MAX).is_err());
    }
}
