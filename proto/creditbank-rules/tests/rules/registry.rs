//! Goal: the registry's lists are well-formed, the seed holds what the issue asks for, and level maps say what they say.

use std::collections::{BTreeMap, BTreeSet};

use crate::fixtures::{seeded, text};
use creditbank_protocol::canonical::{Canonical, decode, encode};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::{Comparable, Registry, RegistryRecord, Rejection, Rule, seed};

fn try_set<M: Canonical>(registry: &mut Registry, kind: Kind, entry: &M) -> Result<(), Rejection> {
    let body = encode(entry).expect("the entry is canonical");
    registry.admit(RegistryRecord::of_operator(kind, &body)).map(|_| ())
}

fn set<M: Canonical>(registry: &mut Registry, kind: Kind, entry: &M) {
    try_set(registry, kind, entry).expect("the entry is admitted");
}

fn seeds<M: Canonical>(kind: Kind) -> Vec<M> {
    let of_kind = seed::entries().expect("the seed is canonical").into_iter().filter(|(found, _)| *found == kind);
    of_kind.map(|(_, body)| decode(&body).expect("an entry of its kind")).collect()
}

/// The rule by which a changed entry is refused, and the field.
fn refusal<M: Canonical + Clone>(
    registry: &Registry,
    kind: Kind,
    good: &M,
    change: impl FnOnce(&mut M),
) -> (Rule, Option<&'static str>) {
    let mut entry = good.clone();
    set(&mut registry.clone(), kind, &entry);
    change(&mut entry);
    let refused = try_set(&mut registry.clone(), kind, &entry).expect_err("the changed entry is refused");
    assert!(!refused.expected.is_empty(), "{refused}");
    (refused.rule, refused.field)
}

fn row(from: &str, to: &[&str]) -> pb::LevelMapRow {
    pb::LevelMapRow { from: from.to_owned(), to: to.iter().map(|level| (*level).to_owned()).collect() }
}

fn level_map() -> pb::LevelMap {
    pb::LevelMap {
        code: "OURS".to_owned(),
        names: vec![text("Levels")],
        from_framework: "NFQ-IE".to_owned(),
        to_framework: "EQF".to_owned(),
        rows: vec![row("8", &["6"]), row("7", &["5", "6"]), row("1", &[])],
        source: "a report".to_owned(),
    }
}

fn deadline() -> pb::LegalDeadline {
    pb::LegalDeadline {
        code: "IT-LAW".to_owned(),
        names: vec![text("A law")],
        country: "IT".to_owned(),
        purpose: pb::RecognitionPurpose::Study.into(),
        decision_days: 90,
        appeal_days: 60,
        appeal_decision_days: 30,
        appeal_instance: "A court".to_owned(),
        review_days: 90,
        legal_basis: "A law".to_owned(),
        source: "A gazette".to_owned(),
    }
}

fn country() -> pb::Country {
    pb::Country {
        alpha2: "XA".to_owned(),
        alpha3: "XAA".to_owned(),
        numeric: "999".to_owned(),
        names: vec![text("A country")],
        source: "ISO 3166-1".to_owned(),
    }
}

fn field() -> pb::FieldOfEducation {
    pb::FieldOfEducation { code: "0542".to_owned(), names: vec![text("Statistics")], source: "UNESCO".to_owned() }
}

