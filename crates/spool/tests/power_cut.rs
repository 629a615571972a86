//! Power cuts: the writes of a real spool are recorded, and replayed up to many moments. At each,
//! what was flushed is there, and of the rest any part: nothing, all, a prefix, or a random subset
//! of the writes in sectors of 512 bytes, as a disk with a cache may leave it. Every image is opened
//! as a spool. SQLite's own crash tests are the model.
//!
//! The recorder is `strace`, so this runs on Linux where that is installed. `HERALD_SEED` repeats a
//! run.
#![cfg(target_os = "linux")]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{child, numbers};
use herald_spool::{Record, Sequence, Spool, SpoolOptions};

/// Smallest unit that a disk writes as a whole.
const SECTOR: usize = 512;

/// Images that are opened for one seed.
const IMAGES: usize = 300;

/// Seed of a cut that once left the first frames of a log that had been cut to nothing: zeros for the
/// reserve had reached the disk before its new length.
const ZEROS_IN_THE_OLD_LOG: u64 = 8_721_423_496_369_731_009;

#[test]
fn receipts_survive_a_power_cut_at_any_moment() {
    if let Some(path) = child::spool_path() {
        return workload(&path);
    }
    let folder = memory_folder();
    let database = folder.path().join("spool").join("spool.db");
    let Some(trace) = record_workload(folder.path(), &database) else {
        let _ = writeln!(std::io::stderr(), "skipped: strace can not be run here");
        return;
    };
    let operations = parse(&trace, database.parent().unwrap());
    let syncs = operations.iter().filter(|op| matches!(op, Op::Sync(_)));
    let syncs = syncs.count();
    assert!(syncs > 100, "only {syncs} flushes were recorded");
    cut_power(&operations, syncs, Random::new());
    cut_power(&operations, syncs, Random(ZEROS_IN_THE_OLD_LOG));
}

/// Cuts the power at many moments.
fn cut_power(operations: &[Op], syncs: usize, mut random: Random) {
    let mut disk = Disk::default();
    let mut told = Told::default();
    let mut images = 0;
    // Every moment before a flush is tried if there are not too many, and some between.
    let share = |images: usize, of: usize| (images as u64 * 1000 / of as u64).max(1);
    let (at_sync, between) = (
        share(IMAGES, syncs),
        share(IMAGES / 10, operations.len() - syncs),
    );
    for operation in operations {
        let chance = match operation {
            Op::Sync(_) | Op::SyncFolder => at_sync,
            _ => between,
        };
        for _ in 0..chance.div_ceil(1000) {
            if random.below(1000) < chance {
                check(&disk.image(&mut random), &told);
                images += 1;
            }
        }
        match operation {
            Op::Said(line) => told.hear(line),
            operation => disk.apply(operation.clone()),
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "power cuts: {images} images of {syncs} flushes; {} receipts, {} removals",
        told.receipts.len(),
        told.removed.len()
    );
    assert!(images > IMAGES / 2 && told.receipts.len() > 400);
}

/// Appends and removes rows, one by one and many at once, through checkpoints and restarts. Prints
/// `attempt`, `receipt`, `remove` and `removed` with a number.
fn workload(path: &Path) {
    println!();
    let mut next = 1_u64;
    let mut first_left = 1_u64;
    for round in 0..60_u64 {
        let (spool, _) = Spool::open(
            SpoolOptions::new(path)
                .checkpoint_bytes(64 * 1024)
                .removed_bytes(8 * 1024),
        )
        .unwrap();
        let ends = (round + 1) * 2;
        for step in round * 2..ends {
            let count = if step % 3 == 0 { 12 } else { 1 };
            let rows: Vec<_> = (next..next + count).map(row).collect();
            println!("attempt {}", next + count - 1);
            spool.append_all(rows).unwrap().wait().unwrap();
            for number in next..next + count {
                println!("receipt {number}");
            }
            next += count;
            if step % 4 == 3 {
                let batch = spool.next_batch(9, u64::MAX, Sequence::START).unwrap();
                let gone = batch.records.iter().map(|stored| stored.sequence);
                let gone: Vec<_> = gone.collect();
                let last = first_left + gone.len() as u64 - 1;
                println!("remove {last}");
                spool.acknowledge(gone).unwrap().wait().unwrap();
                println!("removed {last}");
                first_left = last + 1;
            }
        }
        if round % 10 == 9 {
            spool.close().unwrap();
        } else {
            drop(spool);
        }
    }
}

fn row(number: u64) -> Record {
    let filler = "x".repeat(usize::try_from(number % 7 * 150).unwrap());
    Record::new("orders", format!("payload {number}"))
        .with_key(format!("key-{}", number % 5))
        .with_header("filler", filler)
}

/// Output of the process before the cut.
#[derive(Default)]
struct Told {
    attempted: u64,
    receipts: BTreeSet<u64>,
    /// Rows up to here may be removed.
    remove: u64,
    removed: BTreeSet<u64>,
    line: String,
}

impl Told {
    fn hear(&mut self, text: &str) {
        self.line.push_str(text);
        while let Some(end) = self.line.find('\n') {
            let line: String = self.line.drain(..=end).collect();
            let Some((word, number)) = line.trim_end().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "attempt" => self.attempted = number,
                "receipt" => {
                    self.receipts.insert(number);
                }
                "remove" => self.remove = number,
                "removed" => self.removed.extend(1..=number),
                _ => {}
            }
        }
    }
}

