//! Compiles the contract without an installed protoc, and leaves the descriptor set, comments and all,
//! for reflection.
//!
//! `google/protobuf` comes with protox and `google/rpc` out of tonic-types, so that no third-party
//! proto is kept in this repository.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;
use prost_types::FileDescriptorSet;
use protox::Compiler;
use protox::file::{
    ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver,
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new("proto".into()));
    resolver.add(DescriptorSetFileResolver::new(google_rpc()?));
    resolver.add(GoogleFileResolver::new());

    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler
        .include_imports(true)
        .include_source_info(true)
        // The error details are in no message of ours, but a client that reads an error asks for them.
        .open_files([
            "restorepoint/v1/restore_point_service.proto",
            "google/rpc/error_details.proto",
        ])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .extern_path(".google.rpc", "::tonic_types::pb")
        .codec_path("crate::service::SmallBufferCodec")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// The files of `google/rpc`, which tonic-types names without their folder.
fn google_rpc() -> Result<FileDescriptorSet, prost::DecodeError> {
    let mut set = FileDescriptorSet::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
    for file in &mut set.file {
        let names = std::iter::once(file.name.get_or_insert_default()).chain(&mut file.dependency);
        for name in names.filter(|name| !name.contains('/')) {
            *name = format!("google/rpc/{name}");
        }
    }
    Ok(set)
}
