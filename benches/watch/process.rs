//! A server in a process of its own, and what it has used so far, as Linux counts it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// This program again, as the floor, with events of this length; and where it listens.
    pub(crate) fn floor(length: usize) -> (Self, String) {
        let program = std::env::current_exe().unwrap();
        let mut process = Self::start(
            Command::new(program).args(["--floor", &length.to_string()]).stdout(Stdio::piped()),
        );
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (process, line.trim().to_owned())
    }

    /// Bytes of resident memory.
    pub(crate) fn resident(&self) -> usize {
        let pages = self.read("statm").split_whitespace().nth(1).unwrap().parse::<usize>().unwrap();
        pages * 4096
    }

    /// CPU time of all its threads. Linux counts it in hundredths of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.read("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let field =
            |number: usize| fields.split_whitespace().nth(number).unwrap().parse::<u64>().unwrap();
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