/// Opens an image, and compares what is there with what was said.
fn check(image: &BTreeMap<String, Vec<u8>>, told: &Told) {
    let folder = memory_folder();
    for (name, content) in image {
        // The index of the log is memory, and the lock is of the dead process.
        if !["spool.db-shm", "spool.db.lock"].contains(&name.as_str()) {
            fs::write(folder.path().join(name), content).unwrap();
        }
    }
    let path = folder.path().join("spool.db");
    let (spool, report) = Spool::open(SpoolOptions::new(&path)).unwrap();
    assert_eq!(report.recovery, None, "a power cut is not damage");
    let found = numbers(&spool);
    assert!(found.is_sorted_by(|a, b| a < b), "in order: {found:?}");
    assert!(
        found.iter().all(|number| *number <= told.attempted),
        "nothing is invented: {found:?}"
    );
    let rows: BTreeSet<u64> = found.iter().copied().collect();
    let lost: Vec<_> = (told.receipts.difference(&rows))
        .filter(|number| **number > told.remove)
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let back: Vec<_> = rows.intersection(&told.removed).collect();
    assert!(back.is_empty(), "removed, and there again: {back:?}");
    assert!(spool.verify().unwrap().is_sound());
    spool.append(row(1)).unwrap().wait().unwrap();
}

/// Change of a file or of its name.
#[derive(Clone, Debug)]
enum Op {
    Create(String, usize),
    Rename(String, String),
    Unlink(String),
    Write(usize, usize, Vec<u8>),
    Truncate(usize, usize),
    Sync(usize),
    SyncFolder,
    Said(String),
}

/// Disk with a cache.
#[derive(Default)]
struct Disk {
    /// Flushed content, and the changes since.
    files: HashMap<usize, (Vec<u8>, Vec<Op>)>,
    names: BTreeMap<String, usize>,
    name_changes: Vec<Op>,
}

impl Disk {
    fn apply(&mut self, operation: Op) {
        match operation {
            Op::Create(..) | Op::Rename(..) | Op::Unlink(_) => self.name_changes.push(operation),
            Op::Write(file, ..) | Op::Truncate(file, _) => {
                self.files.entry(file).or_default().1.push(operation);
            }
            Op::Sync(file) => {
                let (content, changes) = self.files.entry(file).or_default();
                for change in changes.drain(..) {
                    change_content(content, &change);
                }
            }
            Op::SyncFolder => {
                for change in self.name_changes.drain(..) {
                    change_names(&mut self.names, &change);
                }
            }
            Op::Said(_) => {}
        }
    }

