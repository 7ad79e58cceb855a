//! What a question may take up in memory. A program of its own, so that nothing else is counted.

#[path = "allocation/scene.rs"]
#[allow(dead_code)] // Other tests use the rest.
mod scene;

use creditbank_allocation::{Answer, Undecided, allocate};
use creditbank_protocol::pb::{Match, QualificationDefinition, Requirement};
use creditbank_rules::qualification::{Candidate, Case};
use scene::*;

/// Most megabytes that a question may take up beside what it asks about.
const MAX_MB: u64 = 64;

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux system");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Asks, and gives up after so many questions whether to.
fn ask(definition: &QualificationDefinition, candidates: &[Candidate], polls_max: u64) -> (Answer, u64) {
    let registry = registry();
    let case = Case::new(&registry, definition, candidates, &[], &[], &[], day()).expect("a tree");
    let mut polls = 0;
    let answer = allocate(&case, &mut || {
        polls += 1;
        polls > polls_max
    });
    (answer, polls)
}

fn takers(count: usize) -> Vec<Requirement> {
    let mut nodes = vec![all()];
    // Each has another amount and takes anything: no two of them are alike.
    nodes.extend((0..count).map(|at| credits(1, 60 + u64::try_from(at).expect("small"), Match::default())));
    nodes
}

/// Candidates of which no two are alike.
fn candidates(count: u32) -> Vec<Candidate> {
    (0..count).map(|at| credit(at, 1 + u64::from(at), "0541")).collect()
}

/// Goal: whatever is asked, memory stays bounded: a question is refused by its size before it is built. Method: 999
/// requirements that each take 4,096 candidates, which took 5 GB; the largest question that is still put to the solver,
/// asked for as long as two seconds of search are; and one that stops at once.
#[test]
#[cfg(target_os = "linux")]
fn memory_is_bounded() {
    let many = candidates(4_096);
    let before = peak_kib();
    let (answer, polls) = ask(&definition(takers(999)), &many, u64::MAX);
    assert!(matches!(answer, Answer::Undecided(Undecided::TooLarge)), "{answer:?}");
    assert!(polls < 5_000, "{polls} questions: it was refused before it was built");
    // Pairs of requirements were all united before the bound: now as many as help.
    let few: Vec<Candidate> = many.iter().take(28).cloned().collect();
    let (_, _) = ask(&definition(takers(999)), &few, 2_000);
    let (_, polls) = ask(&definition(takers(27)), &many[..1_000], 20_000);
    assert!(polls >= 20, "it was put to the solver");
    let took_mb = (peak_kib() - before) / 1_024;
    assert!(took_mb < MAX_MB, "{took_mb} MB");
    let (answer, polls) = ask(&definition(takers(27)), &many[..1_000], 0);
    assert!(matches!(answer, Answer::Undecided(Undecided::Time)) && polls <= 2, "{polls} questions");
}
