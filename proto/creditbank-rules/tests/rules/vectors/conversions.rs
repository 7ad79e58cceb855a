//! Conversions: sources, what was converted before, and what the rules give.

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_rules::conversion::{Account, Asked, Basis, Request, Source, Stated, check, convert};
use creditbank_rules::dates::first_day;
use creditbank_rules::{Registry, Rejection};
use serde_json::{Value, json};

use super::file::{
    Entry, admit, agreed, bytes, held, institution, kind, list, number, open, record_of, reference, registry,
    seed_entries,
};
use super::file::{shown, unhex};
use super::{chains, grades};
use crate::fixtures::{ORIGIN, between, day, sources, text};

/// A record of the learner that is converted, and which of its results.
#[derive(Clone)]
pub(crate) struct Used {
    pub(crate) reference: RecordReference,
    pub(crate) institution: u64,
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
    pub(crate) result_plus_1: u32,
}

impl Used {
    pub(crate) fn credit(entry: u64, institution: u64, credit: &pb::Credit) -> Self {
        Self { reference: reference(entry), institution, kind: Kind::Credit, body: bytes(credit), result_plus_1: 0 }
    }

    pub(crate) fn source(&self) -> Source {
        let (reference, institution) = (self.reference.clone(), self.institution);
        let result = |results: &[pb::ConvertedCredit]| {
            let index = self.result_plus_1 - 1;
            let at = usize::try_from(index).expect("small");
            Source::of_result(reference.clone(), self.kind, index, institution.into(), &results[at])
        };
        match self.kind {
            Kind::Credit => Source::of_credit(reference, institution.into(), &decode(&self.body).expect("a credit")),
            Kind::Outcome => {
                Source::of_outcome(reference, institution.into(), &decode(&self.body).expect("an outcome"))
            }
            Kind::Conversion => result(&decode::<pb::Conversion>(&self.body).expect("a conversion").results),
            other => panic!("{other:?}"),
        }
    }

    fn to_json(&self) -> Value {
        let mut shown = held(&self.reference, self.institution, self.kind, &self.body);
        shown["result_plus_1"] = json!(self.result_plus_1);
        shown
    }

    fn read(value: &Value) -> Self {
        Self {
            reference: record_of(value),
            institution: number(&value["institution"]),
            kind: kind(&value["kind"]),
            body: unhex(&value["body"]),
            result_plus_1: u32::try_from(number(&value["result_plus_1"])).expect("small"),
        }
    }
}

/// What is to be converted, and what the registry has beyond the file's.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) about: String,
    pub(crate) registry: Vec<Entry>,
    pub(crate) receiver: u64,
    pub(crate) sources: Vec<Used>,
    pub(crate) earlier: Vec<pb::Conversion>,
    pub(crate) conversion: pb::Conversion,
    pub(crate) stated: Vec<Stated>,
}

impl Case {
    /// Under an agreement, at institution 1.
    pub(crate) fn agreed(about: impl Into<String>, terms: &pb::AgreementTerms, sources: Vec<Used>) -> Self {
        let name = pb::AgreementName { code: terms.code.clone(), version: terms.version };
        let conversion = pb::Conversion { agreement: Some(name), ..bare() };
        Self {
            about: about.into(),
            registry: agreed(terms).to_vec(),
            receiver: terms.receiver,
            sources,
            earlier: Vec::new(),
            conversion,
            stated: Vec::new(),
        }
    }

    /// What the rules give.
    pub(crate) fn compute(&self, registry: &Registry) -> Result<pb::Conversion, Rejection> {
        let sources: Vec<Source> = self.sources.iter().map(Used::source).collect();
        let account = Account::of(&self.earlier)?;
        let found = convert(&Request {
            registry,
            basis: Basis::of(registry, &self.conversion)?,
            receiver: self.receiver.into(),
            sources: &sources,
            account: &account,
            decided: first_day(self.conversion.decided.as_ref().expect("a day")),
            promised: None,
            stated: &self.stated,
        })?;
        let (sources, results, amount_steps) = (found.sources, found.results, found.amount_steps);
        Ok(pb::Conversion { sources, results, amount_steps, ..self.conversion.clone() })
    }

