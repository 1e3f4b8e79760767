//! The stream of WatchStatus on its way to the wire: events that are encoded already, once for all streams
//! that tell the same.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes};
use futures::Stream;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic_prost::ProstCodec;

use crate::proto::{WatchStatusRequest, WatchStatusResponse};

/// A `WatchStatusResponse`, encoded.
#[derive(Debug, Clone)]
pub struct Encoded(pub Bytes);

/// The events of one watch.
pub struct Events(Pin<Box<dyn Stream<Item = Result<Encoded, Status>> + Send>>);

impl Events {
    pub(super) fn new(
        events: impl Stream<Item = Result<Encoded, Status>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(events))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events(…)")
    }
}

impl Stream for Events {
    type Item = Result<Encoded, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

/// Reads requests as usual, and writes events as they are.
#[derive(Debug, Default)]
pub struct EventCodec;

impl Codec for EventCodec {
    type Encode = Encoded;
    type Decode = WatchStatusRequest;
    type Encoder = Verbatim;
    type Decoder = <ProstCodec<WatchStatusResponse, WatchStatusRequest> as Codec>::Decoder;

    fn encoder(&mut self) -> Verbatim {
        Verbatim
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<WatchStatusResponse, WatchStatusRequest>::default().decoder()
    }
}

/// Writes bytes as they are.
#[derive(Debug)]
pub struct Verbatim;

impl Encoder for Verbatim {
    type Item = Encoded;
    type Error = Status;

    fn encode(&mut self, event: Encoded, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(event.0);
        Ok(())
    }

    /// The buffer lives as long as the stream. tonic's own 8 KiB would be most of what an idle one takes.
    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(512, 8 * 1024)
    }
}
