//! A table: a frame with a converter for each column, by a domain's schema or by what the cells are.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use arrow_array::{
    ArrayRef, RecordBatch, RecordBatchOptions,
    types::{Float32Type, Int32Type, Int64Type},
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;

use super::{
    auto::Auto,
    blank::Blank,
    category::Category,
    convert::{Convert, Faults},
    embedding::{Embedding, dimension_of},
    error::{BadRow, Error, MissingColumn, Result},
    infer::Mixed,
    integer::Integer,
    schema::{self as arrow, KEY, SOURCE},
    source::Source,
    text::Text,
    text_list::TextList,
};
use crate::{
    limits::Limits,
    pandas::{Frame, Index, Values},
    schema::{Column, Domain, KeyFormat, Kind},
};

/// The element type of vectors where no schema says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Vectors {
    /// As the file has them.
    #[default]
    AsIs,
    /// 32-bit floats, rounded where need be.
    F32,
    /// 64-bit floats.
    F64,
}

/// The column of made keys in a table of no domain.
const MADE_KEY: &str = "id";

/// A frame that can be converted, any rows of it, in any order.
pub struct Table<'g> {
    schema: SchemaRef,
    converters: Vec<Box<dyn Convert + 'g>>,
    sources: Vec<&'g str>,
    rows: usize,
    ignored: Vec<String>,
    unmade_key: Option<usize>,
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("schema", &self.schema)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Rows as a batch, with the rows among them that are bad: those hold placeholders.
#[derive(Debug)]
pub struct Converted {
    /// All rows.
    pub batch: RecordBatch,
    /// The bad cells, by row and then by column.
    pub bad: Vec<BadRow>,
}

impl<'g> Table<'g> {
    /// The columns of `domain` out of `frame`.
    pub fn of_domain(frame: &'g Frame<'g>, domain: &Domain, limits: &Limits) -> Result<Self> {
        Self::by_domain(frame, domain, None, limits)
    }

    /// The columns of `domain` out of a frame that has all but its key, which is then to be made.
    pub fn of_domain_without_key(frame: &'g Frame<'g>, domain: &Domain, limits: &Limits) -> Result<Self> {
        let key = &domain.columns[domain.key];
        if let Some(column) = key.sources.iter().find(|source| has_values_called(frame, source)) {
            return Err(Error::HasKey { column: column.clone() });
        }
        if domain.key_format != KeyFormat::Uuid {
            return Err(Error::KeyIsNoUuid { key: key.field.clone(), domain: domain.name.clone() });
        }
        Self::by_domain(frame, domain, Some(domain.key), limits)
    }

    fn by_domain(
        frame: &'g Frame<'g>,
        domain: &Domain,
        unmade_key: Option<usize>,
        limits: &Limits,
    ) -> Result<Self> {
        let names: Vec<&str> = frame.columns.iter().map(|column| column.name.as_str()).collect();
        let mut missing = domain.missing(&names);
        missing.retain(|column| unmade_key.is_none_or(|key| domain.columns[key].field != column.field));
        if !missing.is_empty() {
            let wanted = |column: &&Column| MissingColumn {
                field: column.field.clone(),
                sources: column.sources.clone(),
                near: column.nearest_in(&names).map(str::to_owned),
            };
            return Err(Error::MissingColumns {
                missing: missing.iter().map(wanted).collect(),
                present: names.iter().map(ToString::to_string).collect(),
            });
        }
        let taken: Vec<&str> = domain.columns.iter().filter_map(|column| column.source_in(&names)).collect();
        let ignored = names.iter().filter(|name| !taken.contains(name)).map(ToString::to_string).collect();
        let source_of = |column: &Column| source_called(frame, column.source_in(&names)?);
        let sources: Vec<Option<Source<'g>>> = domain.columns.iter().map(source_of).collect();
        let vector = &domain.columns[domain.vector];
        let dimension = match sources[domain.vector] {
            Some(source) => dimension(vector, source, frame.rows, limits)?,
            // It is never the key, so it is not what lacks.
            None => 0,
        };
        let schema = arrow::of_domain(domain, dimension);
        let columns = domain.columns.iter().zip(&sources).zip(schema.fields()).enumerate();
        let converters = columns.map(|(index, ((column, source), field))| {
            let Some(source) = source else {
                return Ok(Box::new(Blank { field: (**field).clone() }) as Box<_>);
            };
            let field = with_source(field, source.name);
            let shape = Shape { dimension, rows: frame.rows, format: domain.format_of(index), limits };
            by_schema(column, *source, field, &shape)
        });
        let converters = converters.collect::<Result<Vec<_>>>()?;
        let fields: Vec<Field> = converters.iter().map(|converter| converter.field()).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let sources = sources.iter().map(|source| source.map_or("", |source| source.name)).collect();
        Ok(Self { schema, converters, sources, rows: frame.rows, ignored, unmade_key })
    }

