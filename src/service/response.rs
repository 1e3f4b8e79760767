//! How large a response may be: one rule for every RPC.

use prost::Message;
use tonic::{Response, Status};

use crate::model::Error;

/// The largest message that any RPC sends, in bytes: half of the 4 MiB that gRPC clients accept by default. A response or
/// event that exceeds it fails.
pub(super) const MAX_RESPONSE_BYTES: usize = 2 << 20;
/// What the items of a page may take of it: lists end their pages here. The rest is for the page token and the names of
/// unreachable backends.
pub(super) const MAX_PAGE_BYTES: usize = MAX_RESPONSE_BYTES - (64 << 10);

/// The response of a unary RPC.
pub(super) fn respond<M: Message>(result: Result<M, Error>) -> Result<Response<M>, Status> {
    let message = result?;
    check_size(&message)?;
    Ok(Response::new(message))
}

/// What an item takes of a page, in bytes: itself, its tag and its length.
pub(super) fn page_item_len(item: &impl Message) -> usize {
    1 + prost::length_delimiter_len(item.encoded_len()) + item.encoded_len()
}

/// # Errors
/// [`Error::ResponseTooLarge`].
pub(super) fn check_size(message: &impl Message) -> Result<(), Error> {
    match message.encoded_len() {
        bytes if bytes > MAX_RESPONSE_BYTES => {
            Err(Error::ResponseTooLarge { bytes, limit: MAX_RESPONSE_BYTES })
        }
        _ => Ok(()),
    }
}
