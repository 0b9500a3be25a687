//! The two escaped text forms of protocol 0.

use super::error::ErrorKind;

/// `UNICODE`'s raw-unicode-escape: bytes from 0x80 on are Latin-1, `\uXXXX` and `\UXXXXXXXX` are code points. The result
/// is UTF-8, with surrogates as three bytes.
pub(super) fn raw_unicode_escape(line: &[u8]) -> Result<Box<[u8]>, ErrorKind> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let digits = match (byte, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                push_code_point(&mut out, u32::from(*byte));
                continue;
            }
        };
        let code = tail.get(1..=digits).and_then(hexadecimal).filter(|code| *code <= 0x0010_ffff);
        push_code_point(&mut out, code.ok_or_else(|| malformed(line))?);
        rest = &tail[1 + digits..];
    }
    Ok(out.into())
}

/// `STRING`'s quoted form with the escapes of Python 2's `repr`.
pub(super) fn quoted(line: &[u8]) -> Result<Box<[u8]>, ErrorKind> {
    let (&[quote @ (b'\'' | b'"'), ref inner @ ..], true) = (line, line.len() >= 2) else {
        return Err(malformed(line));
    };
    let inner = inner.strip_suffix(&[quote]).ok_or_else(|| malformed(line))?;
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let (escape, tail) = tail.split_first().ok_or_else(|| malformed(line))?;
        rest = tail;
        out.push(match escape {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'\\' | b'\'' | b'"' => *escape,
            b'x' => {
                let code = tail.get(..2).and_then(hexadecimal).ok_or_else(|| malformed(line))?;
                rest = &tail[2..];
                code as u8
            }
            _ => return Err(malformed(line)),
        });
    }
    Ok(out.into())
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let text =
        std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    u32::from_str_radix(text?, 16).ok()
}

fn push_code_point(out: &mut Vec<u8>, code: u32) {
    if let Some(char) = char::from_u32(code) {
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let continuation = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
        out.extend_from_slice(&[0xe0 | (code >> 12) as u8, continuation(6), continuation(0)]);
    }
}

#[cold]
fn malformed(line: &[u8]) -> ErrorKind {
    let text = String::from_utf8_lossy(&line[..line.len().min(40)]).into_owned();
    ErrorKind::MalformedText { what: "a text", text }
}

/// Text of a file as a message shows it: short, without control characters.
pub(super) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(200)]).escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_what_python_reads() {
        assert_eq!(&*raw_unicode_escape(b"a\\u000a\xe9\\U0001f600\\x").unwrap(), "a\né😀\\x".as_bytes());
        assert_eq!(&*raw_unicode_escape(b"\\ud800").unwrap(), b"\xed\xa0\x80");
        assert!(raw_unicode_escape(b"\\u00").is_err());
        assert!(raw_unicode_escape(b"\\U00110000").is_err());
        assert_eq!(&*quoted(b"'a\\n\\x00\\\\\\''").unwrap(), b"a\n\0\\'");
        assert!(quoted(b"'a").is_err());
        assert!(quoted(b"'").is_err());
        assert!(quoted(b"a").is_err());
    }
}
