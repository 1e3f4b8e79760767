//! Every fault of a vendor against every RPC: the status that the caller gets, the requests that the vendor got, and the
//! effect that the call had. The result is `docs/faults.md`, which this test keeps current.
//!
//! Each cell has a gateway of its own. Meanwhile the other backend must respond. The rows of a vendor that does not respond
//! are in `silence`.

mod silence;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use futures::{StreamExt, stream};
use restore_point_gateway::proto::restore_point_service_client::RestorePointServiceClient;
use restore_point_gateway::proto::watch_status_response::Event;
use restore_point_gateway::proto::{
    Collection, CopyRequest, CreateCollectionRequest, GetCollectionRequest, GetRequest,
    ListBackendsRequest, ListCollectionsRequest, ListRequest, WatchStatusRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use restore_point_test_support::fixture::{COPY_ID, TestGateway};
use restore_point_test_support::http2_client::Http2Client;
use restore_point_test_support::names::{
    BACKENDS, SRV39, SRV39_COLLECTION, azure_collection, azure_point,
};

/// What happens to every request of a read at its vendor, and to every PUT of a write. The gateway has logged on before.
const FAULTS: [&str; 18] = [
    "status=400",
    "status=401",
    "status=403",
    "status=404",
    "status=405",
    "status=409",
    "status=429",
    "status=429 retry_after=30",
    "status=500",
    "status=501",
    "status=502",
    "status=503",
    "status=503 retry_after=30",
    "html",
    "truncate=50%",
    "reset=before",
    "lose_reply",
    "hang_up",
];

const RPCS: [&str; 8] = [
    "ListBackends",
    "ListCollections",
    "GetCollection",
    "List",
    "Get",
    "WatchStatus",
    "CreateCollection",
    "Copy",
];

type BareClient = RestorePointServiceClient<Http2Client>;

const NEW_COLLECTION: &str = "fresh";

/// The names that the calls use.
#[derive(Clone)]
struct Names {
    backend: String,
    collection: String,
    point: String,
    /// The collection to copy into.
    target: String,
}

impl Names {
    async fn of(gateway: &TestGateway, backend: &str) -> Self {
        let (collection, point, target) = match backend {
            "azure" => {
                let seeded = gateway.azure.seeded();
                let target = gateway.create_target("rg-prod~north", "northeurope").await;
                (azure_collection(&seeded.collection), azure_point(&seeded.points[2]), target)
            }
            _ => (SRV39_COLLECTION.to_owned(), SRV39.to_owned(), SRV39_COLLECTION.to_owned()),
        };
        Self { backend: format!("backends/{backend}"), collection, point, target }
    }
}

/// Calls an RPC. Returns what the vendor's state shows of it in a response, if it shows anything.
async fn call(mut client: BareClient, rpc: &str, names: &Names) -> Result<String, Status> {
    let parent = names.backend.clone();
    match rpc {
        "ListBackends" => {
            let backends = client.list_backends(ListBackendsRequest {}).await?;
            let backends = backends.into_inner().backends;
            let backend = backends.into_iter().find(|backend| backend.name == parent).unwrap();
            Ok(backend.reachability().as_str_name().to_owned())
        }
        "ListCollections" => {
            let request = ListCollectionsRequest { parent, ..Default::default() };
            client.list_collections(request).await.map(|_| String::new())
        }
        "GetCollection" => {
            let request = GetCollectionRequest { name: names.collection.clone() };
            client.get_collection(request).await.map(|_| String::new())
        }
        "List" => {
            let request = ListRequest { parent: names.collection.clone(), ..Default::default() };
            client.list(request).await.map(|_| String::new())
        }
        "Get" => {
            let request = GetRequest { name: names.point.clone(), view: 0 };
            client.get(request).await.map(|_| String::new())
        }
        "WatchStatus" => {
            let names = vec![names.point.clone()];
            let request = WatchStatusRequest { names, ..Default::default() };
            let mut events = client.watch_status(request).await?.into_inner();
            let mut event = events.message().await?.expect("an event");
            while event.event() == Event::Heartbeat {
                event = events.message().await?.expect("an event");
            }
            match &event.error {
                Some(error) => {
                    let code = Code::from_i32(error.code);
                    Ok(format!("{}, {code:?}", event.event().as_str_name()))
                }
                None => Ok(event.event().as_str_name().to_owned()),
            }
        }
        "CreateCollection" => {
            let collection = Collection {
                location: "northeurope".to_owned(),
                source: names.collection.clone(),
                ..Default::default()
            };
            let request = CreateCollectionRequest {
                parent,
                collection_id: format!("rg-prod~{NEW_COLLECTION}"),
                collection: Some(collection),
                ..Default::default()
            };
            client.create_collection(request).await.map(|_| String::new())
        }
        "Copy" => {
            let request = CopyRequest {
                source: names.point.clone(),
                destination: names.target.clone(),
                restore_point_id: COPY_ID.to_owned(),
                ..Default::default()
            };
            client.copy(request).await.map(|_| String::new())
        }
        other => panic!("no RPC `{other}`"),
    }
}

/// Whether a write has created its resource at Azure; none for a read.
async fn effect(gateway: &TestGateway, rpc: &str) -> Option<bool> {
    let (collections, _) = gateway.azure.seeded().collection.rsplit_once('/').unwrap();
    let id = match rpc {
        "CreateCollection" => format!("{collections}/{NEW_COLLECTION}"),
        "Copy" => format!("{collections}/north/restorePoints/{COPY_ID}"),
        _ => return None,
    };
    Some(gateway.exists_in_arm(&id).await)
}

fn requests(gateway: &TestGateway, backend: &str) -> usize {
    match backend {
        "azure" => gateway.azure.calls().total(),
        _ => gateway.veeam.calls().values().sum(),
    }
}

fn is_write(rpc: &str) -> bool {
    matches!(rpc, "CreateCollection" | "Copy")
}

/// A gateway that has logged on at both vendors.
struct Cell {
    gateway: TestGateway,
    names: Names,
    /// A point of the other backend.
    other: String,
}

impl Cell {
    async fn start(backend: &str) -> Self {
        let gateway = TestGateway::start().await;
        let names = Names::of(&gateway, backend).await;
        let other = match backend {
            "azure" => SRV39.to_owned(),
            _ => azure_point(&gateway.azure.seeded().points[0]),
        };
        gateway.get(&names.point).await.unwrap();
        gateway.get(&other).await.unwrap();
        Self { gateway, names, other }
    }

    fn inject_fault(&self, backend: &str, rpc: &str, fault: &str) {
        let method = if is_write(rpc) { "PUT " } else { "" };
        self.gateway.inject_fault(backend, &format!("{method}{fault}"));
    }

    async fn other_backend_responds(&self) {
        self.gateway.get(&self.other).await.expect("the other backend responds");
    }
}

async fn row(backend: &str, rpc: &str, fault: &str) -> String {
    let cell = Cell::start(backend).await;
    let gateway = &cell.gateway;
    cell.inject_fault(backend, rpc, fault);
    let before = requests(gateway, backend);
    let client = gateway.bare_client(None).await;
    let (result, ()) =
        futures::join!(call(client, rpc, &cell.names), cell.other_backend_responds());
    let requests = requests(gateway, backend) - before;
    shown_row(gateway, (backend, rpc, fault), &result, requests).await
}

/// One row: the outcome for the caller, when to retry, and the effect.
async fn shown_row(
    gateway: &TestGateway,
    (backend, rpc, fault): (&str, &str, &str),
    result: &Result<String, Status>,
    requests: usize,
) -> String {
    gateway.clear_faults();
    let effect = if backend == "azure" { effect(gateway, rpc).await } else { None };
    let (outcome, retry) = match result {
        Ok(shown) if shown.is_empty() => ("OK".to_owned(), String::new()),
        Ok(shown) => (format!("OK: {shown}"), String::new()),
        Err(status) => {
            let details = status.get_error_details();
            let reason = details.error_info().map_or("", |info| &info.reason);
            let delay = details.retry_info().and_then(|info| info.retry_delay);
            let delay = delay.map(|delay| format!("{} s", delay.as_secs())).unwrap_or_default();
            (format!("{:?} `{reason}`", status.code()), delay)
        }
    };
    assert!(result.is_err() || effect != Some(false), "{backend} {rpc} {fault}: {result:?}");
    let effect = match effect {
        None => "",
        Some(false) => "none",
        Some(true) => "created",
    };
    let sent = match requests {
        // A watch polls for as long as it is open.
        _ if rpc == "WatchStatus" => "",
        0 => "none",
        1 => "one",
        _ => "several",
    };
    format!("| `{fault}` | {outcome} | {retry} | {sent} | {effect} |")
}

async fn matrix() -> String {
    let mut page = "\
# Faults

What a caller gets when every request of a read to the vendor, or every PUT of a write, meets the fault in the first
column, which `restore-point-gateway sandbox --help` explains. Calls to the other backend succeed meanwhile. The column
\"requests\" counts those that the vendor receives, and \"effect\" is whether a write has created its resource. Where the
fault says so, the call has a deadline that passes before the gateway gives the request up. This page is
generated: `UPDATE=1 cargo test --test wire fault_matrix`.
"
    .to_owned();
    for backend in BACKENDS {
        for rpc in RPCS {
            write!(page, "\n## {backend}: {rpc}\n\n").unwrap();
            page.push_str(
                "| fault | status | retry after | requests | effect |\n|---|---|---|---|---|\n",
            );
            let rows = FAULTS.map(|fault| row(backend, rpc, fault));
            let mut rows = stream::iter(rows).buffered(16);
            while let Some(row) = rows.next().await {
                writeln!(page, "{row}").unwrap();
            }
            for timeout in [None, Some(silence::TIMEOUT)] {
                writeln!(page, "{}", silence::row(backend, rpc, timeout).await).unwrap();
            }
        }
    }
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_matrix_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let matrix = Box::pin(matrix()).await;
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &matrix).unwrap();
    }
    let documented = fs::read_to_string(&path).unwrap_or_default();
    let differing = matrix.lines().zip(documented.lines()).find(|(a, b)| a != b);
    assert!(matrix == documented, "docs/faults.md is not current: {differing:?}");
}
