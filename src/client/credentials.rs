//! Whom a client believes, and as whom it is believed: certificates and a token, from files.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use http::HeaderValue;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::limits::client::CREDENTIALS_BYTES_MAX;

/// The files that a client's credentials stand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialFiles {
    /// Certificates, as PEM, of those who may vouch for the server, in place of the system's.
    pub ca: Option<PathBuf>,
    /// The client's own certificate, with those between it and its issuer, and its key; both as PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// A file with one token.
    pub token: Option<PathBuf>,
}

/// What the files say, read once.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    /// For `https://` only.
    pub(super) tls: Option<ClientTlsConfig>,
    pub(super) authorization: Option<HeaderValue>,
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{}: expected {expected}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// A secret that is none.
    #[error("{}: other users can read it (mode {mode:04o}): `chmod 600` it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Certificates without encryption.
    #[error("certificates are for https://, and {target} is not encrypted")]
    NotEncrypted {
        /// The server.
        target: String,
    },
    /// A token that everybody on the way could read.
    #[error("{target} is not encrypted and not this machine: a token is sent over https:// only")]
    TokenInClear {
        /// The server.
        target: String,
    },
    /// The certificates do not fit together, or the system has none.
    #[error("prepare the encryption")]
    Tls(#[source] tonic::transport::Error),
}

// Secrets are not shown, wherever a target is.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("tls", &self.tls.is_some())
            .field("token", &self.authorization.is_some())
            .finish()
    }
}

impl Credentials {
    /// Encryption by the system's certificates.
    pub(super) fn of_system() -> Self {
        Self { tls: Some(ClientTlsConfig::new().with_native_roots()), authorization: None }
    }

    /// Reads the files.
    pub(super) fn read(files: &CredentialFiles, is_encrypted: bool) -> Result<Self, Error> {
        let tls = is_encrypted.then(|| tls(files)).transpose()?;
        let authorization = files.token.as_deref().map(token).transpose()?;
        Ok(Self { tls, authorization })
    }
}

fn tls(files: &CredentialFiles) -> Result<ClientTlsConfig, Error> {
    let config = ClientTlsConfig::new();
    let config = match &files.ca {
        None => config.with_native_roots(),
        Some(path) => config.ca_certificate(Certificate::from_pem(certificates(path)?)),
    };
    let Some((certificate, key)) = &files.identity else { return Ok(config) };
    Ok(config.identity(Identity::from_pem(certificates(certificate)?, private_key(key)?)))
}

/// A file that holds a certificate at least, and nothing broken: what tonic cannot read, it leaves out.
fn certificates(path: &Path) -> Result<Vec<u8>, Error> {
    let (pem, _) = content(path)?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    if parsed.is_ok_and(|certificates| !certificates.is_empty()) {
        return Ok(pem);
    }
    Err(Error::Content { path: path.to_owned(), expected: "certificates as PEM" })
}

fn private_key(path: &Path) -> Result<Vec<u8>, Error> {
    let pem = secret(path)?;
    if PrivateKeyDer::from_pem_slice(&pem).is_ok() {
        return Ok(pem);
    }
    Err(Error::Content { path: path.to_owned(), expected: "a private key as PEM" })
}

fn token(path: &Path) -> Result<HeaderValue, Error> {
    let wrong = || Error::Content { path: path.to_owned(), expected: "one token, of visible characters" };
    let text = String::from_utf8(secret(path)?).map_err(|_| wrong())?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong());
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The content of a file that only its owner and their group may read.
fn secret(path: &Path) -> Result<Vec<u8>, Error> {
    let (content, mode) = content(path)?;
    if mode & 0o007 != 0 {
        return Err(Error::Exposed { path: path.to_owned(), mode: mode & 0o7777 });
    }
    Ok(content)
}

/// The content of a small file, and its permissions.
fn content(path: &Path) -> Result<(Vec<u8>, u32), Error> {
    let unread = |source| Error::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(unread)?;
    let mode = file.metadata().map_err(unread)?.permissions().mode();
    let mut content = Vec::new();
    let read = file.take(CREDENTIALS_BYTES_MAX + 1).read_to_end(&mut content).map_err(unread)?;
    if read as u64 > CREDENTIALS_BYTES_MAX {
        return Err(Error::Content { path: path.to_owned(), expected: "at most 1 MiB" });
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
    fn a_file_that_is_too_long_is_refused_and_not_cut() {
        let long = "x".repeat(CREDENTIALS_BYTES_MAX as usize + 1);
        let error = content(file(&long, 0o600).path()).unwrap_err().to_string();
        assert!(error.ends_with("expected at most 1 MiB"), "{error}");
        assert!(content(file(&long[1..], 0o600).path()).is_ok());
    }

    #[test]
    fn a_token_is_one_line_that_others_cannot_read_and_nobody_is_shown() {
        let value = token(file("t0ken\n", 0o600).path()).unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer t0ken");
        let said = format!("{value:?} {:?}", Credentials { tls: None, authorization: Some(value.clone()) });
        assert!(!said.contains("t0ken"), "{said}");
        assert!(matches!(token(file("t0ken", 0o644).path()), Err(Error::Exposed { mode: 0o644, .. })));
        for text in ["", "\n", "two tokens", "one\ntwo", "bell\u{7}"] {
            assert!(matches!(token(file(text, 0o600).path()), Err(Error::Content { .. })), "{text:?}");
        }
    }

    #[test]
    fn files_that_hold_something_else_are_refused() {
        let other = file("-----BEGIN CERTIFICATE-----\nnonsense\n", 0o600);
        assert!(matches!(certificates(other.path()), Err(Error::Content { .. })));
        assert!(matches!(certificates(file("", 0o600).path()), Err(Error::Content { .. })));
        assert!(matches!(private_key(other.path()), Err(Error::Content { .. })));
        assert!(matches!(certificates(Path::new("no/such/file")), Err(Error::File { .. })));
    }
}
