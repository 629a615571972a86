//! Kafka headers, with which a consumer can route an event and drop duplicates without parsing it.

use std::fmt;

use crate::envelope::Envelope;
use crate::id;
use crate::trace::{self, TraceParent};

/// Header with the content type, always `application/json`.
pub const CONTENT_TYPE: &str = "content-type";
/// Header with the id of the event.
pub const EVENT_ID: &str = "event_id";
/// Header with the event type.
pub const EVENT_TYPE: &str = "event_type";
/// Header with the correlation id; omitted if it is null.
pub const CORRELATION_ID: &str = "correlation_id";
/// Header with the W3C trace context; omitted without a trace.
pub const TRACEPARENT: &str = "traceparent";

const NAMES: [&str; 5] = [
    CONTENT_TYPE,
    EVENT_ID,
    EVENT_TYPE,
    CORRELATION_ID,
    TRACEPARENT,
];

/// Selection of the headers of an event.
///
/// Everything in a header is in the envelope too. Each header costs the producer as much as
/// encoding some hundred bytes, so they can be left out if all consumers parse the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderSet {
    /// Bit set, one bit per entry of [`NAMES`].
    bits: u8,
}

/// Error of a name that is not a header of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownHeader(String);

impl HeaderSet {
    /// All headers.
    pub const ALL: Self = Self {
        bits: (1 << NAMES.len()) - 1,
    };

    /// No header.
    pub const NONE: Self = Self { bits: 0 };

    /// Returns the headers with these names.
    ///
    /// # Errors
    /// [`UnknownHeader`] for the first name that is not one of this module's constants.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownHeader> {
        names.into_iter().try_fold(Self::NONE, |set, name| {
            let bit = bit(name).ok_or_else(|| UnknownHeader(name.to_owned()))?;
            Ok(Self {
                bits: set.bits | bit,
            })
        })
    }

    /// Returns whether the header with this name is selected.
    pub fn contains(self, name: &str) -> bool {
        bit(name).is_some_and(|bit| self.bits & bit != 0)
    }
}

impl Default for HeaderSet {
    /// Every header.
    fn default() -> Self {
        Self::ALL
    }
}

fn bit(name: &str) -> Option<u8> {
    NAMES
        .iter()
        .position(|known| *known == name)
        .map(|at| 1 << at)
}

impl fmt::Display for UnknownHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(f, "`{name}` is not a header of an event; the headers are ")?;
        f.write_str(&NAMES.join(", "))
    }
}

impl std::error::Error for UnknownHeader {}

/// Headers of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    event_id: [u8; id::LENGTH],
    event_type: &'a str,
    correlation_id: Option<[u8; id::LENGTH]>,
    traceparent: Option<trace::Text>,
}

impl Headers<'_> {
    /// Returns names and values, in the order of this module's constants.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let always = [
            (CONTENT_TYPE, &b"application/json"[..]),
            (EVENT_ID, &self.event_id),
            (EVENT_TYPE, self.event_type.as_bytes()),
        ];
        let correlation_id = self.correlation_id.as_ref();
        let traceparent = self.traceparent.as_ref();
        always
            .into_iter()
            .chain(correlation_id.map(|id| (CORRELATION_ID, &id[..])))
            .chain(traceparent.map(|text| (TRACEPARENT, text.as_str().as_bytes())))
    }
}

impl<P, M> Envelope<'_, P, M> {
    /// Returns the headers of the Kafka record.
    pub fn headers(&self) -> Headers<'_> {
        Headers {
            event_id: id::text(self.event_id),
            event_type: &self.event_type,
            correlation_id: self.correlation_id.map(id::text),
            traceparent: self.trace.map(TraceParent::text),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Origin;

    fn texts<'a>(headers: &'a Headers<'_>) -> Vec<(&'static str, &'a str)> {
        headers
            .iter()
            .map(|(name, value)| (name, std::str::from_utf8(value).expect("it is text")))
            .collect()
    }

    #[test]
    fn headers_have_event_type_and_event_id() {
        let origin = Origin::new("shop", "1", "test");
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut event = origin
            .envelope("größe", "n", ())
            .with_correlation_id(Uuid::from_u128(7))
            .with_trace(trace.parse().unwrap());
        event.event_id = Uuid::from_u128(0xABC);
        assert_eq!(
            texts(&event.headers()),
            [
                ("content-type", "application/json"),
                ("event_id", "00000000-0000-0000-0000-000000000abc"),
                ("event_type", "größe"),
                ("correlation_id", "00000000-0000-0000-0000-000000000007"),
                ("traceparent", trace),
            ]
        );
    }

    #[test]
    fn header_set_keeps_its_headers() {
        let set = HeaderSet::of([EVENT_TYPE, TRACEPARENT]).unwrap();
        let chosen: Vec<_> = NAMES.iter().filter(|name| set.contains(name)).collect();
        assert_eq!(chosen, [&EVENT_TYPE, &TRACEPARENT]);
        assert_eq!(HeaderSet::of(NAMES), Ok(HeaderSet::ALL));
        assert_eq!(HeaderSet::of([]), Ok(HeaderSet::NONE));
        assert_eq!(
            HeaderSet::of(["event-type"]).unwrap_err().to_string(),
            "`event-type` is not a header of an event; the headers are content-type, event_id, \
             event_type, correlation_id, traceparent"
        );
    }

    #[test]
    fn unset_fields_have_no_header() {
        let origin = Origin::new("shop", "1", "test");
        let event = origin.envelope("t", "n", ());
        let headers = event.headers();
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, [CONTENT_TYPE, EVENT_ID, EVENT_TYPE]);
    }
}
