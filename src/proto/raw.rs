//! Messages that are already encoded: bytes go to the wire as they are, and come off it as they are.
//!
//! Copies that remain with tonic's codecs, in user memory:
//!
//! - Sending through [`SendRaw`]: one. tonic puts its prefix and the message into a buffer of its own. The calls of
//!   [`client_streaming`] and [`streaming`] avoid it.
//! - Receiving through [`ReceiveRaw`]: one. h2 hands out frames as slices of its read buffer without a copy; tonic
//!   gathers the frames of a message into one buffer. Taking the message out of that buffer copies nothing, and the
//!   decoder needs it in one piece.

mod framed;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};
use tonic_prost::{ProstDecoder, ProstEncoder};

pub use framed::{client_streaming, streaming};

/// Sends encoded messages, receives `M`: the client's codec.
#[derive(Debug)]
pub struct SendRaw<M>(PhantomData<fn() -> M>);

/// Receives encoded messages, sends `M`: the server's codec.
#[derive(Debug)]
pub struct ReceiveRaw<M>(PhantomData<fn() -> M>);

impl<M> Default for SendRaw<M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<M> Default for ReceiveRaw<M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<M: Message + Default + 'static> Codec for SendRaw<M> {
    type Encode = Bytes;
    type Decode = M;
    type Encoder = RawEncoder;
    type Decoder = ProstDecoder<M>;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder
    }

    fn decoder(&mut self) -> ProstDecoder<M> {
        ProstDecoder::default()
    }
}

impl<M: Message + Default + 'static> Codec for ReceiveRaw<M> {
    type Encode = M;
    type Decode = Bytes;
    type Encoder = ProstEncoder<M>;
    type Decoder = RawDecoder;

    fn encoder(&mut self) -> ProstEncoder<M> {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> RawDecoder {
        RawDecoder
    }
}

/// Sends and receives encoded messages: the client's codec of an RPC that is known by its descriptors only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = RawEncoder;
    type Decoder = RawDecoder;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder
    }

    fn decoder(&mut self) -> RawDecoder {
        RawDecoder
    }
}

/// Puts encoded messages into tonic's buffer.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawEncoder;

impl Encoder for RawEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(message.len());
        out.put(message);
        Ok(())
    }

    // A buffer that starts empty is allocated at the size of the first message; yielding after each message hands it
    // on whole instead of growing it by the next.
    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(0, 1)
    }
}

/// Takes encoded messages out of tonic's buffer.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawDecoder;

impl Decoder for RawDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
