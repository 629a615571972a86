//! Text that is searched, byte by byte.

#[cfg(test)]
use std::cell::Cell;

/// Text under search. Tests count how many of its bytes are read.
pub(crate) struct Text<'t> {
    bytes: &'t [u8],
    #[cfg(test)]
    reads: Cell<usize>,
}

impl<'t> Text<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            bytes: text.as_bytes(),
            #[cfg(test)]
            reads: Cell::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the bytes for a search, which reports with [`Text::count`] how many it has read.
    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.bytes
    }

    /// Returns a byte, or 0 behind the end.
    pub(crate) fn at(&self, place: usize) -> u8 {
        self.count(1);
        self.bytes.get(place).copied().unwrap_or(0)
    }

    /// Returns the byte before a place, or 0 at the beginning.
    pub(crate) fn before(&self, place: usize) -> u8 {
        place.checked_sub(1).map_or(0, |place| self.at(place))
    }

    /// Returns whether these bytes are at a place, ignoring case.
    pub(crate) fn has(&self, place: usize, bytes: &str) -> bool {
        self.count(bytes.len());
        self.bytes
            .get(place..place + bytes.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(bytes.as_bytes()))
    }

    /// Returns the first place from `start` on whose byte is not accepted.
    pub(crate) fn skip(&self, start: usize, accepts: impl Fn(u8) -> bool) -> usize {
        let mut place = start;
        while place < self.len() && accepts(self.at(place)) {
            place += 1;
        }
        place
    }

    /// Returns the first place of `bytes` from `start` on, before `end`.
    pub(crate) fn find(&self, start: usize, end: usize, bytes: &str) -> Option<usize> {
        let found = self.bytes[start..end]
            .windows(bytes.len())
            .position(|window| window == bytes.as_bytes());
        self.count(found.unwrap_or(end - start) + bytes.len());
        found.map(|place| start + place)
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, unused_variables))]
    pub(crate) fn count(&self, reads: usize) {
        #[cfg(test)]
        self.reads.set(self.reads.get() + reads);
    }

    #[cfg(test)]
    pub(crate) fn reads(&self) -> usize {
        self.reads.get()
    }
}

/// Returns whether a byte is ASCII white space.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(crate) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

/// Returns whether a byte can be part of the name of a key.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}
