//! The prost codec with small request buffers.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::ProstCodec;

/// A request of this service has a few hundred bytes; the buffer grows for a larger one. tonic's default is 8 KiB, which
/// counts when thousands of streams are opened at once.
const REQUEST_BUFFER: usize = 512;
/// tonic's default.
const YIELD_THRESHOLD: usize = 32 * 1024;

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
    type Encoder = <ProstCodec<Encode, Decode> as Codec>::Encoder;
    type Decoder = <ProstCodec<Encode, Decode> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<Encode, Decode>::default().encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        let settings = BufferSettings::new(REQUEST_BUFFER, YIELD_THRESHOLD);
        ProstCodec::<Encode, Decode>::raw_decoder(settings)
    }
}
