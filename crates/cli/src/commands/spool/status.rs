//! `herald spool status`: prints the state of a spool and the conditions that need attention.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use herald_diagnostics::render::visible_line;
use herald_spool::{Inspector, SpoolCluster, SpoolError, SpoolStatus, spool_files};
use indicatif::{BinaryBytes, HumanDuration};
use serde_json::{Value, json};

use super::location::{MAX_NUMBERED_FILES, spool_error};
use crate::args::spool::{Status, StatusFormat};
use crate::format::{count, rfc3339};
use crate::terminal::{self, BOLD, DIM, GREEN, RED, YELLOW};
use crate::{Error, ExitStatus, output};

/// Reports the spool that was named, and the numbered ones beside it.
pub fn run(path: &Path, args: &Status) -> Result<ExitStatus, Error> {
    report(&inspect_all(path, args)?, args)
}

/// Reports every spool in a directory.
pub fn of_directory(directory: &Path, args: &Status) -> Result<ExitStatus, Error> {
    let unreadable = |error: std::io::Error| {
        Error::Message(format!(
            "`{}` can't be read: {error}",
            terminal::path(directory)
        ))
    };
    let mut reports = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // The log of a database has another ending. Other databases are left out.
        if path.extension().is_none_or(|it| it != "db") || !path.is_file() {
            continue;
        }
        match SpoolReport::inspect(&path, args) {
            Ok(report) => reports.push(report),
            Err(SpoolError::NotASpool { .. }) => {}
            Err(error) => return Err(spool_error(&error, &path)),
        }
    }
    if reports.is_empty() {
        return Err(Error::Message(format!(
            "there is no spool in `{}`: no file `*.db` of a publisher",
            terminal::path(directory)
        )));
    }
    reports.sort_by(|one, other| one.path.cmp(&other.path));
    report(&reports, args)
}

fn report(reports: &[SpoolReport], args: &Status) -> Result<ExitStatus, Error> {
    match args.format {
        StatusFormat::Text => {
            let texts: Vec<_> = reports.iter().map(SpoolReport::text).collect();
            output::text(&texts.join("\n"))?;
        }
        StatusFormat::Json => {
            let spools: Vec<_> = reports.iter().map(SpoolReport::json).collect();
            output::json(&json!({ "spools": spools }))?;
        }
    }
    let quiet = reports.iter().all(|reports| reports.attention.is_empty());
    Ok(if quiet {
        ExitStatus::Success
    } else {
        ExitStatus::Problems
    })
}

/// Inspects the spool that was named and the numbered ones beside it.
fn inspect_all(path: &Path, args: &Status) -> Result<Vec<SpoolReport>, Error> {
    let mut paths: Vec<PathBuf> = spool_files(path, MAX_NUMBERED_FILES)
        .into_iter()
        .map(|file| file.path)
        .collect();
    // If the named file is missing but files that belong to it exist, report it as damaged.
    let is_there = paths.first().is_some_and(|first| first == path);
    if !is_there && (paths.is_empty() || is_damaged(path)) {
        paths.insert(0, path.to_owned());
    }
    paths
        .into_iter()
        .map(|path| SpoolReport::inspect(&path, args).map_err(|error| spool_error(&error, &path)))
        .collect()
}

fn is_damaged(path: &Path) -> bool {
    matches!(Inspector::open(path), Err(SpoolError::Corrupt { .. }))
}

/// A condition that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Attention {
    /// The file can't be read.
    Damaged(String),
    /// Dead letters that wait for a decision.
    DeadLetters(u64),
    /// Records wait while no process has the spool open.
    NoOwner(u64),
    /// The oldest record is older than `--max-age`.
    TooOld(Duration),
    /// More records than `--max-records`.
    TooMany(u64),
    /// The disk has no space for more events.
    DiskFull,
}

impl Attention {
    /// Stable code for machine formats.
    fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::DeadLetters(_) => "dead_letters",
            Self::NoOwner(_) => "no_owner",
            Self::TooOld(_) => "too_old",
            Self::TooMany(_) => "too_many",
            Self::DiskFull => "disk_full",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Damaged(detail) => format!("{}; see `herald spool verify`", visible_line(detail)),
            Self::DeadLetters(dead) => format!(
                "{}; see `herald spool dead list`",
                count(*dead, "dead letter")
            ),
            Self::NoOwner(records) => format!(
                "{}, and no process has the spool open; run `herald spool drain`",
                match records {
                    1 => "1 record waits".to_owned(),
                    _ => format!("{} wait", count(*records, "record")),
                }
            ),
            Self::TooOld(age) => {
                format!("the oldest record has waited for {}", HumanDuration(*age))
            }
            Self::TooMany(records) => format!("{} wait", count(*records, "record")),
            Self::DiskFull => "the disk is full: no event can be spooled; events in the spool are \
                               delivered and removed"
                .to_owned(),
        }
    }
}

