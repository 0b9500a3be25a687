//! Files of NumPy's own: `.npy`, and the archives of them that `numpy.savez` writes.
//!
//! Arrays stay where they are in the input. Records are laid out anew, because columns are read field by field: once,
//! piece by piece, into a temporary file without a name.

use std::{fs::File, ops::Range, os::unix::fs::FileExt as _, path::Path};

use bytes::Bytes;

use super::{
    error::{self, Error},
    map::{Access, Contents},
    packed::Peeled,
    spool::unnamed,
};
use crate::numpy::{
    self,
    npy::{Field, Header, Items, MAGIC, Placed, Value},
};

/// Bytes of records that are laid out at a time.
const PIECE_BYTES: u64 = 4 << 20;

/// Why a file of arrays cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{what}", name.as_ref().map_or_else(String::new, |name| format!("array {name:?}: ")))]
pub struct Unfit {
    /// The name of the array in an archive.
    pub name: Option<String>,
    /// What is wrong.
    #[source]
    pub what: What,
}

/// What is wrong with an array.
#[derive(Debug, thiserror::Error)]
pub enum What {
    /// Its header.
    #[error(transparent)]
    Header(#[from] numpy::Error),
    /// There are fewer bytes than the header says.
    #[error("it is cut short: {expected} bytes of data are announced, {found} are there")]
    CutShort {
        /// By shape and dtype.
        expected: u64,
        /// What follows the header.
        found: u64,
    },
    /// There are more bytes in the archive than the header says.
    #[error("{0} bytes follow the end of the array")]
    BytesBehind(u64),
    /// Records in rows and columns.
    #[error("records of {0} dimensions are no table: one is expected")]
    Dimensions(usize),
}

/// The arrays of a file.
pub(super) struct Arrays {
    /// Whether they have names.
    archive: bool,
    members: Vec<(String, Member)>,
}

enum Member {
    Plain(Placed),
    Records { fields: Vec<Field>, item_bytes: u64, rows: u64, range: Range<usize> },
}

/// The arrays of a file that is one of NumPy's.
pub(super) fn find(peeled: &Peeled) -> Result<Option<Arrays>, Unfit> {
    let bytes = &peeled.bytes;
    let Some(named) = &peeled.arrays else {
        if !bytes.starts_with(MAGIC) {
            return Ok(None);
        }
        let (member, _) = Member::find(bytes, 0..bytes.len()).map_err(|what| Unfit { name: None, what })?;
        return Ok(Some(Arrays { archive: false, members: vec![(String::new(), member)] }));
    };
    let members = named.iter().map(|(name, range)| {
        let found = Member::find(bytes, range.clone()).and_then(|(member, behind)| match behind {
            0 => Ok(member),
            behind => Err(What::BytesBehind(behind)),
        });
        found.map(|member| (name.clone(), member)).map_err(|what| Unfit { name: Some(name.clone()), what })
    });
    Ok(Some(Arrays { archive: true, members: members.collect::<Result<_, _>>()? }))
}

impl Member {
    /// The array whose file is this range, and how many bytes follow it there.
    fn find(bytes: &[u8], range: Range<usize>) -> Result<(Self, u64), What> {
        let header = Header::parse(&bytes[range.clone()])?;
        let start = range.start + header.data;
        let found = (range.end - start) as u64;
        let Some(item_bytes) = header.items.bytes() else {
            // Where a pickle ends, only reading it shows.
            return Ok((Self::plain(header, start..range.end)?, 0));
        };
        let count = header.count()?;
        if item_bytes == 0 && count > 0 {
            return Err(numpy::Error::Npy("items of at least one byte").into());
        }
        let expected = count.checked_mul(item_bytes).ok_or(numpy::Error::ImpossibleShape)?;
        let behind = found.checked_sub(expected).ok_or(What::CutShort { expected, found })?;
        let range = start..start + expected as usize;
        match header.items {
            Items::Plain(_) => Ok((Self::plain(header, range)?, behind)),
            Items::Record { fields, item_bytes } => match *header.shape.as_slice() {
                [rows] => Ok((Self::Records { fields, item_bytes, rows, range }, behind)),
                _ => Err(What::Dimensions(header.shape.len())),
            },
        }
    }

