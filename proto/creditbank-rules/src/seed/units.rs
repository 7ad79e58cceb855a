//! Credit units.

use creditbank_protocol::pb::CreditUnit;

use super::{countries, english};

/// Code, name, countries, hours per credit (least, most), credits of a year, source; figures in whole numbers, 0 where
/// they are not stated.
type Row = (&'static str, &'static str, &'static str, (u64, u64), u64, &'static str);

const UNITS: &[Row] = &[
    ("AU-48", "Australian points, 48 a year", "AU", (0, 0), 48, "en.wikipedia.org/wiki/Course_credit"),
    ("CATS", "UK credit (CATS)", "GB", (10, 10), 120, "en.wikipedia.org/wiki/Credit_Accumulation_and_Transfer_Scheme"),
    ("CN-XUEFEN", "Chinese credit, hours set by each institution", "CN", (0, 0), 0, "nesochina.org"),
    ("ECTS", "European credit (ECTS)", "", (25, 30), 60, "ECTS Users' Guide: 60 a year of 1500 to 1800 hours"),
    ("HK-CREDIT", "Hong Kong QF credit", "HK", (10, 10), 0, "hkqr.gov.hk"),
    ("IN-NCRF", "Indian NCrF credit", "IN", (30, 30), 40, "National Credit Framework: 1200 hours are 40 credits"),
    ("JP-TANI", "Japanese credit", "JP", (45, 45), 0, "niadqe.jp/glossary/5335"),
    ("KR-ACBS", "Korean credit (ACBS)", "KR", (0, 0), 0, "eng.nile.or.kr"),
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

pub(super) fn all() -> impl Iterator<Item = CreditUnit> {
    UNITS.iter().map(|(code, name, of, (least, most), year, source)| CreditUnit {
        code: (*code).to_owned(),
        names: english(name),
        countries: countries(of),
        workload_hours_min_e4: least * 10_000,
        workload_hours_max_e4: most * 10_000,
        year_e4: year * 10_000,
        source: (*source).to_owned(),
    })
}
