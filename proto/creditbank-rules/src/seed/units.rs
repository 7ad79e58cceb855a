//! Credit units.
//!
//! Where a country leaves the size of a credit to its institutions, the country's unit states no hours and each
//! institution's own is a unit of its own, named after it: `AU-POINTS:UNSW`. Class hours stand in the name: the band of a
//! unit is of the learner's whole work.

use creditbank_protocol::pb::CreditUnit;

use super::{countries, named, sources};

/// Code, name, countries, hours per credit (least, most), credits of a year, sources; figures in whole numbers, 0 where
/// they are not stated. A floor has 0 as its most.
type Row = (&'static str, &'static str, &'static str, (u64, u64), u64, &'static [&'static str]);

const UNITS: &[Row] = &[
    (
        "AU-EFTSL",
        "Equivalent full-time student load (Australia), 1 a year",
        "AU",
        (0, 0),
        1,
        &[
            "Bo Services Australia 010-07010060",
            "An legislation.gov.au F2022L00344, Administration Guidelines 2022; Higher Education Support Act 2003, sch. 1",
        ],
    ),
    (
        "AU-POINTS:JCU",
        "James Cook University credit points, 24 a year",
        "AU",
        (0, 0),
        24,
        &["Ao jcu.edu.au, credit points"],
    ),
    (
        "AU-POINTS:MELBOURNE",
        "University of Melbourne points, 100 a year",
        "AU",
        (0, 0),
        100,
        &["Ao ask.unimelb.edu.au 2866: 12.5 a subject"],
    ),
    (
        "AU-POINTS:UNSW",
        "University of New South Wales units of credit, 48 a year",
        "AU",
        (25, 25),
        48,
        &["Ao student.unsw.edu.au/uoc: about 25 hours each"],
    ),
    ("AU-POINTS:UQ", "University of Queensland units, 16 a year", "AU", (0, 0), 16, &["Ao uq.edu.au, my advisor 4312"]),
    (
        "AU-POINTS:UWA",
        "University of Western Australia points, 48 a year",
        "AU",
        (25, 25),
        48,
        &["Ao ipoint.uwa.edu.au 196: 6 points are 150 hours"],
    ),
    (
        "CATS",
        "UK credit (CATS)",
        "GB",
        (10, 10),
        120,
        &[
            "Bo imperial.ac.uk, national frameworks: 10 notional hours",
            "An qaa.ac.uk, Higher Education Credit Framework for England, 2nd edition, May 2021; copy: readkong.com 8403735",
        ],
    ),
    (
        "CN-XUEFEN",
        "Chinese credit, hours set by each institution",
        "CN",
        (0, 0),
        0,
        &["Bo nuffic.nl/en/education-systems/china: no national unit in higher education"],
    ),
    (
        "CN-XUEFEN:VOCATIONAL",
        "Chinese credit of vocational colleges, usually 16 to 18 class hours",
        "CN",
        (0, 0),
        0,
        &["An Ministry of Education, 教职成〔2019〕13号 of 5 June 2019; copies: zh.wikisource.org, jwc.hbxytc.cn"],
    ),
    (
        "ECTS",
        "European credit (ECTS)",
        "",
        (25, 30),
        60,
        &[
            "Bo azvo.hr, glossary; ee.ethz.ch; student.oslomet.no: 60 a year of 1500 to 1800 hours",
            "An Publications Office of the EU, ECTS Users' Guide 2015",
        ],
    ),
    (
        "ECTS:NL",
        "European credit in the Netherlands, 28 hours by law",
        "NL",
        (28, 28),
        60,
        &[
            "Bo eur.nl/en/dutch-grading-system",
            "An wetten.overheid.nl, Wet op het hoger onderwijs en wetenschappelijk onderzoek, article 7.4",
        ],
    ),
    (
        "HK-CREDIT",
        "Hong Kong QF credit",
        "HK",
        (10, 10),
        0,
        &["Ao hkqr.gov.hk, explanation of levels: whole or nothing, independent of the grade"],
    ),
    (
        "IN-NCRF",
        "Indian NCrF credit",
        "IN",
        (30, 30),
        40,
        &[
            "Ac ugc.gov.in, Report on the National Credit Framework, draft, table 5; copy: scribd 657057144",
            "C thehindu.com 66729994: the chairman of the UGC",
            "An ugc.gov.in, Report on the National Credit Framework, April 2023; copy: scribd 671587274",
        ],
    ),
    (
        "JP-TANI",
        "Japanese credit",
        "JP",
        (45, 45),
        0,
        &["Ac 大学設置基準 (ordinance 28 of 1956), article 21; copies: meijigakuin.ac.jp/law, Sophia's rules; \
             revision of 2022 not read"],
    ),
    (
        "KR-ACBS",
        "Korean credit (ACBS)",
        "KR",
        (0, 0),
        0,
        &["Ao cb.or.kr, nCreditRegInfo (National Institute for Lifelong Education)", "Bo eng.nile.or.kr"],
    ),
    (
        "NZ-CREDIT",
        "New Zealand credit",
        "NZ",
        (10, 10),
        120,
        &["Ao nzqa.govt.nz, Qualification and Micro-credential Listing and Operational Rules 2022, rule 3"],
    ),
    (
        "SCQF",
        "Scottish credit (SCQF)",
        "GB",
        (10, 10),
        0,
        &["Bo sqa.org.uk/sqa/71377.html; gov.scot, annex D: at least 10 hours to be rated"],
    ),
    (
        "UCTS",
        "UMAP credit (UCTS), 38 to 48 hours, of which 13 to 16 of class",
        "",
        (38, 48),
        0,
        &["Ao umap.org/credit-transfer-scheme: 1 UCTS is 1 Asian or US credit, and 1.5 ECTS"],
    ),
    ("UCTS-60", "UMAP credit of the older scheme, 60 a year", "", (0, 0), 60, &["Ao umap.org/ucts: the older scheme"]),
    (
        "US-CEU",
        "US continuing education unit, 10 contact hours",
        "US",
        (0, 0),
        0,
        &["Ao iacet.org, about the CEU (ANSI/IACET 1): the word is free, others need not comply"],
    ),
    (
        "US-QUARTER",
        "US quarter credit hour, at least 30 hours",
        "US",
        (30, 0),
        45,
        &[
            "Ac ecfr.gov, 34 CFR 600.2; copy: nmu.edu/compliance/160: not less than 1 class hour and 2 outside, 10 weeks",
        ],
    ),
    (
        "US-SEMESTER",
        "US semester credit hour, at least 45 hours",
        "US",
        (45, 0),
        30,
        &[
            "Ac ecfr.gov, 34 CFR 600.2; copy: nmu.edu/compliance/160: not less than 1 class hour and 2 outside, 15 weeks",
        ],
    ),
];

/// What people call some units at home: code, language, name.
const AT_HOME: &[(&str, &str, &str)] = &[
    ("CN-XUEFEN", "zh", "学分"),
    ("CN-XUEFEN:VOCATIONAL", "zh", "职业院校学分"),
    ("JP-TANI", "ja", "単位"),
    ("KR-ACBS", "ko", "학점"),
];

pub(super) fn all() -> impl Iterator<Item = CreditUnit> {
    UNITS.iter().map(|(code, name, of, (least, most), year, published)| CreditUnit {
        code: (*code).to_owned(),
        names: named(code, name, AT_HOME),
        countries: countries(of),
        workload_hours_min_e4: least * 10_000,
        workload_hours_max_e4: most * 10_000,
        year_e4: year * 10_000,
        sources: sources(published),
    })
}
