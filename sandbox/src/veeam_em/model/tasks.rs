//! Tasks: the progress of an action after `202 Accepted`, visible to one logon session.
//!
//! The state of a task is computed from the clock, and its result is known from the start. Reading a failed task
//! is HTTP 200 too.

use jiff::Timestamp;
use uuid::Uuid;

use super::inventory::{Entity, Field, Inventory};
use super::kind::Kind;
use crate::veeam_em::format::document::{Element, Scalar, link};
use crate::veeam_em::format::links::BASE;
use crate::veeam_em::settings::Settings;

#[derive(Debug, Clone)]
pub(crate) enum TaskResult {
    /// The message, and the type and address of the created resource.
    Success(String, Option<(&'static str, String)>),
    Failure(String),
}

#[derive(Debug, Clone, Copy)]
enum TaskState {
    Running,
    /// Finished at the backup server, and not in the database yet.
    OperationFinished,
    Finished,
}

impl TaskState {
    fn text(self) -> &'static str {
        match self {
            TaskState::Running => "Running",
            TaskState::OperationFinished => "OperationFinished",
            TaskState::Finished => "Finished",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    number: usize,
    operation: &'static str,
    started_at: Timestamp,
    result: TaskResult,
}

/// The tasks of one logon session.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    tasks: Vec<Task>,
}

impl Tasks {
    /// Adds a task. `number` is unique at the server.
    pub(crate) fn start(
        &mut self,
        number: usize,
        operation: &'static str,
        started_at: Timestamp,
        result: TaskResult,
    ) -> &Task {
        let at = self.tasks.len();
        self.tasks.push(Task { number, operation, started_at, result });
        &self.tasks[at]
    }

    pub(crate) fn all(&self) -> &[Task] {
        &self.tasks
    }

    /// The task called `task-N`.
    pub(crate) fn find(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name() == name)
    }

    /// The tasks as entities, to filter and sort them.
    pub(crate) fn to_inventory(&self, now: Timestamp, settings: &Settings) -> Inventory {
        let mut inventory = Inventory::default();
        for task in &self.tasks {
            let id = Uuid::from_u128(task.number as u128);
            let fields = vec![
                ("TaskId", Field::text(&task.name())),
                ("State", Field::text(task.state(now, settings).text())),
                ("Operation", Field::text(task.operation)),
            ];
            inventory.add(Entity::new(Kind::Task, id, task.name(), Vec::new(), fields));
        }
        inventory
    }

    /// Removes a task. Returns false if there is no task of that name.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|task| task.name() != name);
        self.tasks.len() < before
    }
}

/// When a task that starts at `started_at` is finished at the backup server, and when the database has the
/// data.
pub(crate) fn end_times(started_at: Timestamp, settings: &Settings) -> [Timestamp; 2] {
    let operated = started_at.saturating_add(settings.task_running).unwrap_or(started_at);
    [operated, operated.saturating_add(settings.task_settling).unwrap_or(operated)]
}

impl Task {
    fn name(&self) -> String {
        format!("task-{}", self.number)
    }

    fn state(&self, now: Timestamp, settings: &Settings) -> TaskState {
        let [operated, settled] = end_times(self.started_at, settings);
        // A failed operation has no data to wait for.
        let failed = matches!(self.result, TaskResult::Failure(_));
        match now {
            _ if now < operated => TaskState::Running,
            _ if now < settled && !failed => TaskState::OperationFinished,
            _ => TaskState::Finished,
        }
    }

    /// The task at `now`.
    pub(crate) fn document(&self, now: Timestamp, settings: &Settings) -> Element {
        let href = format!("{BASE}/tasks/{}", self.name());
        let mut links = vec![link("Delete", Some("Task"), href.clone(), None)];
        let state = self.state(now, settings);
        let result = match (state, &self.result) {
            (TaskState::Running, _) => None,
            (TaskState::OperationFinished, _) => Some((true, state.text())),
            (TaskState::Finished, TaskResult::Success(message, related)) => {
                if let Some((kind, href)) = related {
                    links.push(link("Related", Some(kind), href.clone(), None));
                }
                Some((true, message.as_str()))
            }
            (TaskState::Finished, TaskResult::Failure(message)) => Some((false, message.as_str())),
        };
        let mut members = vec![
            Element::list("Links", links),
            Element::value("TaskId", self.name()),
            Element::value("State", state.text()),
            Element::value("Operation", self.operation),
        ];
        if let Some((success, message)) = result {
            let message = Element::value("Message", message);
            let result = Element::object("Result", vec![message]);
            members.push(result.with("Success", Scalar::Bool(success)));
        }
        Element::object("Task", members).with("Type", "Task").with("Href", href)
    }
}