    /// Every column of `frame`, typed by what its cells are; a row index that says something is a column too.
    pub fn inferred(frame: &'g Frame<'g>, vectors: Vectors, mixed: Mixed, limits: &Limits) -> Result<Self> {
        let mut sources: Vec<Source<'g>> =
            frame.columns.iter().map(|column| of_column(frame, column)).collect();
        let levels = frame.index.iter().filter(|level| !matches!(level.values, Values::Range { .. }));
        sources.extend(levels.map(|level| of_index(frame, level)));
        let mut names = HashSet::with_capacity(sources.len());
        if let Some(twice) = sources.iter().find(|source| !names.insert(source.name)) {
            return Err(Error::SameName(twice.name.to_owned()));
        }
        let auto = Auto { vectors, mixed, limits };
        let converters = sources.par_iter().map(|source| auto.converter(*source, frame.rows));
        let converters = converters.collect::<Result<Vec<_>>>()?;
        let fields: Vec<Field> = converters.iter().map(|converter| converter.field()).collect();
        let sources = sources.iter().map(|source| source.name).collect();
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            converters,
            sources,
            rows: frame.rows,
            ignored: Vec::new(),
            unmade_key: None,
        })
    }

    /// The same of a frame that has no ids, with a first column for those that are then to be made.
    pub fn inferred_without_key(
        frame: &'g Frame<'g>,
        vectors: Vectors,
        mixed: Mixed,
        limits: &Limits,
    ) -> Result<Self> {
        if has_values_called(frame, MADE_KEY) {
            return Err(Error::HasKey { column: MADE_KEY.to_owned() });
        }
        let mut table = Self::inferred(frame, vectors, mixed, limits)?;
        let field = Field::new(MADE_KEY, DataType::Utf8, false);
        table.converters.insert(0, Box::new(Blank { field: field.clone() }));
        table.sources.insert(0, "");
        let fields = std::iter::once(Arc::new(field)).chain(table.schema.fields().iter().cloned());
        let metadata = HashMap::from([(KEY.to_owned(), MADE_KEY.to_owned())]);
        table.schema = Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata));
        table.unmade_key = Some(0);
        Ok(table)
    }

    /// The key column whose values are still to be made: every batch has empty texts there.
    pub fn unmade_key(&self) -> Option<usize> {
        self.unmade_key
    }

    /// The Arrow schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows the frame has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the vectors of one row, which are nearly all there is of it.
    pub fn row_bytes(&self) -> usize {
        let bytes = |field: &Arc<Field>| match field.data_type() {
            DataType::FixedSizeList(item, _) => {
                arrow::dimension(field.data_type()).unwrap_or(0)
                    * item.data_type().primitive_width().unwrap_or(0)
            }
            _ => size_of::<u64>(),
        };
        self.schema.fields().iter().map(bytes).sum()
    }

    /// The first of `rows` whose text fits `bytes_max` together; always one row.
    pub fn fitting(&self, rows: Range<usize>, bytes_max: usize) -> Range<usize> {
        let mut rows = rows;
        let bytes = |rows: &Range<usize>| {
            self.converters.iter().map(|each| each.text_bytes(rows.clone())).sum::<usize>()
        };
        while rows.len() > 1 && bytes(&rows) > bytes_max {
            rows.end = rows.start + rows.len() / 2;
        }
        rows
    }

    /// Columns of the frame that the domain does not take.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How many values were rounded so far.
    pub fn rounded(&self) -> u64 {
        self.converters.iter().map(|converter| converter.rounded()).sum()
    }

    /// Converts `rows`, the columns in parallel.
    pub fn convert(&self, rows: Range<usize>) -> Result<Converted> {
        let groups = together(&self.converters).into_par_iter();
        let groups = groups.map(|columns| self.convert_columns(columns, &rows));
        let groups: Vec<_> = groups.collect();
        let (arrays, bad): (Vec<_>, Vec<_>) = groups.into_iter().flatten().unzip();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        let mut bad: Vec<BadRow> = bad.into_iter().flatten().collect();
        bad.sort_by_key(|bad| bad.row);
        Ok(Converted { batch, bad })
    }

    fn convert_columns(&self, columns: Range<usize>, rows: &Range<usize>) -> Vec<(ArrayRef, Vec<BadRow>)> {
        let converters = &self.converters[columns.clone()];
        let of_matrix: Option<Vec<_>> = converters.iter().map(|converter| converter.interleaved()).collect();
        if let Some(matrix) = of_matrix {
            return super::matrix::convert(&matrix, rows)
                .into_iter()
                .map(|array| (array, Vec::new()))
                .collect();
        }
        let columns = converters.iter().zip(&self.sources[columns]);
        let columns = columns.map(|(converter, column)| {
            let mut bad = Vec::new();
            let array = converter.convert(rows.clone(), &mut Faults { column, bad: &mut bad });
            (array, bad)
        });
        columns.collect()
    }

    /// Takes back the memory of a batch that nobody reads any more.
    pub fn recycle(&self, batch: RecordBatch) {
        let (_, columns, _) = batch.into_parts();
        for (converter, array) in self.converters.iter().zip(columns) {
            converter.recycle(array);
        }
    }
}

