//! The footer: found at the end of the file, walked, and its schema measured, before the library parses it.
//!
//! The library builds the schema's tree by calling itself, takes room for as many children as a group claims, and gives
//! every column all names on the way to it. So the tree is bounded in depth, every child must be there, and all paths
//! together have a bound.

use std::ops::Range;

use super::{
    structs::{FILE_META_DATA, SCHEMA_ELEMENT, SCHEMA_ELEMENT_NAME, SCHEMA_ELEMENT_NUM_CHILDREN},
    thrift::{self, Struct, ThriftFault, ThriftWhy, Watch},
};
use crate::{
    file::error::Damage,
    limits::files::{PARQUET_PATHS_BYTES_MAX, PARQUET_SCHEMA_DEPTH_MAX},
};

/// What errors call it.
const PART: &str = "its footer";
const MAGIC: &[u8] = b"PAR1";
/// Of a footer that only who has a key can read.
const MAGIC_ENCRYPTED: &[u8] = b"PARE";
/// The footer's length, in front of the closing magic.
const LENGTH_BYTES: usize = 4;
/// What a name takes besides its letters.
const NAME_BYTES: u64 = 32;

/// The bytes of the footer, sound enough for the library.
pub(super) fn checked(bytes: &[u8]) -> Result<&[u8], Damage> {
    let place = place(bytes)?;
    let mut schema = Schema::default();
    let walked = thrift::walk(bytes, place.clone(), &FILE_META_DATA, &mut schema);
    let end = walked.map_err(|fault| Damage::Thrift { part: PART, fault })?;
    let whole = schema.finish();
    whole.map_err(|why| Damage::Thrift { part: PART, fault: ThriftFault { offset: end as u64, why } })?;
    Ok(&bytes[place.start..end])
}

fn place(bytes: &[u8]) -> Result<Range<usize>, Damage> {
    let (rest, magic) = bytes.split_last_chunk::<4>().ok_or(Damage::Magic)?;
    if magic == MAGIC_ENCRYPTED {
        let reason = "its footer is encrypted; write it without encryption".to_owned();
        return Err(Damage::Structure { reason });
    }
    let (rest, length) = rest.split_last_chunk::<LENGTH_BYTES>().ok_or(Damage::Magic)?;
    if magic != MAGIC {
        return Err(Damage::Magic);
    }
    let length = u32::from_le_bytes(*length) as usize;
    let start = rest.len().checked_sub(length).ok_or(Damage::OutOfBounds { what: PART })?;
    Ok(start..rest.len())
}

/// The tree that the schema's elements are, in depth first order.
#[derive(Debug, Default)]
struct Schema {
    /// The groups that the next element stands in.
    open: Vec<Group>,
    /// What the element that is being walked says of itself.
    name_bytes: u64,
    children: i64,
    /// What the paths of all columns take.
    paths_bytes: u64,
}

#[derive(Debug)]
struct Group {
    children_left: i64,
    path_bytes: u64,
}

impl Watch for Schema {
    fn integer(&mut self, of: &'static Struct, field: i16, value: i64) {
        if of.is(&SCHEMA_ELEMENT) && field == SCHEMA_ELEMENT_NUM_CHILDREN {
            self.children = value;
        }
    }

    fn binary(&mut self, of: &'static Struct, field: i16, bytes: u64) {
        if of.is(&SCHEMA_ELEMENT) && field == SCHEMA_ELEMENT_NAME {
            self.name_bytes = bytes;
        }
    }

    fn end(&mut self, of: &'static Struct) -> Result<(), ThriftWhy> {
        if of.is(&SCHEMA_ELEMENT) { self.element() } else { Ok(()) }
    }
}

impl Schema {
    fn element(&mut self) -> Result<(), ThriftWhy> {
        let (name_bytes, children) =
            (std::mem::take(&mut self.name_bytes), std::mem::take(&mut self.children));
        // The root's name is on no path.
        let path_bytes = self.open.last_mut().map_or(0, |parent| {
            parent.children_left -= 1;
            parent.path_bytes + name_bytes + NAME_BYTES
        });
        match children {
            ..0 => return Err(ThriftWhy::Tree),
            0 => self.column(path_bytes)?,
            children_left => self.group(Group { children_left, path_bytes })?,
        }
        while self.open.last().is_some_and(|group| group.children_left == 0) {
            self.open.pop();
        }
        Ok(())
    }

    fn column(&mut self, path_bytes: u64) -> Result<(), ThriftWhy> {
        self.paths_bytes = self.paths_bytes.saturating_add(path_bytes);
        let limit = PARQUET_PATHS_BYTES_MAX;
        if self.paths_bytes > limit { Err(ThriftWhy::Paths { limit }) } else { Ok(()) }
    }

    fn group(&mut self, group: Group) -> Result<(), ThriftWhy> {
        let limit = PARQUET_SCHEMA_DEPTH_MAX;
        if self.open.len() == limit {
            return Err(ThriftWhy::Depth { limit });
        }
        self.open.push(group);
        Ok(())
    }

    /// Says that every child that was claimed was there.
    fn finish(self) -> Result<(), ThriftWhy> {
        if self.open.is_empty() { Ok(()) } else { Err(ThriftWhy::Tree) }
    }
}

#[cfg(test)]
mod tests;
