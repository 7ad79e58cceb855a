//! Grade scales.

use creditbank_protocol::pb::{GradeScale, ListedGrade, NumericGrades};

use super::{countries, english};

/// Grades that pass and grades that do not, best first.
type Listed = (&'static str, &'static str);
/// Least, most, pass and step, in ten-thousandths, and whether a smaller number is better.
type Numbers = (u64, u64, u64, u64, bool);
/// Code, name, countries, listed grades, numbers, source.
type Row = (&'static str, &'static str, &'static str, Listed, Option<Numbers>, &'static str);

const NONE: Listed = ("", "");

const SCALES: &[Row] = &[
    ("AR-10", "Argentina, 0 to 10", "AR", NONE, Some((0, 100_000, 40_000, 0, false)), "fdocuments.net/gorigen"),
    ("AT-5", "Austria, 1 to 5", "AT", ("1 2 3 4", "5"), None, "em-gsmart.zgis.net"),
    (
        "CN-100",
        "China, 0 to 100",
        "CN",
        NONE,
        Some((0, 1_000_000, 600_000, 0, false)),
        "worldpopulationreview.com; asiaexchange.org",
    ),
    (
        "CN-5",
        "China, five levels",
        "CN",
        ("\u{4f18} \u{826f} \u{4e2d} \u{53ca}\u{683c}", "\u{4e0d}\u{53ca}\u{683c}"),
        None,
        "common usage, unsourced",
    ),
    (
        "CN-PASS",
        "China, pass or fail",
        "CN",
        ("\u{5408}\u{683c}", "\u{4e0d}\u{5408}\u{683c}"),
        None,
        "common usage, unsourced",
    ),
    ("DE-5", "Germany, 1.0 to 5.0", "DE", NONE, Some((10_000, 50_000, 40_000, 1_000, true)), "sobi.uni-passau.de"),
    ("DK-7", "Denmark, seven-point scale", "DK", ("12 10 7 4 02", "00 -3"), None, "eng.uvm.dk"),
    (
        "FR-20",
        "France and Flanders, 0 to 20",
        "BE FR",
        NONE,
        Some((0, 200_000, 100_000, 0, false)),
        "cijfergemiddelde.nl",
    ),
    ("GB-100", "United Kingdom, 0 to 100", "GB", NONE, Some((0, 1_000_000, 400_000, 0, false)), "gowin.tools"),
    ("HU-5", "Hungary, 5 to 1", "HU", ("5 4 3 2", "1"), None, "em-gsmart.zgis.net"),
    (
        "IN-10",
        "India, letters of the ten-point scale",
        "IN",
        ("O A+ A B+ B C D P", "F"),
        None,
        "gdcjourian.co.in; scribd 671177378",
    ),
    (
        "IT-30",
        "Italy, 18 to 30 with honours",
        "IT",
        ("30L", ""),
        Some((0, 300_000, 180_000, 10_000, false)),
        "international.unicam.it",
    ),
    ("JP-SABC", "Japan (Tokai), S to E", "JP", ("S A B C", "D E"), None, "u-tokai.ac.jp"),
    (
        "NL-10",
        "Netherlands, 1 to 10, pass 5.5",
        "NL",
        NONE,
        Some((10_000, 100_000, 55_000, 0, false)),
        "cijfergemiddelde.nl",
    ),
    (
        "NL-10-VU",
        "Netherlands, 1 to 10, pass 6.0",
        "NL",
        NONE,
        Some((10_000, 100_000, 60_000, 0, false)),
        "em-gsmart.zgis.net (VU)",
    ),
    ("PASS", "Pass or fail", "", ("Pass", "Fail"), None, "common usage"),
    ("US-4", "United States, letters, A+ to F", "US", ("A+ A A- B+ B B- C+ C C- D+ D D-", "F"), None, "aiappbox.tech"),
];

pub(super) fn all() -> impl Iterator<Item = GradeScale> {
    SCALES.iter().map(|(code, name, of, (pass, fail), numbers, source)| GradeScale {
        code: (*code).to_owned(),
        names: english(name),
        countries: countries(of),
        listed: grades(pass, true).chain(grades(fail, false)).collect(),
        numeric: numbers.map(|(min_e4, max_e4, pass_e4, step_e4, lower_is_better)| NumericGrades {
            min_e4,
            max_e4,
            pass_e4,
            step_e4,
            lower_is_better,
        }),
        source: (*source).to_owned(),
    })
}

fn grades(values: &'static str, pass: bool) -> impl Iterator<Item = ListedGrade> {
    values.split_whitespace().map(move |value| ListedGrade { value: value.to_owned(), pass })
}
