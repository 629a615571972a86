//! Export and import.

mod common;

use common::{Place, append_many, numbers, read_all, record};
use herald_spool::{DeadLetterRequest, Imported, Inspector, SpoolError, SpoolOptions};

#[test]
fn an_export_is_a_spool_and_its_rows_come_back() {
    let place = Place::new();
    let spool = place.open();
    let sequences = append_many(&spool, 0..1200);
    let dead = DeadLetterRequest {
        sequence: sequences[7],
        reason: "too_large".to_owned(),
        error: "it is".to_owned(),
    };
    spool.dead_letter(vec![dead]).unwrap().wait().unwrap();
    let file = place.folder.path().join("copies").join("copy.db");
    let inspector = Inspector::open(place.database()).unwrap();
    inspector.export(&file).unwrap();
    append_many(&spool, 5000..5010);
    let again = inspector.export(&file).unwrap_err();
    assert!(again.to_string().contains("exists already"), "{again}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let copy = Inspector::open(&file).unwrap();
    assert!(copy.verify().unwrap().is_sound());
    assert_eq!(copy.status().unwrap().records, 1199);

    // Into the spool that has them all, into one that has some, and into an empty one.
    let known = Imported {
        known: 1200,
        ..Imported::default()
    };
    assert_eq!(spool.import(&copy), Ok(known));
    spool
        .acknowledge(sequences[..100].to_vec())
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(spool.import(&copy).unwrap().records, 99, "one is dead");
    let other = Place::new();
    let target = other.open();
    let imported = target.import(&copy).unwrap();
    assert_eq!((imported.records, imported.dead), (1199, 1));
    let all: Vec<_> = (0..1200).filter(|number| *number != 7).collect();
    assert_eq!(numbers(&target), all);
    assert_eq!(target.import(&copy), Ok(known), "repeated");
    let original = read_all(&spool)[0].record.clone();
    assert!(
        read_all(&target)
            .iter()
            .any(|stored| stored.record == original)
    );
    let letters = target.dead_letters(10, 1 << 20, herald_spool::Sequence::START);
    assert_eq!(letters.unwrap()[0].reason, "too_large");
}

#[test]
fn removed_records_are_not_imported() {
    let place = Place::new();
    let (spool, _) = herald_spool::Spool::open(SpoolOptions::new(place.database())).unwrap();
    let sequences = append_many(&spool, 0..10);
    spool
        .acknowledge(sequences[..4].iter().copied())
        .unwrap()
        .wait()
        .unwrap();
    let file = place.folder.path().join("copy.db");
    let inspector = Inspector::open(place.database()).unwrap();
    inspector.export(&file).unwrap();
    let copy = Inspector::open(&file).unwrap();
    assert_eq!(copy.status().unwrap().records, 6);
    assert_eq!(copy.find(sequences[3]), Ok(None));
    assert!(copy.verify().unwrap().is_sound());
    let target = Place::new();
    let target = target.open();
    let imported = target.import(&copy).unwrap();
    assert_eq!((imported.records, imported.known), (6, 0));
    assert_eq!(numbers(&target), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn equal_records_are_as_many_events() {
    let place = Place::new();
    let spool = place.open();
    let twice = record(1);
    spool
        .append_all(vec![twice.clone(), twice.clone(), record(2)])
        .unwrap()
        .wait()
        .unwrap();
    let file = place.folder.path().join("copy.db");
    Inspector::open(place.database())
        .unwrap()
        .export(&file)
        .unwrap();
    let other = Place::new();
    let target = other.open();
    target.append(twice).unwrap().wait().unwrap();
    let imported = target.import(&Inspector::open(&file).unwrap()).unwrap();
    assert_eq!((imported.records, imported.known), (2, 1));
    assert_eq!(numbers(&target), [1, 1, 2]);
}

#[cfg(unix)]
#[test]
fn a_database_that_takes_the_place_of_the_open_one_is_set_aside() {
    for is_written in [true, false] {
        let place = Place::new();
        let spool = place.open();
        append_many(&spool, 0..10);
        let file = place.folder.path().join("copy.db");
        Inspector::open(place.database())
            .unwrap()
            .export(&file)
            .unwrap();
        append_many(&spool, 10..20);
        std::fs::rename(&file, place.database()).unwrap();
        if is_written {
            let refused = spool.append(record(20)).unwrap().wait().unwrap_err();
            assert!(matches!(refused, SpoolError::FileChanged { .. }));
        } else {
            // Noticed without a write too.
            while spool.failure().is_none() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        let orphan = spool.into_orphaned_reader().unwrap();
        let rows = orphan.batch(100, 1 << 20, herald_spool::Sequence::START);
        assert_eq!(rows.unwrap().records.len(), 20);
        let aside = std::fs::read_dir(place.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().contains(".replaced-"))
            .unwrap();
        let replaced = Inspector::open(aside.join("spool.db")).unwrap();
        assert_eq!(replaced.status().unwrap().records, 10);
        assert!(!place.database().exists());
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_copied_over_the_open_one_is_noticed() {
    let place = Place::new();
    let options = place.options().checkpoint_bytes(0);
    let (spool, _) = herald_spool::Spool::open(options).unwrap();
    append_many(&spool, 0..10);
    let file = place.folder.path().join("copy.db");
    Inspector::open(place.database())
        .unwrap()
        .export(&file)
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    // In place, and not shorter.
    let mut bytes = std::fs::read(&file).unwrap();
    let length = place.database().metadata().unwrap().len();
    bytes.resize(usize::try_from(length).unwrap(), 0);
    std::fs::write(place.database(), bytes).unwrap();
    let refused = spool.append(record(20)).unwrap().wait().unwrap_err();
    assert!(refused.to_string().contains("was written to"), "{refused}");
}
