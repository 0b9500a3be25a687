//! The structs of `parquet.thrift` that stand in footers and page headers, as far as the library reads them.
//!
//! Enumerations are numbers, strings are bytes, and a union is a struct of which one field is there. What is encrypted is
//! not read, so its fields are not named.

use super::thrift::{
    Shape::{self, Binary, Bool, Byte, Double, I16, I32, I64, List},
    Struct, UNKNOWN,
};

/// A member of a union that says nothing but that it is the one.
const EMPTY: Shape = Shape::Struct(&UNKNOWN);

/// The footer.
pub(super) static FILE_META_DATA: Struct = Struct(&[
    (1, I32), // version
    (2, List(&Shape::Struct(&SCHEMA_ELEMENT))),
    (3, I64), // num_rows
    (4, List(&Shape::Struct(&ROW_GROUP))),
    (5, List(&Shape::Struct(&KEY_VALUE))),
    (6, Binary), // created_by
    (7, List(&Shape::Struct(&COLUMN_ORDER))),
]);

/// A node of the schema, which is a list of them from the root down.
pub(super) static SCHEMA_ELEMENT: Struct = Struct(&[
    (1, I32), // type
    (2, I32), // type_length
    (3, I32), // repetition_type
    (SCHEMA_ELEMENT_NAME, Binary),
    (SCHEMA_ELEMENT_NUM_CHILDREN, I32),
    (6, I32), // converted_type
    (7, I32), // scale
    (8, I32), // precision
    (9, I32), // field_id
    (10, Shape::Struct(&LOGICAL_TYPE)),
]);
pub(super) const SCHEMA_ELEMENT_NAME: i16 = 4;
pub(super) const SCHEMA_ELEMENT_NUM_CHILDREN: i16 = 5;

static LOGICAL_TYPE: Struct = Struct(&[
    (1, EMPTY), // STRING
    (2, EMPTY), // MAP
    (3, EMPTY), // LIST
    (4, EMPTY), // ENUM
    (5, Shape::Struct(&DECIMAL_TYPE)),
    (6, EMPTY), // DATE
    (7, Shape::Struct(&TIME_TYPE)),
    (8, Shape::Struct(&TIME_TYPE)), // TIMESTAMP
    (10, Shape::Struct(&INT_TYPE)),
    (11, EMPTY),                                // UNKNOWN
    (12, EMPTY),                                // JSON
    (13, EMPTY),                                // BSON
    (14, EMPTY),                                // UUID
    (15, EMPTY),                                // FLOAT16
    (16, Shape::Struct(&Struct(&[(1, Byte)]))), // VARIANT: specification_version
    (17, Shape::Struct(&GEOGRAPHY_TYPE)),       // GEOMETRY has the first of its fields
    (18, Shape::Struct(&GEOGRAPHY_TYPE)),
]);

static DECIMAL_TYPE: Struct = Struct(&[(1, I32), (2, I32)]);
static TIME_TYPE: Struct = Struct(&[(1, Bool), (2, Shape::Struct(&TIME_UNIT))]);
static TIME_UNIT: Struct = Struct(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]);
static INT_TYPE: Struct = Struct(&[(1, Byte), (2, Bool)]);
static GEOGRAPHY_TYPE: Struct = Struct(&[(1, Binary), (2, I32)]);

static KEY_VALUE: Struct = Struct(&[(1, Binary), (2, Binary)]);
static COLUMN_ORDER: Struct = Struct(&[(1, EMPTY)]);

static ROW_GROUP: Struct = Struct(&[
    (1, List(&Shape::Struct(&COLUMN_CHUNK))),
    (2, I64), // total_byte_size
    (3, I64), // num_rows
    (4, List(&Shape::Struct(&SORTING_COLUMN))),
    (5, I64), // file_offset
    (6, I64), // total_compressed_size
    (7, I16), // ordinal
]);

static SORTING_COLUMN: Struct = Struct(&[(1, I32), (2, Bool), (3, Bool)]);

