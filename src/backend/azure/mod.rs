//! Azure Resource Manager: the restore point collections of one subscription.
//!
//! The adapter reads collections and points, creates collections and starts copies. It deletes
//! nothing, makes no points of machines and gives out no disk access, since the gateway offers none of
//! that. It waits for nothing either: each call tells what ARM says at that moment.

mod client;
mod config;
mod copy;
mod create;
mod credential;
mod disks;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod id;
mod list;
mod map;
mod operation;
mod quota;
mod raw;
mod read;
mod report;
mod rules;
mod state;
mod walk;
mod watched;
mod wire;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::{Host, Url};
use uuid::Uuid;

pub use credential::Credential;

use self::client::{Arm, Expand};
use self::id::CollectionId;
use self::map::{Home, Scope};
use super::cache::Cache;
use super::coalescer::Coalescer;
use super::token_cache::TokenCache;
use super::{
    Backend, Cursor, KindEntry, NewCopy, Operation, Page, PollTarget, StartedCopy, WriteMode,
};
use crate::model::{
    BackendId, BackendKind, Capabilities, Collection, Error, NewCollection, PointRef, RestorePoint,
    Segment, Support, View,
};
use crate::upstream;

/// The version that is asked for by default: it has all that is read here, instant access included.
pub const DEFAULT_API_VERSION: &str = "2025-04-01";
/// What ARM lets one principal read of a subscription: its bucket holds 250 and gets 25 a second.
pub const DEFAULT_RATE_LIMIT: upstream::RateLimit =
    upstream::RateLimit { per_second: 25.0, burst: 250 };
/// The entry in the table of kinds.
pub(super) const KIND: KindEntry = KindEntry {
    kind: BackendKind::Azure,
    name: "azure",
    former_name: None,
    // ARM updates the progress of a copy every ten minutes.
    progress_interval: Duration::from_secs(600),
    read: config::read,
};

static CAPABILITIES: Capabilities = Capabilities {
    create_collection: Support::Supported,
    copy: Support::Supported,
    get_without_collection: false,
    copy_progress: true,
    consistency: true,
    disks: true,
};

/// Before this there is neither an instance view nor a copy.
const FIRST_API_VERSION: &str = "2021-11-01";

/// Capacities of the caches, in entries.
const MAX_COLLECTIONS: NonZeroUsize = NonZeroUsize::new(20_000).unwrap();
const MAX_COMPLETE_COPIES: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
const MAX_OPERATIONS: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// What an Azure backend is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its id.
    pub id: BackendId,
    /// The subscription whose collections it shows.
    pub subscription_id: String,
    /// Where the resource manager is, `https://management.azure.com` in the public cloud; also what
    /// tokens are asked for. Plain HTTP is taken on loopback only.
    pub endpoint: Url,
    /// Where tokens come from, `https://login.microsoftonline.com` in the public cloud.
    pub authority: Url,
    /// [`DEFAULT_API_VERSION`], or another from 2021-11-01 on for a cloud that lags behind.
    pub api_version: String,
    /// Who the gateway is.
    pub credential: Credential,
    /// Whose certificates are taken, by the resource manager and by the authority.
    pub trust: upstream::Trust,
    /// How much of the subscription's allowance the gateway takes, replicas not counted.
    pub rate_limit: upstream::RateLimit,
}

/// Why settings cannot be right.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value of one of the settings.
    #[error("{setting}: {problem}")]
    Value {
        /// The setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificates.
    #[error(transparent)]
    Trust(#[from] upstream::TrustError),
}

/// One Azure subscription.
pub struct Azure {
    arm: Arc<Arm>,
    /// By the key of the collection.
    homes: Cache<(String, String), Home>,
    /// The aggregate codes of copies that were seen to be complete, by their fingerprints.
    arrived: Cache<Uuid, String>,
    /// Handles of the copies that were started here, by the uid of the point.
    operations: Cache<String, Operation>,
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure").field("arm", &self.arm).finish_non_exhaustive()
    }
}