/// State of a spool.
struct SpoolReport {
    path: PathBuf,
    /// `None` if it can't be read.
    status: Option<SpoolStatus>,
    /// Cluster of the rows, if one was noted.
    cluster: Option<SpoolCluster>,
    age: Option<Duration>,
    attention: Vec<Attention>,
}

impl SpoolReport {
    fn inspect(path: &Path, args: &Status) -> Result<Self, SpoolError> {
        let inspected = Inspector::open(path)
            .and_then(|inspector| Ok((inspector.status()?, inspector.cluster()?)));
        let (status, cluster) = match inspected {
            Ok(inspected) => inspected,
            Err(SpoolError::Corrupt { detail, .. }) => {
                return Ok(Self {
                    path: path.to_owned(),
                    status: None,
                    cluster: None,
                    age: None,
                    attention: vec![Attention::Damaged(detail)],
                });
            }
            Err(error) => return Err(error),
        };
        let age = status
            .oldest
            .map(|oldest| SystemTime::now().duration_since(oldest).unwrap_or_default());
        Ok(Self {
            path: path.to_owned(),
            status: Some(status),
            cluster,
            age,
            attention: attention(&status, age, args),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{BOLD}{}{BOLD:#}\n", terminal::path(&self.path));
        if let Some(status) = &self.status {
            for (name, value) in self.facts(status) {
                let _ = writeln!(text, "  {DIM}{name:<14}{DIM:#}{value}");
            }
        }
        if self.attention.is_empty() {
            let _ = writeln!(text, "  {GREEN}healthy{GREEN:#}");
        }
        for attention in &self.attention {
            let style = match attention {
                Attention::Damaged(_) => RED,
                _ => YELLOW,
            };
            let _ = writeln!(text, "  {style}attention{style:#}     {}", attention.text());
        }
        text
    }

    fn facts(&self, status: &SpoolStatus) -> Vec<(&'static str, String)> {
        let waiting = match self.age {
            None => "none".to_owned(),
            Some(age) => format!(
                "{}, {}; oldest {} old",
                count(status.records, "record"),
                BinaryBytes(status.bytes),
                HumanDuration(age)
            ),
        };
        let dead = match status.dead {
            0 => "none".to_owned(),
            dead => format!("{}, {}", dead, BinaryBytes(status.dead_bytes)),
        };
        let owner = match (status.owned, status.owner) {
            (false, _) => "none".to_owned(),
            (true, None) => "unknown process".to_owned(),
            (true, Some(process)) => format!("process {process}"),
        };
        let mut facts = vec![
            ("waiting", waiting),
            ("dead letters", dead),
            ("on disk", BinaryBytes(status.file_bytes).to_string()),
            ("owner", owner),
        ];
        if let Some(cluster) = &self.cluster {
            facts.push(("cluster", visible_line(&cluster.to_string())));
        }
        if status.requests > 0 {
            let requests = count(status.requests, "request");
            facts.push(("requests", format!("{requests} for the owner")));
        }
        facts
    }

    fn json(&self) -> Value {
        let path = self.path.to_string_lossy();
        let attention: Vec<_> = self.attention.iter().map(Attention::code).collect();
        let Some(status) = &self.status else {
            return json!({ "path": path, "attention": attention });
        };
        json!({
            "path": path,
            "records": status.records,
            "bytes": status.bytes,
            "dead_letters": status.dead,
            "dead_letter_bytes": status.dead_bytes,
            "oldest": status.oldest.map(rfc3339),
            "oldest_age_seconds": self.age.map(|age| age.as_secs()),
            "file_bytes": status.file_bytes,
            "owned": status.owned,
            "owner": status.owner,
            "requests": status.requests,
            "cluster": self.cluster.as_ref().map(|cluster| &cluster.id),
            "attention": attention,
        })
    }
}

fn attention(status: &SpoolStatus, age: Option<Duration>, args: &Status) -> Vec<Attention> {
    let too_old = age.filter(|age| args.max_age.is_some_and(|most| *age > most));
    let too_many = args.max_records.is_some_and(|most| status.records > most);
    [
        (status.dead > 0).then_some(Attention::DeadLetters(status.dead)),
        (status.records > 0 && !status.owned).then_some(Attention::NoOwner(status.records)),
        too_old.map(Attention::TooOld),
        too_many.then_some(Attention::TooMany(status.records)),
        status.disk_full.then_some(Attention::DiskFull),
    ]
    .into_iter()
    .flatten()
    .collect()
}
