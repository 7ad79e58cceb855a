//! Damage on the disk: whatever is changed in a node's directory, nothing wrong is served.
//!
//! One directory with a log of several segments is made once. Each case copies it, damages one file, opens the node and asks
//! everything. Each answer must be the one from before the damage, or say that something is damaged; or the start refuses.
//! What was damaged is then asked once more after a restart, as an operator or a supervisor would do.
//!
//! `CREDITBANK_DAMAGE_CASES=1000` runs so many random cases for each engine, and all targeted ones.

mod answers;
mod cases;
mod fields;
mod keys;
mod prepared;
mod read_only;
mod scrub;
mod unknown;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use creditbank_store::Random;

use answers::{Answers, Asked};
use cases::Case;
use prepared::Prepared;

/// Random cases of each engine, unless the environment says otherwise.
const RANDOM: u64 = 60;
/// Targeted cases of each engine, unless the environment asks for all.
const TARGETED: usize = 50;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The start refused.
    Refused,
    /// All answers were right.
    Right,
    /// Some said that something is damaged, the others were right.
    Reported,
}

/// Opens a damaged directory and asks everything. `Err` says what was served wrong. What is derived from the journal must be
/// whole again after three starts.
fn judge(prepared: &Prepared, dir: &Path, is_index: bool) -> Result<Outcome, String> {
    let mut worst = Outcome::Right;
    let starts = if is_index { 3 } else { 2 };
    for start in 1..=starts {
        let asked = match prepared.ask(dir) {
            Ok(asked) => asked,
            Err(why) if is_index && start == starts => return Err(format!("start {start} refused: {why}")),
            Err(_) if is_index => {
                worst = Outcome::Refused;
                continue;
            }
            Err(_) if start == 1 => return Ok(Outcome::Refused),
            Err(why) => return Err(format!("the second start refused, the first did not: {why}")),
        };
        match compare(&prepared.answers, &asked)? {
            0 => return Ok(worst),
            _ => worst = worst.max(Outcome::Reported),
        }
    }
    if is_index { Err("the index is not rebuilt after three starts".to_owned()) } else { Ok(worst) }
}

/// How many answers say that something is damaged; the others must be the same as before.
fn compare(expected: &Answers, asked: &Asked) -> Result<usize, String> {
    if asked.answers.len() != expected.len() {
        return Err(format!("{} answers instead of {}", asked.answers.len(), expected.len()));
    }
    let mut damaged = 0;
    for ((question, before), (_, now)) in expected.iter().zip(&asked.answers) {
        if now == before {
            continue;
        }
        match now {
            Err(refused) if refused.says_damage(asked.stopped) => damaged += 1,
            other => return Err(format!("{question}: expected {before:?}, found {other:?}")),
        }
    }
    if damaged > 0 && asked.problems.is_empty() && !asked.stopped {
        return Err(format!("{damaged} answers say damage, and the node's health says nothing"));
    }
    Ok(damaged)
}

/// Runs cases, and prints what became of them by file and outcome.
fn run(prepared: &Prepared, cases: impl Iterator<Item = Case>) {
    let mut seen: BTreeMap<(String, Outcome), u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases {
        let dir = tempfile::tempdir().expect("a directory");
        prepared.copy_to(dir.path());
        if !case.apply(prepared, dir.path()) {
            continue;
        }
        match judge(prepared, dir.path(), case.is_index()) {
            Ok(outcome) => *seen.entry((case.kind(), outcome)).or_default() += 1,
            Err(what) => {
                println!("{case:?}: {what}");
                wrong.push(case);
            }
        }
    }
    for ((kind, outcome), count) in &seen {
        println!("{kind:<24} {outcome:?} {count}");
    }
    println!("{} cases, {} wrong", seen.values().sum::<u64>() + wrong.len() as u64, wrong.len());
    assert!(wrong.is_empty(), "{} cases served something wrong: {wrong:?}", wrong.len());
}

/// A flipped bit in many places of the files of an index. A page that a start does not read is found when it is read; whatever is
/// met, three starts are enough. `most` cases, unless the environment asks for all.
fn flip_index(prepared: &Prepared, seed: u64, most: usize) {
    let cases = Case::of_index(prepared, &mut Random::new(seed));
    let step = if asked_for().is_some() { 1 } else { cases.len().div_ceil(most) };
    run(prepared, cases.into_iter().step_by(step));
}

/// Goal: a flipped bit anywhere in sled's files never stops the node for good.
#[test]
fn a_flipped_bit_in_the_index_is_mended_sled() {
    flip_index(shared(), 3, 40);
}

/// Goal: the same under fjall.
#[test]
fn a_flipped_bit_in_the_index_is_mended_fjall() {
    flip_index(&Prepared::new("fjall:log"), 4, 12);
}

/// The directory of tests that damage little, made once.
fn shared() -> &'static Prepared {
    static PREPARED: OnceLock<Prepared> = OnceLock::new();
    PREPARED.get_or_init(|| Prepared::new("sled:log"))
}

fn asked_for() -> Option<u64> {
    std::env::var("CREDITBANK_DAMAGE_CASES").ok().and_then(|cases| cases.parse().ok())
}

fn campaign(prepared: &Prepared, seed: u64) {
    let mut random = Random::new(seed);
    let count = asked_for().unwrap_or(RANDOM);
    let some = (0..count).map(|_| Case::random(prepared, &mut random)).collect::<Vec<_>>();
    run(prepared, some.into_iter());
    let targeted = Case::targeted(prepared, &mut random);
    println!("{} targeted cases", targeted.len());
    assert!(targeted.len() >= 200, "{}", targeted.len());
    let step = if asked_for().is_some() { 1 } else { targeted.len().div_ceil(TARGETED) };
    run(prepared, targeted.into_iter().step_by(step));
}

/// Goal: no damage of any file leads to a wrong answer, under sled.
#[test]
fn nothing_damaged_is_served_sled() {
    campaign(shared(), 1);
}

/// Goal: the same under fjall.
#[test]
fn nothing_damaged_is_served_fjall() {
    campaign(&Prepared::new("fjall:log"), 2);
}
