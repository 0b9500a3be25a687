//! Converters by what the file or the cells say, for tables without a domain.

use super::{
    convert::Convert,
    error::{Error, Result},
    infer::Mixed,
    integer_vector, object,
    source::Source,
    table::Vectors,
    typed,
};
use crate::{limits::Limits, numpy::Kind, pandas::Values};

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
            None => match source.values {
                Values::Vectors(array) => {
                    let dimension = array.shape.last().copied().unwrap_or(0);
                    let narrow = array.dtype.kind == Kind::Float && array.dtype.itemsize <= 4;
                    self.matrix(source, dimension, narrow)
                }
                _ => object::converter(source, rows, (self.vectors, self.mixed), self.limits),
            },
        }
    }

    /// Vectors that are the rows of one array.
    fn matrix<'g>(self, source: Source<'g>, dimension: usize, narrow: bool) -> Result<Box<dyn Convert + 'g>> {
        if dimension == 0 || dimension > self.limits.vector_dimension_max {
            let (column, allowed) = (source.name.to_owned(), Vec::new());
            return Err(Error::NoDimension { column, allowed, found: dimension });
        }
        // Integers stay integers unless floats are asked for.
        if let (Values::Vectors(array), Vectors::AsIs) = (source.values, self.vectors)
            && let Some(converter) = integer_vector::converter(source.name, array)
        {
            return Ok(converter);
        }
        let narrow = self.vectors == Vectors::F32 || (self.vectors == Vectors::AsIs && narrow);
        Ok(object::embedding(source, dimension, narrow, self.limits))
    }
}
