//! W3C trace context: the header `traceparent`, version 00.

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error};
use crate::headers;

/// Trace context: the trace of an event, and the span that published it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: [u8; 16],
    parent_id: [u8; 8],
    flags: u8,
}

const LENGTH: usize = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".len();

/// Text of a `traceparent`, in ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text([u8; LENGTH]);

impl Text {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

impl TraceParent {
    /// Creates a context from its parts. Bit 0 of `flags` means that the trace is sampled.
    ///
    /// # Errors
    /// [`Code::InvalidTraceparent`] if one of the ids is all zeros.
    pub fn new(trace_id: [u8; 16], parent_id: [u8; 8], flags: u8) -> Result<Self, Error> {
        if trace_id == [0; 16] || parent_id == [0; 8] {
            return Err(invalid("an identity is all zeros"));
        }
        Ok(Self {
            trace_id,
            parent_id,
            flags,
        })
    }

    /// Returns the id of the trace.
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// Returns the id of the span, which is the parent of spans that the event causes.
    pub fn parent_id(&self) -> [u8; 8] {
        self.parent_id
    }

    /// Returns the flags. Bit 0 means that the trace is sampled.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    pub(crate) fn text(self) -> Text {
        let mut text = [b'-'; LENGTH];
        write_hex(&[0], &mut text[..2]);
        write_hex(&self.trace_id, &mut text[3..35]);
        write_hex(&self.parent_id, &mut text[36..52]);
        write_hex(&[self.flags], &mut text[53..]);
        Text(text)
    }
}

/// Parses version 00, and of later versions the known beginning, as the recommendation requires.
impl FromStr for TraceParent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (known, rest) = text
            .as_bytes()
            .split_at_checked(LENGTH)
            .ok_or_else(|| invalid("too short"))?;
        if [known[2], known[35], known[52]] != *b"---" {
            return Err(invalid("not four parts with hyphens between them"));
        }
        let [version] = read_hex(&known[..2])?;
        match (version, rest) {
            (0xff, _) => return Err(invalid("version ff is not allowed")),
            (_, []) | (1.., [b'-', ..]) => {}
            _ => return Err(invalid("too long")),
        }
        Self::new(
            read_hex(&known[3..35])?,
            read_hex(&known[36..52])?,
            read_hex::<1>(&known[53..])?[0],
        )
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

fn invalid(message: &str) -> Error {
    Error::new(Code::InvalidTraceparent, message).in_field(headers::TRACEPARENT)
}

fn write_hex(bytes: &[u8], text: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

fn read_hex<const N: usize>(text: &[u8]) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

fn digit(c: u8) -> Result<u8, Error> {
    match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(invalid("not lowercase hexadecimal")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn parses_and_formats_a_trace_context() {
        let trace: TraceParent = SAMPLED.parse().unwrap();
        assert_eq!(trace.trace_id()[..2], [0x4b, 0xf9]);
        assert_eq!(
            trace.parent_id(),
            [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]
        );
        assert_eq!(trace.flags(), 1);
        assert_eq!(trace.to_string(), SAMPLED);
    }

    #[test]
    fn reads_the_known_part_of_later_versions() {
        for later in ["cc-", "01-"] {
            let text = SAMPLED.replacen("00-", later, 1);
            assert_eq!(text.parse::<TraceParent>().unwrap().to_string(), SAMPLED);
            assert!(
                format!("{text}-what.the.future")
                    .parse::<TraceParent>()
                    .is_ok()
            );
            assert!(format!("{text}.what").parse::<TraceParent>().is_err());
        }
    }

    #[test]
    fn rejects_what_the_w3c_recommendation_forbids() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7-01--",
            "0é-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            let error = text.parse::<TraceParent>().expect_err(text);
            assert_eq!(error.code(), Code::InvalidTraceparent);
            assert_eq!(error.field(), Some("traceparent"));
        }
    }
}
