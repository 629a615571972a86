//! Kafka topic names: which are valid, which collide, and how an event type becomes one.
//!
//! The rule is Kafka's own (`org.apache.kafka.common.internals.Topic`): 1 to 249 characters of
//! `[A-Za-z0-9._-]`, not `.` or `..`. Two topics that differ only in `.` and `_` collide,
//! because Kafka's metric names fold both to `_`.

use std::fmt;

/// The longest topic name that Kafka takes, in characters.
pub const MAX_LENGTH: usize = 249;

/// Pattern of the topics of generated events, unless a project sets another.
pub const DEFAULT_PATTERN: &str = "{namespace}.{service_name}.{event_type}.v{major}";

/// Namespace that is assumed where none is set and a whole topic name has to be shown.
pub const DEFAULT_NAMESPACE: &str = "dev";

/// Reason that a name is not a valid topic name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidTopic {
    /// The name has no characters.
    Empty,
    /// The name is `.` or `..`.
    Dots,
    /// The name has more than [`MAX_LENGTH`] characters; the field is how many.
    TooLong(usize),
    /// The first character that Kafka does not take.
    Character(char),
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::Dots => write!(f, "`.` and `..` are reserved"),
            Self::TooLong(length) => write!(f, "it has {length} characters"),
            Self::Character(c) => write!(f, "it has the character {c:?}"),
        }
    }
}

impl std::error::Error for InvalidTopic {}

/// Whether a character may stand in a topic name.
pub fn is_topic_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Checks a name against Kafka's rule.
///
/// # Errors
/// The first thing that is wrong: characters before length.
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

/// The name as Kafka's metrics see it. Two topics with the same one collide.
pub fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

/// A topic that may still wait for its namespace, such as
/// `{namespace}.orders.effect.place.started.v1`.
///
/// The namespace (`dev`, `prod`) is a property of the deployment, so publishers fill it in when
/// they run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The name is final.
    Literal(String),
    /// The namespace goes between the two texts.
    Namespaced {
        /// Text before the namespace.
        before: String,
        /// Text after it.
        after: String,
    },
}

impl Topic {
    /// The name in this namespace.
    pub fn in_namespace(&self, namespace: &str) -> String {
        match self {
            Self::Literal(name) => name.clone(),
            Self::Namespaced { before, after } => format!("{before}{namespace}{after}"),
        }
    }

    /// The name with `{namespace}` where the namespace goes.
    pub fn as_template(&self) -> String {
        self.in_namespace("{namespace}")
    }

    /// Whether the name depends on the namespace.
    pub fn is_namespaced(&self) -> bool {
        matches!(self, Self::Namespaced { .. })
    }
}

/// Pattern of topic names: text with the placeholders `{namespace}`,
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

/// Reason that a text is not a valid topic pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidPattern {
    /// A placeholder that does not exist.
    UnknownPlaceholder(String),
    /// `{` without `}`, or `}` without `{`.
    UnbalancedBrace,
    /// A character outside of placeholders that Kafka does not take in a topic.
    Character(char),
    /// Without `{event_type}` all events of a service would share a topic name by accident.
    NoEventType,
    /// `{namespace}` stands more than once.
    RepeatedNamespace,
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPlaceholder(name) => write!(
                f,
                "`{{{name}}}` is not a placeholder; there are {{namespace}}, {{service_name}}, \
                 {{event_type}} and {{major}}"
            ),
            Self::UnbalancedBrace => write!(f, "a brace has no partner"),
            Self::Character(c) => write!(f, "{c:?} can't stand in a topic name"),
            Self::NoEventType => write!(f, "`{{event_type}}` is missing"),
            Self::RepeatedNamespace => write!(f, "`{{namespace}}` stands twice"),
        }
    }
}

impl std::error::Error for InvalidPattern {}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
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

    /// The topic of an event type. The namespace stays open.
    ///
    /// `major` is the major version of the contract, the part of a topic's name that changes
    /// when consumers have to.
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
    fn the_design_example_is_the_default() {
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
    fn text_of_a_contract_is_never_taken_for_a_placeholder() {
        let topic = TopicPattern::default().topic("{major}", "{namespace}", 1);
        assert_eq!(topic.in_namespace("dev"), "dev.{major}.{namespace}.v1");
    }

    #[test]
    fn kafkas_rule_holds() {
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
