//! Messages as prost has them, in buffers of the size that they need.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec};
use tonic_prost::ProstCodec;

/// A request of this service is a few hundred bytes. tonic's own buffer for one is 8 KiB, which counts when
/// thousands of streams are opened at once; a request that is larger has it grow.
const REQUEST: usize = 512;
/// tonic's own.
const YIELD_THRESHOLD: usize = 32 * 1024;

/// The codec of all methods.
#[derive(Debug)]
pub struct SmallRequests<Encode, Decode>(PhantomData<(Encode, Decode)>);

impl<Encode, Decode> Default for SmallRequests<Encode, Decode> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Encode, Decode> Codec for SmallRequests<Encode, Decode>
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
        ProstCodec::<Encode, Decode>::raw_decoder(BufferSettings::new(REQUEST, YIELD_THRESHOLD))
    }
}