    /// Returns what a power cut may leave now.
    fn image(&self, random: &mut Random) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.names.clone();
        // A file system keeps the order of names.
        let kept = match random.below(3) {
            0 => 0,
            1 => self.name_changes.len(),
            _ => random.index(self.name_changes.len() + 1),
        };
        for change in &self.name_changes[..kept] {
            change_names(&mut names, change);
        }
        let content = |file| self.content(file, random);
        let files: Vec<_> = names.values().copied().collect();
        let contents: Vec<_> = files.into_iter().map(content).collect();
        names.into_keys().zip(contents).collect()
    }

    fn content(&self, file: usize, random: &mut Random) -> Vec<u8> {
        let Some((content, changes)) = self.files.get(&file) else {
            return Vec::new();
        };
        let mut content = content.clone();
        match random.below(4) {
            0 => {}
            1 => changes
                .iter()
                .for_each(|change| change_content(&mut content, change)),
            2 => changes[..random.index(changes.len() + 1)]
                .iter()
                .for_each(|change| change_content(&mut content, change)),
            _ => {
                for change in changes {
                    match (random.below(4), change) {
                        (0, _) => {}
                        (1, Op::Write(file, at, bytes)) => {
                            for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                                if random.below(2) == 0 {
                                    let at = at + number * SECTOR;
                                    let part = Op::Write(*file, at, sector.to_vec());
                                    change_content(&mut content, &part);
                                }
                            }
                        }
                        _ => change_content(&mut content, change),
                    }
                }
            }
        }
        content
    }
}

fn change_content(content: &mut Vec<u8>, change: &Op) {
    match change {
        Op::Write(_, at, bytes) => {
            let end = at + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*at..end].copy_from_slice(bytes);
        }
        Op::Truncate(_, length) => content.resize(*length, 0),
        _ => unreachable!("not a change of content"),
    }
}

fn change_names(names: &mut BTreeMap<String, usize>, change: &Op) {
    match change {
        Op::Create(name, file) => {
            names.insert(name.clone(), *file);
        }
        Op::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Op::Unlink(name) => {
            names.remove(name);
        }
        _ => unreachable!("not a change of names"),
    }
}

/// Runs the workload under `strace`; `None` if that is not possible.
fn record_workload(folder: &Path, database: &Path) -> Option<String> {
    let trace = folder.join("trace");
    let inner = child::command("receipts_survive_a_power_cut_at_any_moment", database);
    let output = Command::new("strace")
        .args(["-f", "-xx", "-s", "2000000", "-o"])
        .arg(&trace)
        .args([
            "-e",
            "trace=open,openat,creat,close,lseek,write,pwrite64,ftruncate,fsync,fdatasync,\
             rename,renameat,renameat2,unlink,unlinkat",
        ])
        .arg(inner.get_program())
        .args(inner.get_args())
        .envs(
            inner
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        // Where it may trace nothing, it fails with that error and runs nothing.
        assert!(
            said.contains("ptrace") || said.contains("not permitted"),
            "{said}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        return None;
    }
    fs::read_to_string(trace).ok()
}

/// Files of a process, as the trace goes on.
struct Recorder<'a> {
    folder: &'a str,
    /// Open files by their descriptors, with their positions. `None` for the folder.
    open: HashMap<u64, (Option<usize>, usize)>,
    names: BTreeMap<String, usize>,
    lengths: HashMap<usize, usize>,
    operations: Vec<Op>,
}

fn parse(trace: &str, folder: &Path) -> Vec<Op> {
    let mut recorder = Recorder {
        folder: folder.to_str().unwrap(),
        open: HashMap::new(),
        names: BTreeMap::new(),
        lengths: HashMap::new(),
        operations: Vec::new(),
    };
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(begin) = call.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, begin);
        } else if let Some(rest) = call.strip_prefix("<... ") {
            let begin = unfinished.remove(process).unwrap_or_default();
            let rest = rest.split_once("resumed>").map_or("", |(_, rest)| rest);
            recorder.call(&format!("{begin}{rest}"));
        } else {
            recorder.call(call);
        }
    }
    recorder.operations
}