    fn to_json(&self, base: &[Entry]) -> Value {
        let registry = admit(&[base, &self.registry].concat());
        let found = self.compute(&registry);
        let conversion = found.as_ref().map_or(&self.conversion, |found| found);
        json!({
            "about": self.about, "registry": shown(&self.registry), "receiver": self.receiver,
            "sources": self.sources.iter().map(Used::to_json).collect::<Vec<_>>(),
            "earlier": self.earlier.iter().map(|one| hex::encode(bytes(one))).collect::<Vec<_>>(),
            "conversion": hex::encode(bytes(conversion)),
            "refused": found.as_ref().err().map(|rejection| rejection.rule.name()),
        })
    }
}

fn bare() -> pb::Conversion {
    pb::Conversion {
        learner: vec![1; 16],
        decided: day(2026, 11, 20),
        decider: "B. Example".to_owned(),
        ..Default::default()
    }
}

/// The registry of the file.
pub(crate) fn base() -> Vec<Entry> {
    let codes = [
        "CATS",
        "ECTS",
        "US-SEMESTER",
        "KR-ACBS",
        "FHEQ",
        "EQF",
        "NFQ-IE",
        "DE-5",
        "GB-100-UG",
        "NL-10",
        "JP-SABC:TOKAI",
        "ECTS-AF",
        "IT-30",
        "US-4",
    ];
    let member = i32::from(pb::RelationType::MemberOf);
    let mut entries = vec![institution(0, "", &[])];
    entries.extend(seed_entries(&codes));
    entries.extend([institution(9, "DE", &[]), institution(1, "DE", &[]), institution(2, "GB", &[])]);
    entries.extend([institution(3, "GB", &[(member, 9)]), institution(20, "DE", &[]), institution(21, "GB", &[])]);
    entries
}

/// Two CATS of institution 2 for one ECTS of institution 1, in halves.
pub(crate) fn terms() -> pb::AgreementTerms {
    let rounding = pb::Rounding::HalfEven.into();
    pb::AgreementTerms { rounding, ..between("CATS-ECTS", 2, 1, ("CATS", "ECTS"), (1, 2)) }
}

pub(crate) fn credit(code: &str, e4: u64) -> pb::Credit {
    pb::Credit {
        learner: vec![2; 16],
        course: Some(pb::Course { code: code.to_owned(), titles: vec![text("A course")] }),
        amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        field: "0541".to_owned(),
        mode: pb::Mode::OnSite.into(),
        period: Some(pb::Period { from: day(2025, 9, 0), until: day(2026, 6, 30) }),
        ..Default::default()
    }
}

/// Credits of institution 2 in entries from 1 on.
pub(crate) fn credits(amounts: &[u64]) -> Vec<Used> {
    let each = amounts.iter().zip(1u64..);
    each.map(|(e4, entry)| Used::credit(entry, 2, &credit(&format!("C{entry}"), *e4))).collect()
}

