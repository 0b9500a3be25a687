//! Served chunks: rows that stand in the message itself, beside what it says of them.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{
    Error,
    envelope::{HEADER, Rows, bytes},
    layout::published,
    rows::RowDecoder,
    scan::{Scan, Value},
};
use crate::{limits::wire::ChunkLimits, proto::embedding::ChunkHeader, schema::Domain};

/// The message of a served chunk.
const CHUNK: &str = "embedding.RowChunk";
/// Numbers of its fields beside the rows and the header.
const TOTAL_ROWS: u32 = 101;
const FINGERPRINT: u32 = 102;

/// What a served chunk says beside its rows. Servers of the original contract say nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// Where its rows stand.
    pub header: Option<ChunkHeader>,
    /// Rows of the whole table.
    pub total_rows: Option<u64>,
    /// The identity of the whole table's content.
    pub fingerprint: Option<String>,
}

/// Decodes served chunks of one domain.
#[derive(Debug, Clone)]
pub struct ServedDecoder {
    place: Place,
    rows: RowDecoder,
}

/// Where a domain's rows stand in a served chunk.
#[derive(Debug, Clone)]
struct Place {
    field: u32,
    row: MessageDescriptor,
    /// Number of the vector's field in a row.
    vector: u32,
    /// The other domains' fields.
    others: Vec<(u32, String)>,
}

impl Place {
    fn find(domain: &Domain) -> Result<Self, Error> {
        let none = || Error::NoCarrier {
            message: CHUNK.to_owned(),
            field: "rows".to_owned(),
            carries: domain.message.clone(),
        };
        let chunk = published().get_message_by_name(CHUNK).ok_or_else(none)?;
        let carries = |field: &FieldDescriptor| match field.kind() {
            Kind::Message(row) if field.is_list() => Some((field.number(), field.name().to_owned(), row)),
            _ => None,
        };
        let (ours, others): (Vec<_>, Vec<_>) = chunk
            .fields()
            .filter_map(|field| carries(&field))
            .partition(|(_, _, row)| row.full_name() == domain.message);
        let (field, _, row) = ours.into_iter().next().ok_or_else(none)?;
        let vector = row.get_field_by_name(&domain.columns[domain.vector].field).ok_or_else(none)?.number();
        let others = others.into_iter().map(|(number, name, _)| (number, name)).collect();
        Ok(Self { field, row, vector, others })
    }

    /// What `message` says beside its rows; an error if it carries rows of another domain.
    fn about(&self, message: &Bytes) -> Result<About, Error> {
        let (mut scan, mut about) = (Scan::new(message, 0), About::default());
        while let Some(found) = scan.next()? {
            match (found.number, found.value) {
                (number, _) if number == self.field => {}
                (HEADER, _) => about.header.get_or_insert_default().merge(bytes(&found, "header")?)?,
                (TOTAL_ROWS, Value::Varint(rows)) => about.total_rows = Some(rows),
                (FINGERPRINT, _) => {
                    let text = String::from_utf8_lossy(bytes(&found, "fingerprint")?);
                    about.fingerprint = Some(text.into_owned());
                }
                (number, _) => self.refuse_other(number)?,
            }
        }
        Ok(about)
    }

    /// Fields that we do not know are a newer server's.
    fn refuse_other(&self, number: u32) -> Result<(), Error> {
        let other = self.others.iter().find(|(other, _)| *other == number);
        other.map_or(Ok(()), |(_, found)| {
            Err(Error::ChunkKind { expected: self.row.full_name().to_owned(), found: found.clone() })
        })
    }

    /// The dimension of the first row's vector; none if there is no row.
    fn dimension(&self, message: &Bytes) -> Result<Option<usize>, Error> {
        let Some(mut fields) = Rows::of_message(message, self.field).next()? else { return Ok(None) };
        let mut elements = 0;
        while let Some(found) = fields.next()? {
            elements += match found.value {
                _ if found.number != self.vector => 0,
                Value::Bytes(run) => run.len() / size_of::<f32>(),
                _ => 1,
            };
        }
        Ok(Some(elements))
    }
}

impl ServedDecoder {
    /// What `message` says beside its rows; an error if it carries rows of another domain than `domain`.
    pub fn peek(domain: &Domain, message: &Bytes) -> Result<About, Error> {
        Place::find(domain)?.about(message)
    }

    /// A decoder for `domain`'s rows with vectors of the dimension of the first row of `message`; none if it has no row.
    pub fn for_message(domain: &Domain, message: &Bytes, limits: ChunkLimits) -> Result<Option<Self>, Error> {
        let place = Place::find(domain)?;
        let Some(dimension) = place.dimension(message)? else { return Ok(None) };
        let rows = RowDecoder::new(domain, &place.row, dimension, limits)?;
        Ok(Some(Self { place, rows }))
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.rows.schema()
    }

    /// What `message` says beside its rows; an error if it carries rows of another domain.
    pub fn about(&self, message: &Bytes) -> Result<About, Error> {
        self.rows.check_length(message.len())?;
        self.place.about(message)
    }

    /// The rows of `message` as a batch.
    pub fn decode(&self, message: &Bytes) -> Result<RecordBatch, Error> {
        self.rows.check_length(message.len())?;
        self.rows.batch(&Rows::of_message(message, self.place.field), message.len())
    }

    /// Counts the rows of `message`, checks the dimension of each and hands out its key; no vector is read.
    pub fn check<'m>(&self, message: &'m Bytes, mut each: impl FnMut(&'m str)) -> Result<usize, Error> {
        self.rows.check_length(message.len())?;
        self.rows.check_keys(&Rows::of_message(message, self.place.field), |row, key| {
            let text = std::str::from_utf8(key);
            let text = text.map_err(|source| Error::Utf8 { field: "key".to_owned(), row, source })?;
            each(text);
            Ok(())
        })
    }
}
