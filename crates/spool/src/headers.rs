//! Headers of a record, encoded as one column: name and value of each, both preceded by their length
//! as a 32-bit little-endian number.

use std::fmt;

const LENGTH: usize = size_of::<u32>();

/// Kafka headers. A name may occur more than once, and the order is kept; values are any bytes.
///
/// They are kept as they are stored, in one allocation.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<u8>);

impl Headers {
    /// Creates headers with room for those with names and values of these lengths.
    pub fn with_capacity(lengths: impl Iterator<Item = (usize, usize)>) -> Self {
        Self(Vec::with_capacity(encoded_length(lengths)))
    }

    /// Adds a header.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        for part in [name.as_bytes(), value] {
            // A record is at most 512 MiB, so the length always fits 32 bits.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            self.0.extend_from_slice(&length.to_le_bytes());
            self.0.extend_from_slice(part);
        }
    }

    /// Returns names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        Parts(&self.0)
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the length of names and values, and of the length of each, in bytes.
    pub fn encoded_len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        &self.0
    }

    /// Checks and copies encoded headers; `None` if [`Self::push`] did not write the bytes.
    pub(crate) fn decode(encoded: &[u8]) -> Option<Self> {
        let mut parts = Parts(encoded);
        while parts.next().is_some() {}
        parts.0.is_empty().then(|| Self(encoded.to_vec()))
    }
}

/// Names are shown, values are not: they may be private.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Returns the length of the encoding of headers with names and values of these lengths.
pub(crate) fn encoded_length(headers: impl Iterator<Item = (usize, usize)>) -> usize {
    headers.map(|(name, value)| 2 * LENGTH + name + value).sum()
}

/// Headers that were not read yet. It stops at what is not a header.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.0;
        let name = std::str::from_utf8(take(&mut rest)?).ok()?;
        let value = take(&mut rest)?;
        self.0 = rest;
        Some((name, value))
    }
}

fn take<'a>(encoded: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = encoded.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (part, rest) = rest.split_at_checked(length)?;
    *encoded = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decodes_what_was_encoded(pairs: Vec<(String, Vec<u8>)>) {
            let lengths = pairs.iter().map(|(name, value)| (name.len(), value.len()));
            let mut headers = Headers::with_capacity(lengths.clone());
            for (name, value) in &pairs {
                headers.push(name, value);
            }
            prop_assert_eq!(headers.encoded().len(), encoded_length(lengths));
            prop_assert_eq!(headers.is_empty(), pairs.is_empty());
            let read: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_vec()))
                .collect();
            prop_assert_eq!(read, pairs);
            prop_assert_eq!(Headers::decode(headers.encoded()), Some(headers));
        }

        #[test]
        fn decodes_arbitrary_bytes_without_panicking(bytes: Vec<u8>) {
            if let Some(headers) = Headers::decode(&bytes) {
                let mut again = Headers::default();
                for (name, value) in headers.iter() {
                    again.push(name, value);
                }
                prop_assert_eq!(again.encoded(), bytes);
            }
        }
    }
}
