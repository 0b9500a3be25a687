//! zip: its only member, or its arrays; stored, or packed in one of the ways that Python's `zipfile` knows.
//!
//! Members are found by the directory at the end. What two readers could disagree about is refused: a directory that is
//! not where its record says, and a member whose own header says something else than the directory.

use std::ops::Range;

use flate2::Crc;

use super::{
    Inside, Named, Packed,
    fault::{Fault, shown},
    is_of_finder,
};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";

const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
/// Without the comment, whose length has 16 bits.
const END_BYTES: usize = 22;
const LOCATOR_BYTES: usize = 20;

/// Bits of the flags: encrypted, strongly encrypted, names masked.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// The extra field that holds what does not fit into 32 bits.
const ZIP_64: u16 = 1;
/// The writer's system when the upper half of the attributes is a Unix mode.
const UNIX: u8 = 3;

/// One member as the directory describes it.
#[derive(Debug, Clone, Copy)]
struct Member<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    crc: u32,
    packed_bytes: u64,
    unpacked_bytes: u64,
    mode: u32,
    local: u64,
}

/// Where a member's bytes are, and what they must become.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) range: Range<usize>,
    pub(super) method: Method,
    pub(super) unpacked_bytes: u64,
    pub(super) crc: u32,
}

/// How a member is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
    Bzip2,
    Lzma,
    Zstd,
    Xz,
}

impl Method {
    fn of(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::Stored,
            8 => Self::Deflated,
            12 => Self::Bzip2,
            14 => Self::Lzma,
            93 => Self::Zstd,
            95 => Self::Xz,
            _ => return None,
        })
    }
}

/// The arrays of an archive.
pub(super) struct Arrays {
    /// Where each is, in the archive or behind each other in what is unpacked.
    pub(super) named: Vec<Named>,
    /// What must be unpacked; nothing if all of them are stored.
    pub(super) packed: Option<Vec<Content>>,
}

/// What is in the only member, or in all of them if they are arrays.
pub(super) fn inside(bytes: &[u8]) -> Result<Inside, Fault> {
    const ARRAY: &[u8] = b".npy";
    let members = members(bytes)?.into_iter();
    let members: Vec<_> =
        members.filter(|member| !member.is_folder() && !is_of_finder(member.name)).collect();
    match members.as_slice() {
        [] => Err(Fault::NoMember),
        arrays if arrays.iter().all(|member| member.name.ends_with(ARRAY)) => {
            self::arrays(arrays, bytes).map(Inside::Arrays)
        }
        [member] => match member.content(bytes)? {
            content if content.method == Method::Stored => Ok(Inside::Part(content.range)),
            content => Ok(Inside::Stream(Packed::Members(vec![content]))),
        },
        several => Err(Fault::members(several.iter().map(|member| member.name))),
    }
}

fn arrays(members: &[Member<'_>], bytes: &[u8]) -> Result<Arrays, Fault> {
    let contents = members.iter().map(|member| member.content(bytes)).collect::<Result<Vec<_>, _>>()?;
    let packed = contents.iter().any(|content| content.method != Method::Stored);
    let mut end = 0;
    let mut place = |content: &Content| {
        let start = end;
        end = content.unpacked_bytes.checked_add(end)?;
        Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    };
    let mut named = Vec::with_capacity(members.len());
    for (member, content) in members.iter().zip(&contents) {
        let range = if packed { place(content) } else { Some(content.range.clone()) };
        let range = range.ok_or_else(|| Fault::corrupt(content.range.start, "an impossible length"))?;
        let name = String::from_utf8_lossy(&member.name[..member.name.len() - b".npy".len()]);
        named.push((name.into_owned(), range));
    }
    Ok(Arrays { named, packed: packed.then_some(contents) })
}

impl<'a> Member<'a> {
    /// An entry of the directory and what follows it.
    fn parse(entry: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let lengths = [u16_at(entry, 28)?, u16_at(entry, 30)?, u16_at(entry, 32)?].map(usize::from);
        let (_, rest) =
            entry.split_at_checked(CENTRAL_BYTES).filter(|(entry, _)| entry.starts_with(CENTRAL))?;
        let (name, rest) = rest.split_at_checked(lengths[0])?;
        let (extra, rest) = rest.split_at_checked(lengths[1])?;
        let (_, rest) = rest.split_at_checked(lengths[2])?;
        let narrow = [u32_at(entry, 24)?, u32_at(entry, 20)?, u32_at(entry, 42)?];
        let [unpacked_bytes, packed_bytes, local] = widened(narrow, extra)?;
        let member = Self {
            name,
            flags: u16_at(entry, 8)?,
            method: u16_at(entry, 10)?,
            crc: u32_at(entry, 16)?,
            packed_bytes,
            unpacked_bytes,
            mode: if entry[5] == UNIX { u32_at(entry, 38)? >> 16 } else { 0 },
            local,
        };
        Some((member, rest))
    }

    fn is_folder(&self) -> bool {
        self.name.ends_with(b"/") && self.unpacked_bytes == 0
    }

    fn content(&self, bytes: &[u8]) -> Result<Content, Fault> {
        const KIND: u32 = 0o170_000;
        const PLAIN: u32 = 0o100_000;
        if !matches!(self.mode & KIND, 0 | PLAIN) {
            return Err(Fault::NotPlain { name: shown(self.name), what: "a link or a device" });
        }
        if self.flags & ENCRYPTED != 0 {
            return Err(Fault::Encrypted { name: shown(self.name) });
        }
        let range = self.range(bytes)?;
        let method = Method::of(self.method)
            .ok_or_else(|| Fault::Method { name: shown(self.name), method: self.method })?;
        let range = if method == Method::Stored { self.stored(bytes, range)? } else { range };
        Ok(Content { range, method, unpacked_bytes: self.unpacked_bytes, crc: self.crc })
    }

    fn stored(&self, bytes: &[u8], range: Range<usize>) -> Result<Range<usize>, Fault> {
        if self.unpacked_bytes != self.packed_bytes {
            return Err(Fault::corrupt(range.start, "a stored member with two lengths"));
        }
        let mut crc = Crc::new();
        crc.update(&bytes[range.clone()]);
        if crc.sum() != self.crc {
            return Err(Fault::corrupt(range.start, "its CRC-32 is not the one that the directory says"));
        }
        Ok(range)
    }

    /// Where its bytes are, by the header in front of them.
    fn range(&self, bytes: &[u8]) -> Result<Range<usize>, Fault> {
        let start = usize::try_from(self.local).unwrap_or(usize::MAX);
        self.data(bytes, start).ok_or_else(|| {
            Fault::corrupt(start.min(bytes.len()), "a member is not where the directory says, or another one")
        })
    }

    fn data(&self, bytes: &[u8], start: usize) -> Option<Range<usize>> {
        let (header, rest) = bytes.get(start..)?.split_at_checked(LOCAL_BYTES)?;
        let [name_bytes, extra_bytes] = [u16_at(header, 26)?, u16_at(header, 28)?].map(usize::from);
        let same = header.starts_with(LOCAL)
            && u16_at(header, 6) == Some(self.flags)
            && u16_at(header, 8) == Some(self.method)
            && rest.get(..name_bytes) == Some(self.name);
        let packed_bytes = usize::try_from(self.packed_bytes).ok()?;
        let data = rest.get(name_bytes + extra_bytes..)?.get(..packed_bytes)?;
        let start = start + LOCAL_BYTES + name_bytes + extra_bytes;
        same.then_some(start..start + data.len())
    }
}

/// The unpacked length, the packed length and the place of a member: those that do not fit into 32 bits stand in an extra
/// field, in this order.
fn widened(narrow: [u32; 3], mut extra: &[u8]) -> Option<[u64; 3]> {
    let mut wide: &[u8] = &[];
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let (field, rest) = extra[4..].split_at_checked(usize::from(length))?;
        wide = if id == ZIP_64 { field } else { wide };
        extra = rest;
    }
    let mut values = [0; 3];
    for (value, narrow) in values.iter_mut().zip(narrow) {
        *value = u64::from(narrow);
        if narrow == u32::MAX {
            *value = u64_at(wide, 0)?;
            wide = &wide[8..];
        }
    }
    Some(values)
}

