//! The runs of backup jobs, and the backup that each run belongs to.
//!
//! A restore point of a backup links to the job run that created it (the vendor's `RestorePoint`), and only the run links
//! to the backup. The runs of a page of restore points are read in as few queries as possible, and cached for a while.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tokio::time::Instant;
use uuid::Uuid;

use super::entity_list::EntityList;
use super::get;
use super::id::CollectionId;
use super::query::{MAX_FILTER_VALUES, Query};
use super::resource::{JOB_RUN, LinkTarget, VM_RESTORE_POINT};
use super::session::{MAX_CONCURRENT_READS, Session};
use super::xml::{Entity, Keep, Link};
use crate::backend::cache::Cache;
use crate::backend::{Cursor, Page};
use crate::model::Error;

/// Less than 2 MiB.
const MAX_CACHED: NonZeroUsize = NonZeroUsize::new(8192).unwrap();
/// A run never moves to another backup, but a backup can be renamed. The vendor's own data may be as old as this.
const CACHE_TTL: Duration = Duration::from_secs(15 * 60);

/// The link from each recently read job run to its backup.
#[derive(Debug)]
pub(super) struct JobRuns {
    backups: Cache<Uuid, (Link, Instant)>,
}

impl Default for JobRuns {
    fn default() -> Self {
        Self { backups: Cache::new(MAX_CACHED) }
    }
}

impl JobRuns {
    /// Reads a page of the runs of a backup, newest first, that fits into one filter.
    ///
    /// # Errors
    /// As [`EntityList::page`]; [`Error::InvalidResponse`] for a run of another backup.
    pub(super) async fn of_backup(
        &self,
        session: &Session,
        backup: CollectionId,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Uuid>, Error> {
        let query = Query::matching(session, &JOB_RUN, Keep::Fields, "BackupUid", [backup.uid()]);
        let Page { items, next } = EntityList::new(query).page(cursor, MAX_FILTER_VALUES).await?;
        let runs = items.iter().map(|run| run.id).collect();
        let backups = self.insert(session, items)?;
        if backups.values().any(|link| link.id != backup.guid) {
            return Err(session.invalid("job runs of another backup than requested"));
        }
        Ok(Page { items: runs, next })
    }

    /// Adds to each restore point the link to its backup. A restore point that has been deleted since, with its run, is
    /// left out.
    ///
    /// # Errors
    /// As [`EntityList::page`]; [`Error::InvalidResponse`] for a restore point without a run, or whose run does not
    /// exist.
    pub(super) async fn with_backups(
        &self,
        session: &Session,
        points: Vec<Entity>,
    ) -> Result<Vec<(Link, Entity)>, Error> {
        let run_of = |point: &Entity| {
            let run = point.link(LinkTarget::RestorePoint).map(|run| run.id);
            run.ok_or_else(|| session.invalid("a restore point without a link to its job run"))
        };
        let runs = points.iter().map(run_of).collect::<Result<BTreeSet<_>, _>>()?;
        let mut backups = self.cached(&runs);
        let missing: Vec<Uuid> =
            runs.into_iter().filter(|run| !backups.contains_key(run)).collect();
        let filters: Vec<_> = missing.chunks(MAX_FILTER_VALUES).map(<[_]>::to_vec).collect();
        let read: Vec<_> = futures::stream::iter(filters)
            .map(|runs| self.read(session, runs))
            .buffered(MAX_CONCURRENT_READS)
            .try_collect()
            .await?;
        backups.extend(read.into_iter().flatten());
        let (backups, run_of) = (&backups, &run_of);
        futures::stream::iter(points)
            .map(|point| async move {
                match backups.get(&run_of(&point)?) {
                    Some(backup) => Ok(Some((backup.clone(), point))),
                    None => check_deleted(session, &point).await.map(|()| None),
                }
            })
            .buffered(MAX_CONCURRENT_READS)
            .try_filter_map(async |point| Ok(point))
            .try_collect()
            .await
    }

    async fn read(&self, session: &Session, runs: Vec<Uuid>) -> Result<HashMap<Uuid, Link>, Error> {
        let uids = runs.iter().map(|run| JOB_RUN.uid(*run));
        let query = Query::matching(session, &JOB_RUN, Keep::Fields, "UID", uids);
        let Page { items, next } = EntityList::new(query).page(None, runs.len()).await?;
        if next.is_some() {
            return Err(session.invalid("more job runs than requested"));
        }
        self.insert(session, items)
    }

    fn insert(&self, session: &Session, runs: Vec<Entity>) -> Result<HashMap<Uuid, Link>, Error> {
        let backup_of = |run: Entity| match run.link(LinkTarget::Backup) {
            Some(backup) => Ok((run.id, backup.clone())),
            None => Err(session.invalid("a job run without a link to its backup")),
        };
        let backups = runs.into_iter().map(backup_of).collect::<Result<HashMap<_, _>, _>>()?;
        let now = Instant::now();
        for (run, backup) in &backups {
            self.backups.insert(*run, (backup.clone(), now));
        }
        Ok(backups)
    }

    fn cached(&self, runs: &BTreeSet<Uuid>) -> HashMap<Uuid, Link> {
        let cached = runs.iter().filter_map(|run| {
            let (backup, since) = self.backups.get(run)?;
            (since.elapsed() < CACHE_TTL).then_some((*run, backup))
        });
        cached.collect()
    }
}

/// Passes if a restore point whose run does not exist does not exist either.
async fn check_deleted(session: &Session, point: &Entity) -> Result<(), Error> {
    match get::entity(session, &VM_RESTORE_POINT, point.id, Keep::Fields).await? {
        None => Ok(()),
        Some(_) => Err(session.invalid("a restore point whose job run does not exist")),
    }
}
