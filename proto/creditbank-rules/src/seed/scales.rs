//! Grade scales.

use creditbank_protocol::pb::{GradeScale, ListedGrade, NumericGrades};

use super::{UNSOURCED, countries, named};

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
    ("AU-HD", "Australia, high distinction to fail", "AU", ("HD D C P", "N"), None, UNSOURCED),
    ("CH-6", "Switzerland, 6 to 1", "CH", NONE, Some((10_000, 60_000, 40_000, 0, false)), UNSOURCED),
    (
        "CN-100",
        "China, 0 to 100",
        "CN",
        NONE,
        Some((0, 1_000_000, 600_000, 0, false)),
        "worldpopulationreview.com; asiaexchange.org",
    ),
    ("CN-5", "China, five levels", "CN", ("优 良 中 及格", "不及格"), None, "common usage, unsourced"),
    ("CN-PASS", "China, pass or fail", "CN", ("合格", "不合格"), None, "common usage, unsourced"),
    ("DE-5", "Germany, 1.0 to 5.0", "DE", NONE, Some((10_000, 50_000, 40_000, 1_000, true)), "sobi.uni-passau.de"),
    (
        "DK-13",
        "Denmark, thirteen-point scale, until 2007",
        "DK",
        ("13 11 10 9 8 7 6", "5 03 00"),
        None,
        "eng.uvm.dk: the official table from the old scale; its values are unsourced: general knowledge",
    ),
    ("DK-7", "Denmark, seven-point scale", "DK", ("12 10 7 4 02", "00 -3"), None, "eng.uvm.dk"),
    (
        "ECTS-AF",
        "ECTS grades A to F (the scale in which they stand for shares of those who passed is withdrawn)",
        "",
        ("A B C D E", "FX F"),
        None,
        "ec.europa.eu/education/ects/users-guide; eng.uvm.dk",
    ),
    ("ES-10", "Spain, 0 to 10", "ES", NONE, Some((0, 100_000, 50_000, 0, false)), UNSOURCED),
    (
        "FR-20",
        "France and Flanders, 0 to 20",
        "BE FR",
        NONE,
        Some((0, 200_000, 100_000, 0, false)),
        "cijfergemiddelde.nl",
    ),
    ("GB-100", "United Kingdom, 0 to 100", "GB", NONE, Some((0, 1_000_000, 400_000, 0, false)), "gowin.tools"),
    ("GB-CLASS", "United Kingdom, classes of an honours degree", "GB", ("1st 2:1 2:2 3rd", "Fail"), None, UNSOURCED),
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
        "IT-110",
        "Italy, degree, 66 to 110 with honours",
        "IT",
        ("110L", ""),
        Some((0, 1_100_000, 660_000, 10_000, false)),
        "international.unicam.it; the pass of 66 is unsourced: general knowledge",
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
    ("KR-AF", "Republic of Korea, A+ to F", "KR", ("A+ A0 B+ B0 C+ C0 D+ D0", "F"), None, UNSOURCED),
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
    ("NO-AF", "Norway, A to F", "NO", ("A B C D E", "F"), None, UNSOURCED),
    ("PASS", "Pass or fail", "", ("Pass", "Fail"), None, "common usage"),
    ("PL-5", "Poland, 5.0 to 2.0", "PL", ("5.0 4.5 4.0 3.5 3.0", "2.0"), None, UNSOURCED),
    ("SE-VG", "Sweden, pass with distinction, pass, fail", "SE", ("VG G", "U"), None, UNSOURCED),
    ("US-4", "United States, letters, A+ to F", "US", ("A+ A A- B+ B B- C+ C C- D+ D D-", "F"), None, "aiappbox.tech"),
];

/// What people call some scales at home: code, language, name.
const AT_HOME: &[(&str, &str, &str)] = &[("CN-5", "zh", "五级制"), ("CN-PASS", "zh", "两级制")];

pub(super) fn all() -> impl Iterator<Item = GradeScale> {
    SCALES.iter().map(|(code, name, of, (pass, fail), numbers, source)| GradeScale {
        code: (*code).to_owned(),
        names: named(code, name, AT_HOME),
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
