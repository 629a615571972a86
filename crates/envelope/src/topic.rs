//! Kafka topic names: validation, collisions, and patterns that derive them from event types.
//!
//! The rule is Kafka's own (`org.apache.kafka.common.internals.Topic`): 1 to 249 characters of
//! `[A-Za-z0-9._-]`, not `.` or `..`. Two topics that differ only in `.` and `_` collide,
//! because Kafka's metric names fold both to `_`.

/// Maximum length of a topic name, in characters.
pub const MAX_LENGTH: usize = 249;

/// Pattern of the topics of generated events, unless a project sets another.
pub const DEFAULT_PATTERN: &str = "{namespace}.{service_name}.{event_type}.v{major}";

/// Default namespace.
pub const DEFAULT_NAMESPACE: &str = "dev";

/// Error of a name that is not a valid topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// The name is empty.
    #[error("it is empty")]
    Empty,
    /// The name is `.` or `..`.
    #[error("`.` and `..` are reserved")]
    Dots,
    /// The name has more than [`MAX_LENGTH`] characters; the field is their number.
    #[error("it has {0} characters")]
    TooLong(usize),
    /// The name contains this character, which Kafka does not accept.
    #[error("it has the character {0:?}")]
    Character(char),
}

/// Returns whether a topic name may contain a character.
pub fn is_topic_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Validates a name by Kafka's rule.
///
/// # Errors
/// The first violation: characters before length.
pub fn validate(name: &str) -> Result<(), InvalidTopic> {
    if name.is_empty() {
        return Err(InvalidTopic::Empty);
    }
    if let Some(c) = name.chars().find(|c| !is_topic_character(*c)) {
        return Err(InvalidTopic::Character(c));
    }
    if name == "." || name == ".." {
        return Err(InvalidTopic::Dots);
    }
    if name.len() > MAX_LENGTH {
        return Err(InvalidTopic::TooLong(name.len()));
    }
    Ok(())
}

/// Returns the name in Kafka's metrics. Two topics with the same name there collide.
pub fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

/// Topic whose namespace may still be open, such as
/// `{namespace}.orders.effect.place.started.v1`.
///
/// The namespace (`dev`, `prod`) is a property of the deployment, so publishers insert it at run
/// time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Complete name.
    Literal(String),
    /// Name with a gap for the namespace.
    Namespaced {
        /// Text before the namespace.
        before: String,
        /// Text after the namespace.
        after: String,
    },
}

impl Topic {
    /// Returns the name in this namespace.
    pub fn in_namespace(&self, namespace: &str) -> String {
        match self {
            Self::Literal(name) => name.clone(),
            Self::Namespaced { before, after } => format!("{before}{namespace}{after}"),
        }
    }

    /// Returns the name with the placeholder `{namespace}`.
    pub fn as_template(&self) -> String {
        self.in_namespace("{namespace}")
    }

    /// Returns whether the name depends on the namespace.
    pub fn is_namespaced(&self) -> bool {
        matches!(self, Self::Namespaced { .. })
    }
}

/// Pattern that derives a topic from an event type: text with the placeholders `{namespace}`,
/// `{service_name}`, `{event_type}` and `{major}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Namespace,
    ServiceName,
    EventType,
    Major,
}

const PLACEHOLDERS: [(&str, Segment); 4] = [
    ("namespace", Segment::Namespace),
    ("service_name", Segment::ServiceName),
    ("event_type", Segment::EventType),
    ("major", Segment::Major),
];

impl Default for TopicPattern {
    fn default() -> Self {
        Self::parse(DEFAULT_PATTERN).expect("the default pattern is a pattern")
    }
}

/// Error of a text that is not a valid topic pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// The placeholder does not exist.
    #[error(
        "`{{{0}}}` is not a placeholder; there are {{namespace}}, {{service_name}}, {{event_type}} \
         and {{major}}"
    )]
    UnknownPlaceholder(String),
    /// A `{` without `}`, or a `}` without `{`.
    #[error("a brace has no partner")]
    UnbalancedBrace,
    /// The text contains this character, which Kafka does not accept in a topic.
    #[error("a topic name can't contain {0:?}")]
    Character(char),
    /// `{event_type}` is missing: all events of a service would share a topic by accident.
    #[error("`{{event_type}}` is missing")]
    NoEventType,
    /// `{namespace}` occurs more than once.
    #[error("`{{namespace}}` occurs twice")]
    RepeatedNamespace,
}

