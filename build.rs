//! Compiles the contract without an installed protoc, and leaves the descriptor set, comments and all,
//! for reflection.
//!
//! `google/protobuf` comes with protox and `google/rpc` out of tonic-types, so that no third-party
//! proto is kept in this repository.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;
use prost_types::{FileDescriptorSet, ServiceDescriptorProto};
use protox::Compiler;
use protox::file::{
    ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver,
};

const PACKAGE: &str = "restorepoint.v1";

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
    let contract = compiler.file_descriptor_set();
    for service in contract.file.iter().flat_map(|file| &file.service) {
        tonic_build::manual::Builder::new().build_client(false).compile(&[server(service)]);
    }
    tonic_prost_build::configure()
        .build_server(false)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(contract)?;
    Ok(())
}

/// The server's side of the service. It is described by hand, because each method of it may have a codec of
/// its own: a stream writes events that are encoded already.
fn server(service: &ServiceDescriptorProto) -> tonic_build::manual::Service {
    let methods = service.method.iter().map(|method| {
        let streaming = method.server_streaming();
        let built = tonic_build::manual::Method::builder()
            .name(snake_case(method.name()))
            .route_name(method.name())
            .input_type(rust_type(method.input_type()))
            .output_type(match streaming {
                true => "crate::service::Encoded".to_owned(),
                false => rust_type(method.output_type()),
            })
            .codec_path(match streaming {
                true => "crate::service::EventCodec",
                false => "tonic_prost::ProstCodec",
            });
        if streaming { built.server_streaming().build() } else { built.build() }
    });
    methods
        .fold(
            tonic_build::manual::Service::builder().name(service.name()).package(PACKAGE),
            tonic_build::manual::ServiceBuilder::method,
        )
        .build()
}

/// `.restorepoint.v1.GetRequest` is `crate::proto::GetRequest`.
fn rust_type(message: &str) -> String {
    message.replace(&format!(".{PACKAGE}."), "crate::proto::")
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
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
