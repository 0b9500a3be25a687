//! The tokens that calls are permitted by: a file of theirs, read at the start and again when asked.

use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use constant_time_eq::constant_time_eq_32;
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::limits::server::{SECRET_FILE_BYTES_MAX, TOKENS_MAX};

/// The tokens that are good now. Only their hashes are kept: all of one length, so that comparing them says nothing about
/// the length of a token either.
#[derive(Debug)]
pub(super) struct Tokens {
    path: PathBuf,
    hashes: RwLock<Vec<[u8; 32]>>,
}

impl Tokens {
    /// Reads the tokens in `path`.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { path: path.to_owned(), hashes: RwLock::new(read(path)?) })
    }

    /// Reads the file again. If that fails, what was good stays good.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let hashes = read(&self.path)?;
        *self.hashes.write().unwrap_or_else(PoisonError::into_inner) = hashes;
        Ok(())
    }

    /// Whether `token` is one of them. Takes the same time for every token.
    pub(super) fn permit(&self, token: &[u8]) -> bool {
        let hash = hash(token);
        let hashes = self.hashes.read().unwrap_or_else(PoisonError::into_inner);
        hashes.iter().fold(false, |found, good| found | constant_time_eq_32(good, &hash))
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn read(path: &Path) -> Result<Vec<[u8; 32]>, Error> {
    let text = secret(path)?;
    let wrong = |what: &str| Error::Content { path: path.to_owned(), what: what.to_owned() };
    let text = std::str::from_utf8(&text).map_err(|_| wrong("is not text: one token a line is expected"))?;
    let tokens: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if tokens.is_empty() || tokens.len() > TOKENS_MAX {
        let found = tokens.len();
        return Err(wrong(&format!(
            "holds {found} tokens: one is needed, and two while clients change over"
        )));
    }
    if !tokens.iter().all(|token| token.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(wrong(
            "a token holds something else than visible ASCII characters, and no client could send it",
        ));
    }
    Ok(tokens.into_iter().map(|token| hash(token.as_bytes())).collect())
}

/// The content of a file that only its owner and their group may read.
pub(super) fn secret(path: &Path) -> Result<Vec<u8>, Error> {
    let (content, mode) = content(path)?;
    if mode & 0o007 != 0 {
        return Err(Error::Readable { path: path.to_owned(), mode: mode & 0o7777 });
    }
    Ok(content)
}

/// The content of a small file, and its permissions.
pub(super) fn content(path: &Path) -> Result<(Vec<u8>, u32), Error> {
    let unread = |source| Error::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(unread)?;
    let mode = file.metadata().map_err(unread)?.permissions().mode();
    let mut content = Vec::new();
    let read = file.take(SECRET_FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(unread)?;
    if read as u64 > SECRET_FILE_BYTES_MAX {
        let what = format!("has more than {SECRET_FILE_BYTES_MAX} bytes");
        return Err(Error::Content { path: path.to_owned(), what });
    }
    Ok((content, mode))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn both_tokens_are_good_and_a_bad_file_changes_nothing() {
        let file = file("old-token\n\nnew-token\n", 0o600);
        let tokens = Tokens::open(file.path()).unwrap();
        assert!(tokens.permit(b"old-token") && tokens.permit(b"new-token"));
        assert!(!tokens.permit(b"") && !tokens.permit(b"old-toke") && !tokens.permit(b"old-token\n"));
        fs::write(file.path(), "a\nb\nc\n").unwrap();
        assert!(tokens.reload().unwrap_err().to_string().contains("holds 3 tokens"));
        assert!(tokens.permit(b"old-token"));
        fs::write(file.path(), "new-token\n").unwrap();
        tokens.reload().unwrap();
        assert!(!tokens.permit(b"old-token") && tokens.permit(b"new-token"));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let said = Tokens::open(file("token", 0o644).path()).unwrap_err().to_string();
        assert!(said.ends_with("other users can read it (mode 0644): `chmod 600` it"), "{said}");
        assert!(Tokens::open(file("token", 0o640).path()).is_ok(), "a group may hold the server's user only");
        assert!(Tokens::open(file("", 0o600).path()).unwrap_err().to_string().contains("holds 0 tokens"));
        assert!(Tokens::open(file("to\u{7}ken", 0o600).path()).is_err());
    }
}
