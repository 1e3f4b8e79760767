//! Gateways that can be killed: each has a runtime of its own, whose end drops all its tasks and sockets at once, and a
//! clock of its own that can jump.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use restore_point_gateway::server::ServerExit;
use restore_point_gateway::watch::Hub;
use restore_point_test_support::fixture::{Client, Replica, UNLIMITED, registry};
use restore_point_test_support::wait::{advance, eventually, in_time};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tonic::transport::{Channel, Endpoint};

use crate::vendors::Simulators;

/// A running gateway.
pub(crate) struct Gateway {
    /// A client of it.
    pub(crate) client: Client,
    /// Where it listens, as a URL.
    pub(crate) url: String,
    /// The hub of its watches.
    pub(crate) hub: Hub,
    commands: mpsc::UnboundedSender<Command>,
    thread: JoinHandle<()>,
}

enum Command {
    Advance(Duration, oneshot::Sender<()>),
    Stop(oneshot::Sender<ServerExit>),
}

impl Gateway {
    /// Starts a gateway. All that are started have the same token key.
    pub(crate) async fn start(simulators: Arc<Simulators>) -> Self {
        let (commands, received) = mpsc::unbounded_channel();
        let (started, start) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&simulators, started, received));
            // What is left is dropped, as when a process is killed.
            runtime.shutdown_background();
        });
        let (url, hub) = in_time(start).await.unwrap();
        let client = Client::new(Endpoint::from_shared(url.clone()).unwrap().connect_lazy());
        Self { client, url, hub, commands, thread }
    }

    /// A connection to it whose flow control lets almost nothing through.
    pub(crate) fn narrow_channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.url.clone()).unwrap();
        endpoint.initial_stream_window_size(64).connect_lazy()
    }

    /// Advances its clock.
    pub(crate) fn advance(&self, by: Duration) -> impl Future<Output = ()> + use<> {
        let (done, advanced) = oneshot::channel();
        self.commands.send(Command::Advance(by, done)).ok().unwrap();
        async move { in_time(advanced).await.unwrap() }
    }

    /// Kills it.
    pub(crate) fn kill(self) {
        drop(self.commands);
        self.thread.join().unwrap();
    }

    /// Shuts it down. Panics unless all its calls end by themselves, and all its tasks.
    pub(crate) async fn stop(self) {
        // Its own connection is idle, and its watches have ended.
        let Self { client, hub, commands, thread, .. } = self;
        drop((client, hub));
        let (done, stopped) = oneshot::channel();
        commands.send(Command::Stop(done)).ok().unwrap();
        assert_eq!(in_time(stopped).await.expect("no task is left"), ServerExit::Drained);
        thread.join().unwrap();
    }
}

async fn run(
    simulators: &Simulators,
    started: oneshot::Sender<(String, Hub)>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let Simulators { azure, veeam, authority, .. } = simulators;
    let registry = registry(azure, veeam, authority, UNLIMITED);
    let backends = registry.all();
    let mut replica = Replica::start(registry).await;
    // The client of the fixture is not needed.
    let unconnected = Endpoint::from_static("http://localhost").connect_lazy();
    replica.client = Client::new(unconnected);
    started.send((format!("http://{}", replica.address), replica.hub.clone())).ok();
    while let Some(command) = commands.recv().await {
        match command {
            Command::Advance(by, done) => {
                advance(by).await;
                done.send(()).ok();
            }
            Command::Stop(done) => {
                let exit = replica.stop().await;
                for backend in backends.values() {
                    in_time(backend.close()).await;
                }
                drop(backends);
                let tasks = Handle::current().metrics();
                eventually(|| tasks.num_alive_tasks() == 0).await;
                done.send(exit).ok();
                return;
            }
        }
    }
}