/// Goal: each thing that a level map can get wrong is refused under its own rule and field.
#[test]
fn level_maps_that_mean_nothing() {
    let registry = seeded();
    let rule = |change: fn(&mut pb::LevelMap)| refusal(&registry, Kind::LevelMap, &level_map(), change);
    assert_eq!(rule(|map| map.code.clear()), (Rule::MissingField, Some("code")));
    assert_eq!(rule(|map| map.names.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|map| map.names[0].language.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|map| map.source.clear()), (Rule::MissingField, Some("source")));
    assert_eq!(rule(|map| map.rows.clear()), (Rule::MissingField, Some("rows")));
    assert_eq!(rule(|map| map.from_framework = "NOWHERE".to_owned()), (Rule::UnknownReference, Some("from_framework")));
    assert_eq!(rule(|map| map.to_framework.clear()), (Rule::UnknownReference, Some("to_framework")));
    assert_eq!(rule(|map| map.rows[0].from = "11".to_owned()), (Rule::UnknownReference, Some("rows")));
    assert_eq!(rule(|map| map.rows[1].to[1] = "9".to_owned()), (Rule::UnknownReference, Some("rows")));
    assert_eq!(rule(|map| map.rows[0].from = "7".to_owned()), (Rule::Contradiction, Some("rows")));
}

/// Goal: a map onto itself is refused, whatever it says.
#[test]
fn a_map_onto_itself() {
    let onto_itself = |map: &mut pb::LevelMap| {
        map.to_framework = "NFQ-IE".to_owned();
        map.rows = vec![row("8", &["8"])];
    };
    let found = refusal(&seeded(), Kind::LevelMap, &level_map(), onto_itself);
    assert_eq!(found, (Rule::Contradiction, Some("to_framework")));
}

/// Goal: several comparable levels, none, and nothing said are three different results.
#[test]
fn what_a_map_says_of_a_level() {
    let mut registry = seeded();
    let map = level_map();
    set(&mut registry, Kind::LevelMap, &map);
    let levels = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    assert_eq!(registry.comparable(&map, "8"), Comparable::Levels(&levels(&["6"])));
    assert_eq!(registry.comparable(&map, "7"), Comparable::Levels(&levels(&["5", "6"])));
    assert_eq!(registry.comparable(&map, "1"), Comparable::None);
    assert_eq!(registry.comparable(&map, "5"), Comparable::Undefined);
    assert_eq!(registry.comparable(&map, "11"), Comparable::Undefined);
    let mut shorter = registry.framework("NFQ-IE").expect("it is in the seed").clone();
    shorter.levels.retain(|level| level.code != "8");
    set(&mut registry, Kind::Framework, &shorter);
    assert_eq!(registry.comparable(&map, "8"), Comparable::Undefined, "the framework has no level 8 any more");
}

/// Goal: a deadline that could not be applied is refused under its own rule and field.
#[test]
fn deadlines_that_cannot_be_kept() {
    let registry = seeded();
    let rule = |change: fn(&mut pb::LegalDeadline)| refusal(&registry, Kind::LegalDeadline, &deadline(), change);
    assert_eq!(rule(|law| law.code.clear()), (Rule::MissingField, Some("code")));
    assert_eq!(rule(|law| law.names.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|law| law.country = "it".to_owned()), (Rule::InvalidCode, Some("country")));
    assert_eq!(rule(|law| law.country = "XX".to_owned()), (Rule::UnknownReference, Some("country")));
    assert_eq!(rule(|law| law.decision_days = 0), (Rule::MissingField, Some("decision_days")));
    assert_eq!(rule(|law| law.appeal_instance.clear()), (Rule::MissingField, Some("appeal_instance")));
    assert_eq!(rule(|law| law.appeal_days = 0), (Rule::Contradiction, Some("appeal_instance")));
    let no_instance = |law: &mut pb::LegalDeadline| {
        law.appeal_days = 0;
        law.appeal_instance.clear();
    };
    assert_eq!(rule(no_instance), (Rule::Contradiction, Some("appeal_decision_days")));
    assert_eq!(rule(|law| law.legal_basis.clear()), (Rule::MissingField, Some("legal_basis")));
    assert_eq!(rule(|law| law.source.clear()), (Rule::MissingField, Some("source")));
}

