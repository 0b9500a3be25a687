//! Where a client connects to.

use std::{fmt, str::FromStr};

use hyper_util::client::legacy::connect::HttpConnector;
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
    /// kernel finds a dead peer instead.
    pub(super) async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        let endpoint = Endpoint::from(self.uri.clone()).connect_timeout(limits::CONNECT);
        endpoint.connect_with_connector(connector()).await
    }

    /// Opens a connection to a server that sends more than it is sent.
    pub(super) async fn connect_to_pull(&self) -> Result<Channel, tonic::transport::Error> {
        let endpoint = Endpoint::from(self.uri.clone())
            .connect_timeout(limits::CONNECT)
            .initial_stream_window_size(limits::PULL_WINDOW_BYTES)
            .initial_connection_window_size(limits::PULL_WINDOW_BYTES)
            .max_frame_size(limits::PULL_FRAME_BYTES);
        endpoint.connect_with_connector(connector()).await
    }

    /// Opens a connection that is watched by pings while calls run: for servers that keep sessions, which permit them. One
    /// that does not know sessions says so long before the first ping.
    pub(super) async fn connect_watched(&self) -> Result<Channel, tonic::transport::Error> {
        let endpoint = Endpoint::from(self.uri.clone())
            .connect_timeout(limits::CONNECT)
            .http2_keep_alive_interval(limits::SESSION_KEEPALIVE)
            .keep_alive_timeout(limits::SESSION_KEEPALIVE_TIMEOUT);
        endpoint.connect_with_connector(connector()).await
    }
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
