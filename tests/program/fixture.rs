//! Starting the program, and a folder of its own for each test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_restore-point-gateway"));
    command.env_remove("RUST_LOG");
    command
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rpg-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The program, running; it is killed if the test ends without stopping it.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The first line of its stdout that begins with `word`, without the word.
    pub(crate) fn says(&mut self, word: &str) -> String {
        // Byte by byte, so that nothing of the next line is taken away.
        let stdout = BufReader::with_capacity(1, self.0.stdout.as_mut().unwrap());
        let mut lines = stdout.lines().map(Result::unwrap);
        let line = lines.find_map(|line| Some(line.strip_prefix(word)?.trim().to_owned()));
        line.expect("the program says it")
    }

    /// Waits for a line of its log that holds `words`, and returns it.
    pub(crate) fn logs(&mut self, words: &str) -> String {
        let stderr = self.0.stderr.as_mut().unwrap();
        // Byte by byte, so that nothing of the next line is taken away.
        let mut line = Vec::new();
        for byte in std::io::Read::bytes(stderr).map(Result::unwrap) {
            match byte {
                b'\n' => match String::from_utf8_lossy(&line) {
                    text if text.contains(words) => return text.into_owned(),
                    _ => line.clear(),
                },
                byte => line.push(byte),
            }
        }
        panic!("the log ended without {words}");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Output {
        let status = self.0.wait().unwrap();
        let mut stderr = Vec::new();
        std::io::Read::read_to_end(self.0.stderr.as_mut().unwrap(), &mut stderr).unwrap();
        Output { status, stdout: Vec::new(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended already, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
