//! UUIDs on the wire.

use uuid::{Builder, Uuid};

/// How long a UUID is as text.
pub(crate) const LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;

/// What [`read`] takes, as a regular expression of JSON Schema.
pub(crate) const PATTERN: &str =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";

/// A new UUID of version 4.
///
/// The random bits of each come from the operating system, which is a third of what building an
/// envelope costs. A generator within the process would be faster, but a forked child would
/// repeat its parent's identities, and consumers would drop the child's events as duplicates.
/// `Uuid::new_v4` is such a generator as soon as any crate turns on a feature of `uuid`.
pub(crate) fn random() -> Uuid {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random bits");
    Builder::from_random_bytes(bytes).into_uuid()
}

/// Reads a UUID of any version with hyphens, in either case.
pub(crate) fn read(text: &str) -> Option<Uuid> {
    // The other notations that the parser knows (plain, braces, URN) have other lengths.
    (text.len() == LENGTH)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

/// The UUID as 36 ASCII characters, lowercase with hyphens.
pub(crate) fn text(id: Uuid) -> [u8; LENGTH] {
    let mut text = [0; LENGTH];
    id.hyphenated().encode_lower(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0191c2a0-5b7e-7cc1-8d2f-6b6f0a1b2c3d";

    #[test]
    fn only_hyphenated_uuids_are_read() {
        let id = read(ID).expect("it is a UUID");
        assert_eq!(text(id), ID.as_bytes());
        assert_eq!(read(&ID.to_uppercase()), Some(id));
        assert_eq!(read(&ID.replace('-', "")), None);
        assert_eq!(read(&format!("{{{ID}}}")), None);
        assert_eq!(read(&ID.replace('a', "g")), None);
        assert_eq!(read(&format!("urn:uuid:{ID}")), None);
    }
}
