//! A bare HTTP/2 connection under the generated clients.
//!
//! tonic's own channel reads `grpc-timeout` and ends the call at the deadline by a timer of its own, with CANCELLED. Here
//! nothing does, so that a test sees the status that the server sends.

use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

/// A connection to a server.
pub type Http2Client = BoxCloneSyncService<Request<Body>, Response<Incoming>, hyper::Error>;

/// Opens HTTP/2 on a connected socket.
pub async fn http2_client<S>(stream: S) -> Http2Client
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    BoxCloneSyncService::new(tower::service_fn(move |request| {
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    }))
}

/// The same connection, whose calls all have this timeout, in whole seconds.
pub fn with_timeout(connection: Http2Client, timeout: Duration) -> Http2Client {
    let timeout = HeaderValue::try_from(format!("{}S", timeout.as_secs())).unwrap();
    BoxCloneSyncService::new(connection.map_request(move |mut request: Request<Body>| {
        request.headers_mut().insert("grpc-timeout", timeout.clone());
        request
    }))
}

/// The origin of the requests on such a connection.
pub fn origin() -> Uri {
    Uri::from_static("http://gateway")
}
