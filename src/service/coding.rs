//! Compressed messages: what gRPC calls an encoding, one whole stream of gzip or zstd for each message.

use std::io::{self, Read as _, Write as _};

use bytes::Bytes;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use http::{HeaderMap, HeaderValue};
use tonic::Status;

/// How messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Zstd,
}

/// The compression of the messages that follow.
pub(crate) const ENCODING: &str = "grpc-encoding";
/// What the peer can read.
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
/// What is read here.
const ACCEPTED: HeaderValue = HeaderValue::from_static("identity,gzip,zstd");
/// Fast: the vectors that most messages are made of hardly shrink.
const ZSTD_LEVEL: i32 = 1;
/// The window that a message may ask for: 8 MiB, what the highest ordinary level asks for.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

impl Coding {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"gzip" => Some(Self::Gzip),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }

    /// The compression of a request's messages; an unknown one is refused with what is known.
    pub(crate) fn of_request(headers: &HeaderMap) -> Result<Option<Self>, Status> {
        match headers.get(ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => Ok(None),
            Some(name) => Self::named(name).map(Some).ok_or_else(|| {
                let name: String = String::from_utf8_lossy(name).chars().take(64).collect();
                let mut status = Status::unimplemented(format!("compression {name:?} is not known here"));
                status.metadata_mut().as_mut().insert(ACCEPT_ENCODING, ACCEPTED);
                status
            }),
        }
    }

    /// How to answer: as the client compresses, if it says that it does. Stock clients accept gzip without being asked, so
    /// that alone is no wish; nobody accepts zstd without one.
    pub(crate) fn of_answer(headers: &HeaderMap) -> Option<Self> {
        let is_zstd = |value: &HeaderValue| {
            value.as_bytes().split(|byte| *byte == b',').any(|name| name.trim_ascii() == b"zstd")
        };
        let wishes_zstd = || headers.get_all(ACCEPT_ENCODING).iter().any(is_zstd);
        let named = |coding: &Self| {
            let names = |value: &HeaderValue| {
                value
                    .as_bytes()
                    .split(|byte| *byte == b',')
                    .any(|name| Self::named(name.trim_ascii()) == Some(*coding))
            };
            !headers.contains_key(ACCEPT_ENCODING) || headers.get_all(ACCEPT_ENCODING).iter().any(names)
        };
        let asked = Self::of_request(headers).ok().flatten().filter(named);
        asked.or_else(|| wishes_zstd().then_some(Self::Zstd))
    }

    /// Says in `headers` how the answer's messages are compressed.
    pub(crate) fn announce(coding: Option<Self>, headers: &mut HeaderMap) {
        headers.insert(ACCEPT_ENCODING, ACCEPTED);
        if let Some(coding) = coding {
            headers.insert(ENCODING, coding.name());
        }
    }

    /// A message that stands behind the prefix of gRPC, compressed and behind a prefix again.
    pub(crate) fn compress(self, framed: &[u8]) -> io::Result<Bytes> {
        let (prefix, message) = framed.split_at(framed.len().min(PREFIX_BYTES));
        let mut out = Vec::with_capacity(prefix.len() + message.len());
        out.extend_from_slice(&[1, 0, 0, 0, 0]);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut out, Compression::fast());
                encoder.write_all(message)?;
                encoder.finish()?;
            }
            Self::Zstd => zstd::stream::copy_encode(message, &mut out, ZSTD_LEVEL)?,
        }
        let length = u32::try_from(out.len() - PREFIX_BYTES).map_err(io::Error::other)?;
        out[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
        Ok(out.into())
    }

    /// A message of at most `bytes_max` bytes. Memory grows with what is really there.
    pub(crate) fn expand(self, message: &[u8], bytes_max: usize) -> Result<Bytes, Status> {
        let mut out = Vec::new();
        let bound = bytes_max as u64 + 1;
        let read = match self {
            Self::Gzip => MultiGzDecoder::new(message).take(bound).read_to_end(&mut out),
            Self::Zstd => zstd::stream::read::Decoder::with_buffer(message).and_then(|mut decoder| {
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                decoder.take(bound).read_to_end(&mut out)
            }),
        };
        read.map_err(|error| Status::invalid_argument(format!("a compressed message is damaged: {error}")))?;
        if out.len() > bytes_max {
            return Err(Status::resource_exhausted(format!(
                "a compressed message holds more than the limit of {bytes_max} bytes"
            )));
        }
        Ok(out.into())
    }
}

/// Length of what stands before each message: a compression flag and a length.
pub(crate) const PREFIX_BYTES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut framed = vec![0];
        framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
        framed.extend_from_slice(message);
        framed
    }

    #[test]
    fn messages_come_back_and_bombs_stop_at_the_bound() {
        let message = vec![7; 1 << 20];
        for coding in [Coding::Gzip, Coding::Zstd] {
            let small = coding.compress(&framed(&message)).unwrap();
            assert!(small.len() < 20_000 && small[0] == 1, "{}", small.len());
            assert_eq!(u32::from_be_bytes(small[1..5].try_into().unwrap()) as usize, small.len() - 5);
            assert_eq!(coding.expand(&small[5..], 1 << 20).unwrap(), message);
            let bomb = coding.expand(&small[5..], (1 << 20) - 1).unwrap_err();
            assert_eq!(bomb.code(), tonic::Code::ResourceExhausted);
            let cut = coding.expand(&small[5..small.len() - 1], 1 << 20).unwrap_err();
            assert_eq!(cut.code(), tonic::Code::InvalidArgument);
        }
    }

    #[test]
    fn a_window_that_a_frame_only_claims_is_refused() {
        // Magic; no content size, no checksum; a window of 128 MiB; one empty last block.
        let claimed = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00];
        let refused = Coding::Zstd.expand(&claimed, 1 << 20).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
        let modest = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (20 - 10) << 3, 0x01, 0x00, 0x00];
        assert!(Coding::Zstd.expand(&modest, 1 << 20).unwrap().is_empty());
    }

    #[test]
    fn the_answer_is_compressed_only_for_those_who_wish_it() {
        let answer = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
            Coding::of_answer(&headers.collect())
        };
        assert_eq!(answer(&[]), None);
        assert_eq!(answer(&[(ACCEPT_ENCODING, "identity, deflate, gzip")]), None);
        assert_eq!(answer(&[(ACCEPT_ENCODING, "identity,zstd")]), Some(Coding::Zstd));
        assert_eq!(answer(&[(ENCODING, "gzip")]), Some(Coding::Gzip));
        let unknown = [(http::HeaderName::from_static(ENCODING), HeaderValue::from_static("snappy"))];
        let refused = Coding::of_request(&unknown.into_iter().collect()).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unimplemented);
        assert!(refused.metadata().get(ACCEPT_ENCODING).is_some());
    }
}