/// The columns that one task converts: one, or some neighbours of a matrix.
fn together(converters: &[Box<dyn Convert + '_>]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let is_of_matrix = |column: usize| converters[column].interleaved().is_some();
    for column in 0..converters.len() {
        match groups.last_mut() {
            Some(last)
                if last.len() < super::matrix::COLUMNS
                    && is_of_matrix(last.start)
                    && is_of_matrix(column) =>
            {
                last.end += 1;
            }
            _ => groups.push(column..column + 1),
        }
    }
    groups
}

/// The column of `frame` that has this name.
pub(super) fn source_called<'g>(frame: &'g Frame<'g>, name: &str) -> Option<Source<'g>> {
    frame.columns.iter().find(|column| column.name == name).map(|column| of_column(frame, column))
}

/// Every column of `frame`, by its name; of several that have one, the first.
pub(super) fn sources_by_name<'g>(frame: &'g Frame<'g>) -> HashMap<&'g str, Source<'g>> {
    let columns = frame.columns.iter().rev();
    columns.map(|column| (column.name.as_str(), of_column(frame, column))).collect()
}

/// Whether a column or a level of the row index has this name.
fn has_values_called(frame: &Frame<'_>, name: &str) -> bool {
    frame.columns.iter().any(|column| column.name == name)
        || frame.index.iter().any(|level| level.column == name)
}

fn of_column<'g>(frame: &'g Frame<'g>, column: &'g crate::pandas::Column<'g>) -> Source<'g> {
    Source { graph: frame.graph, values: &column.values, name: &column.name }
}

fn of_index<'g>(frame: &'g Frame<'g>, index: &'g Index<'g>) -> Source<'g> {
    Source { graph: frame.graph, values: &index.values, name: &index.column }
}

fn with_source(field: &Field, name: &str) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(SOURCE.to_owned(), name.to_owned());
    field.clone().with_metadata(metadata)
}

/// The dimension of the first vector that has an allowed one.
fn dimension(column: &Column, source: Source<'_>, rows: usize, limits: &Limits) -> Result<usize> {
    let mut first = 0;
    let matrix = match source.values {
        Values::Vectors(array) => array.shape.last().copied(),
        _ => None,
    };
    let cells = source.cells(0..if matrix.is_some() { 0 } else { rows });
    for found in matrix.into_iter().chain(cells.filter_map(|cell| dimension_of(source, cell, limits))) {
        let allowed = column.dimensions.is_empty() || column.dimensions.contains(&found);
        if allowed && (1..=limits.vector_dimension_max).contains(&found) {
            return Ok(found);
        }
        first = if first == 0 { found } else { first };
    }
    match column.dimensions.first() {
        // A table without rows has the usual dimension.
        Some(usual) if rows == 0 => Ok(*usual),
        _ => Err(Error::NoDimension {
            column: source.name.to_owned(),
            allowed: column.dimensions.clone(),
            found: first,
        }),
    }
}

/// What all columns of a table have in common.
struct Shape<'l> {
    dimension: usize,
    rows: usize,
    format: KeyFormat,
    limits: &'l Limits,
}

fn by_schema<'g>(
    column: &Column,
    source: Source<'g>,
    field: Field,
    shape: &Shape<'_>,
) -> Result<Box<dyn Convert + 'g>> {
    let Shape { dimension, rows, format, limits } = *shape;
    let coerce = column.coerce;
    Ok(match column.kind {
        Kind::Text => Box::new(Text { source, field, format }),
        Kind::Category => {
            Box::new(Category::new(source, rows, field, limits)?.ok_or_else(|| Error::WrongSource {
                column: source.name.to_owned(),
                wanted: "text",
                found: "a categorical of other values",
            })?)
        }
        Kind::Int32 => {
            Box::new(Integer { source, field, coerce, width: std::marker::PhantomData::<Int32Type> })
        }
        Kind::Int64 => {
            Box::new(Integer { source, field, coerce, width: std::marker::PhantomData::<Int64Type> })
        }
        Kind::TextList => Box::new(TextList { source, field, limits: limits.clone() }),
        Kind::Vector => Box::new(Embedding::<Float32Type>::new(source, field, dimension, false, limits)),
    })
}