fn amounts() -> Vec<Case> {
    let of = |about: &str, change: fn(&mut pb::AgreementTerms), amounts: &[u64]| {
        let mut terms = terms();
        change(&mut terms);
        Case::agreed(about, &terms, credits(amounts))
    };
    let lump = |terms: &mut pb::AgreementTerms| terms.apportionment = pb::Apportionment::Lump.into();
    let mut lumped =
        of("a lump of three with other levels, fields, modes and periods", lump, &[70_000, 50_000, 30_000]);
    let odd = pb::Credit {
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "5".to_owned() }),
        field: "0613".to_owned(),
        mode: pb::Mode::Online.into(),
        period: Some(pb::Period { from: day(2025, 9, 15), until: day(2026, 6, 0) }),
        expires: day(2030, 6, 0),
        ..credit("C2", 50_000)
    };
    lumped.sources[1] = Used::credit(2, 2, &odd);
    vec![
        of("one module", |_| (), &[200_000]),
        of("three modules that share what is rounded", |_| (), &[70_000, 50_000, 30_000]),
        of("equal remainders: the earlier first", |terms| terms.step_e4 = 10_000, &[30_000, 30_000, 30_000, 10_000]),
        of("a module that gets nothing", |terms| terms.step_e4 = 10_000, &[190_000, 10_000]),
        of("half even, at the half", |_| (), &[25_000]),
        of("half up, at the half", |terms| terms.rounding = pb::Rounding::HalfUp.into(), &[25_000]),
        of("down, just below", |terms| terms.rounding = pb::Rounding::Down.into(), &[29_999]),
        of(
            "two thirds, in ten-thousandths",
            |terms| {
                (terms.ratio, terms.step_e4) = (Some(pb::Ratio { numerator: 2, denominator: 3 }), 1);
            },
            &[100_000, 70_000],
        ),
        of("an amount of 0", |_| (), &[0]),
        of("one lump", lump, &[70_000, 50_000, 30_000]),
        lumped,
        of("a cap of the learner", |terms| terms.learner_max_e4 = 100_000, &[170_000, 110_000]),
        of("the smallest cap", |terms| terms.learner_max_e4 = 5_000, &[170_000]),
        of(
            "figures that the record cannot hold",
            |terms| {
                (terms.ratio, terms.step_e4) = (Some(pb::Ratio { numerator: 10_000_000_000, denominator: 1 }), 1);
            },
            &[10_000_000_000],
        ),
    ]
}

/// A part of a root whose new fraction has parts that the schema cannot hold.
fn fine_fractions() -> Vec<Case> {
    let named = reference(50);
    let amount = |unit: &str, e4| pb::Amount { e4, unit: unit.to_owned() };
    let result = |numerator| {
        let root = pb::Root {
            place: named.place,
            status_id: named.status_id.clone(),
            fraction: Some(pb::Ratio { numerator, denominator: 7_777_781 }),
            had: vec![amount("US-SEMESTER", 9_000_000), amount("CATS", 20_000_000)],
            part_e4: 7_777_781,
            ..Default::default()
        };
        pb::ConvertedCredit { amount: Some(amount("CATS", 7_777_781)), roots: vec![root], ..Default::default() }
    };
    let of = |about: &str, numerator, most, step_e4| {
        let body =
            bytes(&pb::Conversion { learner: vec![2; 16], results: vec![result(numerator)], ..Default::default() });
        let used = Used { reference: reference(7), institution: 2, kind: Kind::Conversion, body, result_plus_1: 1 };
        let terms = pb::AgreementTerms { learner_max_e4: most, step_e4, ..terms() };
        Case::agreed(about, &terms, vec![used])
    };
    vec![
        of("a fraction that is rounded up", 3_333_331, 1_234_567, 1),
        of("the whole of a part, of which little is left", 7_777_781, 1, 1),
        of("a fraction that the record can hold", 3_333_331, 0, 1),
    ]
}

/// What was granted before counts, whichever way it is split.
fn accounts() -> Vec<Case> {
    let registry = admit(&[base(), agreed(&terms()).to_vec()].concat());
    let all = credits(&[25_000, 25_000, 25_000]);
    let mut found: Vec<Case> = Vec::new();
    let mut earlier = Vec::new();
    for (number, source) in (1..).zip(all) {
        let mut case = Case::agreed(format!("conversion {number} of three, each at the half"), &terms(), vec![source]);
        case.earlier.clone_from(&earlier);
        earlier.push(case.compute(&registry).expect("a conversion"));
        found.push(case);
    }
    let capped = pb::AgreementTerms { learner_max_e4: 20_000, ..terms() };
    let mut case =
        Case::agreed("nothing is left of the cap", &capped, vec![Used::credit(9, 2, &credit("C9", 100_000))]);
    let full = pb::AmountSteps { granted_e4: 20_000, ..earlier[0].amount_steps.clone().expect("steps") };
    case.earlier = vec![pb::Conversion { amount_steps: Some(full), ..earlier[0].clone() }];
    found.push(case);
    let mut case = Case::agreed("a source that was converted before", &terms(), credits(&[25_000]));
    case.earlier = earlier;
    found.push(case);
    found
}

