//! The filters of `herald listen` and `herald dev`.

use globset::{GlobBuilder, GlobMatcher};
use herald_envelope::{Envelope, Uuid};

use super::parsed_record::ParsedRecord;
use crate::Error;
use crate::args::events::DisplayArgs;

/// The filters of the command line; a record has to match all of them.
pub struct Filter {
    event_type: Option<GlobMatcher>,
    correlation_id: Option<Uuid>,
    source: Option<String>,
    key: Option<String>,
}

/// The result of filtering a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterResult {
    /// It matches.
    Show,
    /// It does not match.
    Hide,
    /// A filter needs a field of the envelope, and the record is not one.
    NotAnEnvelope,
}

impl Filter {
    pub fn new(show: &DisplayArgs) -> Result<Self, Error> {
        let correlation_id = show.correlation_id.as_deref().map(|id| {
            Uuid::try_parse(id)
                .map_err(|_| Error::Message(format!("--correlation-id: `{id}` is not a UUID")))
        });
        let event_type = show.event_type.as_deref();
        Ok(Self {
            event_type: event_type
                .map(|pattern| glob("--event-type", pattern))
                .transpose()?,
            correlation_id: correlation_id.transpose()?,
            source: show.source.clone(),
            key: show.key.clone(),
        })
    }

    pub fn apply(&self, parsed: &ParsedRecord<'_>) -> FilterResult {
        let key = self.key.as_ref().map(String::as_bytes);
        if key.is_some() && key != parsed.record.key.as_deref() {
            return FilterResult::Hide;
        }
        match &parsed.envelope {
            Ok(envelope) if self.matches(envelope) => FilterResult::Show,
            Ok(_) => FilterResult::Hide,
            Err(_) if self.needs_envelope() => FilterResult::NotAnEnvelope,
            Err(_) => FilterResult::Show,
        }
    }

    fn needs_envelope(&self) -> bool {
        self.event_type.is_some() || self.correlation_id.is_some() || self.source.is_some()
    }

    fn matches(&self, envelope: &Envelope<'_>) -> bool {
        let event_type = self.event_type.as_ref();
        event_type.is_none_or(|pattern| pattern.is_match(&*envelope.event_type))
            && (self.correlation_id.is_none() || self.correlation_id == envelope.correlation_id)
            && self.source.as_deref().is_none_or(|source| {
                source == envelope.source_service || source == envelope.source_node_id
            })
    }
}

/// Compiles a pattern with `*` and `?`; `what` names the argument in the error.
pub fn glob(what: &str, pattern: &str) -> Result<GlobMatcher, Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        Error::Message(format!(
            "{what}: `{pattern}` is not a valid pattern: {}",
            error.kind()
        ))
    })
}

#[cfg(test)]
mod tests {
    use herald_envelope::Origin;
    use herald_publish::kafka::ConsumerRecord;

    use super::*;
    use crate::args::events::EventFormat;

    fn record(payload: Vec<u8>) -> ConsumerRecord {
        ConsumerRecord {
            topic: "t".to_owned(),
            partition: 0,
            offset: 0,
            timestamp: None,
            key: Some(b"k".to_vec()),
            headers: Vec::new(),
            payload: Some(payload),
        }
    }

    fn event() -> ConsumerRecord {
        let origin = Origin::new("shop", "1", "test");
        let envelope = origin
            .envelope("effect.place.failed", "node-7", serde_json::json!({}))
            .with_correlation_id(Uuid::from_u128(7));
        let mut payload = Vec::new();
        envelope.write(&mut payload).unwrap();
        record(payload)
    }

    fn show() -> DisplayArgs {
        DisplayArgs {
            event_type: None,
            correlation_id: None,
            source: None,
            key: None,
            format: EventFormat::Text,
            full: false,
        }
    }

    #[track_caller]
    fn judged(set: Set, text: &str, record: &ConsumerRecord) -> FilterResult {
        let mut show = show();
        set(&mut show, text.to_owned());
        Filter::new(&show).unwrap().apply(&ParsedRecord::of(record))
    }

    type Set = fn(&mut DisplayArgs, String);

    const EVENT_TYPE: Set = |show, text| show.event_type = Some(text);
    const CORRELATION: Set = |show, text| show.correlation_id = Some(text);
    const SOURCE: Set = |show, text| show.source = Some(text);
    const KEY: Set = |show, text| show.key = Some(text);

    #[test]
    fn filters_match_and_hide() {
        let event = event();
        for (set, text, verdict) in [
            (EVENT_TYPE, "*.failed", FilterResult::Show),
            (EVENT_TYPE, "effect.*", FilterResult::Show),
            (EVENT_TYPE, "*.completed", FilterResult::Hide),
            (
                CORRELATION,
                "00000000-0000-0000-0000-000000000007",
                FilterResult::Show,
            ),
            (
                CORRELATION,
                "00000000-0000-0000-0000-000000000008",
                FilterResult::Hide,
            ),
            (SOURCE, "shop", FilterResult::Show),
            (SOURCE, "node-7", FilterResult::Show),
            (SOURCE, "node", FilterResult::Hide),
            (KEY, "k", FilterResult::Show),
            (KEY, "x", FilterResult::Hide),
        ] {
            assert_eq!(judged(set, text, &event), verdict, "{text}");
        }
    }

    #[test]
    fn shows_other_records_unless_a_filter_needs_envelopes() {
        let other = record(b"hello".to_vec());
        let nothing: Set = |_, _| {};
        assert_eq!(judged(nothing, "", &other), FilterResult::Show);
        assert_eq!(judged(KEY, "k", &other), FilterResult::Show);
        assert_eq!(judged(EVENT_TYPE, "*", &other), FilterResult::NotAnEnvelope);
    }

    #[test]
    fn rejects_invalid_patterns_and_uuids() {
        for (set, text) in [(EVENT_TYPE, "["), (CORRELATION, "7")] {
            let mut show = show();
            set(&mut show, text.to_owned());
            assert!(Filter::new(&show).is_err());
        }
    }
}
