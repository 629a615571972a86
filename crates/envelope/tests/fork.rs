//! No identity of an event comes twice, however often a process forks.

use std::collections::HashSet;
use std::io::{Read as _, Write as _, pipe};

use herald_envelope::{Origin, Uuid};
use rustix::process::{Pid, WaitOptions, waitpid};

const FORKS: usize = 3_000;
const IDS_OF_EACH: usize = 3;

fn ids(count: usize) -> Vec<Uuid> {
    let origin = Origin::new("shop", "1", "test");
    (0..count)
        .map(|_| origin.envelope("t", "n", ()).event_id)
        .collect()
}

/// Draws identities in a fork, and sends them to the parent.
fn ids_of_fork() -> Vec<Uuid> {
    let (mut reader, mut writer) = pipe().unwrap();
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let sent = ids(IDS_OF_EACH)
                .iter()
                .try_for_each(|id| writer.write_all(id.as_bytes()));
            std::process::exit(i32::from(sent.is_err()));
        }
        fork::Fork::Parent(child) => {
            drop(writer);
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            waitpid(Pid::from_raw(child), WaitOptions::empty()).unwrap();
            let (ids, rest) = bytes.as_chunks::<16>();
            assert_eq!((ids.len(), rest.len()), (IDS_OF_EACH, 0));
            ids.iter().map(|id| Uuid::from_bytes(*id)).collect()
        }
    }
}

#[test]
fn forks_never_repeat_an_event_id() {
    let mut seen: HashSet<Uuid> = ids(1).into_iter().collect();
    for _ in 0..FORKS {
        for id in ids_of_fork().into_iter().chain(ids(IDS_OF_EACH)) {
            assert!(seen.insert(id), "{id} came twice");
        }
    }
    assert_eq!(seen.len(), 1 + 2 * FORKS * IDS_OF_EACH);
}