/// By which tier, and of what.
fn scopes() -> Vec<Case> {
    let of = |about: &str, change: fn(&mut pb::AgreementTerms), bend: fn(&mut pb::Credit)| {
        let mut terms = terms();
        change(&mut terms);
        let mut entry = credit("C1", 200_000);
        bend(&mut entry);
        Case::agreed(about, &terms, vec![Used::credit(1, 2, &entry)])
    };
    let group = |terms: &mut pb::AgreementTerms| {
        (terms.tier, terms.sender) = (pb::Tier::Group.into(), 9);
    };
    let mut member = of("a member of a group", group, |_| ());
    member.sources = vec![Used::credit(1, 3, &credit("C1", 200_000))];
    let country = |terms: &mut pb::AgreementTerms| {
        (terms.tier, terms.sender, terms.receiver) = (pb::Tier::Country.into(), 21, 20);
        "A treaty".clone_into(&mut terms.legal_instrument);
    };
    let mut countries = of("institutions of two countries", country, |_| ());
    countries.receiver = 1;
    let mut better = of("a country's agreement where the institutions have their own", country, |_| ());
    better.receiver = 1;
    better.registry.extend(agreed(&pb::AgreementTerms { code: "OWN".to_owned(), ..terms() }));
    let mut apart = of("a country's agreement where that of the institutions does not cover it", country, |_| ());
    apart.receiver = 1;
    let other = pb::AgreementTerms { code: "OWN".to_owned(), fields: vec!["06".to_owned()], ..terms() };
    apart.registry.extend(agreed(&other));
    vec![
        member,
        of("no member of the group", group, |_| ()),
        countries,
        better,
        apart,
        of("a field that begins with the agreement's", |terms| terms.fields = vec!["05".to_owned()], |_| ()),
        of(
            "a field that the agreement's begins with",
            |terms| terms.fields = vec!["0541".to_owned()],
            |credit| {
                "054".clone_into(&mut credit.field);
            },
        ),
        of("expired on the day before", |_| (), |credit| credit.expires = day(2026, 11, 19)),
        of("that expires on the day", |_| (), |credit| credit.expires = day(2026, 11, 20)),
        of(
            "ended 12 months ago, to the day",
            |terms| terms.age_months_max = 12,
            |credit| {
                credit.period = Some(pb::Period { from: day(2025, 1, 0), until: day(2025, 11, 20) });
            },
        ),
        of(
            "ended 12 months and a day ago",
            |terms| terms.age_months_max = 12,
            |credit| {
                credit.period = Some(pb::Period { from: day(2025, 1, 0), until: day(2025, 11, 19) });
            },
        ),
    ]
}

