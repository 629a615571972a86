//! Spool of this machine: content, folder, permissions and disk.

use std::path::Path;

use herald_project::Project;
use herald_spool::{Disk, FileSystem, Inspector, SpoolCluster, SpoolError, SpoolStatus};

use super::Check;
use crate::args::doctor::Doctor;
use crate::commands::spool::location;
use crate::format::count;
use crate::terminal;

/// Bytes of the files of a full spool: the default limit of 1 GiB, and a third more.
const FULL_SPOOL_BYTES: u64 = (1 << 30) / 3 * 4;

/// Checks the spool, if one is configured.
pub(super) fn examine(args: &Doctor, project: &Project, cluster_id: Option<&str>) -> Vec<Check> {
    let is_named = args.spool.is_some()
        || std::env::var_os(location::VARIABLE).is_some()
        || project.spool.is_some();
    if !is_named {
        let text = "none is configured here; services may name their own";
        return vec![Check::skipped("spool", text).with_fix("herald doctor --spool PATH")];
    }
    let path = match location::find(args.spool.as_deref()) {
        Ok(path) => path,
        Err(error) => return vec![Check::problem("spool", error.to_string(), "name a file")],
    };
    let shown = terminal::path(&path);
    let inspected = Inspector::open(&path)
        .and_then(|inspector| Ok((inspector.status()?, inspector.cluster()?)));
    let mut checks = match inspected {
        Ok((status, cluster)) => content(&shown, &status, cluster.as_ref(), cluster_id),
        Err(SpoolError::NotFound { .. }) => Vec::new(),
        Err(error) => {
            let fix = format!("herald spool verify --spool {shown}");
            vec![Check::problem("spool", error.to_string(), fix)]
        }
    };
    checks.extend(access(&path));
    let folder = existing_folder(&path);
    let used = std::fs::metadata(&path).map_or(0, |file| file.len());
    checks.push(disk(folder, Disk::of(folder), used));
    checks
}

fn content(
    shown: &str,
    status: &SpoolStatus,
    noted: Option<&SpoolCluster>,
    cluster_id: Option<&str>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    if let (Some(noted), Some(id)) = (noted, cluster_id)
        && noted.id != id
        && status.records > 0
    {
        let text = format!(
            "{shown}: {} for the cluster {} ({})",
            count(status.records, "event"),
            noted.id,
            noted.servers
        );
        let fix = "herald spool drain there, or herald spool adopt";
        checks.push(Check::problem("spool", text, fix));
    }
    if status.disk_full {
        let text = format!("{shown}: the disk is full");
        checks.push(Check::problem("spool", text, "make space on the disk"));
    }
    if status.dead > 0 {
        let text = format!("{shown}: {}", count(status.dead, "dead letter"));
        checks.push(Check::warning("spool", text, "herald spool dead list"));
    }
    if status.records > 0 && !status.owned {
        let text = format!(
            "{shown}: {} without a process",
            count(status.records, "event")
        );
        checks.push(Check::warning("spool", text, "herald spool drain"));
    }
    if checks.is_empty() {
        let text = format!("{shown}: {} waiting", count(status.records, "event"));
        checks.push(Check::good("spool", text));
    }
    checks
}

/// The nearest directory that exists: publishers create the others.
fn existing_folder(path: &Path) -> &Path {
    let directories = path.ancestors().skip(1).map(|it| {
        if it.as_os_str().is_empty() {
            Path::new(".")
        } else {
            it
        }
    });
    let mut existing = directories.filter(|it| it.exists());
    existing.next().unwrap_or(Path::new("."))
}

/// Checks that a publisher of this user can open or create the spool, and that others can't read it.
fn access(path: &Path) -> Option<Check> {
    let folder = existing_folder(path);
    let shown = terminal::path(path);
    if let Err(error) = tempfile::tempfile_in(folder) {
        let folder = terminal::path(folder);
        let text = format!("{folder} is not writable: {error}");
        let fix = format!("chown USER {folder}, for the user of the service; or name another path");
        return Some(Check::problem("spool", text, fix));
    }
    if !path.exists() {
        let text = format!("{shown} can be created");
        return Some(Check::good("spool", text));
    }
    if let Err(error) = std::fs::OpenOptions::new().write(true).open(path) {
        let text = format!("{shown} is not writable: {error}");
        let fix = format!("chown USER {shown}*, for the user of the service");
        return Some(Check::problem("spool", text, fix));
    }
    others_can_read(path).then(|| {
        let text = format!("{shown} has payloads, and other users can read it");
        Check::warning("spool", text, format!("chmod go= {shown}*"))
    })
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

/// Checks the disk of the spool; `used` bytes of it are the spool's.
fn disk(folder: &Path, disk: Disk, used: u64) -> Check {
    let shown = terminal::path(folder);
    let danger = disk.file_system.map(|kind| match kind {
        FileSystem::Memory => (
            "in memory: a restart loses the events of the spool",
            "name a path on a disk",
        ),
        FileSystem::ContainerLayer => (
            "a layer of a container: the events of the spool end with it",
            "mount a volume, and name a path there",
        ),
        FileSystem::Network => (
            "on a network: whether flushed events survive depends on the server",
            "name a path on a local disk",
        ),
    });
    if let Some((what, fix)) = danger {
        return Check::warning("disk", format!("{shown} is {what}"), fix);
    }
    let Some(free) = disk.free_bytes else {
        return Check::skipped("disk", "the system does not tell the free space");
    };
    let megabytes = free / 1_000_000;
    if free < FULL_SPOOL_BYTES.saturating_sub(used) {
        let full = FULL_SPOOL_BYTES / 1_000_000;
        let text = format!("{megabytes} MB free at {shown}, and a full spool takes {full} MB");
        let fix = "make space, or set spool_max_bytes of the client to less than 1 GiB";
        return Check::warning("disk", text, fix);
    }
    Check::good("disk", format!("{megabytes} MB free at {shown}"))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn disk_that_loses_a_spool_or_has_no_space_for_it_is_a_warning() {
        let folder = Path::new("/var/spool");
        let on = |free_bytes, file_system| {
            let found = Disk {
                free_bytes,
                file_system,
            };
            disk(folder, found, 0)
        };
        let plenty = Some(10 << 30);
        assert_eq!(on(plenty, None).verdict, Verdict::Good);
        for kind in [
            FileSystem::Memory,
            FileSystem::ContainerLayer,
            FileSystem::Network,
        ] {
            let check = on(plenty, Some(kind));
            assert_eq!(check.verdict, Verdict::Warning);
            assert!(check.fix.is_some());
        }
        let little = on(Some(500_000_000), None);
        assert_eq!(little.verdict, Verdict::Warning);
        assert!(little.text.starts_with("500 MB free"), "{}", little.text);
        assert_eq!(on(None, None).verdict, Verdict::Skipped);
    }
}
