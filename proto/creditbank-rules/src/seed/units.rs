//! Credit units.
//!
//! Where a country leaves the size of a credit to its institutions, the country's unit states no hours and each
//! institution's own is a unit of its own, named after it: `CN-XUEFEN:PKU`. In China these count class hours, which stand in the
//! name: the band of a unit is of the learner's whole work, and nobody has published that.

use creditbank_protocol::pb::CreditUnit;

use super::{UNSOURCED, countries, named};

/// Code, name, countries, hours per credit (least, most), credits of a year, source; figures in whole numbers, 0 where
/// they are not stated.
type Row = (&'static str, &'static str, &'static str, (u64, u64), u64, &'static str);

const UNITS: &[Row] = &[
    ("AU-48", "Australian points, 48 a year", "AU", (0, 0), 48, "en.wikipedia.org/wiki/Course_credit"),
    (
        "AU-EFTSL",
        "Equivalent full-time student load (Australia), 1 a year",
        "AU",
        (0, 0),
        1,
        "en.wikipedia.org/wiki/Course_credit",
    ),
    ("AU-POINTS:MELBOURNE", "University of Melbourne points, 100 a year", "AU", (0, 0), 100, UNSOURCED),
    ("AU-POINTS:QUT", "Queensland University of Technology points, 96 a year", "AU", (0, 0), 96, UNSOURCED),
    ("AU-POINTS:UNSW", "University of New South Wales units of credit, 48 a year", "AU", (0, 0), 48, UNSOURCED),
    ("AU-POINTS:UQ", "University of Queensland units, 16 a year", "AU", (0, 0), 16, UNSOURCED),
    ("CATS", "UK credit (CATS)", "GB", (10, 10), 120, "en.wikipedia.org/wiki/Credit_Accumulation_and_Transfer_Scheme"),
    ("CN-XUEFEN", "Chinese credit, hours set by each institution", "CN", (0, 0), 0, "nesochina.org"),
    ("CN-XUEFEN:FUDAN", "Fudan University credit, 18 class hours", "CN", (0, 0), 0, "nesochina.org"),
    ("CN-XUEFEN:PKU", "Peking University credit, 15 class hours", "CN", (0, 0), 0, "nesochina.org"),
    (
        "CN-XUEFEN:QINGDAO-LAB",
        "Qingdao University credit of laboratory work, 32 class hours",
        "CN",
        (0, 0),
        0,
        "wodeyuanxiao.com",
    ),
    (
        "CN-XUEFEN:QINGDAO-THEORY",
        "Qingdao University credit of theory, 16 class hours",
        "CN",
        (0, 0),
        0,
        "wodeyuanxiao.com",
    ),
    ("CN-XUEFEN:TIANJIN", "Tianjin University credit, 15 class hours", "CN", (0, 0), 0, "nesochina.org"),
    ("ECTS", "European credit (ECTS)", "", (25, 30), 60, "ECTS Users' Guide: 60 a year of 1500 to 1800 hours"),
    ("HK-CREDIT", "Hong Kong QF credit", "HK", (10, 10), 0, "hkqr.gov.hk"),
    ("IN-NCRF", "Indian NCrF credit", "IN", (30, 30), 40, "National Credit Framework: 1200 hours are 40 credits"),
    ("JP-TANI", "Japanese credit", "JP", (45, 45), 0, "niadqe.jp/glossary/5335"),
    ("KR-ACBS", "Korean credit (ACBS)", "KR", (0, 0), 0, "eng.nile.or.kr"),
    ("NZ-CREDIT", "New Zealand credit", "NZ", (10, 10), 120, UNSOURCED),
    ("UCTS", "UMAP credit (UCTS)", "", (38, 48), 60, "janu.jp/eng/global-engagement/umap-ucts.html"),
    ("US-CEU", "US continuing education unit", "US", (0, 0), 0, "X12 element 1141: 10 contact hours"),
    ("US-QUARTER", "US quarter credit hour", "US", (30, 36), 45, "34 CFR 600.2; hesc.ny.gov: 10 to 12 weeks"),
    (
        "US-SEMESTER",
        "US semester credit hour",
        "US",
        (45, 45),
        30,
        "34 CFR 600.2: 1 class hour and 2 outside, 15 weeks",
    ),
];

/// What people call some units at home: code, language, name.
const AT_HOME: &[(&str, &str, &str)] = &[
    ("CN-XUEFEN", "zh", "学分"),
    ("CN-XUEFEN:FUDAN", "zh", "复旦大学学分(18学时)"),
    ("CN-XUEFEN:PKU", "zh", "北京大学学分(15学时)"),
    ("CN-XUEFEN:QINGDAO-LAB", "zh", "青岛大学实验学分(32学时)"),
    ("CN-XUEFEN:QINGDAO-THEORY", "zh", "青岛大学理论学分(16学时)"),
    ("CN-XUEFEN:TIANJIN", "zh", "天津大学学分(15学时)"),
    ("JP-TANI", "ja", "単位"),
    ("KR-ACBS", "ko", "학점"),
];

pub(super) fn all() -> impl Iterator<Item = CreditUnit> {
    UNITS.iter().map(|(code, name, of, (least, most), year, source)| CreditUnit {
        code: (*code).to_owned(),
        names: named(code, name, AT_HOME),
        countries: countries(of),
        workload_hours_min_e4: least * 10_000,
        workload_hours_max_e4: most * 10_000,
        year_e4: year * 10_000,
        source: (*source).to_owned(),
    })
}
