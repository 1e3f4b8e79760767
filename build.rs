//! Compiles the contract without an installed protoc, and keeps its descriptor set, comments included, for reflection.
//!
//! `google/protobuf` is built into protox. `google/rpc` is in `proto/`, copied from googleapis, so that `proto` is the
//! only include directory that protoc, buf and this script need.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use protox::Compiler;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = Compiler::new(["proto"])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        // No message of the contract refers to the error details, but a client that decodes them asks reflection.
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
