//! What a POST to an entity starts: restore, failover, mounts, backups, data collection.
//!
//! The answer is always a task. What a restore or failover does to machines is not simulated, only the
//! session that tells of it; nothing can be started on cloud points.

use http::StatusCode;
use jiff::SignedDuration;
use uuid::Uuid;

use super::accounts::Deed;
use super::answer::{Answer, Refusal};
use super::backups;
use super::document::Scalar;
use super::estate::Field;
use super::kinds::Kind;
use super::sessions;
use super::spec::Node;
use super::tasks::{self, Outcome};
use super::view::View;
use super::visit::Visit;
use super::wire;
use super::world::Event;

/// How long a restore goes on after its task is over.
const RESTORE: SignedDuration = SignedDuration::from_mins(10);

impl Visit<'_> {
    /// Answers `POST …/ID?action=…`; the entity is known to be there.
    pub(super) fn act(
        &mut self,
        (kind, id): (Kind, Uuid),
        action: &str,
        spec: Option<&Node>,
    ) -> Result<Answer, Refusal> {
        match (kind, action) {
            (Kind::VmRestorePoint, "restore") => {
                self.restore((kind, id), "StartVMRestore", Deed::RestoreMachine, spec)
            }
            (Kind::VAppRestorePoint, "restore") => {
                self.restore((kind, id), "StartvAppRestore", Deed::RestoreMachine, spec)
            }
            (Kind::VmReplicaPoint | Kind::VAppReplicaPoint, "failover") => {
                self.restore((kind, id), "StartReplicaFailover", Deed::Administer, None)
            }
            (Kind::BackupServer, "collect") => self.collect(),
            (Kind::BackupServer, "quickbackup") => self.quick_backup(spec),
            (kind, action) if kind.shape().actions.iter().any(|(_, known)| *known == action) => {
                self.allow(Deed::Administer)?;
                Err(Refusal::NotSimulated(format!("{} {action}", kind.shape().element)))
            }
            _ => Err(Refusal::Only("GET")),
        }
    }

    /// Answers `POST …/ID/mounts`.
    pub(super) fn mount(&mut self, kind: Kind, id: Uuid) -> Result<Answer, Refusal> {
        self.allow(Deed::RestoreFiles)?;
        let outcome = if self.world.is_real(kind, id, self.now) {
            let Some((name, _)) = kind.shape().mounts else { return Err(Refusal::Absent) };
            let session = self.logons.get(self.session).ok_or(Refusal::Forbidden)?;
            let [_, ready] = tasks::ends(self.now, self.settings);
            let number = session.mounts.add(kind, id, ready);
            let href = format!("{}/mounts/{number}", wire::href(kind, id));
            Outcome::Success("Mounted".to_owned(), Some((name, href)))
        } else {
            gone(id)
        };
        self.task("MountRestorePoint", outcome)
    }

    fn restore(
        &mut self,
        (kind, id): (Kind, Uuid),
        operation: &'static str,
        deed: Deed,
        spec: Option<&Node>,
    ) -> Result<Answer, Refusal> {
        self.allow(deed)?;
        // An empty body is as good as a full one; one of another sort is not.
        if spec.is_some_and(|spec| !["", "RestoreSpec"].contains(&spec.name.as_str())) {
            return Err(Refusal::Malformed("RestoreSpec is expected.".to_owned()));
        }
        if !self.world.is_real(kind, id, self.now) {
            return self.task(operation, gone(id));
        }
        let [_, settled] = tasks::ends(self.now, self.settings);
        let estate = self.world.servers(self.now);
        let machine = estate.find(kind, id).and_then(|point| point.vm.clone()).unwrap_or_default();
        let sort = Kind::RestoreSession;
        let session = sessions::begin(estate, sort, &machine, self.now, self.settings);
        self.world.plan(settled, Event::Collection);
        if let Ok(end) = settled.checked_add(RESTORE) {
            self.world.plan(end, Event::SessionEnds(sort, session));
        }
        self.task(operation, done(operation, sort, session))
    }

    fn collect(&mut self) -> Result<Answer, Refusal> {
        self.allow(Deed::Administer)?;
        let [_, settled] = tasks::ends(self.now, self.settings);
        self.world.plan(settled, Event::Collection);
        self.task("CollectingBackupServer", Outcome::Success("Collected".to_owned(), None))
    }

    /// A new increment of a machine that is in a job already.
    fn quick_backup(&mut self, spec: Option<&Node>) -> Result<Answer, Refusal> {
        self.allow(Deed::BackUp)?;
        let Some(machine) = spec.and_then(|spec| spec.text_of("VmRef")) else {
            return Err(Refusal::Malformed("QuickBackupStartupSpec needs a VmRef.".to_owned()));
        };
        let [operated, settled] = tasks::ends(self.now, self.settings);
        let (now, settings, operation) = (self.now, self.settings, "QuickBackup");
        let estate = self.world.servers(now);
        let seen = View { estate, who: self.who };
        let known = seen.all(Kind::VmRestorePoint).find(|point| {
            let reference = point.field("HierarchyObjRef");
            matches!(reference, Some(Field::Plain(Scalar::Text(text))) if text.eq_ignore_ascii_case(machine))
        });
        let place = known.and_then(|point| {
            let run = estate.above(point).find(|above| above.kind == Kind::RestorePoint)?;
            let backup = estate.above(run).find(|above| above.kind == Kind::Backup)?;
            Some((backup.id, backup.name.clone(), point.vm.clone()?))
        });
        let Some((backup, job, vm)) = place else {
            let message = format!("VM {machine} is not found in any backup job.");
            return self.task(operation, Outcome::Failure(message));
        };
        let point = backups::begin_write(estate, backup, &vm, now, settings);
        let sort = Kind::BackupJobSession;
        let session = sessions::begin(estate, sort, &job, now, settings);
        if let Some(point) = point {
            self.world.plan(operated, Event::WriteEnds(point));
        }
        self.world.plan(operated, Event::SessionEnds(sort, session));
        self.world.plan(settled, Event::Collection);
        self.task(operation, done(operation, sort, session))
    }

    fn allow(&self, deed: Deed) -> Result<(), Refusal> {
        if self.who.may_do(deed) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    fn task(&mut self, operation: &'static str, outcome: Outcome) -> Result<Answer, Refusal> {
        let number = self.logons.next_task();
        let session = self.logons.get(self.session).ok_or(Refusal::Forbidden)?;
        let task = session.tasks.start(number, operation, self.now, outcome);
        Ok(Answer::document(StatusCode::ACCEPTED, task.document(self.now, self.settings)))
    }
}

fn done(operation: &str, kind: Kind, session: Uuid) -> Outcome {
    let href = wire::href(kind, session) + "?format=Entity";
    Outcome::Success(format!("{operation} is done."), Some((kind.shape().element, href)))
}

/// What becomes of a task whose point the database still has, and the backup server no longer.
fn gone(id: Uuid) -> Outcome {
    Outcome::Failure(format!("Restore point with id [{id}] is not found."))
}
