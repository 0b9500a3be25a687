//! One dictionary for a category column over many batches, each of which brings its own.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, Int32Array, StringArray, builder::StringBuilder, cast::AsArray as _,
    types::Int32Type,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

/// The values of a column in the order in which they were first met, numbered from 0.
#[derive(Debug, Default)]
pub(crate) struct Categories {
    codes: HashMap<Arc<str>, i32>,
    values: Vec<Arc<str>>,
}

impl Categories {
    /// An empty dictionary for each category column of `schema`.
    pub(crate) fn of_schema(schema: &Schema) -> Vec<Option<Self>> {
        schema.fields().iter().map(|field| is_category(field).then(Self::default)).collect()
    }

    /// The number of `value`.
    pub(crate) fn code(&mut self, value: &str) -> Result<i32, ArrowError> {
        if let Some(code) = self.codes.get(value) {
            return Ok(*code);
        }
        let code = i32::try_from(self.values.len()).map_err(|_| ArrowError::DictionaryKeyOverflowError)?;
        let value: Arc<str> = value.into();
        self.codes.insert(Arc::clone(&value), code);
        self.values.push(value);
        Ok(code)
    }

    /// The numbers of all `values`, by their position there.
    pub(crate) fn codes_of<'a>(
        &mut self,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<i32>, ArrowError> {
        values.into_iter().map(|value| self.code(value)).collect()
    }

    /// A dictionary column as the numbers of this dictionary.
    pub(crate) fn encode(&mut self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let column = column.as_dictionary::<Int32Type>();
        let values = column.values().as_string::<i32>();
        let codes = self.codes_of((0..values.len()).map(|index| values.value(index)))?;
        Ok(renumber(column.keys(), &codes))
    }

    /// The values, in order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(AsRef::as_ref)
    }

    /// The values as the dictionary of an Arrow column.
    pub(crate) fn dictionary(&self) -> StringArray {
        let mut builder = StringBuilder::new();
        self.values().for_each(|value| builder.append_value(value));
        builder.finish()
    }
}

/// `schema` with numbers in place of categories: each batch brings a dictionary of its own, all of them together have one.
pub(crate) fn numbered_schema(schema: &Schema) -> SchemaRef {
    let numbered = |field: &Arc<Field>| {
        if is_category(field) {
            Arc::new(Field::new(field.name(), DataType::Int32, field.is_nullable()))
        } else {
            Arc::clone(field)
        }
    };
    Arc::new(Schema::new(schema.fields().iter().map(numbered).collect::<Vec<_>>()))
}

fn is_category(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Dictionary(..))
}

/// Every number replaced by what stands at its place in `codes`; nulls stay.
pub(crate) fn renumber(numbers: &Int32Array, codes: &[i32]) -> ArrayRef {
    let renumbered = numbers
        .iter()
        .map(|number| number.and_then(|number| codes.get(usize::try_from(number).ok()?)).copied());
    Arc::new(renumbered.collect::<Int32Array>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_first_number() {
        let mut categories = Categories::default();
        assert_eq!(categories.codes_of(["b", "a", "b", ""]).unwrap(), [0, 1, 0, 2]);
        assert_eq!(categories.values().collect::<Vec<_>>(), ["b", "a", ""]);
        let renumbered = renumber(&Int32Array::from(vec![Some(1), None, Some(0)]), &[7, 9]);
        assert_eq!(renumbered.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(9), None, Some(7)]));
    }
}
