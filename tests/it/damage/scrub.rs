//! The background reading of the log.

use std::fs;

use creditbank_server::directory;
use creditbank_server::ledger::{Ledger, Limits};
use creditbank_server::operate::scrub::Scrubber;

use super::prepared::Prepared;
use super::{fields, shared};

const DAY_MS: u64 = 86_400_000;

fn open(prepared: &Prepared, dir: &std::path::Path) -> Ledger {
    let environment = &prepared.environment;
    let config = directory::read_config(environment, dir).expect("a configuration");
    directory::open_stepped::<(), ()>(environment, dir, &config, Limits::default()).expect("the node opens").0
}

/// Flips a bit of a file.
fn flip(path: &std::path::Path, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("written");
}

/// Goal: behind a damaged frame the reading goes on, so that a second one in the same segment is found too, and no pass
/// that left something out says that it has read everything.
#[test]
fn the_background_reading_goes_on_behind_damage() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    fs::remove_file(dir.path().join("log/scrub")).expect("removed");
    let frames_of = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).expect("read");
        let found = fields::of(&path.display().to_string(), &bytes).into_iter();
        found.filter(|(name, _)| name == "frame magic").map(|(_, at)| at.start).collect::<Vec<_>>()
    };
    let mut segments: Vec<_> =
        fs::read_dir(dir.path().join("log/journal")).expect("segments").map(|one| one.expect("one").path()).collect();
    segments.sort();
    segments.pop();
    let segment = segments.into_iter().max_by_key(|path| frames_of(path).len()).expect("a segment");
    let first: usize = segment.file_stem().expect("a name").to_string_lossy().parse().expect("its first round");
    let frames = frames_of(&segment);
    assert!(frames.len() > 4, "{} frames", frames.len());
    // The payload of one; the magic of another, whose head says nothing any more.
    flip(&segment, frames[2] - 5);
    flip(&segment, frames[3] + 1);
    let ledger = open(prepared, dir.path());
    let mut scrubber = ledger.scrubber().expect("a log on a disk");
    pass(&mut scrubber, &ledger, prepared.environment.clock.now_ms());
    let problems = ledger.health().problems();
    let unread = [frames[2] - frames[1], frames[4] - frames[3]];
    for (number, len) in [(first + 1, unread[0]), (first + 3, unread[1])] {
        let expected = format!("; {len} bytes of round {number} were not read");
        assert!(problems.iter().any(|problem| problem.contains(&expected)), "{expected}: {problems:?}");
    }
    let text = ledger.metrics().text();
    assert!(text.contains(&format!("creditbank_scrub_unread_bytes {}", unread[0] + unread[1])), "{text}");
}

/// Goes on until a pass ends; how many steps that took.
fn pass(scrubber: &mut Scrubber, ledger: &Ledger, mut now_ms: u64) -> u64 {
    let finished = |ledger: &Ledger| {
        let text = ledger.metrics().text();
        let line = text.lines().find(|line| line.starts_with("creditbank_scrub_finished_timestamp_seconds "));
        line.expect("a measure").to_owned()
    };
    let (before, mut steps) = (finished(ledger), 0);
    for _ in 0..10_000 {
        now_ms += DAY_MS / 100;
        steps += u64::from(scrubber.step(now_ms).expect("read"));
        if finished(ledger) != before {
            return steps;
        }
    }
    panic!("no pass ended in {steps} steps");
}

/// Goal: damage that nobody asks for is found by the background reading, told once with its file, and counted; a pass
/// over a good log finds nothing, and does no more than is due.
#[test]
fn the_background_reading_finds_damage() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    fs::remove_file(dir.path().join("log/scrub")).expect("removed");
    let ledger = open(prepared, dir.path());
    let mut scrubber = ledger.scrubber().expect("a log on a disk");
    let now_ms = prepared.environment.clock.now_ms();
    assert!(scrubber.step(now_ms).expect("read"), "the first step is due at once");
    assert!(!scrubber.step(now_ms).expect("read"), "the second one is not");
    pass(&mut scrubber, &ledger, now_ms);
    assert_eq!(ledger.health().problems(), Vec::<String>::new());
    drop((scrubber, ledger));

    // A late body; a node of the tree, and the place of an entry, of rounds before it.
    let segments: Vec<_> = fs::read_dir(dir.path().join("log/journal")).expect("segments").collect();
    let mut segments: Vec<_> = segments.into_iter().map(|entry| entry.expect("a segment").path()).collect();
    segments.sort();
    let body = |path: &std::path::PathBuf| {
        let (path, bytes) = (path.display().to_string(), fs::read(path).expect("read"));
        let found = fields::of(&path, &bytes);
        let at = found.iter().rev().find(|(name, _)| name == "body ciphertext")?.1.start;
        Some((path, bytes, at))
    };
    let (segment, mut bytes, at) = segments[..segments.len() - 1].iter().rev().find_map(body).expect("a body");
    bytes[at + 20] ^= 1;
    fs::write(&segment, bytes).expect("written");
    let entry = prepared.subjects.records[0].place.expect("a place").entry;
    let row = 32 * usize::try_from(entry).expect("a short log");
    for (file, at) in [("log/flat/level-01", 3), ("log/flat/entries", row + 9)] {
        let path = dir.path().join(file);
        let mut bytes = fs::read(&path).expect("read");
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("written");
    }
    let ledger = open(prepared, dir.path());
    let mut scrubber = ledger.scrubber().expect("a log on a disk");
    pass(&mut scrubber, &ledger, now_ms + 8 * DAY_MS);
    let problems = ledger.health().problems();
    for place in [segment.as_str(), "level-01: node 0", &format!("entries: the place of entry {entry}")] {
        assert!(problems.iter().any(|problem| problem.contains(place)), "{place}: {problems:?}");
    }
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(ledger.metrics().text().contains("creditbank_scrub_findings_total 3"), "{}", ledger.metrics().text());

    // A restart does not hide what the reading has found: it reads the first place again, and the rest with the next
    // pass.
    drop((scrubber, ledger));
    let ledger = open(prepared, dir.path());
    assert_eq!(ledger.health().problems(), Vec::<String>::new());
    let mut scrubber = ledger.scrubber().expect("a log on a disk");
    assert!(scrubber.step(now_ms + 8 * DAY_MS).expect("read"));
    assert!(!ledger.health().problems().is_empty(), "known before the next pass");
}
