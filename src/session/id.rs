//! The name of a session: derived from what is sent, so that a client needs no journal to find it again.

use std::fmt::{self, Write as _};

use super::Mode;

/// What a session is called: the same rows into the same table are the same session, on any machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The name of sending rows of `fingerprint` as `domain` into `target`. `salt` is empty unless the same rows shall be
    /// sent once more as a new run.
    pub fn derive(fingerprint: &str, domain: &str, target: &str, mode: Mode, salt: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mode = match mode {
            Mode::Committed => "committed",
            Mode::Pending => "pending",
        };
        for part in [fingerprint, domain, target, mode, salt] {
            // Lengths first: no two lists of parts read the same.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(id)
    }

    /// The id of exactly 16 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// In hexadecimal, which is also a safe name of a file.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = self.0.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        f.pad(&hex)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for SessionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let number = u128::from_str_radix(text, 16).map_err(|_| NotAnId)?;
        let id = Self(number.to_be_bytes());
        // Signs, short forms and capitals would be second names of one session.
        if id.to_string() == text { Ok(id) } else { Err(NotAnId) }
    }
}

/// A text that names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session is named by 32 hexadecimal digits")]
pub struct NotAnId;
