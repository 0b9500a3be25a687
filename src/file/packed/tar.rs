//! tar: the range of its only member. ustar headers, with what pax and GNU put before one.
//!
//! Links, devices and sparse files are refused: what they stand for is not in the archive. Folders are passed over.

use std::ops::Range;

use super::{
    fault::{Fault, shown},
    is_of_finder,
};
use crate::limits::files::TAR_PAX_BYTES_MAX;

const BLOCK_BYTES: usize = 512;
const NAME: Range<usize> = 0..100;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: Range<usize> = 257..262;
const PREFIX: Range<usize> = 345..500;

/// One plain file in the archive.
struct Member {
    name: Vec<u8>,
    range: Range<usize>,
}

/// What the headers before a member say of it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// The range of the only plain file.
pub(super) fn only_member(bytes: &[u8]) -> Result<Range<usize>, Fault> {
    let mut members = Reader { bytes, position: 0 }.members()?;
    members.retain(|member| !is_of_finder(&member.name));
    match members.as_slice() {
        [] => Err(Fault::NoMember),
        [member] => Ok(member.range.clone()),
        several => Err(Fault::members(several.iter().map(|member| member.name.as_slice()))),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn members(mut self) -> Result<Vec<Member>, Fault> {
        let mut members = Vec::new();
        let mut said = Said::default();
        loop {
            let at = self.position;
            let header = self.header()?;
            if header.iter().all(|byte| *byte == 0) {
                return Ok(members);
            }
            let size = check(header, at)?;
            let size = if is_plain(header[KIND]) { said.size.unwrap_or(size) } else { size };
            let range = self.skip(size)?;
            match header[KIND] {
                b'x' => said = pax(self.bytes, range, said)?,
                b'L' => said.name = Some(trimmed(&self.bytes[small(range, at)?]).to_vec()),
                b'g' | b'K' => {}
                b'5' => said = Said::default(),
                kind if is_plain(kind) => {
                    let name = std::mem::take(&mut said).name.unwrap_or_else(|| name(header));
                    members.push(Member { name, range });
                }
                kind => return Err(not_plain(kind, &said.name.unwrap_or_else(|| name(header)))),
            }
        }
    }

    fn header(&mut self) -> Result<&'a [u8], Fault> {
        let end = self.position + BLOCK_BYTES;
        let header = self.bytes.get(self.position..end).ok_or_else(|| cut_short(self.bytes))?;
        self.position = end;
        Ok(header)
    }

    /// The next `size` bytes; the position goes on to the block behind them.
    fn skip(&mut self, size: u64) -> Result<Range<usize>, Fault> {
        let padded = size.checked_next_multiple_of(BLOCK_BYTES as u64);
        let padded = padded.and_then(|padded| usize::try_from(padded).ok());
        let end = padded.and_then(|padded| self.position.checked_add(padded));
        let end = end.filter(|end| *end <= self.bytes.len()).ok_or_else(|| cut_short(self.bytes))?;
        let range = self.position..self.position + size as usize;
        self.position = end;
        Ok(range)
    }
}

fn cut_short(bytes: &[u8]) -> Fault {
    Fault::CutShort { offset: bytes.len() as u64 }
}

fn is_plain(kind: u8) -> bool {
    matches!(kind, b'0' | b'7' | 0)
}

/// Checks a header and gives the size in it.
fn check(header: &[u8], at: usize) -> Result<u64, Fault> {
    if &header[MAGIC] != b"ustar" {
        return Err(Fault::corrupt(at, "a header of another kind than ustar"));
    }
    let wanted = octal(&header[CHECKSUM]).ok_or_else(|| Fault::corrupt(at, "a header without checksum"))?;
    let outside = header[..CHECKSUM.start].iter().chain(&header[CHECKSUM.end..]);
    let sum = outside.map(|byte| u64::from(*byte)).sum::<u64>() + CHECKSUM.len() as u64 * u64::from(b' ');
    if sum != wanted {
        return Err(Fault::corrupt(at, "the checksum of a header is wrong"));
    }
    number(&header[SIZE]).ok_or_else(|| Fault::corrupt(at, "a size that is no number"))
}

/// Octal digits, or a big-endian number under a high bit: GNU's way of writing 8 GiB and more.
fn number(field: &[u8]) -> Option<u64> {
    let Some((0x80, digits)) = field.split_first() else { return octal(field) };
    let (high, low) = digits.split_at(digits.len() - 8);
    let low = low.try_into().ok().map(u64::from_be_bytes);
    low.filter(|_| high.iter().all(|byte| *byte == 0))
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(field).ok()?.trim_matches(|char| char == ' ' || char == '\0');
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    u64::from_str_radix(digits, 8).ok().filter(|_| plain)
}

fn trimmed(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

fn name(header: &[u8]) -> Vec<u8> {
    let (prefix, name) = (trimmed(&header[PREFIX]), trimmed(&header[NAME]));
    if prefix.is_empty() { name.to_vec() } else { [prefix, name].join(&b'/') }
}

fn not_plain(kind: u8, name: &[u8]) -> Fault {
    let what = match kind {
        b'1' | b'2' => "a link",
        b'3' | b'4' => "a device",
        b'6' => "a pipe",
        b'S' => "a sparse file",
        _ => "of an unknown kind",
    };
    Fault::NotPlain { name: shown(name), what }
}

fn small(range: Range<usize>, at: usize) -> Result<Range<usize>, Fault> {
    let fits = range.len() as u64 <= TAR_PAX_BYTES_MAX;
    if fits { Ok(range) } else { Err(Fault::corrupt(at, "a header of more than 1 MiB")) }
}

/// Reads `LENGTH KEY=VALUE\n` records.
fn pax(bytes: &[u8], range: Range<usize>, mut said: Said) -> Result<Said, Fault> {
    let at = range.start;
    let mut rest = &bytes[small(range, at)?];
    while !rest.is_empty() {
        let (key, value, behind) =
            record(rest).ok_or_else(|| Fault::corrupt(at, "a pax header that is no list"))?;
        match key {
            b"path" => said.name = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                said.size = Some(size.ok_or_else(|| Fault::corrupt(at, "a size that is no number"))?);
            }
            key if key.starts_with(b"GNU.sparse") => {
                return Err(not_plain(b'S', &said.name.unwrap_or_default()));
            }
            _ => {}
        }
        rest = behind;
    }
    Ok(said)
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let digits = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..digits]).ok()?.parse().ok()?;
    let record = bytes.get(digits + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[length..]))
}