/// Goal: a registry without countries admits a deadline of any; so an operator may do without the list.
#[test]
fn a_deadline_without_a_list_of_countries() {
    let mut registry = Registry::new("test.example/log");
    set(&mut registry, Kind::LegalDeadline, &pb::LegalDeadline { country: "XX".to_owned(), ..deadline() });
    set(&mut registry, Kind::Country, &country());
    let unknown = pb::LegalDeadline { country: "XB".to_owned(), ..deadline() };
    let refused = try_set(&mut registry, Kind::LegalDeadline, &unknown).expect_err("it is not in the list");
    assert_eq!(refused.rule, Rule::UnknownReference);
}

/// Goal: a code of another form than ISO 3166-1 has is refused, and so is a country without name or source.
#[test]
fn countries_that_are_none() {
    let registry = seeded();
    let rule = |change: fn(&mut pb::Country)| refusal(&registry, Kind::Country, &country(), change);
    for odd in ["", "X", "xa", "X1", "XAA"] {
        let code = pb::Country { alpha2: odd.chars().take(2).collect(), ..country() };
        if code.alpha2 != "XA" {
            let refused = try_set(&mut registry.clone(), Kind::Country, &code).expect_err("it is no code");
            assert_eq!((refused.rule, refused.field), (Rule::InvalidCode, Some("alpha2")), "{odd:?}");
        }
    }
    assert_eq!(rule(|country| country.alpha3 = "XA".to_owned()), (Rule::InvalidCode, Some("alpha3")));
    assert_eq!(rule(|country| country.alpha3 = "XA1".to_owned()), (Rule::InvalidCode, Some("alpha3")));
    assert_eq!(rule(|country| country.numeric = "99".to_owned()), (Rule::InvalidCode, Some("numeric")));
    assert_eq!(rule(|country| country.numeric = "99A".to_owned()), (Rule::InvalidCode, Some("numeric")));
    assert_eq!(rule(|country| country.names.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|country| country.source.clear()), (Rule::MissingField, Some("source")));
}

/// Goal: a field has two to four digits and stands below a field of the registry.
#[test]
fn fields_outside_the_tree() {
    let registry = seeded();
    let rule = |change: fn(&mut pb::FieldOfEducation)| refusal(&registry, Kind::FieldOfEducation, &field(), change);
    for code in ["", "0", "A1"] {
        let odd = pb::FieldOfEducation { code: code.to_owned(), ..field() };
        let refused = try_set(&mut registry.clone(), Kind::FieldOfEducation, &odd).expect_err("it is no code");
        assert_eq!((refused.rule, refused.field), (Rule::InvalidCode, Some("code")), "{code:?}");
    }
    assert_eq!(rule(|field| field.code = "120".to_owned()), (Rule::UnknownReference, Some("code")));
    assert_eq!(rule(|field| field.code = "0551".to_owned()), (Rule::UnknownReference, Some("code")));
    assert_eq!(rule(|field| field.names.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|field| field.source.clear()), (Rule::MissingField, Some("source")));
}

/// Goal: no seed entry hides another, and each says where it comes from.
#[test]
fn every_seed_entry_is_its_own_and_has_a_source() {
    let mut keys = BTreeSet::new();
    for (kind, body) in seed::entries().expect("the seed is canonical") {
        let key = RegistryKey::of(kind, &body).expect("a registry kind");
        assert!(keys.insert(key.clone()), "{kind:?} {key} stands twice");
    }
    let sources = [
        seeds::<pb::CreditUnit>(Kind::CreditUnit).into_iter().map(|it| it.source).collect::<Vec<_>>(),
        seeds::<pb::Framework>(Kind::Framework).into_iter().map(|it| it.source).collect(),
        seeds::<pb::GradeScale>(Kind::GradeScale).into_iter().map(|it| it.source).collect(),
        seeds::<pb::LevelMap>(Kind::LevelMap).into_iter().map(|it| it.source).collect(),
        seeds::<pb::LegalDeadline>(Kind::LegalDeadline).into_iter().map(|it| it.source).collect(),
        seeds::<pb::Country>(Kind::Country).into_iter().map(|it| it.source).collect(),
        seeds::<pb::FieldOfEducation>(Kind::FieldOfEducation).into_iter().map(|it| it.source).collect(),
    ];
    assert_eq!(sources.iter().map(Vec::len).sum::<usize>(), keys.len(), "no other kind is in the seed");
    assert!(sources.iter().flatten().all(|source| !source.is_empty()));
}

