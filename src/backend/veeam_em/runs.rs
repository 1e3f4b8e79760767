//! From a VM's point in a backup to the backup, and back: two steps, by way of the run of the job that
//! made it, which the vendor calls RestorePoint.
//!
//! No query asks for the points of a backup. So its runs are asked for, a few dozen at once, and then the
//! points of those runs in one query. The other way, the runs of a page of points are looked up in
//! queries of as many runs, and remembered for a while.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tokio::time::Instant;
use uuid::Uuid;

use super::cursor::Position;
use super::kind::{Kind, Place, RUN};
use super::list::{self, AT_ONCE, Walk, any_of};
use super::session::Session;
use super::wire::{Entity, Keep, Link, Problem, To};
use crate::backend::cache::Cache;
use crate::backend::{Cursor, Page};
use crate::model::Error;

/// Runs that one query names. Each takes some 95 bytes of its URL, of which servers take 16 KiB.
const RUNS_AT_ONCE: usize = 32;
/// Less than 2 MiB of them.
const MOST_KNOWN: NonZeroUsize = NonZeroUsize::new(8192).unwrap();
/// A run stays with its backup for ever, but a backup can get another name. The vendor's own database is
/// up to so old.
const KNOWN_FOR: Duration = Duration::from_secs(15 * 60);
const VERSION: u32 = 1;

/// The runs that were seen of late, and the backup of each.
#[derive(Debug)]
pub(super) struct Runs {
    known: Cache<Uuid, (Link, Instant)>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { known: Cache::new(MOST_KNOWN) }
    }
}

/// Where a walk over the points of a backup stands.
#[derive(Clone, PartialEq, Message)]
struct InBackup {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// Where in the list of runs it goes on behind `batch`; absent at the end of that list.
    #[prost(bytes = "vec", optional, tag = "2")]
    runs: Option<Vec<u8>>,
    /// The runs whose points are being told, sixteen bytes each; none before the next ones are read.
    #[prost(bytes = "vec", tag = "3")]
    batch: Vec<u8>,
    /// Where in the list of their points.
    #[prost(bytes = "vec", optional, tag = "4")]
    points: Option<Vec<u8>>,
}

/// A few runs, and where the next ones are.
struct Batch {
    runs: Vec<Uuid>,
    next: Option<Cursor>,
    /// Where in the list of their points.
    points: Option<Cursor>,
}

impl Runs {
    /// Reads the page at `cursor` of a backup's points: the newest runs first, in bounded batches, and of
    /// each batch the newest points first. It may be empty although more follow.
    ///
    /// # Errors
    /// As those of [`Walk::page`].
    pub(super) async fn points(
        &self,
        session: &Session,
        backup: Place,
        keep: Keep,
        cursor: Option<&Cursor>,
        size: usize,
    ) -> Result<Page<Entity>, Error> {
        let batch = match cursor.map(InBackup::opened).transpose()? {
            Some(Batch { runs, next, .. }) if runs.is_empty() => {
                self.batch(session, backup, next.as_ref()).await?
            }
            Some(batch) => batch,
            None => self.batch(session, backup, None).await?,
        };
        let Batch { runs, next: behind, points } = batch;
        if runs.is_empty() {
            let next = behind.map(|behind| InBackup::closed(&[], Some(behind), None));
            return Ok(Page { items: Vec::new(), next });
        }
        let of_runs = any_of("RestorePointId", runs.iter().map(|run| RUN.uid(*run)));
        let walk = Walk::filtered(session, &Kind::Backup.shape().point, keep, of_runs);
        let Page { items, next } = walk.page(points.as_ref(), size).await?;
        let next = match next {
            Some(points) => Some(InBackup::closed(&runs, behind, Some(points))),
            None => behind.map(|behind| InBackup::closed(&[], Some(behind), None)),
        };
        Ok(Page { items, next })
    }

    /// The next runs of a backup.
    async fn batch(
        &self,
        session: &Session,
        backup: Place,
        cursor: Option<&Cursor>,
    ) -> Result<Batch, Error> {
        let of_backup = any_of("BackupUid", [backup.uid()]);
        let walk = Walk::filtered(session, &RUN, Keep::Fields, of_backup);
        let Page { items, next } = walk.page(cursor, RUNS_AT_ONCE).await?;
        let runs = items.iter().map(|run| run.id).collect();
        let found = self.remember(session, items)?;
        if found.values().any(|found| found.id != backup.id) {
            let problem = Problem::new("runs of another backup than the one asked for");
            return Err(session.client.invalid(problem));
        }
        Ok(Batch { runs, next, points: None })
    }

