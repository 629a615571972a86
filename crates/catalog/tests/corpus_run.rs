//! The fuzz target without a fuzzer: its corpus, and a fixed set of small changes to it.
//!
//! `cargo +nightly fuzz run read_contract` covers more; this needs no nightly compiler.

mod reading;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Number of changed texts.
const CHANGED: u32 = 3_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Returns the seeds, without local results of the fuzzer.
fn corpus() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(fuzz().join("corpus/read_contract"))
        .expect("the corpus is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    assert!(paths.len() >= 7, "the seeds are gone");
    let read = |path: &PathBuf| fs::read(path).expect("readable");
    paths.iter().map(read).collect()
}

/// Returns the words of the dictionary, without their quotes.
fn words() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(fuzz().join("yaml.dict")).expect("the dictionary is there");
    let quoted = text
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescape).collect()
}

/// Replaces `\xNN` by its byte.
fn unescape(word: &str) -> Vec<u8> {
    let mut parts = word.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two hexadecimal digits"));
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

#[derive(Clone, Debug)]
enum Change {
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Replace(Index, u8),
    Repeat(Index, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        let range = |index: &Index, length: usize, bytes: &[u8]| {
            let start = at(index, bytes);
            start..(start + length).min(bytes.len())
        };
        match self {
            Self::Insert(index, new) => {
                let at = at(index, bytes);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Remove(index, length) => {
                bytes.drain(range(index, *length, bytes));
            }
            Self::Replace(index, new) => {
                let at = at(index, bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = *new;
                }
            }
            Self::Repeat(index, length) => {
                let range = range(index, *length, bytes);
                let copy = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, copy);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), select(words())).prop_map(|(at, word)| Change::Insert(at, word)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, new)| Change::Insert(at, new)),
        2 => (at(), 1..30_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (at(), any::<u8>()).prop_map(|(at, new)| Change::Replace(at, new)),
        2 => (at(), 1..60_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

#[test]
fn reads_the_corpus_and_changes_of_it() {
    let corpus = corpus();
    for bytes in &corpus {
        reading::read(&String::from_utf8_lossy(bytes));
    }
    let config = Config {
        cases: CHANGED,
        failure_persistence: None,
        ..Config::default()
    };
    let always_the_same = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, always_the_same);
    let changed = (select(corpus), prop::collection::vec(change(), 1..8));
    runner
        .run(&changed, |(mut bytes, changes)| {
            for change in &changes {
                change.apply(&mut bytes);
            }
            reading::read(&String::from_utf8_lossy(&bytes));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}
