//! Questions for the limits of topics.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::admin::Admin;
use crate::clock::lock;
use crate::kafka::config::KafkaOptions;

/// Property of a topic with its limit.
const PROPERTY: &str = "max.message.bytes";

/// Time after which a limit is asked for again: somebody may have changed it.
const LIMIT_TTL: Duration = Duration::from_secs(60);

/// Time that the cluster may take to tell a limit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Times at which the limits of topics were asked for last. Clones share them.
#[derive(Clone, Default)]
pub(in crate::kafka) struct LimitRequests(Arc<Mutex<HashMap<Box<str>, Instant>>>);

impl LimitRequests {
    /// Notes that a limit was told.
    pub(in crate::kafka) fn answered(&self, topic: &str) {
        lock(&self.0).insert(topic.into(), Instant::now());
    }

    /// Notes a question; false if the last one was a moment ago.
    fn begin(&self, topic: &str) -> bool {
        let mut asked = lock(&self.0);
        let is_due = asked
            .get(topic)
            .is_none_or(|asked| asked.elapsed() >= LIMIT_TTL);
        if is_due {
            asked.insert(topic.into(), Instant::now());
        }
        is_due
    }
}

/// Asks for the limit of a topic, on a thread, unless that happened a moment ago. The native transport
/// asks by itself.
pub(in crate::kafka) fn ask_limit(options: &KafkaOptions, topic: &str) {
    if !options.limit_requests().begin(topic) || options.is_native() == Ok(true) {
        return;
    }
    let (options, topic) = (options.clone(), topic.to_owned());
    // Without a thread or an answer, the old limit holds, or the brokers go on to decide.
    let _ = std::thread::Builder::new()
        .name("herald-topics".to_owned())
        .spawn(move || {
            if let Some(bytes) = read_limit(&options, &topic) {
                options.limits().set(&topic, bytes);
            }
        });
}

fn read_limit(options: &KafkaOptions, topic: &str) -> Option<usize> {
    let admin = Admin::connect(options, ANSWER_TIMEOUT).ok()?;
    let found = admin.find([topic]).ok()?.remove(topic)?;
    let entry = found.config?.remove(PROPERTY)?;
    entry.value?.parse().ok()
}
