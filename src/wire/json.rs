//! Batches to JSON text: the messages of the dialect `json-v1`, whose chunks are arrays of row objects.
//!
//! Everything that is the same in each row (braces, keys, the nulls of keys without a column) is put together once, when
//! the plan is made. How long a float's text is shows only when it is written, so chunks are cut by what their rows take
//! at most: a message may hold a row less than it could, and never exceeds its bound.

mod field;
#[cfg(test)]
mod tests;
mod text;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use bytes::Bytes;

use super::{
    Chunking, Error,
    encode::{GRPC_PREFIX_BYTES, InnerLens, MESSAGE_BYTES_MAX},
    plan::Plan,
    spare::Spare,
    split::{Cut, RowLen, cut_greedily},
    varint::{Wire, delimited_len, key, put_delimited},
};
use crate::{
    columnar::cells::Column,
    schema::{Domain, JsonForm},
};
use field::{JsonField, NULL};

/// Number of the request's field that carries a chunk.
const DATA_CHUNK: u32 = 2;
/// Bytes before the text: gRPC's prefix, and the key and length of the field at most.
const HEAD_BYTES_MAX: usize = GRPC_PREFIX_BYTES + 1 + 5;
/// What the brackets add to rows that are counted with a comma each, the last one too.
const BRACKET_BYTES: usize = 1;

/// How batches of one schema become requests with JSON text.
#[derive(Debug, Clone)]
pub struct JsonPlan {
    fields: Vec<JsonField>,
    /// What follows the last value of an object.
    end: String,
    /// Bytes of an object that are the same in each row.
    fixed_len: usize,
    unfilled: Vec<String>,
}

impl JsonPlan {
    /// Plans `domain`'s objects for batches of `schema`.
    pub fn for_domain(domain: &Domain, schema: &Schema) -> Result<Self, Error> {
        let form = domain.json.as_ref().ok_or_else(|| Error::NoJson { domain: domain.name.clone() })?;
        for field in schema.fields() {
            if !form.keys.iter().any(|key| key.column.as_ref() == Some(field.name())) {
                let message = format!("JSON object of {}", form.domain);
                return Err(Error::NoField { column: field.name().clone(), message });
            }
        }
        Self::of_form(form, domain, schema)
    }

    fn of_form(form: &JsonForm, domain: &Domain, schema: &Schema) -> Result<Self, Error> {
        let (mut fields, mut unfilled, mut before) = (Vec::new(), Vec::new(), "{".to_owned());
        for (at, key) in form.keys.iter().enumerate() {
            before += if at == 0 { "" } else { "," };
            before += &text::quoted(&key.name);
            before += ":";
            let Some(column) = &key.column else {
                before += NULL;
                unfilled.push(key.name.clone());
                continue;
            };
            let index = schema
                .index_of(column)
                .map_err(|_| Error::NoColumn { column: column.clone(), domain: domain.name.clone() })?;
            fields.push(JsonField::new(std::mem::take(&mut before), index, schema.field(index))?);
        }
        let end = before + "}";
        let fixed_len = fields.iter().map(|field| field.before.len()).sum::<usize>() + end.len();
        Ok(Self { fields, end, fixed_len, unfilled })
    }

    /// Keys that no column fills: null in every row.
    pub fn unfilled(&self) -> &[String] {
        &self.unfilled
    }

    /// Whether a missing value of `column` is sent as some value; if not, it is null there too.
    pub fn fills(&self, column: &str) -> bool {
        self.fields.iter().any(|field| field.name == column && field.fills())
    }

    fn bind(&self, batch: &RecordBatch) -> Result<Vec<Column>, Error> {
        self.fields.iter().map(|field| field.bind(batch)).collect()
    }

    /// Bytes that a row takes at most.
    fn row_len_max(&self, columns: &[Column], row: usize) -> usize {
        let values = self.fields.iter().zip(columns).map(|(field, column)| field.len_max(column, row));
        self.fixed_len + values.sum::<usize>()
    }

    fn row_len(&self, columns: &[Column], row: usize) -> Result<usize, Error> {
        let mut text = Vec::new();
        self.put_row(columns, row, &mut text)?;
        Ok(text.len())
    }

    fn put_row(&self, columns: &[Column], row: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        for (field, column) in self.fields.iter().zip(columns) {
            out.extend_from_slice(field.before.as_bytes());
            field.put(column, row, out)?;
        }
        out.extend_from_slice(self.end.as_bytes());
        Ok(())
    }
}

impl Plan for JsonPlan {
    fn cut(&self, batch: &RecordBatch, _: u64, bounds: Chunking) -> Result<Vec<Cut>, Error> {
        let columns = self.bind(batch)?;
        let row_len = |row, _: &mut InnerLens| {
            let mut alone = self.row_len_max(&columns, row);
            // Only a row whose bound does not fit is looked at twice: it may still fit.
            if message_len(alone + 1) > bounds.message_bytes_max {
                alone = self.row_len(&columns, row)?;
            }
            Ok(RowLen { alone, in_chunk: alone + 1 })
        };
        cut_greedily(0..batch.num_rows(), bounds, row_len, message_len)
    }

    fn encode_framed(&self, batch: &RecordBatch, cut: &Cut, _: u64, spare: &Spare) -> Result<Bytes, Error> {
        let columns = self.bind(batch)?;
        let text_len_max = BRACKET_BYTES + cut.row_lens.iter().map(|len| len + 1).sum::<usize>();
        check(text_len_max, MESSAGE_BYTES_MAX - HEAD_BYTES_MAX)?;
        let mut out = spare.take(HEAD_BYTES_MAX + text_len_max);
        out.resize(HEAD_BYTES_MAX, 0);
        for (at, row) in cut.rows.clone().enumerate() {
            out.push(if at == 0 { b'[' } else { b',' });
            self.put_row(&columns, row, &mut out)?;
        }
        out.push(b']');
        let text_len = out.len() - HEAD_BYTES_MAX;
        check(text_len, text_len_max)?;
        let start = put_head(text_len, &mut out);
        Ok(spare.lend(out).slice(start..))
    }
}

fn check(bytes: usize, message_bytes_max: usize) -> Result<(), Error> {
    if bytes > message_bytes_max {
        return Err(Error::MessageTooLong { bytes, message_bytes_max });
    }
    Ok(())
}

/// Bytes of a message whose rows and commas take `chunk_len`.
fn message_len(chunk_len: usize) -> usize {
    delimited_len(key(DATA_CHUNK, Wire::Bytes), chunk_len + BRACKET_BYTES)
}

/// Writes what stands before the text, right up to it, and says where it begins.
fn put_head(text_len: usize, out: &mut [u8]) -> usize {
    let key = key(DATA_CHUNK, Wire::Bytes);
    let message_len = delimited_len(key, text_len);
    let mut head = Vec::with_capacity(HEAD_BYTES_MAX);
    head.push(0);
    head.extend_from_slice(&(message_len as u32).to_be_bytes());
    put_delimited(key, text_len, &mut head);
    let start = HEAD_BYTES_MAX - head.len();
    out[start..HEAD_BYTES_MAX].copy_from_slice(&head);
    start
}
