//! What a domain schema file may hold. Users write these files, but they come from elsewhere too.

/// Longest schema file: a hundred times the longest that is built in.
pub const FILE_BYTES_MAX: usize = 256 << 10;
/// Most columns of one domain: a message for each row has no more fields than a person can write down.
pub const COLUMNS_MAX: usize = 1024;
/// Longest vector: twenty times what embedding models give today, and 256 KiB a row.
pub const DIMENSION_MAX: usize = 1 << 16;
/// Longest domain name, because tables and files are named by it.
pub const NAME_BYTES_MAX: usize = 64;
