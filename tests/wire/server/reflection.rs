//! Reflection as `grpcurl describe` uses it: every symbol, and all that its file imports.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use restore_point_gateway::proto;
use restore_point_gateway::server::End;
use tonic::Status;

use super::fixture::{Server, origin, soon};

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

            let server = Server::start().await;
            let mut client = ServerReflectionClient::with_origin(server.wire().await, origin());
            let mut ask = async |questions: Vec<MessageRequest>| {
                let questions = stream::iter(questions).map(|question| ServerReflectionRequest {
                    message_request: Some(question),
                    ..Default::default()
                });
                let answers = client.server_reflection_info(questions).await.unwrap().into_inner();
                let answers: Vec<Result<ServerReflectionResponse, Status>> =
                    soon(answers.collect()).await;
                answers
                    .into_iter()
                    .map(|a| a.unwrap().message_response.unwrap())
                    .collect::<Vec<_>>()
            };

            let answers = ask(vec![MessageRequest::ListServices(String::new())]).await;
            let [MessageResponse::ListServicesResponse(list)] = answers.as_slice() else {
                panic!("{answers:?}")
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
            let mut files = BTreeSet::new();
            let mut wanted = BTreeSet::new();
            let questions = symbols.into_iter().map(MessageRequest::FileContainingSymbol);
            let mut answers = ask(questions.collect()).await;
            // A client describes a symbol from its file and all that the file imports.
            while !answers.is_empty() {
                for answer in answers {
                    let MessageResponse::FileDescriptorResponse(described) = answer else {
                        panic!("{answer:?}")
                    };
                    for file in described.file_descriptor_proto {
                        let file = FileDescriptorProto::decode(file.as_slice()).unwrap();
                        files.insert(file.name().to_owned());
                        wanted.extend(file.dependency);
                    }
                }
                let missing = wanted.difference(&files).cloned();
                answers = ask(missing.map(MessageRequest::FileByFilename).collect()).await;
            }
            assert_eq!(server.stop().await, End::Drained);
        }
    };
}

reflects!(reflection_v1_describes_every_symbol, v1);
reflects!(reflection_v1alpha_describes_every_symbol, v1alpha);

/// The full names of all messages, enums, services and methods that the server knows of.
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
