//! The digest of a file, found while it is written.

use xxhash_rust::xxh3::Xxh3Default;

/// A digest so far.
#[derive(Clone)]
pub(super) enum Sum {
    Blake3(Box<blake3::Hasher>),
    Xxh3(Box<Xxh3Default>),
    None,
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Blake3(_) => "Blake3",
            Self::Xxh3(_) => "Xxh3",
            Self::None => "None",
        })
    }
}

impl Sum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => _ = hasher.update(bytes),
            Self::Xxh3(hasher) => hasher.update(bytes),
            Self::None => {}
        }
    }

    pub(super) fn blake3(&self) -> Option<blake3::Hash> {
        if let Self::Blake3(hasher) = self { Some(hasher.finalize()) } else { None }
    }

    pub(super) fn xxh3(&self) -> Option<u128> {
        if let Self::Xxh3(hasher) = self { Some(hasher.digest128()) } else { None }
    }
}
