//! The end of a connection whose responses are written: its socket stays until the peer has taken them.
//!
//! A socket that is closed while its peer still sends is reset, and a reset drops what was written but has not left: on a
//! slow line the tail of a response. So the socket is read until the peer closes it too; and as long as it takes nothing more
//! to write, something is left to say.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use super::connection::Connection;
use crate::limits::server::{FAREWELL, FAREWELL_SILENCE};

/// Bytes that are read at a time, to be thrown away.
const READ_BYTES: usize = 4096;

/// A socket that comes back when whoever serves it lets it go.
pub(super) struct Lent {
    socket: Option<TcpStream>,
    connection: Arc<Connection>,
    back: Option<oneshot::Sender<TcpStream>>,
}

/// Where the socket comes back.
pub(super) struct Home(oneshot::Receiver<TcpStream>);

/// Gives `socket` away for as long as it is served as `connection`.
pub(super) fn lend(socket: TcpStream, connection: Arc<Connection>) -> (Lent, Home) {
    let (back, home) = oneshot::channel();
    (Lent { socket: Some(socket), connection, back: Some(back) }, Home(home))
}

impl Home {
    /// Waits until the peer closes the connection, as long as it says something now and then, and not for long.
    pub(super) async fn farewell(self) {
        let end = Instant::now() + FAREWELL;
        let Ok(mut socket) = self.0.await else { return };
        let mut bytes = [0; READ_BYTES];
        let heard = async {
            // A peer that is gone hears nothing anyway.
            let _ = socket.shutdown().await;
            while let Ok(Ok(1..)) = timeout(FAREWELL_SILENCE, socket.read(&mut bytes)).await {}
        };
        // Either way the socket is closed now.
        let _ = timeout_at(end, heard).await;
    }
}

impl Lent {
    fn socket(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.socket.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.connection.set_blocked(written.is_pending());
        written
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(socket), Some(back)) = (self.socket.take(), self.back.take()) {
            // Nobody waits for the socket of a connection that broke.
            let _ = back.send(socket);
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.socket()?.poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.socket()?.poll_write_vectored(context, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_shutdown(context)
    }
}
