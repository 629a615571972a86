//! Small file system in memory, which only root may mount.
#![allow(dead_code)]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts a disk of 16 MiB. `None`, and a printed line, if that is not allowed.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "herald-spool"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no file system may be mounted here"
        );
        None
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("spool").join("spool.db")
    }

    /// Writes a file until nothing more fits.
    pub fn fill(&self) {
        let mut ballast = fs::File::create(self.folder.path().join("ballast")).unwrap();
        for bytes in [64 * 1024, 1] {
            let piece = vec![0; bytes];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    pub fn free(&self) {
        fs::remove_file(self.folder.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}
