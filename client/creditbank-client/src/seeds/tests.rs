use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn unit() -> UnitId {
    UnitId::new(1, 1)
}

fn input(reference: &[u8]) -> SeedInput<'_> {
    SeedInput { kind: Kind::Credit, reference, predecessor: None }
}

/// Goal: the same record has the same seed, in this run and in the next; whatever else differs makes another one.
#[test]
fn a_seed_is_the_same_for_the_same_record_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("unit.seeds");
    let seeds = Seeds::fresh(&path, unit()).expect("new");
    let seed = seeds.seed(2026, input(b"one")).expect("a seed");
    seeds.keep().expect("kept");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    let again = Seeds::open(&path, unit()).expect("there");
    assert_eq!(again.seed(2026, input(b"one")).expect("a seed"), seed);
    let others = [
        (2026, input(b"two")),
        (2025, input(b"one")),
        (2026, SeedInput { kind: Kind::Result, ..input(b"one") }),
        (2026, SeedInput { predecessor: Some(Place::new(0, 0)), ..input(b"one") }),
        (2026, SeedInput { predecessor: Some(Place::new(0, 1)), ..input(b"one") }),
    ];
    let mut all: Vec<_> = others.iter().map(|(year, input)| again.seed(*year, *input).expect("a seed")).collect();
    all.push(seed);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}

/// Goal: the derivation is the one of PROTOCOL.md; a second program with the same file makes the same records.
#[test]
fn the_derivation_is_written_down() {
    let input = SeedInput { kind: Kind::Credit, reference: b"R-1", predecessor: Some(Place::new(7, 2)) };
    let expected = "f1472f61c17d9123f7b8529621f9c38a8585ef83b6ebe802475110e6120b3b84";
    assert_eq!(hex::encode(input.under(&[9; 32])), expected);
}

/// Goal: a dry run, which keeps nothing, leaves no file; nothing is lost between runs that keep.
#[test]
fn what_is_not_kept_is_not_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("unit.seeds");
    Seeds::fresh(&path, unit()).expect("new").seed(2026, input(b"one")).expect("a seed");
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0);
    let first = Seeds::fresh(&path, unit()).expect("new");
    let seed = first.seed(2025, input(b"one")).expect("a seed");
    first.keep().expect("kept");
    let second = Seeds::open(&path, unit()).expect("there");
    second.seed(2026, input(b"one")).expect("a seed");
    second.keep().expect("kept");
    let third = Seeds::open(&path, unit()).expect("there");
    assert_eq!(third.states().iter().map(|state| state.year).collect::<Vec<_>>(), [2025, 2026]);
    assert_eq!(third.seeds_of_all_years(2026, input(b"one")).expect("seeds")[1], seed);
}

/// Goal: of two commands that make the secret of a year at the same time the second is told, and signs nothing.
#[test]
fn two_commands_do_not_make_two_secrets() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("unit.seeds");
    let (one, two) = (Seeds::fresh(&path, unit()).expect("new"), Seeds::fresh(&path, unit()).expect("new"));
    one.keep().expect("kept");
    assert!(two.keep().expect_err("another file by now").to_string().contains("run this command again"));
    let (one, two) = (Seeds::open(&path, unit()).expect("there"), Seeds::open(&path, unit()).expect("there"));
    one.seed(2026, input(b"one")).expect("a seed");
    two.seed(2026, input(b"one")).expect("a seed");
    one.keep().expect("kept");
    assert!(two.keep().is_err());
}

/// Goal: a destroyed secret is gone from the file, and what would need it is refused with the year; others stay.
#[test]
fn a_destroyed_year_makes_no_seeds() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("unit.seeds");
    let seeds = Seeds::fresh(&path, unit()).expect("new");
    for year in [2001, 2002, this_year()] {
        seeds.seed(year, input(b"one")).expect("a seed");
    }
    seeds.keep().expect("kept");
    let before = fs::read_to_string(&path).expect("there");
    assert_eq!(seeds.destroy(Some(2002)).expect("destroyed"), [2001]);
    assert_eq!(seeds.destroy(None).expect("destroyed"), [2002], "those that are due");
    let again = Seeds::open(&path, unit()).expect("there");
    for seeds in [&seeds, &again] {
        assert!(seeds.seed(2001, input(b"one")).expect_err("destroyed").to_string().contains("2001"));
        assert!(seeds.seed(this_year(), input(b"one")).is_ok());
    }
    let after = fs::read_to_string(&path).expect("there");
    let gone = before.lines().filter(|line| line.starts_with("200")).filter_map(|line| line.split('"').nth(1));
    assert_eq!(gone.filter(|secret| after.contains(secret)).count(), 0);
}

/// Goal: a file of another unit, one that others may read and a damaged one are refused, and no secret is in the
/// message.
#[test]
fn a_wrong_file_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("unit.seeds");
    let seeds = Seeds::fresh(&path, unit()).expect("new");
    seeds.seed(2026, input(b"one")).expect("a seed");
    seeds.keep().expect("kept");
    let why = |unit| Seeds::open(&path, unit).err().expect("refused").to_string();
    assert!(why(UnitId::new(1, 2)).contains("expected 1/2"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
    assert!(why(unit()).contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
    let text = fs::read_to_string(&path).expect("there");
    let lasting = text.lines().find_map(|line| line.strip_prefix("lasting = ")).expect("a line").trim_matches('"');
    for damaged in
        [text.replace("2026 =", "2026 "), text.replace(lasting, &lasting[..40]), text.replace("2026", "year")]
    {
        fs::write(&path, damaged).expect("written");
        assert!(!why(unit()).contains(&lasting[..16]));
    }
    assert!(matches!(Seeds::open(&dir.path().join("none"), unit()), Err(ClientError::File { .. })));
}
