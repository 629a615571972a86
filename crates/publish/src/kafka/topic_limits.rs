//! Largest batches that topics allow, where that is less than this client sends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::admin::Admin;
use super::config::KafkaOptions;
use crate::clock::lock;

/// Property of a topic with its limit.
const PROPERTY: &str = "max.message.bytes";

/// Time after which a limit is asked for again: somebody may have changed it.
const LIMIT_TTL: Duration = Duration::from_secs(60);

/// Time that the cluster may take to tell a limit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits of topics. Clones share them.
#[derive(Clone, Default)]
pub(super) struct TopicLimits(Arc<Limits>);

#[derive(Default)]
struct Limits {
    /// Whether there is any entry, which is rare: read without the lock for each message.
    any: AtomicBool,
    topics: Mutex<HashMap<Box<str>, Limit>>,
}

struct Limit {
    /// `None` until the cluster has told, and if it may not.
    bytes: Option<usize>,
    asked: Instant,
}

impl TopicLimits {
    /// Returns the size of the largest batch that a topic allows, if it is known and stored here.
    /// An old one is asked for again, and holds until the answer.
    pub(super) fn get(&self, options: &KafkaOptions, topic: &str) -> Option<usize> {
        if !self.0.any.load(Ordering::Acquire) {
            return None;
        }
        let limits = lock(&self.0.topics);
        let Limit { bytes, asked } = limits.get(topic)?;
        let (bytes, is_old) = (*bytes, asked.elapsed() >= LIMIT_TTL);
        drop(limits);
        if is_old && bytes.is_some() {
            self.ask(options, topic);
        }
        bytes
    }

    /// Stores the limit of a topic.
    pub(super) fn set(&self, topic: &str, bytes: usize) {
        let limit = Limit {
            bytes: Some(bytes),
            asked: Instant::now(),
        };
        lock(&self.0.topics).insert(topic.into(), limit);
        self.0.any.store(true, Ordering::Release);
    }

    /// Forgets the limit of a topic.
    pub(super) fn remove(&self, topic: &str) {
        lock(&self.0.topics).remove(topic);
    }

    /// Asks for the limit of a topic, on a thread, unless that happened a moment ago. The native
    /// transport asks by itself.
    pub(super) fn ask(&self, options: &KafkaOptions, topic: &str) {
        if options.is_native() == Ok(true) {
            return;
        }
        let mut limits = lock(&self.0.topics);
        let limit = limits.get(topic);
        if limit.is_some_and(|limit| limit.asked.elapsed() < LIMIT_TTL) {
            return;
        }
        let limit = Limit {
            bytes: limit.and_then(|limit| limit.bytes),
            asked: Instant::now(),
        };
        limits.insert(topic.into(), limit);
        drop(limits);
        let (limits, options, topic) = (self.clone(), options.clone(), topic.to_owned());
        // Without a thread or an answer, the old limit holds, or the brokers go on to decide.
        let _ = std::thread::Builder::new()
            .name("herald-topics".to_owned())
            .spawn(move || {
                if let Some(bytes) = read_limit(&options, &topic) {
                    limits.set(&topic, bytes);
                }
            });
    }
}

fn read_limit(options: &KafkaOptions, topic: &str) -> Option<usize> {
    let admin = Admin::connect(options, ANSWER_TIMEOUT).ok()?;
    let found = admin.find([topic]).ok()?.remove(topic)?;
    let entry = found.config?.remove(PROPERTY)?;
    entry.value?.parse().ok()
}
