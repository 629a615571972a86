//! Kafka headers, with which a consumer can route an event and drop duplicates without parsing it.

use std::fmt;

/// Header with the content type of the value.
pub const CONTENT_TYPE: &str = "content-type";
/// Header with the id of the event.
pub const EVENT_ID: &str = "event_id";
/// Header with the event type.
pub const EVENT_TYPE: &str = "event_type";
/// Header with the correlation id; omitted if it is null.
pub const CORRELATION_ID: &str = "correlation_id";
/// Header with the W3C trace context; omitted without a trace.
pub const TRACEPARENT: &str = "traceparent";

/// Names of the headers that an envelope may have.
pub const NAMES: [&str; 5] = [
    CONTENT_TYPE,
    EVENT_ID,
    EVENT_TYPE,
    CORRELATION_ID,
    TRACEPARENT,
];

/// Selection of the headers of an event, among those whose content is in the envelope too.
///
/// Each header costs the producer as much as encoding some hundred bytes, so they can be left out
/// if all consumers parse the envelope. Headers that a profile needs are always written.
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

    /// Returns the names of the selected headers, in the order of [`NAMES`].
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(move |name| self.contains(name))
    }

    /// Returns the headers that both sets select.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self {
            bits: self.bits & other.bits,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_set_keeps_its_headers() {
        let set = HeaderSet::of([EVENT_TYPE, TRACEPARENT]).unwrap();
        let chosen: Vec<_> = set.names().collect();
        assert_eq!(chosen, [EVENT_TYPE, TRACEPARENT]);
        let others = HeaderSet::of([TRACEPARENT, EVENT_ID]).unwrap();
        let both: Vec<_> = set.intersection(others).names().collect();
        assert_eq!(both, [TRACEPARENT]);
        assert_eq!(HeaderSet::of(NAMES), Ok(HeaderSet::ALL));
        assert_eq!(HeaderSet::of([]), Ok(HeaderSet::NONE));
        assert_eq!(
            HeaderSet::of(["event-type"]).unwrap_err().to_string(),
            "`event-type` is not a header of an event; the headers are content-type, event_id, \
             event_type, correlation_id, traceparent"
        );
    }
}
