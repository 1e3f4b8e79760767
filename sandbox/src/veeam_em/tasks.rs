//! Tasks: what goes on after a `202 Accepted`, as one logon session sees it.
//!
//! A task's state is computed from the clock. Its end is known from the beginning; that the operation
//! succeeded is HTTP 200 as well as that it failed.

use jiff::Timestamp;
use uuid::Uuid;

use super::document::{Element, Scalar, link};
use super::estate::{Entity, Estate, Field};
use super::kinds::Kind;
use super::settings::Settings;
use super::wire::BASE;

/// What comes of a task.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// The message, and the type and address of what there is now.
    Success(String, Option<(&'static str, String)>),
    Failure(String),
}

/// How far a task is.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Running,
    /// Done at the backup server; the database does not know yet.
    OperationFinished,
    Finished,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Phase::Running => "Running",
            Phase::OperationFinished => "OperationFinished",
            Phase::Finished => "Finished",
        }
    }
}

/// One task.
#[derive(Debug, Clone)]
pub(super) struct Task {
    number: usize,
    operation: &'static str,
    began: Timestamp,
    outcome: Outcome,
}

/// The tasks of one session.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    tasks: Vec<Task>,
}

impl Tasks {
    /// Notes a task; `number` is the server's.
    pub(super) fn start(
        &mut self,
        number: usize,
        operation: &'static str,
        began: Timestamp,
        outcome: Outcome,
    ) -> &Task {
        let at = self.tasks.len();
        self.tasks.push(Task { number, operation, began, outcome });
        &self.tasks[at]
    }

    pub(super) fn all(&self) -> &[Task] {
        &self.tasks
    }

    /// The task called `task-N`.
    pub(super) fn find(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name() == name)
    }

    /// The tasks as things that can be filtered and sorted.
    pub(super) fn as_estate(&self, now: Timestamp, settings: &Settings) -> Estate {
        let mut estate = Estate::default();
        for task in &self.tasks {
            let id = Uuid::from_u128(task.number as u128);
            let fields = vec![
                ("TaskId", Field::text(&task.name())),
                ("State", Field::text(task.phase(now, settings).word())),
                ("Operation", Field::text(task.operation)),
            ];
            estate.add(Entity::new(Kind::Task, id, task.name(), Vec::new(), fields));
        }
        estate
    }

    /// Forgets a task; false when there is none of that name.
    pub(super) fn forget(&mut self, name: &str) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|task| task.name() != name);
        self.tasks.len() < before
    }
}

/// When the operation of a task that begins now is over at the backup server, and when the database
/// has the data too.
pub(super) fn ends(began: Timestamp, settings: &Settings) -> [Timestamp; 2] {
    let operated = began.saturating_add(settings.task_running).unwrap_or(began);
    [operated, operated.saturating_add(settings.task_settling).unwrap_or(operated)]
}

impl Task {
    fn name(&self) -> String {
        format!("task-{}", self.number)
    }

    fn phase(&self, now: Timestamp, settings: &Settings) -> Phase {
        let [operated, settled] = ends(self.began, settings);
        // Of what has failed there is no data to wait for.
        let failed = matches!(self.outcome, Outcome::Failure(_));
        match now {
            _ if now < operated => Phase::Running,
            _ if now < settled && !failed => Phase::OperationFinished,
            _ => Phase::Finished,
        }
    }

    /// The task as it stands at `now`.
    pub(super) fn document(&self, now: Timestamp, settings: &Settings) -> Element {
        let href = format!("{BASE}/tasks/{}", self.name());
        let mut links = vec![link("Delete", Some("Task"), href.clone(), None)];
        let phase = self.phase(now, settings);
        let result = match (phase, &self.outcome) {
            (Phase::Running, _) => None,
            (Phase::OperationFinished, _) => Some((true, phase.word())),
            (Phase::Finished, Outcome::Success(message, related)) => {
                if let Some((kind, href)) = related {
                    links.push(link("Related", Some(kind), href.clone(), None));
                }
                Some((true, message.as_str()))
            }
            (Phase::Finished, Outcome::Failure(message)) => Some((false, message.as_str())),
        };
        let mut members = vec![
            Element::list("Links", links),
            Element::value("TaskId", self.name()),
            Element::value("State", phase.word()),
            Element::value("Operation", self.operation),
        ];
        if let Some((success, message)) = result {
            let message = Element::value("Message", message);
            let result = Element::object("Result", vec![message]);
            members.push(result.with("Success", Scalar::Flag(success)));
        }
        Element::object("Task", members).with("Type", "Task").with("Href", href)
    }
}