    /// Finds the backup of each point. A point that was deleted meanwhile, with the run that made it, is
    /// left out.
    ///
    /// It takes one query for each [`RUNS_AT_ONCE`] runs that were not seen of late.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`] for a point that names no run, or one that is not there.
    pub(super) async fn with_backups(
        &self,
        session: &Session,
        points: Vec<Entity>,
    ) -> Result<Vec<(Link, Entity)>, Error> {
        let run_of = |point: &Entity| {
            let run = point.link(To::RestorePoint).map(|run| run.id);
            run.ok_or_else(|| session.client.invalid(Problem::new("a point without its job run")))
        };
        let runs = points.iter().map(run_of).collect::<Result<BTreeSet<_>, _>>()?;
        let mut backups = self.recall(&runs);
        let unknown: Vec<Uuid> =
            runs.into_iter().filter(|run| !backups.contains_key(run)).collect();
        let few: Vec<_> = unknown.chunks(RUNS_AT_ONCE).map(<[_]>::to_vec).collect();
        let found: Vec<_> = futures::stream::iter(few)
            .map(|runs| self.look_up(session, runs))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        backups.extend(found.into_iter().flatten());
        let (backups, run_of) = (&backups, &run_of);
        futures::stream::iter(points)
            .map(|point| async move {
                match backups.get(&run_of(&point)?) {
                    Some(backup) => Ok(Some((backup.clone(), point))),
                    None => gone(session, &point).await.map(|()| None),
                }
            })
            .buffered(AT_ONCE)
            .try_filter_map(|placed| async { Ok(placed) })
            .try_collect()
            .await
    }

    async fn look_up(
        &self,
        session: &Session,
        runs: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Link>, Error> {
        let these = any_of("UID", runs.iter().map(|run| RUN.uid(*run)));
        let walk = Walk::filtered(session, &RUN, Keep::Fields, these);
        let Page { items, next } = walk.page(None, runs.len()).await?;
        if next.is_some() {
            return Err(session.client.invalid(Problem::new("more runs than were asked for")));
        }
        self.remember(session, items)
    }

    fn remember(&self, session: &Session, runs: Vec<Entity>) -> Result<HashMap<Uuid, Link>, Error> {
        let backup_of = |run: Entity| match run.link(To::Backup) {
            Some(backup) => Ok((run.id, backup.clone())),
            None => Err(session.client.invalid(Problem::new("a job run without its backup"))),
        };
        let found = runs.into_iter().map(backup_of).collect::<Result<HashMap<_, _>, _>>()?;
        let now = Instant::now();
        for (run, backup) in &found {
            self.known.insert(*run, (backup.clone(), now));
        }
        Ok(found)
    }

    fn recall(&self, runs: &BTreeSet<Uuid>) -> HashMap<Uuid, Link> {
        let recalled = runs.iter().filter_map(|run| {
            let (backup, since) = self.known.get(run)?;
            (since.elapsed() < KNOWN_FOR).then_some((*run, backup))
        });
        recalled.collect()
    }
}

/// Makes sure that a point whose run is not there is not there either.
async fn gone(session: &Session, point: &Entity) -> Result<(), Error> {
    let resource = &Kind::Backup.shape().point;
    match list::entity(session, resource, point.id, Keep::Fields).await? {
        None => Ok(()),
        Some(_) => Err(session.client.invalid(Problem::new("a point of a job run that is absent"))),
    }
}

impl InBackup {
    fn closed(batch: &[Uuid], runs: Option<Cursor>, points: Option<Cursor>) -> Cursor {
        let position = Self {
            version: VERSION,
            runs: runs.map(|cursor| cursor.0),
            batch: batch.iter().flat_map(|run| *run.as_bytes()).collect(),
            points: points.map(|cursor| cursor.0),
        };
        Cursor(position.encode_to_vec())
    }

    fn opened(cursor: &Cursor) -> Result<Batch, Error> {
        let Ok(Self { version: VERSION, runs, batch, points }) = Self::decode(cursor.0.as_slice())
        else {
            return Err(Position::foreign());
        };
        let ids: Result<Vec<_>, _> = batch.chunks(16).map(Uuid::from_slice).collect();
        let ids = ids.map_err(|_| Position::foreign())?;
        // Either in the middle of some runs' points, or right before the next runs.
        let sound = if ids.is_empty() { runs.is_some() } else { points.is_some() };
        if !sound || ids.len() > RUNS_AT_ONCE {
            return Err(Position::foreign());
        }
        Ok(Batch { runs: ids, next: runs.map(Cursor), points: points.map(Cursor) })
    }
}
