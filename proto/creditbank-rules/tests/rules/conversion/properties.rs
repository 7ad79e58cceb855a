//! What holds of every conversion, over generated agreements, sources, orders and ways.

use creditbank_protocol::pb::{self, Apportionment, Rounding};
use creditbank_rules::agreement::{LOOP_EDGES_MAX, loops};
use creditbank_rules::conversion::{Account, Converted, Source, apportion, convert, roots};
use creditbank_rules::{Rejection, Rule};
use num_bigint::BigUint;
use num_rational::Ratio;
use proptest::prelude::*;

use super::land::*;

/// Fractions without any bound: what the rules are compared with.
type Big = Ratio<BigUint>;

fn big(value: u64) -> Big {
    Big::from_integer(value.into())
}

fn of(ratio: &pb::Ratio) -> Big {
    Big::new(ratio.numerator.into(), ratio.denominator.into())
}

pub(super) const UNITS: [&str; 5] = ["CATS", "ECTS", "US-SEMESTER", "JP-TANI", "CN-XUEFEN"];

fn rounding() -> impl Strategy<Value = Rounding> {
    prop_oneof![Just(Rounding::Down), Just(Rounding::HalfEven), Just(Rounding::HalfUp)]
}

fn step() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1u64), Just(100), Just(1_000), Just(2_500), Just(5_000), Just(10_000), 1..30_000u64]
}

prop_compose! {
    /// An agreement from `HERE` to `THERE` with any figures.
    pub(super) fn any_terms()(
        ratio in (1..=1_000u64, 1..=1_000u64),
        step in step(),
        rounding in rounding(),
        lump in any::<bool>(),
        cap in prop_oneof![3 => Just(0u64), 1 => 1..60u64],
    ) -> pb::AgreementTerms {
        let apportionment = if lump { Apportionment::Lump } else { Apportionment::LargestRemainder };
        pb::AgreementTerms {
            step_e4: step,
            rounding: rounding.into(),
            apportionment: apportionment.into(),
            learner_max_e4: cap * step,
            ..between("ANY", HERE, THERE, ("CATS", "ECTS"), ratio)
        }
    }
}

fn amounts_of() -> impl Strategy<Value = Vec<u64>> {
    let amount = prop_oneof![1 => Just(0u64), 4 => (0..=240u64).prop_map(|half| half * 5_000), 4 => 0..=600_000u64];
    prop::collection::vec(amount, 1..9)
}

fn modules(amounts: &[u64]) -> Vec<Source> {
    (1..).zip(amounts).map(|(at, e4)| credit(at, HERE, *e4, "CATS")).collect()
}

/// Sources that have been in the target unit before: `had` of each, in turn.
fn returning(amounts: &[u64], had: &[Option<u64>]) -> Vec<Source> {
    let mut sources = modules(amounts);
    for (source, had) in sources.iter_mut().zip(had) {
        source.roots[0].had.extend(had.map(|e4| amount(e4, "ECTS")));
    }
    sources
}

fn total(converted: &Converted) -> u64 {
    amounts(converted).iter().sum()
}

/// An exact number of ten-thousandths, rounded by the book.
fn rounded(exact: &Big, step: u64, rounding: Rounding) -> Big {
    let steps = exact / big(step);
    let half = Big::new(1u8.into(), 2u8.into());
    let down = steps.floor();
    let rest = &steps - &down;
    let odd = (down.to_integer() % BigUint::from(2u8)) == BigUint::from(1u8);
    let up = match rounding {
        Rounding::HalfUp => rest >= half,
        Rounding::HalfEven => rest > half || rest == half && odd,
        Rounding::Down | Rounding::Unspecified => false,
    };
    (down + big(u64::from(up))) * big(step)
}

/// Converts the parts in turn, each with the account of those before; a cap that is used up gives nothing.
fn in_turn(land: &Land, terms: &pb::AgreementTerms, parts: &[Vec<Source>]) -> u64 {
    let mut records = Vec::new();
    let mut sum = 0;
    for part in parts {
        let account = Account::of(&records).expect("an account");
        match convert(&land.request(terms, part, &account)) {
            Ok(converted) => {
                sum += total(&converted);
                records.push(land.conversion(terms, &converted));
            }
            Err(rejection) => assert_eq!(rejection.rule, Rule::OutsideScope, "{rejection}"),
        }
    }
    sum
}

