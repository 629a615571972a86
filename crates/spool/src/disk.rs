//! Disk of a spool.

use std::path::Path;

use crate::files;

/// Disk that a folder is on, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that this user can still write.
    pub free_bytes: Option<u64>,
    /// Known file system on which a spool is less safe than on a disk.
    pub file_system: Option<FileSystem>,
}

/// File system on which a spool is less safe than on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// In memory: a restart of the machine loses the spool.
    Memory,
    /// Layer of a container, which is removed with the container.
    ContainerLayer,
    /// Of another machine: flushes and locks depend on the server and its settings.
    Network,
}

impl Disk {
    /// Asks the system about the disk of a folder.
    pub fn of(folder: &Path) -> Self {
        Self {
            free_bytes: files::free_bytes(folder),
            file_system: file_system(folder),
        }
    }
}

#[cfg(target_os = "linux")]
fn file_system(folder: &Path) -> Option<FileSystem> {
    use nix::sys::statfs;

    // Not in nix.
    const CIFS: u32 = 0xff53_4d42;
    const SMB2: u32 = 0xfe53_4d42;
    const RAMFS: u32 = 0x8584_58f6;
    // The type depends on the C library, and the numbers have 32 bits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast
    )]
    let number = |kind: statfs::FsType| kind.0 as u32;
    let of_folder = number(statfs::statfs(folder).ok()?.filesystem_type());
    let known = [
        (number(statfs::TMPFS_MAGIC), FileSystem::Memory),
        (RAMFS, FileSystem::Memory),
        (
            number(statfs::OVERLAYFS_SUPER_MAGIC),
            FileSystem::ContainerLayer,
        ),
        (number(statfs::NFS_SUPER_MAGIC), FileSystem::Network),
        (number(statfs::SMB_SUPER_MAGIC), FileSystem::Network),
        (CIFS, FileSystem::Network),
        (SMB2, FileSystem::Network),
    ];
    let found = known.iter().find(|(number, _)| *number == of_folder);
    found.map(|(_, kind)| *kind)
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<FileSystem> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_is_known_by_its_file_system() {
        let shm = Path::new("/dev/shm");
        if shm.is_dir() {
            assert_eq!(Disk::of(shm).file_system, Some(FileSystem::Memory));
        } else {
            eprintln!("skipped: there is no /dev/shm");
        }
    }

    #[test]
    fn nothing_is_known_of_a_missing_folder() {
        let disk = Disk::of(Path::new("/nowhere/at/all"));
        assert_eq!(disk.free_bytes, None);
        assert_eq!(disk.file_system, None);
    }
}