fn levels() -> Vec<Case> {
    let row = |from: &str, to: &[&str]| pb::LevelMapRow {
        from: from.to_owned(),
        to: to.iter().map(|level| (*level).to_owned()).collect(),
    };
    let of = |about: &str, rows: Vec<pb::LevelMapRow>, stated: Option<&str>, levels: &[Option<&str>]| {
        let lump = if levels.len() > 1 { pb::Apportionment::Lump } else { pb::Apportionment::LargestRemainder };
        let terms = pb::AgreementTerms {
            level_from_framework: "FHEQ".to_owned(),
            level_to_framework: "NFQ-IE".to_owned(),
            level_rows: rows,
            apportionment: lump.into(),
            ..terms()
        };
        let level =
            |framework: &str, level: &str| pb::Level { framework: framework.to_owned(), level: level.to_owned() };
        let used = levels.iter().zip(1u64..).map(|(own, entry)| {
            let own = own.map(|own| match own.split_once(':') {
                Some((framework, own)) => level(framework, own),
                None => level("FHEQ", own),
            });
            Used::credit(entry, 2, &pb::Credit { level: own, ..credit(&format!("C{entry}"), 100_000) })
        });
        let mut case = Case::agreed(about, &terms, used.collect());
        let stated = stated.map(|stated| Stated { level: Some(level("NFQ-IE", stated)), ..Stated::default() });
        case.stated = stated.into_iter().collect();
        case
    };
    let usual = || vec![row("5", &["6"]), row("6", &["7", "8"]), row("7", &["9"])];
    let mut mapped =
        of("by a map of the registry, but for the agreement's own row", vec![row("7", &["10"])], None, &[Some("5")]);
    let map = pb::LevelMap {
        code: "FHEQ:NFQ-IE".to_owned(),
        names: vec![text("FHEQ to NFQ")],
        from_framework: "FHEQ".to_owned(),
        to_framework: "NFQ-IE".to_owned(),
        rows: usual(),
        sources: sources("here"),
        withdrawn: false,
    };
    let text = pb::AgreementTerms {
        level_from_framework: "FHEQ".to_owned(),
        level_to_framework: "NFQ-IE".to_owned(),
        level_map: "FHEQ:NFQ-IE".to_owned(),
        level_rows: vec![row("7", &["10"])],
        ..terms()
    };
    mapped.registry = vec![(Kind::LevelMap, bytes(&map), 0)];
    mapped.registry.extend(agreed(&text));
    let mut own = of("by the agreement's own row before the map's", vec![row("7", &["10"])], None, &[Some("7")]);
    own.registry.clone_from(&mapped.registry);
    let withdrawn = (Kind::LevelMap, bytes(&pb::LevelMap { withdrawn: true, ..map }), 0);
    let after = |of: &Case, about: &str| {
        let mut case = Case { about: about.to_owned(), ..of.clone() };
        case.registry.push(withdrawn.clone());
        case
    };
    let without = after(&mapped, "by a map that was withdrawn");
    let still = after(&own, "by the agreement's own row, as the map was withdrawn");
    vec![
        of("one comparable level", usual(), None, &[Some("5")]),
        of("one of two comparable levels", usual(), Some("8"), &[Some("6")]),
        of("none stated of two comparable levels", usual(), None, &[Some("6")]),
        of("a level that is undefined", usual(), None, &[Some("4")]),
        of("a level of the target framework", usual(), None, &[Some("NFQ-IE:8")]),
        of("a level of a third framework", usual(), None, &[Some("EQF:6")]),
        of("no level", usual(), None, &[None]),
        of("a lump of one level", usual(), None, &[Some("5"), Some("5")]),
        of("a lump of two levels", usual(), None, &[Some("5"), Some("7")]),
        of("a lump of what has two levels in common", usual(), Some("7"), &[Some("6"), Some("6")]),
        of("a lump with a part that states none", usual(), None, &[Some("6"), None]),
        mapped,
        own,
        without,
        still,
    ]
}

