//! Reflection as `grpcurl describe` uses it: every symbol, and every file that its file imports.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use restore_point_gateway::proto;
use restore_point_gateway::server::ServerExit;
use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use restore_point_test_support::failure::assert_status;
use restore_point_test_support::wait::in_time;

use super::fixture::{TestServer, origin};

/// The test of one version of reflection: both have the same messages in different packages.
macro_rules! reflects {
    ($test:ident, $version:ident) => {
        #[tokio::test]
        async fn $test() {
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, ServerReflectionResponse,
            };

            let server = TestServer::start().await;
            let mut client =
                ServerReflectionClient::with_origin(server.http2_client().await, origin());
            let mut request = async |requests: Vec<MessageRequest>| {
                let requests = stream::iter(requests).map(|request| ServerReflectionRequest {
                    message_request: Some(request),
                    ..Default::default()
                });
                let responses = client.server_reflection_info(requests).await.unwrap().into_inner();
                let responses: Vec<Result<ServerReflectionResponse, Status>> =
                    in_time(responses.collect()).await;
                responses
                    .into_iter()
                    .map(|response| response.unwrap().message_response.unwrap())
                    .collect::<Vec<_>>()
            };

            let responses = request(vec![MessageRequest::ListServices(String::new())]).await;
            let [MessageResponse::ListServicesResponse(list)] = responses.as_slice() else {
                panic!("{responses:?}")
            };
            let listed: BTreeSet<_> = list.service.iter().map(|s| s.name.as_str()).collect();
            assert_eq!(
                listed,
                BTreeSet::from([
                    "grpc.health.v1.Health",
                    "grpc.reflection.v1.ServerReflection",
                    "grpc.reflection.v1alpha.ServerReflection",
                    "restorepoint.v1.RestorePointService",
                ])
            );

            let symbols = symbols();
            for expected in ["google.rpc.ErrorInfo", "google.protobuf.Timestamp"] {
                assert!(symbols.contains(expected), "{expected}");
            }
            let mut known = BTreeSet::new();
            let mut imported = BTreeSet::new();
            let requests = symbols.into_iter().map(MessageRequest::FileContainingSymbol);
            let mut responses = request(requests.collect()).await;
            // A client describes a symbol from its file and every file that this one imports.
            while !responses.is_empty() {
                for response in responses {
                    let MessageResponse::FileDescriptorResponse(files) = response else {
                        panic!("{response:?}")
                    };
                    for file in files.file_descriptor_proto {
                        let file = FileDescriptorProto::decode(file.as_slice()).unwrap();
                        known.insert(file.name().to_owned());
                        imported.extend(file.dependency);
                    }
                }
                let missing = imported.difference(&known).cloned();
                responses = request(missing.map(MessageRequest::FileByFilename).collect()).await;
            }
            assert_eq!(server.stop().await, ServerExit::Drained);
        }
    };
}

reflects!(reflection_v1_describes_every_symbol, v1);
reflects!(reflection_v1alpha_describes_every_symbol, v1alpha);

#[tokio::test]
async fn a_symbol_that_does_not_exist_is_not_found() {
    let server = TestServer::start().await;
    let mut client = ServerReflectionClient::with_origin(server.http2_client().await, origin());
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::FileContainingSymbol("a.B".to_owned())),
        ..Default::default()
    };
    let responses = in_time(client.server_reflection_info(stream::iter([request]))).await;
    let status = in_time(responses.unwrap().get_mut().message()).await.unwrap_err();
    assert_status(&status, Code::NotFound, "DESCRIPTOR_NOT_FOUND");
    assert!(status.message().contains("'a.B'"), "{status:?}");
}

/// The full names of all messages, enums, services and methods that the server describes.
fn symbols() -> BTreeSet<String> {
    fn collect(symbols: &mut BTreeSet<String>, scope: &str, message: &DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        symbols.extend(message.enum_type.iter().map(|e| format!("{name}.{}", e.name())));
        for nested in &message.nested_type {
            collect(symbols, &name, nested);
        }
        symbols.insert(name);
    }

    let mut symbols = BTreeSet::new();
    for set in [
        proto::FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ] {
        for file in FileDescriptorSet::decode(set).unwrap().file {
            for message in &file.message_type {
                collect(&mut symbols, file.package(), message);
            }
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                symbols.extend(service.method.iter().map(|m| format!("{name}.{}", m.name())));
                symbols.insert(name);
            }
            symbols
                .extend(file.enum_type.iter().map(|e| format!("{}.{}", file.package(), e.name())));
        }
    }
    symbols
}