impl Azure {
    /// A backend by its settings. Nothing is asked of the vendor yet.
    ///
    /// # Errors
    /// When the settings cannot be right whatever the vendor says.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let Settings {
            id,
            subscription_id,
            endpoint,
            authority,
            api_version,
            credential,
            trust,
            rate_limit,
        } = settings;
        let wrong = |setting, problem: &str| {
            let problem = problem.to_owned();
            Err(SettingsError::Value { setting, problem })
        };
        if Uuid::try_parse(&subscription_id).is_err() {
            return wrong("subscription_id", "it must be a UUID");
        }
        if !is_safe(&endpoint) {
            return wrong("endpoint", "it must be an https URL without a query");
        }
        if authority.scheme() != "https" {
            return wrong("authority", "it must be an https URL");
        }
        let date = api_version.get(..10).unwrap_or_default();
        if date.parse::<jiff::civil::Date>().is_err() || date < FIRST_API_VERSION {
            return wrong("api_version", "it must be 2021-11-01 or later: copies came with that");
        }
        let http = upstream::Client::new(&trust)?.with_limits(rate_limit);
        let source = credential::token_source(credential, &endpoint, &authority, &http)
            .map_err(|problem| SettingsError::Value { setting: "credential", problem })?;
        let arm = Arc::new(Arm {
            backend: id,
            subscription: subscription_id,
            endpoint,
            api_version,
            http,
            tokens: TokenCache::new(source),
            lists: Coalescer::new(),
        });
        Ok(Self {
            arm,
            homes: Cache::new(MAX_COLLECTIONS),
            arrived: Cache::new(MAX_COMPLETE_COPIES),
            operations: Cache::new(MAX_OPERATIONS),
        })
    }

    fn scope(&self) -> Scope<'_> {
        Scope { backend: &self.arm.backend, subscription: &self.arm.subscription }
    }
}

/// A bearer goes over TLS, or does not leave the machine.
fn is_safe(endpoint: &Url) -> bool {
    let loopback = match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let scheme = endpoint.scheme();
    let plain = endpoint.query().is_none() && endpoint.fragment().is_none();
    plain && (scheme == "https" || (scheme == "http" && loopback))
}

#[async_trait]
impl Backend for Azure {
    fn kind(&self) -> BackendKind {
        KIND.kind
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_available(&self) -> Result<(), Error> {
        let available = self.arm.http.check_available();
        available.map_err(|error| error.into_error(self.arm.backend.as_str()))
    }

    async fn probe(&self) -> Result<(), Error> {
        self.list_page(None).await.map(drop)
    }

    async fn list(
        &self,
        collection: &Segment,
        view: View,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<RestorePoint>, Error> {
        match collection {
            Segment::Id(id) => {
                let id = CollectionId::parse(id, "parent")?;
                self.list_one(&id, view, cursor, size).await
            }
            Segment::Any => self.list_all(view, cursor, size).await,
        }
    }

    async fn get(&self, point: &PointRef, view: View) -> Result<RestorePoint, Error> {
        let found = self.read_point(&self.point_id(point)?, view).await?;
        self.with_reason(found, None).await
    }

    async fn list_collections(
        &self,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Collection>, Error> {
        self.walk_collections(cursor, size).await
    }

    async fn get_collection(&self, id: &str) -> Result<Collection, Error> {
        let id = CollectionId::parse(id, "name")?;
        let (_, wire, _) = self.read_collection(&id, Expand::Nothing).await?;
        map::collection(self.scope(), wire).map_err(|why| self.arm.invalid_response(why))
    }

    async fn create_collection(
        &self,
        new: &NewCollection,
        mode: WriteMode,
    ) -> Result<Collection, Error> {
        self.create(new, mode).await
    }

    async fn copy(&self, new: &NewCopy, mode: WriteMode) -> Result<StartedCopy, Error> {
        self.start_copy(new, mode).await
    }

    fn poll_group(&self, point: &PointRef) -> Option<String> {
        let id = self.point_id(point).ok()?;
        Some(id.collection.segment().to_lowercase())
    }

    async fn poll(&self, targets: &[PollTarget<'_>]) -> Vec<Result<RestorePoint, Error>> {
        self.poll_targets(targets).await
    }

    fn request_metrics(&self) -> upstream::RequestMetrics {
        self.arm.http.metrics()
    }

    /// Tokens expire by themselves: there is no session to end.
    async fn close(&self) {}
}
