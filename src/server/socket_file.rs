//! The file of a Unix socket, removed when its listener closes. The kernel leaves it behind, and a client that finds
//! it gets ECONNREFUSED instead of ENOENT.
//!
//! The file of a process that was killed is not removed here: the next process that binds the path does that.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// The file that a socket was bound to. It must be dropped before the socket: as long as the socket is open, its
/// inode is in use and no other file can have the same number.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: Inode,
}

/// Device and inode number, which identify a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inode(u64, u64);

impl SocketFile {
    /// The file of `socket`, if it has one: a socket may be without a path, or its file removed already.
    pub(super) fn of(socket: &UnixListener) -> Option<Self> {
        let address = socket.local_addr().ok()?;
        let path = address.as_pathname()?;
        let inode = Inode::at(path).ok()?;
        Some(Self { path: path.to_owned(), inode })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file unless another process has replaced it.
    fn remove(&self) -> io::Result<()> {
        match Inode::at(&self.path) {
            Ok(inode) if inode == self.inode => fs::remove_file(&self.path),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket file");
        }
    }
}

impl Inode {
    fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|file: Metadata| Self(file.dev(), file.ino()))
    }
}
