//! Converters by what the cells are, for tables without a domain.

use arrow_array::types::{Float32Type, Float64Type};
use arrow_schema::{DataType, Field};

use super::{
    convert::Convert,
    embedding::{self, Embedding},
    error::{Error, Result},
    infer::{Inferred, Mixed, infer},
    number,
    object::Objects,
    schema as arrow,
    source::Source,
    text::Text,
    text_list::TextList,
    typed,
};
use crate::{columnar::Vectors, limits::Limits, schema::Kind};

/// How columns are typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Auto<'l> {
    pub(super) vectors: Vectors,
    pub(super) mixed: Mixed,
    pub(super) limits: &'l Limits,
}

impl Auto<'_> {
    /// The converter of a column of `rows` values.
    pub(super) fn converter<'g>(self, source: Source<'g>, rows: usize) -> Result<Box<dyn Convert + 'g>> {
        let inner = |source: Source<'g>, rows| self.converter(source, rows);
        match typed::converter(source, rows, &inner, self.limits)? {
            Some(converter) => Ok(converter),
            None => self.by_cells(source, rows),
        }
    }

    fn by_cells<'g>(self, source: Source<'g>, rows: usize) -> Result<Box<dyn Convert + 'g>> {
        let field = |data_type| Field::new(source.name, data_type, true);
        Ok(match infer(source, rows, self.limits, self.mixed)? {
            Inferred::Text => Box::new(Text { source, field: field(DataType::Utf8) }),
            Inferred::TextList => {
                let data_type = arrow::data_type(Kind::TextList, 0);
                Box::new(TextList { source, field: field(data_type), limits: self.limits.clone() })
            }
            Inferred::Plain(plain) => number::converter(source, &plain.data_type())
                .ok_or_else(|| no_type(source, "numbers without a type"))?,
            Inferred::Vector { dimension, narrow } => self.vectors(source, dimension, narrow)?,
            Inferred::Object(kind) => Box::new(Objects::new(source, kind, self.limits)),
        })
    }

    fn vectors<'g>(
        self,
        source: Source<'g>,
        dimension: usize,
        narrow: bool,
    ) -> Result<Box<dyn Convert + 'g>> {
        let field = |data_type| Field::new(source.name, data_type, true);
        if dimension == 0 || dimension > self.limits.vector_dimension_max {
            return Err(Error::NoDimension {
                column: source.name.to_owned(),
                allowed: Vec::new(),
                found: dimension,
            });
        }
        Ok(if self.vectors == Vectors::F32 || (self.vectors == Vectors::AsIs && narrow) {
            let field = field(embedding::data_type::<Float32Type>(dimension));
            Box::new(Embedding::<Float32Type>::new(source, field, dimension, true, self.limits))
        } else {
            let field = field(embedding::data_type::<Float64Type>(dimension));
            Box::new(Embedding::<Float64Type>::new(source, field, dimension, true, self.limits))
        })
    }
}

fn no_type(source: Source<'_>, found: &str) -> Error {
    Error::NoType { column: source.name.to_owned(), row: 0, found: found.to_owned() }
}
