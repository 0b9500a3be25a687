//! How each column is written: compression, dictionaries, statistics, bloom filters.

use arrow_schema::Schema;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    errors::Result,
    file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
    schema::types::{ColumnPath, SchemaDescriptor},
};

use crate::{columnar::schema as convention, file::VectorEncoding};

/// Wrong answers of the bloom filter, one in a hundred: smaller costs more bytes than it saves reads.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// zstd's fastest ordinary level: higher ones gain a few per cent and cost several times the time.
const ZSTD_LEVEL: i32 = 1;

/// The properties of a file with `schema`.
pub(super) fn of(
    schema: &Schema,
    descriptor: &SchemaDescriptor,
    encoding: VectorEncoding,
) -> Result<WriterProperties> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Page);
    let key_index = convention::key_index(schema);
    for leaf in 0..descriptor.num_columns() {
        let path = descriptor.column(leaf).path().clone();
        let field = descriptor.get_column_root_idx(leaf);
        if key_index == Some(field) {
            properties = key(properties, path);
        } else if convention::dimension(schema.field(field).data_type()).is_some() {
            properties = vector(properties, path, encoding);
        }
    }
    Ok(properties.build())
}

/// Keys are distinct: a dictionary of them is the column once more.
fn key(properties: WriterPropertiesBuilder, path: ColumnPath) -> WriterPropertiesBuilder {
    properties
        .set_column_dictionary_enabled(path.clone(), false)
        .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
        .set_column_bloom_filter_enabled(path, true)
}

/// Least and greatest of a vector's elements tell nobody anything.
fn vector(
    properties: WriterPropertiesBuilder,
    path: ColumnPath,
    encoding: VectorEncoding,
) -> WriterPropertiesBuilder {
    let properties = properties
        .set_column_dictionary_enabled(path.clone(), false)
        .set_column_statistics_enabled(path.clone(), EnabledStatistics::None);
    match encoding {
        VectorEncoding::Plain => properties.set_column_compression(path, Compression::UNCOMPRESSED),
        VectorEncoding::ByteStreamSplit => properties.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT),
    }
}