impl Recorder<'_> {
    fn call(&mut self, call: &str) {
        let Some((name, rest)) = call.split_once('(') else {
            return;
        };
        let Some((arguments, result)) = rest.rsplit_once(") = ").or(rest.rsplit_once(" = ")) else {
            return;
        };
        let result = result.split(' ').next().unwrap_or_default();
        let Ok(result) = result.parse::<u64>() else {
            return;
        };
        let arguments = arguments.trim_end().trim_end_matches(')');
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let number = |at: usize| arguments[at].parse::<u64>().unwrap();
        let position = |at: usize| usize::try_from(number(at)).unwrap();
        match name {
            "open" => self.opened(&text(arguments[0]), arguments[1], result),
            "openat" => self.opened(&text(arguments[1]), arguments[2], result),
            "creat" => self.opened(&text(arguments[0]), "O_CREAT|O_TRUNC", result),
            "close" => {
                self.open.remove(&number(0));
            }
            "lseek" => {
                if let Some((_, at)) = self.open.get_mut(&number(0)) {
                    *at = usize::try_from(result).unwrap();
                }
            }
            "write" if number(0) == 1 => self.operations.push(Op::Said(text(arguments[1]))),
            "write" => {
                if let Some((Some(file), at)) = self.open.get(&number(0)).copied() {
                    let bytes = bytes(arguments[1]);
                    let end = at + bytes.len();
                    self.open.insert(number(0), (Some(file), end));
                    self.wrote(file, at, bytes);
                }
            }
            "pwrite64" => {
                if let Some((Some(file), _)) = self.open.get(&number(0)).copied() {
                    self.wrote(file, position(3), bytes(arguments[1]));
                }
            }
            "ftruncate" => {
                if let Some((Some(file), _)) = self.open.get(&number(0)).copied() {
                    self.lengths.insert(file, position(1));
                    self.operations.push(Op::Truncate(file, position(1)));
                }
            }
            "fsync" | "fdatasync" => match self.open.get(&number(0)).copied() {
                Some((Some(file), _)) => self.operations.push(Op::Sync(file)),
                Some((None, _)) => self.operations.push(Op::SyncFolder),
                None => {}
            },
            "rename" => self.renamed(&text(arguments[0]), &text(arguments[1])),
            "renameat" | "renameat2" => self.renamed(&text(arguments[1]), &text(arguments[3])),
            "unlink" => self.unlinked(&text(arguments[0])),
            "unlinkat" => self.unlinked(&text(arguments[1])),
            _ => {}
        }
    }

    /// Name within the folder.
    fn name(&self, path: &str) -> Option<String> {
        Some(
            path.strip_prefix(self.folder)?
                .strip_prefix('/')?
                .to_owned(),
        )
    }

    fn opened(&mut self, path: &str, flags: &str, descriptor: u64) {
        self.open.remove(&descriptor);
        if path == self.folder {
            self.open.insert(descriptor, (None, 0));
            return;
        }
        let Some(name) = self.name(path) else { return };
        let file = if let Some(file) = self.names.get(&name) {
            *file
        } else {
            let file = self.lengths.len();
            self.lengths.insert(file, 0);
            self.names.insert(name.clone(), file);
            self.operations.push(Op::Create(name, file));
            file
        };
        if flags.contains("O_TRUNC") {
            self.operations.push(Op::Truncate(file, 0));
        }
        self.open.insert(descriptor, (Some(file), 0));
    }

    fn wrote(&mut self, file: usize, at: usize, bytes: Vec<u8>) {
        self.operations.push(Op::Write(file, at, bytes));
    }

    fn renamed(&mut self, from: &str, to: &str) {
        if let (Some(from), Some(to)) = (self.name(from), self.name(to))
            && let Some(file) = self.names.remove(&from)
        {
            self.names.insert(to.clone(), file);
            self.operations.push(Op::Rename(from, to));
        }
    }

    fn unlinked(&mut self, path: &str) {
        if let Some(name) = self.name(path)
            && self.names.remove(&name).is_some()
        {
            self.operations.push(Op::Unlink(name));
        }
    }
}

/// Bytes of a string in the trace: `"\x41\x42"`.
fn bytes(argument: &str) -> Vec<u8> {
    assert!(!argument.ends_with("..."), "the trace is cut");
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        _ => byte - b'a' + 10,
    };
    argument
        .trim_matches('"')
        .as_bytes()
        .chunks_exact(4)
        .map(|code| digit(code[2]) * 16 + digit(code[3]))
        .collect()
}

fn text(argument: &str) -> String {
    String::from_utf8_lossy(&bytes(argument)).into_owned()
}

/// A folder in memory, where there is one: nothing here depends on a real disk.
fn memory_folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// `SplitMix64`. Its seed is shown.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let asked = std::env::var("HERALD_SEED").ok();
        let seed = asked.map_or_else(
            || RandomState::new().hash_one(0),
            |seed| seed.parse().expect("a seed is a number"),
        );
        let _ = writeln!(std::io::stderr(), "HERALD_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}
