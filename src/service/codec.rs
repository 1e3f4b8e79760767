//! The prost codec with buffers of the size that messages have: small ones for requests, exact ones for responses.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstEncoder};

/// A request of this service has a few hundred bytes, and so has the response with one resource; the buffer grows for a
/// larger one. tonic's default is 8 KiB, which counts when thousands of streams are opened, or responses unread, at once.
const BUFFER: usize = 512;
/// tonic's default.
const YIELD_THRESHOLD: usize = 32 * 1024;

fn buffer_settings() -> BufferSettings {
    BufferSettings::new(BUFFER, YIELD_THRESHOLD)
}

/// The codec of all methods.
#[derive(Debug)]
pub struct SmallBufferCodec<Encode, Decode>(PhantomData<(Encode, Decode)>);

impl<Encode, Decode> Default for SmallBufferCodec<Encode, Decode> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Encode, Decode> Codec for SmallBufferCodec<Encode, Decode>
where
    Encode: Message + Send + 'static,
    Decode: Message + Default + Send + 'static,
{
    type Encode = Encode;
    type Decode = Decode;
    type Encoder = ExactEncoder<Encode>;
    type Decoder = <ProstCodec<Encode, Decode> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ExactEncoder(ProstEncoder::new(buffer_settings()))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<Encode, Decode>::raw_decoder(buffer_settings())
    }
}

/// Encodes a message into a buffer of its size. One that grows meanwhile is up to twice as large, for as long as the
/// client has not read it.
#[derive(Debug)]
pub struct ExactEncoder<T>(ProstEncoder<T>);

impl<T: Message> Encoder for ExactEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(message.encoded_len());
        self.0.encode(message, buffer)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}
