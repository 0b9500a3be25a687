//! Where a client connects to.

use std::{fmt, str::FromStr};

use tonic::transport::{Channel, Endpoint, Uri};

use crate::limits::client as limits;

/// A server's address, such as `http://localhost:50052`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
}

/// Why a text is not a server's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a URL.
    #[error("{0:?} is not a server's address (expected http://HOST:PORT)")]
    Malformed(String),
    /// TLS was asked for.
    #[error(
        "{0:?}: this version connects in clear text only; https:// comes with the TLS release (expected http://HOST:PORT)"
    )]
    Tls(String),
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") if uri.authority().is_some() && matches!(uri.path(), "" | "/") => Ok(Self { uri }),
            Some("https") => Err(Error::Tls(text.to_owned())),
            _ => Err(malformed()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

impl Target {
    /// Opens a connection. No HTTP/2 pings are sent: servers with library defaults end connections that send them; the
    /// kernel's keepalive finds a dead peer instead.
    pub(super) async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        Endpoint::from(self.uri.clone())
            .connect_timeout(limits::CONNECT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(limits::TCP_KEEPALIVE))
            .connect()
            .await
    }
}
