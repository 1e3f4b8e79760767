//! How large a response may be, one rule for every RPC, and how large it is likely to be.

use prost::Message;
use tonic::{Response, Status};

use super::{handover, page_token};
use crate::model::Error;
use crate::proto;
use crate::response_budget::Reservation;

/// The largest message that any RPC sends, in bytes: half of the 4 MiB that gRPC clients accept by default. A response or
/// event that exceeds it fails.
pub(super) const MAX_RESPONSE_BYTES: usize = 2 << 20;
/// What the items of a page may take of it: lists end their pages here. The rest is for the page token and the names of
/// unreachable backends.
pub(super) const MAX_PAGE_BYTES: usize = MAX_RESPONSE_BYTES - (64 << 10);

/// What is reserved for the response with one resource, in bytes.
pub(super) const RESOURCE_BYTES: u32 = 16 << 10;
const COLLECTION_BYTES: u32 = 1 << 10;

/// What is reserved for a page of restore points, in bytes: a generous estimate, corrected once the response is there.
pub(super) fn list_bytes(request: &proto::ListRequest) -> u32 {
    let point = match request.view() {
        proto::restore_point::View::Unspecified | proto::restore_point::View::Basic => 2 << 10,
        proto::restore_point::View::Full => 4 << 10,
        proto::restore_point::View::Raw => 16 << 10,
    };
    page_bytes(request.page_size, point)
}

/// The same for a page of collections.
pub(super) fn list_collections_bytes(request: &proto::ListCollectionsRequest) -> u32 {
    page_bytes(request.page_size, COLLECTION_BYTES)
}

fn page_bytes(page_size: i32, item: u32) -> u32 {
    // The handler refuses a page size that is not valid.
    let items = page_token::page_size(page_size).unwrap_or_default();
    length(items.saturating_mul(item as usize).min(MAX_RESPONSE_BYTES)).max(RESOURCE_BYTES)
}

/// A length that is no more than [`MAX_RESPONSE_BYTES`].
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The response of a unary RPC, in the memory that is reserved for it.
pub(super) fn respond<M: Message>(
    result: Result<M, Error>,
    memory: Option<Reservation>,
) -> Result<Response<M>, Status> {
    let message = result?;
    check_size(&message)?;
    let bytes = length(message.encoded_len());
    let mut response = Response::new(message);
    if let Some(mut memory) = memory {
        memory.resize(bytes)?;
        handover::put(response.extensions_mut(), memory);
    }
    Ok(response)
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
