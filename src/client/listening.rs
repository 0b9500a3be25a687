//! A socket that hears what the server begins with, because who begins with something else than HTTP/2 will not speak it
//! later: the layers above only know that what they read makes no sense.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tonic::transport::Uri;
use tower_service::Service;

use super::Misfit;

/// What the last socket of a connection that was answered, or closed, began with. The channel may have opened another since.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Beginning>>);

/// How a server begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Beginning {
    /// Not yet.
    #[default]
    Awaited,
    /// With this byte.
    Byte(u8),
    /// It ended before it began.
    Closed,
}

impl Heard {
    /// What the server began with.
    pub(super) fn beginning(&self) -> Beginning {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, beginning: Beginning) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = beginning;
    }
}

impl Beginning {
    /// Why nothing will come of the connection, if that is known.
    pub(super) fn misfit(self) -> Option<Misfit> {
        if let Self::Byte(first) = self { Misfit::of_first_byte(first) } else { None }
    }

    fn of(read: &io::Result<()>, first: Option<u8>) -> Self {
        match (read, first) {
            (Ok(()), Some(first)) => Self::Byte(first),
            _ => Self::Closed,
        }
    }
}

/// Opens sockets that are listened to.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) sockets: HttpConnector,
    /// Where what is heard is noted. None: the first to read is TLS, which knows its own mind.
    pub(super) heard: Option<Heard>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Service<Uri> for Connector {
    type Response = TokioIo<Listening>;
    type Error = BoxError;
    type Future = Connecting<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sockets.poll_ready(context).map_err(BoxError::from)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let heard = self.heard.clone();
        // The channel would open one socket after the other.
        if let Some(misfit) = heard.as_ref().and_then(|heard| heard.beginning().misfit()) {
            return Box::pin(std::future::ready(Err(misfit.into())));
        }
        let connecting = self.sockets.call(uri);
        Box::pin(async move {
            let socket = connecting.await?.into_inner();
            Ok(TokioIo::new(Listening { socket, heard }))
        })
    }
}

/// A socket, listened to until its first byte has come.
#[derive(Debug)]
pub(super) struct Listening {
    socket: TcpStream,
    heard: Option<Heard>,
}

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.socket).poll_read(context, buffer));
        let Some(heard) = self.heard.take() else { return Poll::Ready(read) };
        let beginning = Beginning::of(&read, buffer.filled().get(before).copied());
        heard.note(beginning);
        // What follows is nothing that HTTP/2 could make sense of, and may never be enough for it to see that.
        let misfit = beginning.misfit().map(|misfit| io::Error::new(io::ErrorKind::InvalidData, misfit));
        Poll::Ready(misfit.map_or(read, Err))
    }
}

impl AsyncWrite for Listening {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
