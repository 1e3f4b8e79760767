//! Lists the restore points of one backup.
//!
//! The query service has no filter for the backup of a restore point. So a batch of the backup's job runs is read, and
//! then the restore points of those runs by one query.

use prost::Message;
use uuid::Uuid;

use super::cursor::invalid_cursor;
use super::entity_list::EntityList;
use super::id::CollectionId;
use super::job_runs::JobRuns;
use super::query::{MAX_FILTER_VALUES, Query};
use super::resource::{JOB_RUN, VM_RESTORE_POINT};
use super::session::Session;
use super::xml::{Entity, Keep};
use crate::backend::{Cursor, Page};
use crate::model::Error;

const VERSION: u32 = 1;

/// The encoded [`Position`].
#[derive(Clone, PartialEq, Message)]
struct BackupCursor {
    #[prost(uint32, tag = "1")]
    version: u32,
    /// The cursor of the list of runs after `batch`; absent at the end of that list.
    #[prost(bytes = "vec", optional, tag = "2")]
    next_runs: Option<Vec<u8>>,
    /// The GUIDs of the runs in the batch, 16 bytes each; none before the next batch is read.
    #[prost(bytes = "vec", tag = "3")]
    batch: Vec<u8>,
    /// The cursor of the list of the batch's restore points.
    #[prost(bytes = "vec", optional, tag = "4")]
    points: Option<Vec<u8>>,
}

/// A position in the list: within the restore points of a batch, or before a batch.
enum Position {
    Within { batch: Batch, points: Cursor },
    Before { next_runs: Cursor },
}

/// A few runs, and the cursor of those after them.
struct Batch {
    runs: Vec<Uuid>,
    next_runs: Option<Cursor>,
}

/// Reads the page at `cursor`: batches of the newest runs first, and within a batch the newest restore points first. A
/// page may be empty although more follow.
///
/// # Errors
/// As [`EntityList::page`].
pub(super) async fn page(
    session: &Session,
    job_runs: &JobRuns,
    backup: CollectionId,
    keep: Keep,
    cursor: Option<&Cursor>,
    size: usize,
) -> Result<Page<Entity>, Error> {
    let (batch, points) = match cursor.map(Position::decode).transpose()? {
        Some(Position::Within { batch, points }) => (batch, Some(points)),
        Some(Position::Before { next_runs }) => {
            (Batch::read(session, job_runs, backup, Some(&next_runs)).await?, None)
        }
        None => (Batch::read(session, job_runs, backup, None).await?, None),
    };
    if batch.runs.is_empty() {
        let next = batch.next_runs.map(|next_runs| Position::Before { next_runs }.encode());
        return Ok(Page { items: Vec::new(), next });
    }
    let uids = batch.runs.iter().map(|run| JOB_RUN.uid(*run));
    let query = Query::matching(session, &VM_RESTORE_POINT, keep, "RestorePointId", uids);
    let Page { items, next } = EntityList::new(query).page(points.as_ref(), size).await?;
    let next = match next {
        Some(points) => Some(Position::Within { batch, points }),
        None => batch.next_runs.map(|next_runs| Position::Before { next_runs }),
    };
    Ok(Page { items, next: next.map(Position::encode) })
}

impl Batch {
    async fn read(
        session: &Session,
        job_runs: &JobRuns,
        backup: CollectionId,
        cursor: Option<&Cursor>,
    ) -> Result<Self, Error> {
        let Page { items, next } = job_runs.of_backup(session, backup, cursor).await?;
        Ok(Self { runs: items, next_runs: next })
    }
}

impl Position {
    fn encode(self) -> Cursor {
        let (runs, next_runs, points) = match self {
            Self::Within { batch: Batch { runs, next_runs }, points } => {
                (runs, next_runs, Some(points))
            }
            Self::Before { next_runs } => (Vec::new(), Some(next_runs), None),
        };
        let cursor = BackupCursor {
            version: VERSION,
            next_runs: next_runs.map(|cursor| cursor.0),
            batch: runs.iter().flat_map(|run| *run.as_bytes()).collect(),
            points: points.map(|cursor| cursor.0),
        };
        Cursor(cursor.encode_to_vec())
    }

    fn decode(cursor: &Cursor) -> Result<Self, Error> {
        let Ok(BackupCursor { version: VERSION, next_runs, batch, points }) =
            BackupCursor::decode(cursor.0.as_slice())
        else {
            return Err(invalid_cursor());
        };
        let runs: Result<Vec<_>, _> = batch.chunks(16).map(Uuid::from_slice).collect();
        let runs = runs.map_err(|_| invalid_cursor())?;
        let next_runs = next_runs.map(Cursor);
        match (runs.len(), next_runs, points) {
            (0, Some(next_runs), _) => Ok(Self::Before { next_runs }),
            (1..=MAX_FILTER_VALUES, next_runs, Some(points)) => {
                Ok(Self::Within { batch: Batch { runs, next_runs }, points: Cursor(points) })
            }
            _ => Err(invalid_cursor()),
        }
    }
}