/// Cuts sources into parts, in the order of keys.
fn parts(sources: &[Source], keys: &[(u8, u8)]) -> Vec<Vec<Source>> {
    let mut parts: Vec<Vec<Source>> = vec![Vec::new(); 8];
    for (source, (_, part)) in sources.iter().zip(keys) {
        parts[usize::from(part % 8)].push(source.clone());
    }
    let mut parts: Vec<(u8, Vec<Source>)> = keys.iter().map(|(order, _)| *order).chain([0; 8]).zip(parts).collect();
    parts.sort_by_key(|(order, _)| *order);
    parts.into_iter().map(|(_, part)| part).filter(|part| !part.is_empty()).collect()
}

/// A root never stands for more of a unit than it had there, in exact numbers, and its parts are the amount.
pub(super) fn roots_hold(result: &pb::ConvertedCredit) {
    let amount = result.amount.as_ref().expect("an amount");
    let parts: u64 = result.roots.iter().map(|root| root.part_e4).sum();
    assert_eq!(parts, amount.e4, "the parts are the amount");
    for root in &result.roots {
        let had = root.had.iter().find(|had| had.unit == amount.unit).expect("the unit that it is in");
        let fraction = root.fraction.as_ref().map(of).expect("a fraction");
        assert!(fraction <= big(1) && fraction > big(0));
        assert!(big(root.part_e4) <= fraction * big(had.e4), "{root:?} in {amount:?}");
        let mut units: Vec<_> = root.had.iter().map(|had| &had.unit).collect();
        units.sort_unstable();
        units.dedup();
        assert_eq!(units.len(), root.had.len(), "one amount for each unit");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    /// Goal: the result is the exact sum times the exact ratio, rounded once; each module's share is within a step of its exact
    /// one.
    #[test]
    fn the_result_is_exact(terms in any_terms(), amounts in amounts_of()) {
        let terms = pb::AgreementTerms { learner_max_e4: 0, ..terms };
        let mut land = Land::new();
        land.agree(&terms);
        let account = Account::default();
        let converted = convert(&land.request(&terms, &modules(&amounts), &account)).expect("converted");
        let sum: u64 = amounts.iter().sum();
        let ratio = of(terms.ratio.as_ref().expect("a ratio"));
        let expected = rounded(&(big(sum) * &ratio), terms.step_e4, terms.rounding());
        let granted = total(&converted);
        prop_assert_eq!(big(granted), expected);
        converted.results.iter().for_each(roots_hold);
        if terms.apportionment() == Apportionment::LargestRemainder && sum > 0 {
            for (share, source) in self::amounts(&converted).iter().zip(&amounts) {
                let exact = big(granted) * Big::new((*source).into(), sum.into());
                let off = if big(*share) > exact { big(*share) - exact } else { exact - big(*share) };
                prop_assert!(off < big(terms.step_e4));
                prop_assert_eq!(share % terms.step_e4, 0);
            }
        }
    }

    /// Goal: whoever brings more gets at least as much.
    #[test]
    fn more_credit_never_gives_less(terms in any_terms(), amounts in amounts_of(), more in 1..300_000u64, at in any::<prop::sample::Index>()) {
        let mut land = Land::new();
        land.agree(&terms);
        let account = Account::default();
        let less = total(&convert(&land.request(&terms, &modules(&amounts), &account)).expect("converted"));
        let mut amounts = amounts;
        let at = at.index(amounts.len());
        amounts[at] += more;
        let more = total(&convert(&land.request(&terms, &modules(&amounts), &account)).expect("converted"));
        prop_assert!(less <= more);
    }

    /// Goal: no way of splitting a conversion and no order of the parts gives more than the whole at once, also where caps and
    /// roots that return to a unit are among them; without these, each gives exactly the whole.
    #[test]
    fn splitting_and_order_gain_nothing(
        terms in any_terms(),
        amounts in amounts_of(),
        had in prop::collection::vec(prop::option::weighted(0.3, 0..=300_000u64), 8),
        keys in prop::collection::vec(any::<(u8, u8)>(), 8),
    ) {
        let mut land = Land::new();
        land.agree(&terms);
        let sources = returning(&amounts, &had);
        let whole = in_turn(&land, &terms, std::slice::from_ref(&sources));
        let split = in_turn(&land, &terms, &parts(&sources, &keys));
        prop_assert!(split <= whole, "{} instead of {}", split, whole);
        if terms.learner_max_e4 == 0 && had.iter().take(amounts.len()).all(Option::is_none) {
            prop_assert_eq!(split, whole);
        }
        if terms.learner_max_e4 > 0 {
            prop_assert!(whole <= terms.learner_max_e4);
        }
    }

    /// Goal: a root that wanders through any agreements, in any mixture and under any caps, never stands for more of a unit than it
    /// had there the first time.
    #[test]
    fn no_way_lets_a_root_grow(
        amounts in prop::collection::vec(0..=300_000u64, 1..4),
        ways in prop::collection::vec((0..UNITS.len(), (1..=40u64, 1..=40u64), any_terms()), 1..7),
    ) {
        let mut land = Land::new();
        let mut unit = "CATS";
        let mut sources = modules(&amounts);
        let mut first: Vec<Vec<pb::Amount>> = sources.iter().map(|source| source.roots[0].had.clone()).collect();
        let home: Vec<_> = sources.iter().map(|source| roots::key(&source.roots[0])).collect();
        for (number, (to, ratio, figures)) in (0u64..).zip(ways) {
            let to = UNITS[to];
            let ratio = if to == unit { (1, 1) } else { ratio };
            let parties = if number % 2 == 0 { (HERE, THERE) } else { (THERE, HERE) };
            let base = between(&format!("WAY-{number}"), parties.0, parties.1, (unit, to), ratio);
            // Agreements of before stand in nobody's way.
            let from = Some(date(2000 + u32::try_from(number).expect("few"), 1, 1));
            let until = Some(date(2000 + u32::try_from(number).expect("few"), 12, 31));
            let terms = pb::AgreementTerms {
                ratio: base.ratio,
                code: base.code,
                sender: base.sender,
                receiver: base.receiver,
                source_unit: base.source_unit,
                target_unit: base.target_unit,
                from,
                until,
                ..figures
            };
            land.today = day(2000 + u32::try_from(number).expect("few"), 1, 1);
            land.agree(&terms);
            land.today = day(2000 + u32::try_from(number).expect("few"), 6, 1);
            let account = Account::default();
            let converted = match convert(&land.request(&terms, &sources, &account)) {
                Ok(converted) => converted,
                // Forty times more on each of six ways is beyond what an amount can say.
                Err(refused) => {
                    prop_assert_eq!(refused.rule, Rule::OutsideScope);
                    return Ok(());
                }
            };
            for result in &converted.results {
                roots_hold(result);
                for root in &result.roots {
                    let known = &mut first[home.iter().position(|place| *place == roots::key(root)).expect("a root")];
                    for had in &root.had {
                        match known.iter().find(|known| known.unit == had.unit) {
                            Some(known) => prop_assert_eq!(known, had),
                            None => known.push(had.clone()),
                        }
                    }
                }
            }
            unit = to;
            sources = results(100 + number, terms.receiver, &converted);
        }
    }

    /// Goal: shares add up to the total, or to the bounds; without bounds each is its exact share, rounded down or up; zero weight
    /// gets nothing.
    #[test]
    fn shares_add_up(
        total in 0..=10_000_000_000u64,
        shares in prop::collection::vec((prop_oneof![Just(0u128), 1..=10u128, 1..=1_000_000_000_000_000_000_000u128], prop::option::of(0..=10_000_000_000u64)), 1..20),
        bounded in any::<bool>(),
    ) {
        let weights: Vec<u128> = shares.iter().map(|(weight, _)| *weight).collect();
        let bounds: Vec<Option<u64>> = shares.iter().map(|(_, bound)| bound.filter(|_| bounded)).collect();
        let found = apportion(total, &weights, &bounds);
        let sum: u128 = weights.iter().sum();
        let counted = |at: &usize| weights[*at] > 0;
        let room = (0..weights.len()).filter(counted).try_fold(0u64, |sum, at| sum.checked_add(bounds[at]?));
        let expected = if sum == 0 { 0 } else { room.map_or(total, |room| room.min(total)) };
        prop_assert_eq!(found.iter().sum::<u64>(), expected);
        for (at, share) in found.iter().enumerate() {
            prop_assert!(bounds[at].is_none_or(|bound| *share <= bound));
            prop_assert!(weights[at] > 0 || *share == 0);
            if !bounded && sum > 0 {
                let exact = Big::new(BigUint::from(total) * weights[at], sum.into());
                prop_assert!(big(*share) < &exact + big(1) && big(*share) + big(1) > exact);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// Goal: a loop with gain is reported exactly when there is one, and the best one's gain is right.
    #[test]
    fn loops_are_found_as_by_trying_everything(
        edges in prop::collection::vec((0..UNITS.len(), 0..UNITS.len(), (1..=12u64, 1..=12u64)), 1..9),
    ) {
        let mut land = Land::new();
        let edges: Vec<_> = edges.into_iter().filter(|(from, to, _)| from != to).collect();
        let terms: Vec<_> = (0u64..).zip(&edges).map(|(number, (from, to, ratio))| {
            // Every agreement in a field of its own, so that several may join the same units.
            pb::AgreementTerms {
                fields: vec![format!("{:04}", 1_000 + number)],
                ..between(&format!("E{number}"), HERE, THERE, (UNITS[*from], UNITS[*to]), *ratio)
            }
        }).collect();
        let Some((asked, others)) = terms.split_first() else { return Ok(()) };
        others.iter().for_each(|terms| land.agree(terms));
        let found = loops(&land.registry, asked, TODAY);
        let best = best_loop(asked, others);
        let most = found.iter().map(|found| found.gain.clone()).max();
        prop_assert_eq!(most, best.filter(|best| *best > big(1)));
        for found in &found {
            prop_assert!(found.gain > big(1) && found.path.len() <= LOOP_EDGES_MAX);
            prop_assert_eq!(found.path.len() + 1, found.units.len());
        }
    }
}

/// The largest product of a way from the target of `asked` back to its source, times its own, by trying all.
fn best_loop(asked: &pb::AgreementTerms, others: &[pb::AgreementTerms]) -> Option<Big> {
    fn follow(at: &str, home: &str, seen: &[&str], others: &[pb::AgreementTerms]) -> Option<Big> {
        if at == home {
            return Some(big(1));
        }
        let next = others.iter().filter(|terms| terms.source_unit == at && !seen.contains(&terms.target_unit.as_str()));
        let ways = next.filter_map(|terms| {
            let seen: Vec<&str> =
                seen.iter().copied().chain([terms.target_unit.as_str()]).filter(|unit| *unit != home).collect();
            Some(follow(&terms.target_unit, home, &seen, others)? * of(terms.ratio.as_ref()?))
        });
        ways.max()
    }
    let further = follow(&asked.target_unit, &asked.source_unit, &[&asked.target_unit], others)?;
    Some(further * of(asked.ratio.as_ref()?))
}

/// Goal: nothing that a record may state makes a conversion panic.
#[test]
fn odd_sources_are_refused_and_never_panic() {
    let mut land = Land::new();
    land.agree(&terms());
    let account = Account::default();
    let odd = |change: fn(&mut Source)| -> Result<Converted, Rejection> {
        let mut source = credit(1, HERE, 100_000, "CATS");
        change(&mut source);
        convert(&land.request(&terms(), &[source], &account))
    };
    for change in [
        (|source| source.roots.clear()) as fn(&mut Source),
        |source| source.roots[0].fraction = None,
        |source| source.roots[0].fraction = Some(pb::Ratio { numerator: 0, denominator: 1 }),
        |source| source.roots[0].fraction = Some(pb::Ratio { numerator: 1, denominator: 0 }),
        |source| source.roots[0].fraction = Some(pb::Ratio { numerator: 3, denominator: 2 }),
        |source| source.roots[0].part_e4 = 1,
        |source| source.roots[0].part_e4 = u64::MAX,
        |source| source.roots.push(source.roots[0].clone()),
    ] {
        assert_eq!(rule(odd(change)), Rule::SourceNotUsable);
    }
    assert_eq!(rule(odd(|source| source.amount = None)), Rule::SourceNotUsable);
}
