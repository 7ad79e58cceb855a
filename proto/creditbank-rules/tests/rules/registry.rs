//! Goal: the registry's lists are well-formed, the seed holds what the issue asks for, and level maps say what they say.

use std::collections::{BTreeMap, BTreeSet};

use crate::fixtures::{level, seeded, sources, text};
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
        sources: sources("a report"),
        withdrawn: false,
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
        sources: sources("A gazette"),
    }
}

fn country() -> pb::Country {
    pb::Country {
        alpha2: "XA".to_owned(),
        alpha3: "XAA".to_owned(),
        numeric: "999".to_owned(),
        names: vec![text("A country")],
        sources: sources("ISO 3166-1"),
    }
}

fn field() -> pb::FieldOfEducation {
    pb::FieldOfEducation { code: "0542".to_owned(), names: vec![text("Statistics")], sources: sources("UNESCO") }
}

/// Goal: each thing that a level map can get wrong is refused under its own rule and field.
#[test]
fn level_maps_that_mean_nothing() {
    let registry = seeded();
    let rule = |change: fn(&mut pb::LevelMap)| refusal(&registry, Kind::LevelMap, &level_map(), change);
    assert_eq!(rule(|map| map.code.clear()), (Rule::MissingField, Some("code")));
    assert_eq!(rule(|map| map.names.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|map| map.names[0].language.clear()), (Rule::MissingField, Some("names")));
    assert_eq!(rule(|map| map.sources.clear()), (Rule::MissingField, Some("sources")));
    assert_eq!(rule(|map| map.rows.clear()), (Rule::MissingField, Some("rows")));
    set(&mut registry.clone(), Kind::LevelMap, &pb::LevelMap { rows: Vec::new(), withdrawn: true, ..level_map() });
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
    assert_eq!(rule(|law| law.sources.clear()), (Rule::MissingField, Some("sources")));
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
    assert_eq!(rule(|country| country.sources.clear()), (Rule::MissingField, Some("sources")));
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
    assert_eq!(rule(|field| field.sources.clear()), (Rule::MissingField, Some("sources")));
}

/// Goal: no seed entry hides another, and each says where it comes from.
#[test]
fn every_seed_entry_is_its_own_and_has_a_source() {
    let mut keys = BTreeSet::new();
    for (kind, body) in seed::entries().expect("the seed is canonical") {
        let key = RegistryKey::of(kind, &body).expect("a registry kind");
        assert!(keys.insert(key.clone()), "{kind:?} {key} stands twice");
    }
    let each = [
        seeds::<pb::CreditUnit>(Kind::CreditUnit).into_iter().map(|it| (it.code, it.sources)).collect::<Vec<_>>(),
        seeds::<pb::Framework>(Kind::Framework).into_iter().map(|it| (it.code, it.sources)).collect(),
        seeds::<pb::GradeScale>(Kind::GradeScale).into_iter().map(|it| (it.code, it.sources)).collect(),
        seeds::<pb::LevelMap>(Kind::LevelMap).into_iter().map(|it| (it.code, it.sources)).collect(),
        seeds::<pb::LegalDeadline>(Kind::LegalDeadline).into_iter().map(|it| (it.code, it.sources)).collect(),
        seeds::<pb::Country>(Kind::Country).into_iter().map(|it| (it.alpha2, it.sources)).collect(),
        seeds::<pb::FieldOfEducation>(Kind::FieldOfEducation).into_iter().map(|it| (it.code, it.sources)).collect(),
    ];
    assert_eq!(each.iter().map(Vec::len).sum::<usize>(), keys.len(), "no other kind is in the seed");
    for (code, sources) in each.iter().flatten() {
        assert!(sources.iter().any(|source| source.grade() != pb::SourceGrade::D), "{code} has weak sources alone");
        assert!(sources.iter().all(|source| !source.text.is_empty() && source.as_of.is_some()), "{code}");
        let unread = |source: &pb::Source| source.reading() == pb::SourceReading::NotRead;
        let best_first = sources.is_sorted_by_key(|source| (unread(source), source.grade));
        assert!(best_first, "{code}: what was read stands before what was not, and the better before the worse");
    }
}

