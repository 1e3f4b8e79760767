//! The contract as Rust types, generated from `proto/`, and its descriptor set for reflection.

#![allow(clippy::all, clippy::clone_on_ref_ptr, missing_debug_implementations, unreachable_pub)]

tonic::include_proto!("restorepoint.v1");

/// The compiled contract with its imports and comments, as a serialized FileDescriptorSet.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("descriptor");
