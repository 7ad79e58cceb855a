//! Generated conversions: credit that goes back and forth between two institutions and three units under random agreements, in
//! parts, lumps and loops. The seed is fixed.

use creditbank_protocol::pb::{self, Kind};

use super::chance::Chance;
use super::conversions::{Case, Used, credit, terms};
use super::file::{Entry, admit, agreed, bytes, reference};

const SCENES: u64 = 30;
const STEPS: u64 = 8;
const UNITS: [&str; 3] = ["CATS", "ECTS", "US-SEMESTER"];

/// One agreement from each unit, in each direction.
fn agreements(chance: &mut Chance) -> Vec<pb::AgreementTerms> {
    let mut found = Vec::new();
    for (sender, receiver) in [(1, 2), (2, 1)] {
        for (at, unit) in UNITS.iter().enumerate() {
            let further = 1 + usize::try_from(chance.below(2)).expect("small");
            let step_e4 = chance.of(&[1, 10, 2_500, 5_000, 10_000]);
            found.push(pb::AgreementTerms {
                code: format!("{sender}-{unit}"),
                sender,
                receiver,
                source_unit: (*unit).to_owned(),
                target_unit: UNITS[(at + further) % 3].to_owned(),
                ratio: Some(pb::Ratio { numerator: 1 + chance.below(12), denominator: 1 + chance.below(12) }),
                step_e4,
                rounding: i32::try_from(1 + chance.below(3)).expect("small"),
                apportionment: i32::try_from(1 + chance.below(2)).expect("small"),
                learner_max_e4: chance.below(3) * chance.below(40) * step_e4 * 7,
                ..terms()
            });
        }
    }
    found
}

/// What the learner has: records, and what was converted under which code by whom.
struct Learner {
    used: Vec<Used>,
    done: Vec<(String, u64, pb::Conversion)>,
}

fn scene(base: &[Entry], number: u64) -> Vec<Case> {
    let mut chance = Chance::new(number);
    let all = agreements(&mut chance);
    let entries: Vec<Entry> = all.iter().flat_map(agreed).collect();
    let registry = admit(&[base, &entries].concat());
    let mut learner = Learner { used: Vec::new(), done: Vec::new() };
    for entry in 1..=6 {
        let unit = chance.of(&UNITS);
        let amount =
            Some(pb::Amount { e4: chance.below(30) * chance.of(&[1, 333, 2_500, 10_000]), unit: unit.to_owned() });
        let own = pb::Credit { amount, ..credit(&format!("C{entry}"), 0) };
        learner.used.push(Used::credit(entry, 1 + chance.below(2), &own));
    }
    let mut found = Vec::new();
    for step in 0..STEPS {
        let terms = &all[usize::try_from(chance.below(all.len() as u64)).expect("small")];
        let chosen = choose(&mut chance, &learner, terms);
        if chosen.is_empty() {
            continue;
        }
        let about = format!("generated: scene {number}, step {step}");
        let mut case = Case { registry: entries.clone(), ..Case::agreed(about, terms, chosen) };
        let own =
            |(code, receiver, _): &&(String, u64, pb::Conversion)| *code == terms.code && *receiver == terms.receiver;
        case.earlier = learner.done.iter().filter(own).map(|(.., conversion)| conversion.clone()).collect();
        if let Ok(conversion) = case.compute(&registry) {
            let entry = 100 + step;
            for result_plus_1 in (1u32..).take(conversion.results.len()) {
                let (reference, kind, body) = (reference(entry), Kind::Conversion, bytes(&conversion));
                learner.used.push(Used { reference, institution: terms.receiver, kind, body, result_plus_1 });
            }
            learner.done.push((terms.code.clone(), terms.receiver, conversion));
        }
        found.push(case);
    }
    found
}

/// Up to four sources in the agreement's unit of its sender, with roots of their own, not converted under it before.
fn choose(chance: &mut Chance, learner: &Learner, terms: &pb::AgreementTerms) -> Vec<Used> {
    let before: Vec<(u64, u32)> = learner
        .done
        .iter()
        .filter(|(code, receiver, _)| *code == terms.code && *receiver == terms.receiver)
        .flat_map(|(.., conversion)| &conversion.sources)
        .map(|source| {
            (
                source.record.as_ref().and_then(|record| record.place).map_or(0, |place| place.entry),
                source.result_plus_1,
            )
        })
        .collect();
    let mut roots: Vec<u64> = Vec::new();
    let mut chosen: Vec<Used> = Vec::new();
    for used in &learner.used {
        let source = used.source();
        let key = (used.reference.place.map_or(0, |place| place.entry), used.result_plus_1);
        let unit = source.amount.as_ref().map_or("", |amount| amount.unit.as_str());
        let own: Vec<u64> = source.roots.iter().filter_map(|root| root.place.map(|place| place.entry)).collect();
        let fits = used.institution == terms.sender
            && unit == terms.source_unit
            && !before.contains(&key)
            && !own.iter().any(|root| roots.contains(root));
        if fits && chosen.len() < 4 && chance.below(4) > 0 {
            roots.extend(own);
            chosen.push(used.clone());
        }
    }
    chosen.sort_by_key(|used| (used.reference.place.map_or(0, |place| place.entry), used.result_plus_1));
    chosen
}

pub(crate) fn cases(base: &[Entry]) -> Vec<Case> {
    (1..=SCENES).flat_map(|number| scene(base, number)).collect()
}
