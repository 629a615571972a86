//! Encoding of headers as one column: name and value of each, both preceded by their length as a
//! 32-bit little-endian number.

use crate::record::Header;

const LENGTH: usize = size_of::<u32>();

/// Returns the length of the encoding of headers with names and values of these lengths.
pub(crate) fn encoded_length(headers: impl Iterator<Item = (usize, usize)>) -> usize {
    headers.map(|(name, value)| 2 * LENGTH + name + value).sum()
}

pub(crate) fn encode(headers: &[Header]) -> Vec<u8> {
    let lengths = headers
        .iter()
        .map(|header| (header.name.len(), header.value.len()));
    let mut encoded = Vec::with_capacity(encoded_length(lengths));
    for header in headers {
        for part in [header.name.as_bytes(), &header.value] {
            // A record is at most 512 MiB, so the length always fits 32 bits.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            encoded.extend_from_slice(&length.to_le_bytes());
            encoded.extend_from_slice(part);
        }
    }
    encoded
}

/// Decodes headers; `None` if [`encode`] did not write the bytes.
pub(crate) fn decode(mut encoded: &[u8]) -> Option<Vec<Header>> {
    let mut headers = Vec::new();
    while !encoded.is_empty() {
        let name = take(&mut encoded)?;
        let value = take(&mut encoded)?;
        headers.push(Header {
            name: std::str::from_utf8(name).ok()?.to_owned(),
            value: value.to_owned(),
        });
    }
    Some(headers)
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
            let headers: Vec<Header> = pairs
                .into_iter()
                .map(|(name, value)| Header { name, value })
                .collect();
            let encoded = encode(&headers);
            let lengths = headers
                .iter()
                .map(|header| (header.name.len(), header.value.len()));
            prop_assert_eq!(encoded.len(), encoded_length(lengths));
            prop_assert_eq!(decode(&encoded), Some(headers));
        }

        #[test]
        fn decodes_arbitrary_bytes_without_panicking(bytes: Vec<u8>) {
            if let Some(headers) = decode(&bytes) {
                prop_assert_eq!(encode(&headers), bytes);
            }
        }
    }
}
