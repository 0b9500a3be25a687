//! Where a client connects to.

use std::{error::Error as StdError, fmt, io, iter, net::IpAddr, str::FromStr};

use hyper_util::client::legacy::connect::HttpConnector;
use tonic::transport::{self, Endpoint, Uri};

use super::{
    connection::Connection,
    credentials::{self, CredentialFiles, Credentials},
    listening::{Connector, Heard},
};
use crate::limits::client as limits;

/// A server's address, such as `http://localhost:50052`, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Target {
    uri: Uri,
    credentials: Credentials,
}

/// Why a text is not a server's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a URL.
    #[error("{0:?} is not a server's address (expected http://HOST:PORT or https://HOST:PORT)")]
    Malformed(String),
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Error::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        if uri.authority().is_none() || !matches!(uri.path(), "" | "/") {
            return Err(malformed());
        }
        let credentials = match uri.scheme_str() {
            Some("http") => Credentials::default(),
            Some("https") => Credentials::of_system(),
            _ => return Err(malformed()),
        };
        Ok(Self { uri, credentials })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

impl Target {
    /// The same server, spoken to with what stands in `files`.
    pub fn with_credentials(self, files: &CredentialFiles) -> Result<Self, credentials::Error> {
        let has_certificates = files.ca.is_some() || files.identity.is_some();
        if has_certificates && !self.is_encrypted() {
            return Err(credentials::Error::NotEncrypted { target: self.to_string() });
        }
        if files.token.is_some() && !self.is_encrypted() && !self.is_local() {
            return Err(credentials::Error::TokenInClear { target: self.to_string() });
        }
        let credentials = Credentials::read(files, self.is_encrypted())?;
        let target = Self { credentials, ..self };
        target.endpoint().map_err(credentials::Error::Tls)?;
        Ok(target)
    }

    fn is_encrypted(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// Whether the way to the server leaves this machine.
    fn is_local(&self) -> bool {
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    fn endpoint(&self) -> Result<Endpoint, transport::Error> {
        let endpoint = Endpoint::from(self.uri.clone()).connect_timeout(limits::CONNECT);
        match &self.credentials.tls {
            Some(tls) => endpoint.tls_config(tls.clone()),
            None => Ok(endpoint),
        }
    }

    async fn open(&self, endpoint: Endpoint) -> Result<Connection, transport::Error> {
        let heard = Heard::default();
        let listened = (!self.is_encrypted()).then(|| heard.clone());
        let connector = Connector { sockets: connector(), heard: listened };
        let channel = endpoint.connect_with_connector(connector).await?;
        Ok(Connection { channel, authorization: self.credentials.authorization.clone(), heard })
    }

    /// Opens a connection. No HTTP/2 pings are sent: servers with library defaults end connections that send them; the
    /// kernel finds a dead peer instead.
    pub(super) async fn connect(&self) -> Result<Connection, transport::Error> {
        self.open(self.endpoint()?).await
    }

    /// Opens a connection to a server that sends more than it is sent.
    pub(super) async fn connect_to_pull(&self) -> Result<Connection, transport::Error> {
        let endpoint = self
            .endpoint()?
            .initial_stream_window_size(limits::PULL_WINDOW_BYTES)
            .initial_connection_window_size(limits::PULL_WINDOW_BYTES)
            .max_frame_size(limits::PULL_FRAME_BYTES);
        self.open(endpoint).await
    }

    /// Opens a connection that is watched by pings while calls run: for servers that keep sessions, which permit them. One
    /// that does not know sessions says so long before the first ping.
    pub(super) async fn connect_watched(&self) -> Result<Connection, transport::Error> {
        let endpoint = self
            .endpoint()?
            .http2_keep_alive_interval(limits::SESSION_KEEPALIVE)
            .keep_alive_timeout(limits::SESSION_KEEPALIVE_TIMEOUT);
        self.open(endpoint).await
    }
}

/// Whether a connection failed because the server does not believe this client, which the next attempt would not change. What
/// this client finds wrong with the server is a `Misfit`.
pub(super) fn is_distrust(error: &transport::Error) -> bool {
    let mut chain = iter::successors(Some(error as &(dyn StdError + 'static)), |&error| error.source());
    // What TLS finds wrong comes as this kind, and nothing else does.
    chain.any(|error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
    })
}

/// What opens sockets, in place of tonic's own, which cannot bound how long sent bytes stay unacknowledged.
fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    // The scheme was looked at when the address was read.
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_keepalive(Some(limits::TCP_KEEPALIVE));
    connector.set_connect_timeout(Some(limits::CONNECT));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(limits::TCP_USER_TIMEOUT));
    connector
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::net::sockopt;
    use tokio::net::TcpListener;
    use tower_service::Service as _;

    use super::{connector, limits};

    #[tokio::test]
    async fn the_kernel_watches_over_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let socket = connector().call(address.parse().unwrap()).await.unwrap();
        let socket = socket.inner();
        let user_timeout = sockopt::tcp_user_timeout(socket).unwrap();
        assert_eq!(u128::from(user_timeout), limits::TCP_USER_TIMEOUT.as_millis());
        assert!(sockopt::socket_keepalive(socket).unwrap());
        assert_eq!(sockopt::tcp_keepidle(socket).unwrap(), limits::TCP_KEEPALIVE);
        assert!(sockopt::tcp_nodelay(socket).unwrap());
    }
}
