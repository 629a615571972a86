//! `herald spool status`: what is in a spool, and whether a person should look.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use herald_diagnostics::render::visible_line;
use herald_spool::{Inspector, SpoolError, SpoolStatus, spool_files};
use indicatif::{BinaryBytes, HumanDuration};
use serde_json::{Value, json};

use super::place::{MOST_NUMBERED, failed};
use crate::args::spool::{Status, StatusFormat};
use crate::human::{counted, moment};
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::{CLEAN, DIAGNOSTICS, Failure, output};

/// Runs the command.
pub fn run(path: &Path, args: &Status) -> Result<u8, Failure> {
    let seen = look_at_all(path, args)?;
    match args.format {
        StatusFormat::Text => {
            let texts: Vec<_> = seen.iter().map(Seen::text).collect();
            output::text(&texts.join("\n"))?;
        }
        StatusFormat::Json => {
            let spools: Vec<_> = seen.iter().map(Seen::json).collect();
            output::json(&json!({ "spools": spools }))?;
        }
    }
    let quiet = seen.iter().all(|seen| seen.attention.is_empty());
    Ok(if quiet { CLEAN } else { DIAGNOSTICS })
}

/// The spool that was named and the numbered ones beside it.
fn look_at_all(path: &Path, args: &Status) -> Result<Vec<Seen>, Failure> {
    let mut paths: Vec<PathBuf> = spool_files(path, MOST_NUMBERED)
        .into_iter()
        .map(|file| file.path)
        .collect();
    // Where it is not there, what lies beside it may say that it should be.
    let is_there = paths.first().is_some_and(|first| first == path);
    if !is_there && (paths.is_empty() || is_damaged(path)) {
        paths.insert(0, path.to_owned());
    }
    paths
        .into_iter()
        .map(|path| Seen::look(path, args))
        .collect()
}

fn is_damaged(path: &Path) -> bool {
    matches!(Inspector::open(path), Err(SpoolError::Corrupt { .. }))
}

/// Why a person should look.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Attention {
    /// The file can't be read as it is.
    Damaged(String),
    /// What nothing could deliver.
    DeadLetters(u64),
    /// Records wait, and nobody delivers them.
    NoOwner(u64),
    /// The oldest record is older than was asked for.
    TooOld(Duration),
    /// More records than were asked for.
    TooMany(u64),
}

impl Attention {
    /// For programs; does not change between versions.
    fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::DeadLetters(_) => "dead_letters",
            Self::NoOwner(_) => "no_owner",
            Self::TooOld(_) => "too_old",
            Self::TooMany(_) => "too_many",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Damaged(detail) => format!(
                "{}; `herald spool verify` says what that means",
                visible_line(detail)
            ),
            Self::DeadLetters(dead) => format!(
                "{} for a person to decide on: `herald spool dead list`",
                counted(*dead, "dead letter")
            ),
            Self::NoOwner(records) => format!(
                "{}, and no process has the spool open: `herald spool drain`",
                match records {
                    1 => "1 record waits".to_owned(),
                    _ => format!("{} wait", counted(*records, "record")),
                }
            ),
            Self::TooOld(age) => format!("the oldest record waits for {}", HumanDuration(*age)),
            Self::TooMany(records) => format!("{} wait", counted(*records, "record")),
        }
    }
}

/// A spool as it was when it was looked at.
struct Seen {
    path: PathBuf,
    /// `None` where it can't be read.
    status: Option<SpoolStatus>,
    age: Option<Duration>,
    attention: Vec<Attention>,
}

impl Seen {
    fn look(path: PathBuf, args: &Status) -> Result<Self, Failure> {
        let status = match Inspector::open(&path).and_then(|inspector| inspector.status()) {
            Ok(status) => status,
            Err(SpoolError::Corrupt { detail, .. }) => {
                return Ok(Self {
                    path,
                    status: None,
                    age: None,
                    attention: vec![Attention::Damaged(detail)],
                });
            }
            Err(error) => return Err(failed(&error, &path)),
        };
        let age = status
            .oldest
            .map(|oldest| SystemTime::now().duration_since(oldest).unwrap_or_default());
        Ok(Self {
            path,
            status: Some(status),
            age,
            attention: attention(&status, age, args),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{BOLD}{}{BOLD:#}\n", self.path.display());
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
            None => "nothing".to_owned(),
            Some(age) => format!(
                "{}, {}; the oldest for {}",
                counted(status.records, "record"),
                BinaryBytes(status.bytes),
                HumanDuration(age)
            ),
        };
        let dead = match status.dead {
            0 => "none".to_owned(),
            dead => format!("{}, {}", dead, BinaryBytes(status.dead_bytes)),
        };
        let owner = match (status.owned, status.owner) {
            (false, _) => "none: no process has it open".to_owned(),
            (true, None) => "a process has it open".to_owned(),
            (true, Some(process)) => format!("process {process}"),
        };
        let mut facts = vec![
            ("waiting", waiting),
            ("dead letters", dead),
            ("on disk", BinaryBytes(status.file_bytes).to_string()),
            ("owner", owner),
        ];
        if status.requests > 0 {
            let requests = counted(status.requests, "request");
            facts.push(("requests", format!("{requests} for the owner to serve")));
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
            "oldest": status.oldest.map(moment),
            "oldest_age_seconds": self.age.map(|age| age.as_secs()),
            "file_bytes": status.file_bytes,
            "owned": status.owned,
            "owner": status.owner,
            "requests": status.requests,
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
    ]
    .into_iter()
    .flatten()
    .collect()
}
