//! Levels: own rows first, then the registry's map; undefined and several are results that somebody has to deal with.

use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::conversion::{Source, Stated};
use creditbank_rules::{Rejection, Rule};

use super::land::*;

fn row(from: &str, to: &[&str]) -> pb::LevelMapRow {
    pb::LevelMapRow { from: from.to_owned(), to: to.iter().map(|&to| to.to_owned()).collect() }
}

fn map() -> pb::LevelMap {
    pb::LevelMap {
        code: "EQF-NFQ".to_owned(),
        names: vec![text("EQF to NFQ")],
        from_framework: "EQF".to_owned(),
        to_framework: "NFQ-IE".to_owned(),
        rows: vec![row("5", &["6"]), row("6", &["7", "8"]), row("7", &["9"]), row("8", &[])],
        sources: crate::fixtures::sources("docslib 5620981"),
        withdrawn: false,
    }
}

/// EQF to the Irish framework, of which level 6 is two levels and level 8 is looked at without a result.
fn land() -> (Land, pb::AgreementTerms) {
    let mut land = Land::new();
    land.set(0, Kind::LevelMap, &map());
    let terms = pb::AgreementTerms { level_map: "EQF-NFQ".to_owned(), level_rows: vec![row("7", &["8"])], ..terms() };
    land.agree(&terms);
    (land, terms)
}

fn at(entry: u64, framework: &str, of: &str) -> Source {
    Source { level: Some(level(framework, of)), ..credit(entry, HERE, 100_000, "CATS") }
}

fn convert(source: Source, stated: Option<&str>) -> Result<Option<String>, Rejection> {
    let (land, terms) = land();
    let stated = stated.map(|of| Stated { level: Some(level("NFQ-IE", of)), ..Stated::default() });
    let stated: Vec<Stated> = stated.into_iter().collect();
    let converted = land.convert_stated(&terms, &[source], &stated)?;
    Ok(converted.results[0].level.as_ref().map(|level| format!("{} {}", level.framework, level.level)))
}

/// Goal: one comparable level is taken, of several the stated one, and an undefined one is refused by name.
#[test]
fn comparable_levels_are_taken_and_undefined_ones_refused() {
    let found = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(convert(at(1, "EQF", "5"), None), found("NFQ-IE 6"));
    assert_eq!(convert(at(1, "EQF", "7"), None), found("NFQ-IE 8"), "the agreement's own row stands before the map's");
    assert_eq!(convert(at(1, "EQF", "6"), Some("7")), found("NFQ-IE 7"));
    assert_eq!(convert(at(1, "EQF", "6"), Some("8")), found("NFQ-IE 8"));
    assert_eq!(rule(convert(at(1, "EQF", "6"), None)), Rule::UndefinedLevel);
    assert_eq!(rule(convert(at(1, "EQF", "6"), Some("9"))), Rule::UndefinedLevel);
    assert_eq!(rule(convert(at(1, "EQF", "5"), Some("7"))), Rule::ConversionDiffers, "there is no choice");
    assert_eq!(rule(convert(at(1, "EQF", "8"), None)), Rule::UndefinedLevel, "looked at, and there is none");
    assert_eq!(rule(convert(at(1, "EQF", "1"), None)), Rule::UndefinedLevel, "not looked at");
    assert_eq!(rule(convert(at(1, "FHEQ", "6"), None)), Rule::UndefinedLevel, "another framework");
    assert_eq!(convert(at(1, "NFQ-IE", "8"), None), found("NFQ-IE 8"), "of the target framework already");
    assert_eq!(convert(credit(1, HERE, 100_000, "CATS"), None), Ok(None), "not stated stays not stated");
    assert_eq!(rule(convert(credit(1, HERE, 100_000, "CATS"), Some("8"))), Rule::ConversionDiffers);
}

/// Goal: a map that is withdrawn is not applied, whatever it says; the agreement's own rows still are.
#[test]
fn a_withdrawn_map_is_not_applied() {
    let (mut land, terms) = land();
    land.set(0, Kind::LevelMap, &pb::LevelMap { withdrawn: true, ..map() });
    let refused = land.convert(&terms, &[at(1, "EQF", "5")]).expect_err("nobody stands behind the map");
    assert_eq!(refused.rule, Rule::UndefinedLevel);
    assert!(refused.found.contains("withdrawn: no authority stands behind it"), "{refused}");
    let converted = land.convert(&terms, &[at(1, "EQF", "7")]).expect("the agreement itself says it");
    assert_eq!(converted.results[0].level, Some(level("NFQ-IE", "8")));
}

/// Goal: an agreement that does not convert levels leaves them as they are.
#[test]
fn levels_stay_without_a_map() {
    let mut land = Land::new();
    land.agree(&terms());
    let converted = land.convert(&terms(), &[at(1, "FHEQ", "6")]).expect("converted");
    assert_eq!(converted.results[0].level, Some(level("FHEQ", "6")));
}

/// Goal: a lump has the level that all of its sources have in common, or none.
#[test]
fn a_lump_has_the_level_of_all_its_sources() {
    let (mut land, terms) = land();
    let lump = pb::AgreementTerms { version: 2, apportionment: pb::Apportionment::Lump.into(), ..terms };
    land.agree(&lump);
    let level_of = |sources: &[Source], stated: &[Stated]| {
        land.convert_stated(&lump, sources, stated).map(|converted| converted.results[0].level.clone())
    };
    let nfq = |of: &str| level("NFQ-IE", of);
    assert_eq!(level_of(&[at(1, "EQF", "5"), at(2, "EQF", "5")], &[]), Ok(Some(nfq("6"))));
    assert_eq!(level_of(&[at(1, "EQF", "5"), at(2, "EQF", "7")], &[]), Ok(None));
    assert_eq!(level_of(&[at(1, "EQF", "5"), credit(2, HERE, 1, "CATS")], &[]), Ok(None));
    let eight = [Stated { level: Some(nfq("8")), ..Stated::default() }];
    assert_eq!(level_of(&[at(1, "EQF", "6"), at(2, "EQF", "7")], &eight), Ok(Some(nfq("8"))));
    assert_eq!(rule(level_of(&[at(1, "EQF", "6"), at(2, "EQF", "7")], &[])), Rule::UndefinedLevel);
}