/// Goal: the units that the issue names are there; hours of class are not hours of work.
#[test]
fn credit_units_of_the_seed() {
    let registry = seeded();
    let hours = |code: &str| {
        let unit = registry.credit_unit(code).unwrap_or_else(|| panic!("{code} is in the seed"));
        (unit.workload_hours_min_e4 / 10_000, unit.workload_hours_max_e4 / 10_000)
    };
    for (code, least, most) in [
        ("ECTS", 25, 30),
        ("CATS", 10, 10),
        ("US-SEMESTER", 45, 45),
        ("US-QUARTER", 30, 36),
        ("US-CEU", 0, 0),
        ("CN-XUEFEN", 0, 0),
        ("CN-XUEFEN:PKU", 0, 0),
        ("CN-XUEFEN:FUDAN", 0, 0),
        ("CN-XUEFEN:QINGDAO-THEORY", 0, 0),
        ("CN-XUEFEN:QINGDAO-LAB", 0, 0),
        ("JP-TANI", 45, 45),
        ("KR-ACBS", 0, 0),
        ("IN-NCRF", 30, 30),
        ("UCTS", 38, 48),
        ("HK-CREDIT", 10, 10),
        ("AU-48", 0, 0),
        ("AU-POINTS:MELBOURNE", 0, 0),
    ] {
        assert_eq!(hours(code), (least, most), "{code}");
    }
}

/// Goal: the frameworks that the issue names are there with all their levels, `NCrF`'s half levels among them.
#[test]
fn frameworks_of_the_seed() {
    let registry = seeded();
    for (code, levels) in [
        ("EQF", 8),
        ("NFQ-IE", 10),
        ("SCQF", 12),
        ("RQF", 11),
        ("FHEQ", 6),
        ("CQFW", 11),
        ("NCRF", 15),
        ("HKQF", 7),
        ("NZQF", 10),
        ("AQF", 10),
        ("AQRF", 8),
        ("GD-QF", 7),
    ] {
        assert_eq!(registry.framework(code).map(|found| found.levels.len()), Some(levels), "{code}");
    }
    let half = pb::Level { framework: "NCRF".to_owned(), level: "4.5".to_owned() };
    assert!(registry.has_level(&half));
}

/// Goal: grades of at least twelve countries, the Chinese ones in their own script.
#[test]
fn grade_scales_of_the_seed() {
    let registry = seeded();
    let countries: BTreeSet<String> =
        seeds::<pb::GradeScale>(Kind::GradeScale).into_iter().flat_map(|scale| scale.countries).collect();
    assert!(countries.len() >= 12, "{countries:?}");
    for (scale, value, passes) in [
        ("CN-5", "优", Some(true)),
        ("CN-5", "良", Some(true)),
        ("CN-5", "中", Some(true)),
        ("CN-5", "及格", Some(true)),
        ("CN-5", "不及格", Some(false)),
        ("CN-PASS", "合格", Some(true)),
        ("CN-PASS", "不合格", Some(false)),
        ("DK-7", "02", Some(true)),
        ("DK-13", "6", Some(true)),
        ("DK-13", "03", Some(false)),
        ("IT-110", "110L", Some(true)),
        ("IT-110", "65", Some(false)),
        ("NL-10", "5.5", Some(true)),
        ("NL-10-VU", "5.5", Some(false)),
        ("CH-6", "3.9", Some(false)),
        ("KR-AF", "B0", Some(true)),
        ("DE-5", "4.1", Some(false)),
        ("FR-20", "21", None),
    ] {
        let grade = pb::Grade { scale: scale.to_owned(), value: value.to_owned() };
        assert_eq!(registry.passes(&grade), passes, "{scale} {value}");
    }
}

