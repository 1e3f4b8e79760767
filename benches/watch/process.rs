//! A server in a process of its own, and the memory and CPU time that it has used, as Linux reports them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running process; it is killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Starts this program as the floor. Returns the address that it listens on.
    pub(crate) fn start_floor(event_length: usize) -> (Self, String) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.args(["--floor", &event_length.to_string()]).stdout(Stdio::piped());
        let mut process = Self::start(command);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (process, line.trim().to_owned())
    }

    /// Its resident memory.
    pub(crate) fn resident_bytes(&self) -> usize {
        let pages = self.read("statm").split_whitespace().nth(1).unwrap().parse::<usize>().unwrap();
        pages * 4096
    }

    /// The CPU time of all its threads, with a resolution of 10 ms.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = self.read("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let field =
            |index: usize| fields.split_whitespace().nth(index).unwrap().parse::<u64>().unwrap();
        // utime and stime, see proc_pid_stat(5).
        Duration::from_millis(10 * (field(11) + field(12)))
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