static COLUMN_CHUNK: Struct = Struct(&[
    (1, Binary), // file_path
    (2, I64),    // file_offset
    (3, Shape::Struct(&COLUMN_META_DATA)),
    (4, I64), // offset_index_offset
    (5, I32), // offset_index_length
    (6, I64), // column_index_offset
    (7, I32), // column_index_length
]);

static COLUMN_META_DATA: Struct = Struct(&[
    (1, I32),           // type
    (2, List(&I32)),    // encodings
    (3, List(&Binary)), // path_in_schema
    (4, I32),           // codec
    (5, I64),           // num_values
    (6, I64),           // total_uncompressed_size
    (7, I64),           // total_compressed_size
    (8, List(&Shape::Struct(&KEY_VALUE))),
    (9, I64),  // data_page_offset
    (10, I64), // index_page_offset
    (11, I64), // dictionary_page_offset
    (12, Shape::Struct(&STATISTICS)),
    (13, List(&Shape::Struct(&PAGE_ENCODING_STATS))),
    (14, I64), // bloom_filter_offset
    (15, I32), // bloom_filter_length
    (16, Shape::Struct(&SIZE_STATISTICS)),
    (17, Shape::Struct(&GEOSPATIAL_STATISTICS)),
]);

static STATISTICS: Struct = Struct(&[
    (1, Binary), // max
    (2, Binary), // min
    (3, I64),    // null_count
    (4, I64),    // distinct_count
    (5, Binary), // max_value
    (6, Binary), // min_value
    (7, Bool),   // is_max_value_exact
    (8, Bool),   // is_min_value_exact
]);

static PAGE_ENCODING_STATS: Struct = Struct(&[(1, I32), (2, I32), (3, I32)]);
static SIZE_STATISTICS: Struct = Struct(&[(1, I64), (2, List(&I64)), (3, List(&I64))]);
static GEOSPATIAL_STATISTICS: Struct = Struct(&[(1, Shape::Struct(&BOUNDING_BOX)), (2, List(&I32))]);
static BOUNDING_BOX: Struct = Struct(&[
    (1, Double),
    (2, Double),
    (3, Double),
    (4, Double),
    (5, Double),
    (6, Double),
    (7, Double),
    (8, Double),
]);

/// What stands before every page.
pub(super) static PAGE_HEADER: Struct = Struct(&[
    (1, I32), // type
    (PAGE_HEADER_UNCOMPRESSED_PAGE_SIZE, I32),
    (PAGE_HEADER_COMPRESSED_PAGE_SIZE, I32),
    (4, I32), // crc
    (5, Shape::Struct(&DATA_PAGE_HEADER)),
    (6, EMPTY), // index_page_header
    (7, Shape::Struct(&DICTIONARY_PAGE_HEADER)),
    (8, Shape::Struct(&DATA_PAGE_HEADER_V2)),
]);
pub(super) const PAGE_HEADER_UNCOMPRESSED_PAGE_SIZE: i16 = 2;
pub(super) const PAGE_HEADER_COMPRESSED_PAGE_SIZE: i16 = 3;

static DATA_PAGE_HEADER: Struct = Struct(&[
    (1, I32), // num_values
    (2, I32), // encoding
    (3, I32), // definition_level_encoding
    (4, I32), // repetition_level_encoding
    (5, Shape::Struct(&STATISTICS)),
]);

static DICTIONARY_PAGE_HEADER: Struct = Struct(&[
    (1, I32),  // num_values
    (2, I32),  // encoding
    (3, Bool), // is_sorted
]);

static DATA_PAGE_HEADER_V2: Struct = Struct(&[
    (1, I32),  // num_values
    (2, I32),  // num_nulls
    (3, I32),  // num_rows
    (4, I32),  // encoding
    (5, I32),  // definition_levels_byte_length
    (6, I32),  // repetition_levels_byte_length
    (7, Bool), // is_compressed
    (8, Shape::Struct(&STATISTICS)),
]);
