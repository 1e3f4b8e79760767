//! The client's side of WatchStatus.

use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{WatchStatusRequest, WatchStatusResponse};
use tonic::{Status, Streaming};

use crate::fixture::Client;
use crate::wait::in_time;

/// An open stream of events.
pub struct Watch(Streaming<WatchStatusResponse>);

impl Watch {
    /// Calls WatchStatus.
    ///
    /// # Errors
    /// The status of a call that fails before its first event.
    pub async fn open(mut client: Client, request: WatchStatusRequest) -> Result<Self, Status> {
        let response = in_time(client.watch_status(request)).await?;
        Ok(Self(response.into_inner()))
    }

    /// The next event; none when the stream has ended with OK.
    ///
    /// # Errors
    /// The status that the stream ended with.
    pub async fn message(&mut self) -> Result<Option<WatchStatusResponse>, Status> {
        in_time(self.0.message()).await
    }

    /// The next event. Panics if the stream has ended.
    pub async fn next_event(&mut self) -> WatchStatusResponse {
        self.message().await.unwrap().expect("an event before the end of the stream")
    }

    /// The next event that `matches`; events before it are dropped.
    pub async fn skip_until(
        &mut self,
        matches: impl Fn(&WatchStatusResponse) -> bool,
    ) -> WatchStatusResponse {
        loop {
            let event = self.next_event().await;
            if matches(&event) {
                return event;
            }
        }
    }

    /// The event SYNCED; events before it are dropped.
    pub async fn synced(&mut self) -> WatchStatusResponse {
        self.skip_until(|event| event.event() == Event::Synced).await
    }

    /// Panics unless the stream has ended with OK.
    pub async fn expect_end(&mut self) {
        assert_eq!(self.message().await.unwrap(), None);
    }
}

/// The state of the restore point in an event.
pub fn state(event: &WatchStatusResponse) -> Option<State> {
    event.restore_point.as_ref().map(|point| point.state())
}
