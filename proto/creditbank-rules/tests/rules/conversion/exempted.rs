//! Exemptions for awards of this ledger: whatever is given for an award has its roots, and none of them grows by it.

use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::Rule;
use creditbank_rules::conversion::{Account, Source, award_roots, convert, exempted, roots};
use proptest::prelude::*;

use super::land::*;
use super::properties::{UNITS, any_terms, roots_hold};

/// An exemption of an institution at entry `entry`.
fn exemption(entry: u64, index: u32, amount: pb::Amount, roots: Vec<pb::Root>) -> Source {
    let result = pb::ConvertedCredit { amount: Some(amount), roots, ..Default::default() };
    Source::of_result(reference(entry), Kind::QualificationRecognition, index, THERE.into(), &result)
}

/// Goal: the way of 40 credits over a certificate, an exemption of 60 in another unit and back gives 40; a certificate of 30
/// exempts from 30 of its own unit and not from 360.
#[test]
fn a_certificate_is_worth_what_it_counts() {
    let roots = award_roots(&[credit(1, HERE, 40_0000, "CATS")]).expect("one root");
    let abroad = exempted(&roots, &amount(60_0000, "US-SEMESTER"), 1).expect("a new unit");
    let mut land = Land::new();
    let terms = between("BACK", THERE, HERE, ("US-SEMESTER", "CATS"), (4, 1));
    land.agree(&terms);
    let back = land.convert(&terms, &[exemption(2, 0, amount(60_0000, "US-SEMESTER"), abroad)]).expect("converted");
    assert_eq!(amounts(&back), [40_0000], "not 240");

    let roots = award_roots(&[credit(1, HERE, 30_0000, "CATS")]).expect("one root");
    assert_eq!(rule(exempted(&roots, &amount(360_0000, "CATS"), 1)), Rule::ConversionDiffers);
    exempted(&roots, &amount(30_0000, "CATS"), 1).expect("as much as it counts");
    // Two exemptions share it.
    assert_eq!(rule(exempted(&roots, &amount(15_0001, "CATS"), 2)), Rule::ConversionDiffers);
    let half = exempted(&roots, &amount(15_0000, "CATS"), 2).expect("a half");
    assert_eq!(half[0].fraction, Some(pb::Ratio { numerator: 1, denominator: 2 }));
}

/// Goal: what an award counts in several ways is one root; an award without credit, or of too many roots, gives nothing.
#[test]
fn roots_of_an_award() {
    let half = |entry: u64, had: u64| {
        let mut source = exemption(entry, 0, amount(20_0000, "CATS"), Vec::new());
        let fraction = Some(pb::Ratio { numerator: 1, denominator: 2 });
        let had = vec![amount(had, "CATS")];
        source.roots =
            vec![pb::Root { place: reference(1).place, fraction, part_e4: 20_0000, had, ..Default::default() }];
        source
    };
    let found = award_roots(&[half(5, 40_0000), half(6, 50_0000)]).expect("one root");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fraction, Some(pb::Ratio { numerator: 1, denominator: 1 }));
    assert_eq!((found[0].part_e4, &found[0].had[..]), (40_0000, &[amount(40_0000, "CATS")][..]), "the smaller one");
    assert_eq!(rule(award_roots(&[])), Rule::SourceNotUsable);
    let many: Vec<Source> = (1..=257).map(|entry| credit(entry, HERE, 1_0000, "CATS")).collect();
    assert_eq!(rule(award_roots(&many)), Rule::SourceNotUsable);
    assert_eq!(award_roots(&many[..256]).expect("as many as a result may have").len(), 256);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Goal: whatever loop of conversions, awards and exemptions: no root stands for more of a unit than it had there, and all
    /// that there is at the end is no more of the first unit than there was.
    #[test]
    fn no_loop_over_awards_lets_a_root_grow(
        given in prop::collection::vec(1..=300_000u64, 1..4),
        steps in prop::collection::vec((any::<bool>(), 0..UNITS.len(), (1..=40u64, 1..=40u64), any_terms(), 1..4usize), 1..7),
    ) {
        let mut land = Land::new();
        let mut unit = "CATS";
        let mut wallet: Vec<Source> = (1..).zip(&given).map(|(at, e4)| credit(at, HERE, *e4, unit)).collect();
        for (number, (awarded, to, (more, less), figures, count)) in (0u32..).zip(steps) {
            let (to, entry) = (UNITS[to], 100 + u64::from(number));
            if wallet.is_empty() {
                return Ok(());
            }
            if awarded {
                let counted = award_roots(&wallet).expect("few roots");
                // As much as is asked, or as the bounds let through.
                let sum: u64 = wallet.iter().filter_map(|one| one.amount.as_ref()).map(|amount| amount.e4).sum();
                let asked = (sum.saturating_mul(more) / less).min(1_000_000_000);
                let mut next = Vec::new();
                for index in 0..count {
                    let mut asked = (0..=asked).rev().step_by(usize::try_from(asked.max(1_000) / 1_000).expect("small"));
                    let given = asked.find_map(|e4| Some((e4, exempted(&counted, &amount(e4, to), count).ok()?)));
                    let Some((e4, roots)) = given.filter(|(e4, _)| *e4 > 0) else { return Ok(()) };
                    next.push(exemption(entry, u32::try_from(index).expect("few"), amount(e4, to), roots));
                }
                wallet = next;
            } else {
                let ratio = if to == unit { (1, 1) } else { (more, less) };
                let parties = if number % 2 == 0 { (HERE, THERE) } else { (THERE, HERE) };
                let base = between(&format!("WAY-{number}"), parties.0, parties.1, (unit, to), ratio);
                let terms = pb::AgreementTerms {
                    from: Some(date(2000 + number, 1, 1)),
                    until: Some(date(2000 + number, 12, 31)),
                    step_e4: figures.step_e4,
                    rounding: figures.rounding,
                    ..base
                };
                land.agree(&terms);
                land.today = day(2000 + number, 6, 1);
                let mut next = Vec::new();
                // What is of one award has its roots in common, and is converted by itself.
                let mut records = Vec::new();
                for (index, source) in (0u64..).zip(&wallet) {
                    let account = Account::of(&records).expect("an account");
                    if let Ok(converted) = convert(&land.request(&terms, std::slice::from_ref(source), &account)) {
                        next.extend(results(entry * 10 + index, terms.receiver, &converted));
                        records.push(land.conversion(&terms, &converted));
                    }
                }
                wallet = next;
            }
            unit = to;
            let mut home = 0;
            for source in &wallet {
                let result = pb::ConvertedCredit {
                    amount: source.amount.clone(),
                    roots: source.roots.clone(),
                    ..Default::default()
                };
                roots_hold(&result);
                for root in &source.roots {
                    let at = usize::try_from(roots::key(root).entry.0 - 1).expect("small");
                    let had = root.had.iter().find(|had| had.unit == "CATS").expect("where it was earned");
                    prop_assert_eq!(had.e4, given[at], "what was earned stays");
                    home += if unit == "CATS" { root.part_e4 } else { 0 };
                }
            }
            prop_assert!(home <= given.iter().sum(), "{} of {:?}", home, given);
        }
    }
}
