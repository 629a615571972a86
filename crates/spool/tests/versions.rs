//! Spools of earlier versions of Herald: `versions/` has a spool of each schema version, written by
//! Herald of that time.

mod common;

use std::fs;
use std::time::{Duration, SystemTime};

use common::{Place, append, read_all, record};
use herald_spool::{Headers, Sequence};

#[test]
fn each_schema_version_opens_with_all_its_rows() {
    let versions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/versions");
    let mut tried = 0;
    for version in fs::read_dir(versions).unwrap() {
        let place = Place::new();
        for file in fs::read_dir(version.unwrap().path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), place.folder.path().join(file.file_name())).unwrap();
        }
        let spool = place.open();

        let micros = Duration::from_micros(1_795_444_000_123_456);
        let mut retried = record(3)
            .with_header("empty", "")
            .with_header("bytes", [0, 255]);
        retried.created = SystemTime::UNIX_EPOCH + micros;
        retried.attempts = 3;
        retried.not_before = Some(SystemTime::UNIX_EPOCH + micros * 2);
        let rows: Vec<_> = read_all(&spool).into_iter().map(|row| row.record).collect();
        assert_eq!(rows[2..], [retried]);
        for (row, number) in rows.iter().zip(1..3) {
            let expected = record(number);
            assert_eq!(
                (&row.topic, &row.key, &row.payload, &row.headers),
                (
                    &expected.topic,
                    &expected.key,
                    &expected.payload,
                    &expected.headers
                )
            );
        }
        assert_ne!(rows[0].headers, Headers::default());

        let dead = spool.dead_letters(10, u64::MAX, Sequence::START).unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].reason, "too_large");
        assert!(spool.verify().unwrap().is_sound());
        let last = append(&spool, 6);
        assert_eq!(read_all(&spool).last().unwrap().sequence, last);
        spool.close().unwrap();
        tried += 1;
    }
    assert_eq!(tried, 3, "one spool for each schema version");
}
