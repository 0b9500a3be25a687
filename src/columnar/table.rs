//! A table: a frame with a converter for each column, by a domain's schema or by what the cells are.

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch, RecordBatchOptions,
    types::{Float32Type, Int32Type, Int64Type},
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;

use super::{
    auto::Auto,
    category::Category,
    convert::{Convert, Faults},
    embedding::{Embedding, dimension_of},
    error::{BadRow, Error, MissingColumn, Result},
    infer::Mixed,
    integer::Integer,
    schema::{self as arrow, SOURCE},
    source::Source,
    text::Text,
    text_list::TextList,
};
use crate::{
    limits::Limits,
    pandas::{Frame, Index, Values},
    schema::{Column, Domain, Kind},
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

/// A frame that can be converted, any rows of it, in any order.
pub struct Table<'g> {
    schema: SchemaRef,
    converters: Vec<Box<dyn Convert + 'g>>,
    sources: Vec<&'g str>,
    rows: usize,
    ignored: Vec<String>,
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
        let names: Vec<&str> = frame.columns.iter().map(|column| column.name.as_str()).collect();
        let missing = domain.missing(&names);
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
        let sources: Vec<Source<'g>> = taken.iter().filter_map(|name| source(frame, name)).collect();
        let vector = (&domain.columns[domain.vector], sources[domain.vector]);
        let dimension = dimension(vector.0, vector.1, frame.rows, limits)?;
        let schema = arrow::of_domain(domain, dimension);
        let columns = domain.columns.iter().zip(&sources).zip(schema.fields());
        let converters = columns.map(|((column, source), field)| {
            let field = with_source(field, source.name);
            by_schema(column, *source, field, &Shape { dimension, rows: frame.rows, limits })
        });
        let converters = converters.collect::<Result<Vec<_>>>()?;
        let fields: Vec<Field> = converters.iter().map(|converter| converter.field()).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let sources = sources.iter().map(|source| source.name).collect();
        Ok(Self { schema, converters, sources, rows: frame.rows, ignored })
    }

    /// Every column of `frame`, typed by what its cells are; a row index that says something is a column too.
    pub fn inferred(frame: &'g Frame<'g>, vectors: Vectors, mixed: Mixed, limits: &Limits) -> Result<Self> {
        let mut sources: Vec<Source<'g>> =
            frame.columns.iter().map(|column| of_column(frame, column)).collect();
        let levels = frame.index.iter().filter(|level| !matches!(level.values, Values::Range { .. }));
        sources.extend(levels.map(|level| of_index(frame, level)));
        for (position, source) in sources.iter().enumerate() {
            if sources[..position].iter().any(|other| other.name == source.name) {
                return Err(Error::SameName(source.name.to_owned()));
            }
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
        })
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

fn source<'g>(frame: &'g Frame<'g>, name: &str) -> Option<Source<'g>> {
    frame.columns.iter().find(|column| column.name == name).map(|column| of_column(frame, column))
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
    limits: &'l Limits,
}

fn by_schema<'g>(
    column: &Column,
    source: Source<'g>,
    field: Field,
    shape: &Shape<'_>,
) -> Result<Box<dyn Convert + 'g>> {
    let Shape { dimension, rows, limits } = *shape;
    let coerce = column.coerce;
    Ok(match column.kind {
        Kind::Text => Box::new(Text { source, field }),
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