    fn plain(header: Header, range: Range<usize>) -> Result<Self, What> {
        let Header { items: Items::Plain(code), shape, fortran, .. } = header else {
            return Err(numpy::Error::Npy("records without objects").into());
        };
        Ok(Self::Plain(Placed { code, shape, fortran, range }))
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Plain(placed) => placed.range.len(),
            // Padding between fields is left out.
            Self::Records { fields, rows, .. } => {
                fields.iter().map(|field| (field.bytes * rows) as usize).sum()
            }
        }
    }
}

impl Arrays {
    /// Lays out records field by field; then all bytes stand in one other place. Without records nothing moves.
    pub(super) fn in_columns(
        self,
        bytes: &Bytes,
        path: &Path,
        temporary_folder: &Path,
        access: Access,
    ) -> Result<(Bytes, Value), Error> {
        let moves = self.members.iter().any(|(_, member)| matches!(member, Member::Records { .. }));
        let mut layout = Layout { input: bytes, file: None, end: 0 };
        if moves {
            let temporary = temporary_folder.join(".brine-spool");
            let action = || error::io(&temporary, "write");
            let file = unnamed(temporary_folder).map_err(action())?;
            let size = self.members.iter().map(|(_, member)| member.bytes() as u64).sum();
            file.set_len(size).map_err(action())?;
            layout.file = Some(file);
            let value = layout.value(self).map_err(action())?;
            let file = layout.file.take().expect("it was put there above");
            return Ok((Contents::of_file(file, path, access)?.to_bytes(), value));
        }
        let value = layout.value(self).map_err(error::io(path, "read"))?;
        Ok((bytes.clone(), value))
    }
}

/// Arrays on their way to a file in which no records are.
struct Layout<'a> {
    input: &'a [u8],
    /// None if all stay where they are.
    file: Option<File>,
    end: usize,
}

impl Layout<'_> {
    fn value(&mut self, arrays: Arrays) -> std::io::Result<Value> {
        let mut values = Vec::with_capacity(arrays.members.len());
        for (name, member) in arrays.members {
            values.push((name, self.member(member)?));
        }
        match values.pop() {
            Some((_, value)) if !arrays.archive => Ok(value),
            last => Ok(Value::Named(values.into_iter().chain(last).collect())),
        }
    }

    fn member(&mut self, member: Member) -> std::io::Result<Value> {
        match member {
            Member::Plain(placed) => self.plain(placed).map(Value::Array),
            Member::Records { fields, item_bytes, rows, range } => {
                let start = self.end;
                let value = Value::Named(fields.iter().map(|field| self.column(field, rows)).collect());
                self.records(&fields, item_bytes, range, start)?;
                Ok(value)
            }
        }
    }

    fn plain(&mut self, placed: Placed) -> std::io::Result<Placed> {
        let Some(file) = &self.file else { return Ok(placed) };
        let bytes = &self.input[placed.range];
        file.write_all_at(bytes, self.end as u64)?;
        self.end += bytes.len();
        Ok(Placed { range: self.end - bytes.len()..self.end, ..placed })
    }

    /// Where the values of a field will be.
    fn column(&mut self, field: &Field, rows: u64) -> (String, Value) {
        let start = self.end;
        self.end += (field.bytes * rows) as usize;
        let shape = std::iter::once(rows).chain(field.shape.iter().copied()).collect();
        let placed = Placed { code: field.code.clone(), shape, fortran: false, range: start..self.end };
        (field.name.clone(), Value::Array(placed))
    }

    /// Writes the values of all fields, the first field from `start` on.
    fn records(
        &self,
        fields: &[Field],
        item_bytes: u64,
        range: Range<usize>,
        start: usize,
    ) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if item_bytes == 0 {
            return Ok(());
        }
        let item_bytes = item_bytes as usize;
        let rows = range.len() / item_bytes;
        let piece_rows = (PIECE_BYTES as usize / item_bytes).max(1);
        let mut column = Vec::new();
        for (piece, items) in self.input[range].chunks(piece_rows * item_bytes).enumerate() {
            let mut base = start;
            for field in fields {
                let (from, bytes) = (field.offset as usize, field.bytes as usize);
                column.clear();
                items
                    .chunks_exact(item_bytes)
                    .for_each(|item| column.extend_from_slice(&item[from..from + bytes]));
                file.write_all_at(&column, (base + piece * piece_rows * bytes) as u64)?;
                base += rows * bytes;
            }
        }
        Ok(())
    }
}