/// Goal: an entry says where it comes from: without a source, or with one that says no address, grade or day, it is refused.
#[test]
fn entries_without_sources() {
    let registry = seeded();
    let scale = registry.scale("FR-20").expect("it is in the seed").clone();
    let rule = |change: fn(&mut pb::Source)| {
        refusal(&registry, Kind::GradeScale, &scale, |scale| scale.sources.iter_mut().for_each(change))
    };
    let missing = (Rule::MissingField, Some("sources"));
    assert_eq!(refusal(&registry, Kind::GradeScale, &scale, |scale| scale.sources.clear()), missing);
    assert_eq!(rule(|source| source.text.clear()), missing);
    assert_eq!(rule(|source| source.grade = 0), missing);
    assert_eq!(rule(|source| source.as_of = None), missing);
    assert_eq!(rule(|source| source.text = "a\u{7}".to_owned()), (Rule::InvalidText, Some("sources")));
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
        ("ECTS:NL", 28, 28),
        ("CATS", 10, 10),
        ("SCQF", 10, 10),
        ("US-SEMESTER", 45, 0),
        ("US-QUARTER", 30, 0),
        ("US-CEU", 0, 0),
        ("CN-XUEFEN", 0, 0),
        ("CN-XUEFEN:VOCATIONAL", 0, 0),
        ("JP-TANI", 45, 45),
        ("KR-ACBS", 0, 0),
        ("IN-NCRF", 30, 30),
        ("UCTS", 38, 48),
        ("UCTS-60", 0, 0),
        ("HK-CREDIT", 10, 10),
        ("NZ-CREDIT", 10, 10),
        ("AU-POINTS:UWA", 25, 25),
        ("AU-POINTS:UNSW", 25, 25),
        ("AU-POINTS:MELBOURNE", 0, 0),
    ] {
        assert_eq!(hours(code), (least, most), "{code}");
    }
    for unit in seeds::<pb::CreditUnit>(Kind::CreditUnit) {
        let (hours, year) = (unit.workload_hours_min_e4 / 10_000, unit.year_e4 / 10_000);
        assert!(hours * year <= 2_000, "{}: {year} credits a year of {hours} hours are no year", unit.code);
    }
    let year = |code: &str| registry.credit_unit(code).map(|unit| unit.year_e4 / 10_000);
    assert_eq!((year("UCTS"), year("UCTS-60"), year("AU-48")), (Some(0), Some(60), None));
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
        ("FHEQ", 5),
        ("CQFW", 11),
        ("NCRF", 12),
        ("HKQF", 7),
        ("NZQF", 10),
        ("AQF", 10),
        ("AQRF", 8),
    ] {
        assert_eq!(registry.framework(code).map(|found| found.levels.len()), Some(levels), "{code}");
    }
    for (framework, code, known) in [
        ("NCRF", "4.5", true),
        ("NCRF", "0", true),
        ("NCRF", "7.5", false),
        ("NCRF", "1.5", false),
        ("FHEQ", "3", false),
    ] {
        assert_eq!(registry.has_level(&level(framework, code)), known, "{framework} {code}");
    }
}

/// Goal: grades of at least twelve countries pass and fail as their sources say; no grade that no source knows.
#[test]
fn grade_scales_of_the_seed() {
    let registry = seeded();
    let countries: BTreeSet<String> =
        seeds::<pb::GradeScale>(Kind::GradeScale).into_iter().flat_map(|scale| scale.countries).collect();
    assert!(countries.len() >= 12, "{countries:?}");
    for (scale, value, passes) in [
        ("DK-7", "02", Some(true)),
        ("DK-13", "6", Some(true)),
        ("DK-13", "03", Some(false)),
        ("IT-110", "110L", Some(true)),
        ("IT-110", "109L", None),
        ("IT-110", "65", Some(false)),
        ("IT-30", "30L", Some(true)),
        ("IT-30", "29L", None),
        ("NL-10", "5.5", Some(true)),
        ("NL-10", "5.55", None),
        ("NL-10-WHOLE", "5.5", None),
        ("NL-10-WHOLE", "5", Some(false)),
        ("NL-10-WHOLE", "6", Some(true)),
        ("GB-100-UG", "45", Some(true)),
        ("GB-100-PG", "45", Some(false)),
        ("ES-10", "4.9", Some(false)),
        ("ES-10", "4.95", None),
        ("ES-10", "MH", Some(true)),
        ("CH-6", "3.9", Some(false)),
        ("KR-AF:AJOU", "B0", Some(true)),
        ("JP-SABCD:KEIO", "D", Some(false)),
        ("JP-SABCD:KEIO", "E", None),
        ("AU-HD:SYDNEY", "CR", Some(true)),
        ("AU-HD:SYDNEY", "N", None),
        ("AT-5", "1.5", None),
        ("AT-TEIL", "ohne Erfolg teilgenommen", Some(false)),
        ("DE-5", "4.1", Some(false)),
        ("DE-MODUL", "1.3", Some(true)),
        ("DE-MODUL", "1.5", None),
        ("DE-MODUL", "4.7", None),
        ("IN-10", "P", Some(true)),
        ("IN-10", "D", None),
        ("IN-10", "Ab", Some(false)),
        ("FR-20", "10.5", Some(true)),
        ("FR-20", "21", None),
        ("BE-VL-20", "10.5", None),
        ("CN-5", "优", None),
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
            Comparable::Withdrawn => "withdrawn".to_owned(),
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
        ("NZQF-HKQF", "5", "4"),
        ("NZQF-HKQF", "1", "1"),
        ("NZQF-EQF", "1", "2"),
        ("NZQF-EQF", "5", "5"),
        ("NZQF-EQF", "8", "none"),
        ("EQF-NZQF", "1", "none"),
        ("EQF-NZQF", "4", "3 4"),
        ("NZQF-NFQ-IE", "7", "7 8"),
        ("NZQF-NFQ-IE", "8", "none"),
        ("NFQ-IE-NZQF", "2", "none"),
        ("FHEQ-RQF", "4", "4"),
        ("EQF-FHEQ", "4", "undefined"),
        ("AQF-EQF", "7", "withdrawn"),
        ("AQF-EQF", "8", "withdrawn"),
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
    assert_eq!(both, 34, "six frameworks, each with each, and New Zealand with two");
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
        sources: sources("the ministry's decree"),
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
