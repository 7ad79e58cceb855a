//! A disk that gives errors where it is read.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

use creditbank_store::{EmbeddedStore, Options, Round, ScrubPosition, SimulatedDisk, SimulatedIndex, Store};

/// Goal: the background reading reports a segment that the disk cannot read, from its header on, and goes on behind it;
/// it does not try the same segment for ever.
#[test]
fn the_reading_goes_on_behind_an_unreadable_segment() {
    let simulated = SimulatedDisk::new(1, 1 << 24);
    let disk = simulated.shared();
    let options =
        Options { segment_len_max: 400, reserve_bytes: 0, disk: disk.clone(), stepped: true, ..Options::new([7; 32]) };
    let store = EmbeddedStore::open(Path::new("/m/log"), &options, |dir| SimulatedIndex::open(&disk, dir)).unwrap();
    let head = store.head();
    for _ in 0..20 {
        store.append(&Round { base: head, next: head, entries: vec![], nodes: vec![], rows: vec![] }).unwrap();
    }
    simulated.read_none(Some("/m/log/journal"));
    let mut position = ScrubPosition::default();
    let mut segments = 0;
    loop {
        let scrubbed = store.scrub(position, 1 << 20).expect("damage is no error of the reading");
        assert!(scrubbed.faults.iter().any(|fault| fault.contains("header")), "{:?}", scrubbed.faults);
        assert!(scrubbed.unread > 0 && scrubbed.unread == scrubbed.bytes);
        segments += 1;
        let Some(next) = scrubbed.next else { break };
        assert!(next.segment > position.segment);
        position = next;
    }
    assert!(segments > 1, "{segments}");
    simulated.read_none(None);
    assert_eq!(store.scrub(ScrubPosition::default(), 1 << 20).unwrap().faults, Vec::<String>::new());
}

/// Goal: a segment whose header is damaged is read on from where the last step has ended, and its damage is said once.
#[test]
fn the_reading_goes_on_within_a_segment_with_a_damaged_header() {
    let simulated = SimulatedDisk::new(2, 1 << 24);
    let disk = simulated.shared();
    let options = Options {
        segment_len_max: 100_000,
        reserve_bytes: 0,
        disk: disk.clone(),
        stepped: true,
        ..Options::new([7; 32])
    };
    let store = EmbeddedStore::open(Path::new("/m/log"), &options, |dir| SimulatedIndex::open(&disk, dir)).unwrap();
    let head = store.head();
    for _ in 0..50 {
        store.append(&Round { base: head, next: head, entries: vec![], nodes: vec![], rows: vec![] }).unwrap();
    }
    let journal = Path::new("/m/log/journal");
    let segment = simulated.files().into_iter().find(|path| path.starts_with(journal)).unwrap();
    simulated.damage(&segment, |bytes| bytes[50] ^= 1);
    let (mut position, mut steps, mut faults) = (ScrubPosition::default(), 0, Vec::new());
    loop {
        let scrubbed = store.scrub(position, 200).unwrap();
        faults.extend(scrubbed.faults);
        steps += 1;
        assert!(steps < 1_000, "it goes on for ever");
        let Some(next) = scrubbed.next else { break };
        assert!(next.offset > position.offset);
        position = next;
    }
    assert!(steps > 5 && faults.len() == 1, "{steps} steps: {faults:?}");
}