/// Credit that comes back, and other fixed amounts.
fn fixed() -> Vec<Case> {
    let outcome = pb::Outcome {
        learner: vec![2; 16],
        r#type: pb::OutcomeType::TestScore.into(),
        course: Some(pb::Course { code: "TEST".to_owned(), titles: vec![text("A test")] }),
        score: Some(pb::Score { scale: "POINTS".to_owned(), value: "90.5".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let tested = |about: &str, least: &str| {
        let equivalence = pb::Equivalence {
            institution: 1,
            code: "TEST".to_owned(),
            version: 1,
            r#type: pb::EquivalenceType::Test.into(),
            source_institution: 2,
            source_course: "TEST".to_owned(),
            minimum: Some(pb::Grade { scale: "POINTS".to_owned(), value: least.to_owned() }),
            target: Some(pb::Course { code: "LANG".to_owned(), titles: vec![text("Language")] }),
            amount: Some(pb::Amount { e4: 60_000, unit: "ECTS".to_owned() }),
            level: Some(pb::Level { framework: "EQF".to_owned(), level: "5".to_owned() }),
            field: "0231".to_owned(),
            grade: Some(pb::Grade { scale: "DE-5".to_owned(), value: "2.0".to_owned() }),
            from: day(2020, 1, 1),
            ..Default::default()
        };
        let name = pb::EquivalenceName { institution: 1, code: "TEST".to_owned(), version: 1 };
        let used = Used {
            reference: reference(1),
            institution: 2,
            kind: Kind::Outcome,
            body: bytes(&outcome),
            result_plus_1: 0,
        };
        Case {
            about: about.to_owned(),
            registry: vec![(Kind::Equivalence, bytes(&equivalence), 1)],
            receiver: 1,
            sources: vec![used],
            earlier: Vec::new(),
            conversion: pb::Conversion { equivalence: Some(name), ..bare() },
            stated: Vec::new(),
        }
    };
    let assessed = {
        let assessment =
            pb::Assessment { assessor: "A.".to_owned(), method: "Portfolio".to_owned(), evidence_digest: vec![5; 32] };
        let stated = Stated {
            course: Some(pb::Course { code: "RPL".to_owned(), titles: vec![text("Prior learning")] }),
            amount: Some(pb::Amount { e4: 75_000, unit: "ECTS".to_owned() }),
            field: "0413".to_owned(),
            ..Stated::default()
        };
        Case {
            about: "an assessment".to_owned(),
            registry: Vec::new(),
            conversion: pb::Conversion { assessment: Some(assessment), ..bare() },
            stated: vec![stated],
            ..tested("", "0")
        }
    };
    vec![
        tested("a test score", "90"),
        tested("a test score at the minimum", "90.50"),
        tested("a test score below it", "90.5001"),
        assessed,
    ]
}

fn file() -> Value {
    let base = base();
    let lists =
        [amounts(), fine_fractions(), accounts(), scopes(), levels(), grades::cases(), fixed(), chains::cases(&base)];
    let cases: Vec<Value> = lists.iter().flatten().map(|case| case.to_json(&base)).collect();
    json!({
        "about": "PROTOCOL.md, Conversion. `registry` is admitted in its order, then a case's own; `institution` has published an entry, 0 is \
                  the operator. `sources`: the records, and which of their results; they stand and are not redeemed. `earlier`: the conversions of the account. \
                  `conversion`: what the rules give; where `refused` names a rule, without results.",
        "origin": ORIGIN, "registry": shown(&base), "cases": cases,
    })
}

/// Goal: the rules give in each case what the file says, and of what they give no digit can be changed.
#[test]
fn conversions() {
    let file = open("conversions.json", file);
    let mut given = 0;
    for case in list(&file["cases"]) {
        let registry = registry(&file, case);
        let sources: Vec<Source> = list(&case["sources"]).iter().map(|one| Used::read(one).source()).collect();
        let earlier = list(&case["earlier"]).iter().map(|one| decode(&unhex(one)).expect("a conversion"));
        let account = Account::of(&earlier.collect::<Vec<pb::Conversion>>()).expect("an account");
        let conversion: pb::Conversion = decode(&unhex(&case["conversion"])).expect("a conversion");
        let asked = Asked {
            registry: &registry,
            receiver: number(&case["receiver"]).into(),
            sources: &sources,
            account: &account,
            day: first_day(conversion.decided.as_ref().expect("a day")),
            promised: None,
        };
        let found = check(&conversion, &asked);
        let refused = found.as_ref().err().map(|rejection| rejection.rule.name());
        assert_eq!(json!(refused), case["refused"], "{}: {found:?}", case["about"]);
        if refused.is_some() {
            continue;
        }
        given += 1;
        for result in 0..conversion.results.len() {
            let mut bent = conversion.clone();
            bent.results[result].amount.as_mut().expect("an amount").e4 += 1;
            let free = conversion.assessment.is_some() || conversion.declared.is_some();
            let found = check(&bent, &asked);
            assert!(found.is_err() || free, "{}: a ten-thousandth more", case["about"]);
        }
    }
    assert!(given > 100, "{given} conversions");
}
