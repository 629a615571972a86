//! Check at the start of a client: the topics of its contracts exist.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use herald_publish::kafka::{self, KafkaOptions};
use tracing::warn;

/// Time that the cluster may take to name its topics.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Names that are listed of many.
const MAX_NAMED: usize = 5;

/// Topics to look for, and the cluster.
pub struct TopicCheck {
    pub cluster: KafkaOptions,
    pub topics: Vec<String>,
    /// Namespace of the client, if it has one.
    pub namespace: Option<String>,
}

impl TopicCheck {
    /// Returns a sentence about the topics that are missing. A cluster that does not answer is logged, and
    /// no error: events are spooled then.
    pub fn run(&self) -> Result<(), String> {
        let missing = match kafka::missing_topics(&self.cluster, &self.topics, ANSWER_TIMEOUT) {
            Ok(missing) => missing,
            Err(failure) => {
                warn!(
                    target: "herald::publisher",
                    code = failure.code.as_str(),
                    detail = %failure.detail,
                    "topics were not checked"
                );
                return Ok(());
            }
        };
        if missing.is_empty() {
            Ok(())
        } else {
            Err(self.sentence(&missing))
        }
    }

    /// Runs on a thread of its own, and logs the sentence.
    pub fn run_in_background(self) {
        let started = thread::Builder::new()
            .name("herald-check".to_owned())
            .spawn(move || {
                if let Err(sentence) = self.run() {
                    warn!(target: "herald::publisher", "{sentence}");
                }
            });
        if let Err(error) = started {
            warn!(target: "herald::publisher", %error, "topics were not checked");
        }
    }

    fn sentence(&self, missing: &[String]) -> String {
        let mut named = missing[..missing.len().min(MAX_NAMED)].join(", ");
        if missing.len() > MAX_NAMED {
            let _ = write!(named, " and {} more", missing.len() - MAX_NAMED);
        }
        let (number, all) = (missing.len(), self.topics.len());
        let namespace = self.namespace.as_ref();
        let option = namespace.map_or_else(String::new, |it| format!(" --namespace {it}"));
        format!(
            "{number} of {all} topics do not exist, or this client may not describe them: {named}; \
             create them with `herald topics apply{option} --yes`"
        )
    }
}