/// Goal: the published tables, both ways, with what they leave open.
#[test]
fn level_maps_of_the_seed() {
    let registry = seeded();
    let said = |code: &str, level: &str| {
        let map = registry.level_map(code).unwrap_or_else(|| panic!("{code} is in the seed"));
        match registry.comparable(map, level) {
            Comparable::Levels(levels) => levels.join(" "),
            Comparable::None => "none".to_owned(),
            Comparable::Undefined => "undefined".to_owned(),
        }
    };
    for (map, level, expected) in [
        ("EQF-NFQ-IE", "6", "7 8"),
        ("EQF-NFQ-IE", "1", "1 2"),
        ("NFQ-IE-EQF", "8", "6"),
        ("NFQ-IE-EQF", "7", "6"),
        ("NFQ-IE-EQF", "10", "8"),
        ("EQF-SCQF", "6", "10 9"),
        ("SCQF-EQF", "7", "5"),
        ("SCQF-EQF", "2", "none"),
        ("RQF-EQF", "4", "5"),
        ("RQF-EQF", "E1", "none"),
        ("EQF-RQF", "5", "4 5"),
        ("EQF-CQFW", "1", "E3"),
        ("CQFW-EQF", "3", "4"),
        ("FHEQ-EQF", "6", "6"),
        ("EQF-FHEQ", "5", "4 5"),
        ("EQF-FHEQ", "3", "undefined"),
        ("FHEQ-RQF", "5", "5"),
        ("RQF-FHEQ", "8", "8"),
        ("RQF-FHEQ", "2", "undefined"),
        ("RQF-CQFW", "4", "4"),
        ("FHEQ-NFQ-IE", "6", "7 8"),
        ("NFQ-IE-SCQF", "8", "10"),
        ("NFQ-IE-SCQF", "7", "9"),
        ("SCQF-NFQ-IE", "1", "none"),
        ("NZQF-HKQF", "10", "7"),
        ("NZQF-HKQF", "9", "6"),
        ("NZQF-HKQF", "8", "none"),
        ("NZQF-HKQF", "7", "5"),
        ("NZQF-HKQF", "6", "4"),
        ("NZQF-HKQF", "5", "undefined"),
        ("AQF-EQF", "7", "6"),
        ("AQF-EQF", "9", "7"),
        ("AQF-EQF", "10", "8"),
        ("AQF-EQF", "8", "undefined"),
    ] {
        assert_eq!(said(map, level), expected, "{map} {level}");
    }
}

/// Goal: where the seed has a map for both directions, each is the other read backwards.
#[test]
fn maps_of_both_directions_agree() {
    let maps: BTreeMap<String, pb::LevelMap> =
        seeds::<pb::LevelMap>(Kind::LevelMap).into_iter().map(|map| (map.code.clone(), map)).collect();
    let pairs = |map: &pb::LevelMap| -> BTreeSet<(String, String)> {
        map.rows.iter().flat_map(|row| row.to.iter().map(|to| (row.from.clone(), to.clone()))).collect()
    };
    let mut both = 0;
    for map in maps.values() {
        if let Some(back) = maps.get(&format!("{}-{}", map.to_framework, map.from_framework)) {
            let turned: BTreeSet<_> = pairs(back).into_iter().map(|(from, to)| (to, from)).collect();
            assert_eq!(pairs(map), turned, "{}", map.code);
            both += 1;
        }
    }
    assert_eq!(both, 30, "six frameworks, each with each");
}

/// Goal: ISCED-F 2013 as a whole: 11 broad, 29 narrow and 80 detailed fields, each below its parent.
#[test]
fn the_tree_of_fields() {
    let codes: Vec<String> =
        seeds::<pb::FieldOfEducation>(Kind::FieldOfEducation).into_iter().map(|field| field.code).collect();
    let count = |digits: usize| codes.iter().filter(|code| code.len() == digits).count();
    assert_eq!((count(2), count(3), count(4)), (11, 29, 80));
    let has_child =
        |code: &String| codes.iter().any(|other| other.len() > code.len() && other.starts_with(code.as_str()));
    assert!(
        codes.iter().all(|code| code.len() == 4 || has_child(code)),
        "every broad and narrow field has a detailed one"
    );
}

