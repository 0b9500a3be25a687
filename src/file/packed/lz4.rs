//! Where the frames of an LZ4 file end.
//!
//! The decoder takes the end of its input for the end of a frame that was cut between two blocks, and says nothing. So the
//! blocks are counted through before: they have their length in front, and this costs one look at each.

use std::io::{self, ErrorKind};

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// The flags byte and the one after it.
const DESCRIPTOR_BYTES: usize = 2;
const BLOCK_CHECKSUM: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const DICTIONARY: u8 = 1;
/// Set in the length of a block that is stored as it is.
const STORED: u32 = 1 << 31;

/// Says that `bytes` are whole frames and nothing else.
pub(super) fn check_frames(bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let magic = take(&mut rest, MAGIC.len())?;
        if magic != MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, "bytes that belong to no frame"));
        }
        frame(&mut rest)?;
    }
    Ok(())
}

fn frame(rest: &mut &[u8]) -> io::Result<()> {
    let flags = take(rest, DESCRIPTOR_BYTES)?[0];
    let has = |flag: u8, bytes: usize| if flags & flag != 0 { bytes } else { 0 };
    take(rest, has(CONTENT_SIZE, 8) + has(DICTIONARY, 4) + 1)?;
    loop {
        let header = take(rest, 4)?;
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        if length == 0 {
            return take(rest, has(CONTENT_CHECKSUM, 4)).map(drop);
        }
        take(rest, (length & !STORED) as usize + has(BLOCK_CHECKSUM, 4))?;
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> io::Result<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count).ok_or(ErrorKind::UnexpectedEof)?;
    *rest = left;
    Ok(taken)
}
