//! Default topic of an event.

use crate::envelope::Envelope;
use crate::error::{Code, Error};
use crate::field::Field;
use crate::topic::{self, TopicPattern};

impl<P, M> Envelope<'_, P, M> {
    /// Returns the number that `event_version` begins with, by which versions of an event are
    /// distinguished.
    pub fn major_version(&self) -> Option<u64> {
        major(&self.event_version)
    }

    /// Returns the topic of this event by the pattern: the service is `source_service`, the major
    /// version that of `event_version`.
    ///
    /// Generated code names its topics itself, by the contract's service and version.
    ///
    /// # Errors
    /// [`Code::InvalidTopic`] if the version has no major number or the name is not a valid topic.
    pub fn default_topic(&self, pattern: &TopicPattern, namespace: &str) -> Result<String, Error> {
        let major = self.major_version().ok_or_else(|| {
            Error::of(
                Field::EventVersion,
                Code::InvalidTopic,
                "does not start with a major version",
            )
        })?;
        let name = pattern
            .topic(&self.source_service, &self.event_type, major)
            .in_namespace(namespace);
        match topic::validate(&name) {
            Ok(()) => Ok(name),
            Err(reason) => Err(Error::of(
                Field::EventType,
                Code::InvalidTopic,
                format!("gives the topic {name:?}, which is not a valid topic: {reason}"),
            )),
        }
    }
}

fn major(version: &str) -> Option<u64> {
    let (major, _) = version.split_once('.').unwrap_or((version, ""));
    major.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    #[track_caller]
    fn topic(event_type: &str, version: &str) -> Result<String, Error> {
        Origin::new("orchestrator", "3.1.0", "development")
            .envelope(event_type, "n", ())
            .with_event_version(version)
            .default_topic(&TopicPattern::default(), "dev")
    }

    #[test]
    fn default_pattern_has_the_documented_topic() {
        assert_eq!(
            topic("orchestrator.orchestration.started", "1.0").as_deref(),
            Ok("dev.orchestrator.orchestrator.orchestration.started.v1")
        );
        assert_eq!(topic("x", "12").as_deref(), Ok("dev.orchestrator.x.v12"));
    }

    #[test]
    fn invalid_topic_is_an_error_of_its_field() {
        let error = topic("naïve", "1.0").unwrap_err();
        assert_eq!(error.code(), Code::InvalidTopic);
        assert_eq!(error.field(), Some("event_type"));
        assert_eq!(
            topic("x", "one").unwrap_err().field(),
            Some("event_version")
        );
    }
}