impl TopicPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// The first violation.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            push_literal(&mut segments, &rest[..at])?;
            let inner = rest[at..]
                .strip_prefix('{')
                .ok_or(InvalidPattern::UnbalancedBrace)?;
            let (name, after) = inner
                .split_once('}')
                .ok_or(InvalidPattern::UnbalancedBrace)?;
            let (_, segment) = PLACEHOLDERS
                .into_iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| InvalidPattern::UnknownPlaceholder(name.to_owned()))?;
            if segment == Segment::Namespace && segments.contains(&segment) {
                return Err(InvalidPattern::RepeatedNamespace);
            }
            segments.push(segment);
            rest = after;
        }
        push_literal(&mut segments, rest)?;
        if !segments.contains(&Segment::EventType) {
            return Err(InvalidPattern::NoEventType);
        }
        Ok(Self(segments))
    }

    /// Returns the topic of an event type. The namespace stays open.
    ///
    /// `major` is the version of the event, the part of a topic's name that changes with every
    /// breaking change.
    pub fn topic(&self, service_name: &str, event_type: &str, major: u64) -> Topic {
        let mut text = String::new();
        let mut before = None;
        for segment in &self.0 {
            match segment {
                Segment::Literal(literal) => text.push_str(literal),
                Segment::Namespace => before = Some(std::mem::take(&mut text)),
                Segment::ServiceName => text.push_str(service_name),
                Segment::EventType => text.push_str(event_type),
                Segment::Major => text.push_str(&major.to_string()),
            }
        }
        match before {
            Some(before) => Topic::Namespaced {
                before,
                after: text,
            },
            None => Topic::Literal(text),
        }
    }
}

fn push_literal(segments: &mut Vec<Segment>, text: &str) -> Result<(), InvalidPattern> {
    match text.chars().find(|c| !is_topic_character(*c)) {
        Some(c) => Err(InvalidPattern::Character(c)),
        None if text.is_empty() => Ok(()),
        None => {
            segments.push(Segment::Literal(text.to_owned()));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_pattern_has_the_documented_topic() {
        let topic =
            TopicPattern::default().topic("orchestrator", "orchestrator.orchestration.started", 1);
        assert_eq!(
            topic.in_namespace("dev"),
            "dev.orchestrator.orchestrator.orchestration.started.v1"
        );
        assert_eq!(
            topic.as_template(),
            "{namespace}.orchestrator.orchestrator.orchestration.started.v1"
        );
    }

    #[test]
    fn contract_text_is_never_parsed_as_a_placeholder() {
        let topic = TopicPattern::default().topic("{major}", "{namespace}", 1);
        assert_eq!(topic.in_namespace("dev"), "dev.{major}.{namespace}.v1");
    }

    #[test]
    fn follows_the_topic_name_rule_of_kafka() {
        assert_eq!(validate("a-Z_0.9"), Ok(()));
        assert_eq!(validate(&"a".repeat(249)), Ok(()));
        assert_eq!(validate(&"a".repeat(250)), Err(InvalidTopic::TooLong(250)));
        assert_eq!(validate(""), Err(InvalidTopic::Empty));
        assert_eq!(validate("."), Err(InvalidTopic::Dots));
        assert_eq!(validate(".."), Err(InvalidTopic::Dots));
        assert_eq!(validate("..."), Ok(()));
        assert_eq!(validate("a b"), Err(InvalidTopic::Character(' ')));
        assert_eq!(validate("é"), Err(InvalidTopic::Character('é')));
    }

    #[test]
    fn topics_that_differ_in_dot_and_underscore_collide() {
        assert_eq!(collision_key("a.b_c"), collision_key("a_b.c"));
        assert_ne!(collision_key("a-b"), collision_key("a.b"));
    }

    #[test]
    fn patterns_are_checked_before_use() {
        assert!(TopicPattern::parse("{service_name}-{event_type}").is_ok());
        assert_eq!(TopicPattern::parse("x"), Err(InvalidPattern::NoEventType));
        assert_eq!(
            TopicPattern::parse("{event}"),
            Err(InvalidPattern::UnknownPlaceholder("event".into()))
        );
        assert_eq!(
            TopicPattern::parse("{event_type"),
            Err(InvalidPattern::UnbalancedBrace)
        );
        assert_eq!(
            TopicPattern::parse("}{event_type}"),
            Err(InvalidPattern::UnbalancedBrace)
        );
        assert_eq!(
            TopicPattern::parse("a b{event_type}"),
            Err(InvalidPattern::Character(' '))
        );
        assert_eq!(
            TopicPattern::parse("{namespace}{namespace}{event_type}"),
            Err(InvalidPattern::RepeatedNamespace)
        );
    }
}