/// Goal: every country of ISO 3166-1, with leading zeros kept; and every country that the seed names is one.
#[test]
fn countries_of_the_seed() {
    let countries = seeds::<pb::Country>(Kind::Country);
    assert_eq!(countries.len(), 249);
    let distinct = |code: fn(&pb::Country) -> &String| countries.iter().map(code).collect::<BTreeSet<_>>().len();
    assert_eq!((distinct(|country| &country.alpha3), distinct(|country| &country.numeric)), (249, 249));
    let registry = seeded();
    let algeria = registry.country("DZ").expect("Algeria");
    assert_eq!((algeria.alpha3.as_str(), algeria.numeric.as_str()), ("DZA", "012"));
    let names: Vec<_> = algeria.names.iter().map(|name| (name.language.as_str(), name.value.as_str())).collect();
    assert_eq!(names, [("en", "Algeria"), ("fr", "Algérie"), ("zh", "阿尔及利亚")]);
    let units = seeds::<pb::CreditUnit>(Kind::CreditUnit).into_iter().flat_map(|unit| unit.countries);
    let frameworks = seeds::<pb::Framework>(Kind::Framework).into_iter().flat_map(|framework| framework.countries);
    let scales = seeds::<pb::GradeScale>(Kind::GradeScale).into_iter().flat_map(|scale| scale.countries);
    for code in units.chain(frameworks).chain(scales) {
        assert!(registry.country(&code).is_some(), "{code}");
    }
}

/// Goal: the convention's four months are there, and nobody takes a default for a law.
#[test]
fn deadlines_of_the_seed() {
    let registry = seeded();
    let lisbon = registry.deadline("LISBON").expect("it is in the seed");
    assert_eq!((lisbon.country.as_str(), lisbon.decision_days, lisbon.appeal_days), ("", 120, 30));
    assert!(lisbon.source.contains("unsourced") && lisbon.source.contains("default"));
}

/// Goal: an operator loads a national framework and a map from it, and from a later date another takes its place.
#[test]
fn an_operator_loads_a_national_framework() {
    let mut registry = seeded();
    let levels = |count: u32| {
        (1..=count).map(|level| pb::FrameworkLevel { code: format!("L{level}"), names: Vec::new() }).collect::<Vec<_>>()
    };
    let framework = |levels| pb::Framework {
        code: "XA-NQF".to_owned(),
        names: vec![text("A national framework")],
        countries: Vec::new(),
        levels,
        source: "the ministry's decree".to_owned(),
    };
    let map = pb::LevelMap {
        code: "XA-NQF-EQF".to_owned(),
        from_framework: "XA-NQF".to_owned(),
        rows: vec![row("L1", &["1", "2"]), row("L2", &["3"])],
        ..level_map()
    };
    let early = try_set(&mut registry, Kind::LevelMap, &map).expect_err("its framework is not there yet");
    assert_eq!((early.rule, early.field), (Rule::UnknownReference, Some("from_framework")));
    set(&mut registry, Kind::Framework, &framework(levels(2)));
    set(&mut registry, Kind::LevelMap, &map);
    let found = registry.level_map("XA-NQF-EQF").expect("it was loaded");
    assert_eq!(registry.comparable(found, "L2"), Comparable::Levels(&["3".to_owned()]));
    let before = registry.clone();
    set(&mut registry, Kind::Framework, &framework(levels(9)));
    let level = pb::Level { framework: "XA-NQF".to_owned(), level: "L9".to_owned() };
    assert!(registry.has_level(&level) && !before.has_level(&level), "what was in force is kept");
}