/// Every member in the directory.
fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, Fault> {
    let directory = Directory::find(bytes)?;
    let start = directory.range.start;
    let mut rest = &bytes[directory.range];
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (member, behind) =
            Member::parse(rest).ok_or_else(|| Fault::corrupt(start, "its directory holds something else"))?;
        members.push(member);
        rest = behind;
    }
    if members.len() as u64 == directory.members {
        Ok(members)
    } else {
        Err(Fault::corrupt(start, "its directory does not hold what it counts"))
    }
}

struct Directory {
    range: Range<usize>,
    members: u64,
}

impl Directory {
    fn find(bytes: &[u8]) -> Result<Self, Fault> {
        let end = end_record(bytes).ok_or(Fault::CutShort { offset: bytes.len() as u64 })?;
        let broken = || Fault::corrupt(end, "its directory is not where the end says, or in another volume");
        let wide = Self::wide(bytes, end);
        wide.or_else(|| Self::narrow(bytes, end)).ok_or_else(broken)
    }

    fn narrow(bytes: &[u8], end: usize) -> Option<Self> {
        let record = &bytes[end..];
        let disks = [u16_at(record, 4)?, u16_at(record, 6)?];
        let counts = [u16_at(record, 8)?, u16_at(record, 10)?];
        let [size, offset] = [u32_at(record, 12)?, u32_at(record, 16)?].map(u64::from);
        let whole = disks == [0, 0] && counts[0] == counts[1];
        Self::before(end, offset, size, counts[1].into()).filter(|_| whole)
    }

    /// By the record with 64 bits, if its locator stands before the other.
    fn wide(bytes: &[u8], end: usize) -> Option<Self> {
        let locator =
            bytes.get(end.checked_sub(LOCATOR_BYTES)?..end).filter(|it| it.starts_with(LOCATOR_64))?;
        let at = usize::try_from(u64_at(locator, 8)?).ok()?;
        let record = bytes.get(at..end - LOCATOR_BYTES).filter(|it| it.starts_with(END_64))?;
        let counts = [u64_at(record, 24)?, u64_at(record, 32)?];
        let [size, offset] = [u64_at(record, 40)?, u64_at(record, 48)?];
        Self::before(at, offset, size, counts[1]).filter(|_| counts[0] == counts[1])
    }

    /// The directory must reach from its offset to the record that names it.
    fn before(record: usize, offset: u64, size: u64, members: u64) -> Option<Self> {
        let start = usize::try_from(offset).ok().filter(|start| *start <= record)?;
        ((record - start) as u64 == size).then_some(Self { range: start..record, members })
    }
}

/// Where the last record is: nothing but its own comment follows it.
fn end_record(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END_BYTES)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|start| {
        let record = &bytes[*start..];
        let comment = u16_at(record, END_BYTES - 2).map(usize::from);
        record.starts_with(END) && comment == Some(record.len() - END_BYTES)
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}
