//! Why a client and a server that reach each other cannot talk, found by the client, with what to do. The next attempt would
//! find the same.

use std::{error::Error as StdError, io, iter};

use tokio_rustls::rustls::{self, CertificateError};

/// The kinds of record that a server of TLS begins with.
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;

/// Why a server that is there is not one for this client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// `https://` to a server without encryption.
    #[error("the server does not speak TLS: use http://")]
    NoTls,
    /// `http://` to a server with encryption.
    #[error("the server speaks TLS: use https://")]
    Tls,
    /// `http://` to a server of something else.
    #[error("the server does not speak plain HTTP/2: is it TLS (https://), or another port?")]
    OtherProtocol,
    /// The server's certificate is not believed.
    #[error("the server's certificate is not believed: {found}: {remedy}")]
    Certificate {
        /// What is wrong with it.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl Misfit {
    /// The misfit among an error and its causes.
    pub(super) fn among(error: &(dyn StdError + 'static)) -> Option<Self> {
        iter::successors(Some(error), |&error| error.source())
            .find_map(|error| error.downcast_ref::<Self>().cloned().or_else(|| Self::of_tls(wrapped(error)?)))
    }

    /// What the first byte of a server says that was greeted in plain HTTP/2: servers of it begin with a frame of settings,
    /// the length of which is far from filling the first of its three bytes.
    pub(super) fn of_first_byte(first: u8) -> Option<Self> {
        match first {
            0 => None,
            TLS_ALERT | TLS_HANDSHAKE => Some(Self::Tls),
            _ => Some(Self::OtherProtocol),
        }
    }

    fn of_tls(error: &rustls::Error) -> Option<Self> {
        match error {
            rustls::Error::InvalidMessage(_) => Some(Self::NoTls),
            rustls::Error::InvalidCertificate(error) => Some(Self::of_certificate(error)),
            _ => None,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        let text = error.to_string();
        let (found, remedy) = match error {
            CertificateError::UnknownIssuer => (
                "nobody whom this client believes has signed it (UnknownIssuer)".to_owned(),
                "name the file of who did with --tls-ca",
            ),
            // Somebody of the same name did not sign it.
            CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
                "who is believed under the name of its issuer has not signed it".to_owned(),
                "name the file of who did with --tls-ca",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                (text, "use a name that it holds")
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                (text, "the server needs another one, unless the clock of this machine is wrong")
            }
            // The type that says it is of a crate that rustls does not show.
            CertificateError::Other(_) if text.contains("CaUsedAsEndEntity") => (
                "it is one of an authority (CA:TRUE), which cannot be a server's".to_owned(),
                "make it with basicConstraints=CA:FALSE",
            ),
            _ => (text, "the server needs another one"),
        };
        Self::Certificate { found, remedy }
    }
}

/// What TLS found wrong, in the error of the socket that carries it. Its `source` would be the one behind it.
fn wrapped<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_the_only_beginning_of_a_server_of_http_2() {
        assert_eq!(Misfit::of_first_byte(0), None);
        assert_eq!([0x15, 0x16].map(Misfit::of_first_byte), [Some(Misfit::Tls), Some(Misfit::Tls)]);
        for first in [b'H', b'S', b'2', 0xff] {
            assert_eq!(Misfit::of_first_byte(first), Some(Misfit::OtherProtocol));
        }
    }

    #[test]
    fn what_tls_found_is_looked_for_in_what_carries_it() {
        let carried = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let untrusted = carried(CertificateError::UnknownIssuer.into());
        let told = Misfit::among(&untrusted).unwrap().to_string();
        assert!(told.contains("UnknownIssuer") && told.ends_with("--tls-ca"), "{told}");
        assert_eq!(Misfit::among(&carried(rustls::Error::HandshakeNotComplete)), None);
        assert_eq!(Misfit::among(&io::Error::from(io::ErrorKind::InvalidData)), None);
    }
}
