//! What a client says of its session, checked.

use crate::{
    proto::embedding::{SessionHello, WriteMode},
    session::{Hello, Mode, Position, SessionId},
};

/// The version of the session protocol.
const VERSION: u32 = 1;

/// `rows-v1:` and the digits of a BLAKE3.
const FINGERPRINT_BYTES: usize = 72;

/// A session as its client announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct Announced {
    pub(in crate::service) hello: Hello,
    /// The attempt; 0 asks for a new one.
    pub(in crate::service) epoch: u64,
    /// The first row that the stream sends.
    pub(in crate::service) start_row: u64,
    /// Digest of the rows before it, if it was told.
    pub(in crate::service) prefix: Option<u128>,
}

/// Why a hello is no hello.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unclear {
    #[error("the request names no session")]
    Missing,
    #[error("protocol_version {0} is not known here; {VERSION} is")]
    Version(u32),
    #[error("session_id has {0} bytes, expected 16")]
    Id(usize),
    #[error("fingerprint {0:?} is not `rows-v1:` and 64 hexadecimal digits")]
    Fingerprint(String),
    #[error("first_row {first_row} and total_rows {total_rows} are no rows of any data set")]
    Rows { first_row: u64, total_rows: u64 },
    #[error("{field} has {bytes} bytes, expected 16")]
    Digest { field: &'static str, bytes: usize },
}

/// Checks what a client says of its session.
pub(in crate::service) fn announced(hello: Option<&SessionHello>) -> Result<Announced, Unclear> {
    let hello = hello.ok_or(Unclear::Missing)?;
    if hello.protocol_version != VERSION {
        return Err(Unclear::Version(hello.protocol_version));
    }
    let (first_row, total_rows) = (hello.first_row, hello.total_rows);
    first_row.checked_add(total_rows).ok_or(Unclear::Rows { first_row, total_rows })?;
    let prefix = Some(&hello.prefix_digest).filter(|digest| !digest.is_empty());
    Ok(Announced {
        hello: Hello {
            session: session_id(&hello.session_id)?,
            fingerprint: fingerprint(&hello.fingerprint)?,
            total_rows,
            first_row,
            mode: mode(hello.mode()),
        },
        epoch: hello.epoch,
        start_row: hello.start_row,
        prefix: prefix.map(|bytes| digest(bytes, "prefix_digest")).transpose()?,
    })
}

impl Announced {
    /// Whether the stream begins where the session stands, and with the rows that are there.
    pub(in crate::service) fn check_start(&self, durable: Position) -> Result<(), crate::session::Refusal> {
        use crate::session::Refusal;
        if self.start_row > durable.rows {
            return Err(Refusal::OffsetGap { expected_row: durable.rows });
        }
        let differs = |prefix| self.start_row == durable.rows && prefix != durable.digest;
        if self.prefix.is_some_and(differs) {
            return Err(Refusal::PrefixMismatch { committed_rows: durable.rows });
        }
        Ok(())
    }
}

/// A session's name.
pub(super) fn session_id(bytes: &[u8]) -> Result<SessionId, Unclear> {
    SessionId::from_bytes(bytes).ok_or(Unclear::Id(bytes.len()))
}

/// A digest as it stands on the wire.
pub(super) fn digest(bytes: &[u8], field: &'static str) -> Result<u128, Unclear> {
    bytes.try_into().map(u128::from_le_bytes).map_err(|_| Unclear::Digest { field, bytes: bytes.len() })
}

fn fingerprint(text: &str) -> Result<String, Unclear> {
    let is_one = text.len() == FINGERPRINT_BYTES
        && text.strip_prefix("rows-v1:").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_one { Ok(text.to_owned()) } else { Err(Unclear::Fingerprint(text.chars().take(100).collect())) }
}

fn mode(mode: WriteMode) -> Mode {
    match mode {
        WriteMode::Committed => Mode::Committed,
        WriteMode::Pending | WriteMode::Unspecified => Mode::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> SessionHello {
        SessionHello {
            protocol_version: 1,
            session_id: vec![7; 16],
            fingerprint: format!("rows-v1:{}", "a".repeat(64)),
            total_rows: 9,
            ..SessionHello::default()
        }
    }

    #[test]
    fn what_is_unclear_is_refused() {
        assert!(announced(Some(&hello())).is_ok());
        let cases = [
            SessionHello { protocol_version: 2, ..hello() },
            SessionHello { session_id: vec![7; 15], ..hello() },
            SessionHello { fingerprint: "rows-v1:".to_owned(), ..hello() },
            SessionHello { fingerprint: format!("rows-v1:{}", "g".repeat(64)), ..hello() },
            SessionHello { prefix_digest: vec![0; 17], ..hello() },
            SessionHello { first_row: u64::MAX, ..hello() },
        ];
        for case in cases {
            assert!(announced(Some(&case)).is_err(), "{case:?}");
        }
        assert_eq!(announced(None), Err(Unclear::Missing));
    }

    #[test]
    fn a_stream_begins_where_the_session_stands() {
        use crate::session::Refusal;
        let durable = Position { rows: 5, digest: 42 };
        let start = |start_row, prefix| Announced { start_row, prefix, ..announced(Some(&hello())).unwrap() };
        assert_eq!(start(5, Some(42)).check_start(durable), Ok(()));
        assert_eq!(start(0, None).check_start(durable), Ok(()));
        assert_eq!(
            start(5, Some(41)).check_start(durable),
            Err(Refusal::PrefixMismatch { committed_rows: 5 })
        );
        assert_eq!(start(6, None).check_start(durable), Err(Refusal::OffsetGap { expected_row: 5 }));
    }
}
