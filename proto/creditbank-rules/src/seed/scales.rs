//! Grade scales.
//!
//! Where a country leaves its grades to the institutions, each scale is named after the one whose rules it follows:
//! `JP-SABC:TOKAI`.

use creditbank_protocol::pb::{GradeScale, ListedGrade, NumericGrades};

use super::{countries, named, sources};

/// Grades that pass and grades that do not, best first, with `|` between them.
type Listed = (&'static str, &'static str);
/// Least, most, pass and step, in ten-thousandths, and whether a smaller number is better.
type Numbers = (u64, u64, u64, u64, bool);
/// Code, name, countries, listed grades, numbers, sources.
type Row = (&'static str, &'static str, &'static str, Listed, Option<Numbers>, &'static [&'static str]);

const NONE: Listed = ("", "");

const SCALES: &[Row] = &[
    (
        "AT-5",
        "Austria, 1 to 5, without intermediate grades",
        "AT",
        ("1|2|3|4", "5"),
        None,
        &["Ac ris.bka.gv.at, Universitätsgesetz 2002, section 72(2); copy: jusline.at/gesetz/univg/paragraf/72"],
    ),
    (
        "AT-TEIL",
        "Austria, taken part with or without success",
        "AT",
        ("mit Erfolg teilgenommen", "ohne Erfolg teilgenommen"),
        None,
        &["Ac ris.bka.gv.at, Universitätsgesetz 2002, section 72(2); copy: jusline.at/gesetz/univg/paragraf/72"],
    ),
    (
        "AU-H:MELBOURNE",
        "University of Melbourne, H1 to N",
        "AU",
        ("H1|H2A|H2B|H3|P", "N"),
        None,
        &["Ao unimelb.edu.au, grading scale: H1 80, H2A 75, H2B 70, H3 65, P 50"],
    ),
    (
        "AU-HD:SYDNEY",
        "University of Sydney, high distinction to fail",
        "AU",
        ("HD|D|CR|P", "F"),
        None,
        &["Ao sydney.edu.au/arts, distribution of grades: HD 85, D 75, CR 65, P 50"],
    ),
    (
        "BE-VL-20",
        "Flanders, whole numbers from 0 to 20",
        "BE",
        NONE,
        Some((0, 200_000, 100_000, 10_000, false)),
        &["Bo nuffic.nl/en/node/72 (Dutch ENIC-NARIC): 10 suffices"],
    ),
    (
        "CH-6",
        "Switzerland, 6 to 1 (as ETH Zurich has it)",
        "CH",
        NONE,
        Some((10_000, 60_000, 40_000, 0, false)),
        &["Ac fedlex.admin.ch/eli/cc/2012/446, SR 414.135.1, article 6: it binds ETH Zurich alone"],
    ),
    (
        "CN-100",
        "China, 0 to 100",
        "CN",
        NONE,
        Some((0, 1_000_000, 600_000, 0, false)),
        &[
            "Bo nuffic.nl/en/education-systems/china/grading-systems: a system of 100 points",
            "C asiaexchange.org: the pass of 60 stands in no national text that was read",
        ],
    ),
    (
        "DE-5",
        "Germany, averages from 1.0 to 5.0, cut after one decimal",
        "DE",
        NONE,
        Some((10_000, 50_000, 40_000, 1_000, true)),
        &["Bo studium.uni-kiel.de/en/examinations, PVO section 13: each university's examination rules decide"],
    ),
    (
        "DE-MODUL",
        "Germany, a single examination, 1.0 to 5.0",
        "DE",
        ("1.0|1.3|1.7|2.0|2.3|2.7|3.0|3.3|3.7|4.0", "5.0"),
        None,
        &["Bo studium.uni-kiel.de/en/examinations, PVO section 13: 0.7, 4.3, 4.7 and 5.3 are excluded"],
    ),
    (
        "DK-13",
        "Denmark, thirteen-point scale, until 2007",
        "DK",
        ("13|11|10|9|8|7|6", "5|03|00"),
        None,
        &["Bc en.iu.dk (agency of the ministry); copy: ciriusonline.dk/grading-systems-in-denmark"],
    ),
    (
        "DK-7",
        "Denmark, seven-point scale",
        "DK",
        ("12|10|7|4|02", "00|-3"),
        None,
        &[
            "Bo en.iu.dk/publications/fact-sheets/danish-grading-scale, on ministerial orders 262 and 250 of March 2007; \
             successor orders not checked",
        ],
    ),
    (
        "ECTS-AF",
        "ECTS grades A to F (the scale in which they stand for shares of those who passed is withdrawn)",
        "",
        ("A|B|C|D|E", "FX|F"),
        None,
        &[
            "Bo unilink.it, ECTS grades",
            "An Publications Office of the EU, ECTS Users' Guide 2015: grading tables instead",
        ],
    ),
    (
        "ES-10",
        "Spain, 0 to 10 with one decimal, and matrícula de honor",
        "ES",
        ("MH", ""),
        Some((0, 100_000, 50_000, 1_000, false)),
        &[
            "Bo deusto.es, ufv.es: passes from 5.0, with one decimal",
            "Bc Universidad Complutense, leaflet; copy: scribd 425942791: MH from 9.0 on, at most 5 % of a group",
            "An boe.es, Real Decreto 1125/2003 of 5 September",
        ],
    ),
    (
        "FR-20",
        "France, 0 to 20",
        "FR",
        NONE,
        Some((0, 200_000, 100_000, 0, false)),
        &[
            "Bo enjmin-en.cnam.fr, French grading system: 10 to 20 pass",
            "C doczz.net 1072421: a mean may compensate lower marks, as each university's rules say",
            "An legifrance.gouv.fr, arrêtés of 1 August 2011 and 30 July 2018 on the licence",
        ],
    ),
    (
        "GB-100-PG",
        "United Kingdom, 0 to 100 at level 7",
        "GB",
        NONE,
        Some((0, 1_000_000, 500_000, 0, false)),
        &["Ao keele.ac.uk/qa/degreeclassification: Keele's own; there is no national scale of marks"],
    ),
    (
        "GB-100-UG",
        "United Kingdom, 0 to 100 at levels 4 to 6",
        "GB",
        NONE,
        Some((0, 1_000_000, 400_000, 0, false)),
        &["Ao keele.ac.uk/qa/degreeclassification: Keele's own; there is no national scale of marks"],
    ),
    (
        "GB-CLASS",
        "United Kingdom, classes of an honours degree",
        "GB",
        ("1st|2:1|2:2|3rd", "Fail"),
        None,
        &[
            "Bo aber.ac.uk, academic quality handbook; qcukhe.org.uk; the fail is institutional",
            "An UKSCQA, outcome classification descriptions, October 2019, annex to the Frameworks",
        ],
    ),
    (
        "HU-5",
        "Hungary, 5 to 1",
        "HU",
        ("5|4|3|2", "1"),
        None,
        &["Bo uni-pannon.hu, uniduna.hu; the rule in Act CCIV of 2011 was not found"],
    ),
    (
        "IN-10",
        "India, letters of the ten-point scale",
        "IN",
        ("O|A+|A|B+|B|C|P", "F|Ab"),
        None,
        &["Ac ugc.gov.in, guidelines on the Choice Based Credit System (2014-15), table 1; copy: scribd 277708837"],
    ),
    (
        "IT-110",
        "Italy, degree, 66 to 110 with honours at 110",
        "IT",
        ("110L", ""),
        Some((0, 1_100_000, 660_000, 10_000, false)),
        &[
            "Ao corsi.unipr.it, degree rules, article 9: Parma's own",
            "Bo nuffic.nl/en/education-systems/italy/grades-and-study-results",
        ],
    ),
    (
        "IT-30",
        "Italy, 18 to 30 with honours at 30",
        "IT",
        ("30L", ""),
        Some((0, 300_000, 180_000, 10_000, false)),
        &[
            "Ao corsi.unipr.it, degree rules, article 9: Parma's own",
            "Bo nuffic.nl/en/education-systems/italy/grades-and-study-results",
        ],
    ),
    (
        "JP-SABC:TOKAI",
        "Tokai University, S to E",
        "JP",
        ("S|A|B|C", "D|E"),
        None,
        &["Ao u-tokai.ac.jp/english/academics/degrees.html: Tokai's own; Japan has no national scale"],
    ),
    (
        "JP-SABCD:KEIO",
        "Keio University, S to D",
        "JP",
        ("S|A|B|C", "D"),
        None,
        &["Ao students.keio.ac.jp: Keio's own, from 90, 80, 70 and 60; Japan has no national scale"],
    ),
    (
        "KR-AF:AJOU",
        "Ajou University, A+ to F",
        "KR",
        ("A+|A0|B+|B0|C+|C0|D+|D0", "F"),
        None,
        &["Ao ajou.ac.kr/en: Ajou's own, on 4.5, in steps of five points from 60 on"],
    ),
    (
        "NL-10",
        "Netherlands, 1 to 10 with one decimal, pass 5.5",
        "NL",
        NONE,
        Some((10_000, 100_000, 55_000, 1_000, false)),
        &["Bo staff.leiden.edu; eur.nl/en/dutch-grading-system: no law fixes the pass mark"],
    ),
    (
        "NL-10-WHOLE",
        "Netherlands, whole grades from 1 to 10, pass 6",
        "NL",
        NONE,
        Some((10_000, 100_000, 60_000, 10_000, false)),
        &["Bo staff.leiden.edu; eur.nl/en/dutch-grading-system; Utrecht's table rounds 5.5 to 6.25 to 6"],
    ),
    (
        "NO-AF",
        "Norway, A to F",
        "NO",
        ("A|B|C|D|E", "F"),
        None,
        &[
            "Bo studieadministrasjon.sikt.no/begreper/karakter; kvalitet.himolde.no/KS_UNL119",
            "An lovdata.no, universities and university colleges act: section 3-9 of 2005, renumbered by the act of 2024",
        ],
    ),
    (
        "PASS",
        "Pass or fail",
        "",
        ("Pass", "Fail"),
        None,
        &["Ao Credit Bank: two words of this program, which stand for no scale of anybody else"],
    ),
    (
        "PL-5",
        "Poland, 5.0 to 2.0",
        "PL",
        ("5.0|4.5|4.0|3.5|3.0", "2.0"),
        None,
        &["Bo umk.pl/en/erasmus; iro.pk.edu.pl: each school sets its own, and some add 5.5"],
    ),
    (
        "SE-VG:UMU",
        "Umeå University, pass with distinction, pass, fail",
        "SE",
        ("VG|G", "U"),
        None,
        &["Bo student.umu.se, on the Higher Education Ordinance 1993:100, chapter 6, section 18: institutions choose"],
    ),
    (
        "US-4",
        "United States, letters, A+ to F",
        "US",
        ("A+|A|A-|B+|B|B-|C+|C|C-|D+|D|D-", "F"),
        None,
        &[
            "Ac ed.gov/international/usnei, U.S. Grading Systems, February 2008: no national scheme, each institution \
             decides; D as a pass is institutional",
            "Bo EducationUSA: points 4 3 2 1 0",
        ],
    ),
];

pub(super) fn all() -> impl Iterator<Item = GradeScale> {
    SCALES.iter().map(|(code, name, of, (pass, fail), numbers, published)| GradeScale {
        code: (*code).to_owned(),
        names: named(code, name, &[]),
        countries: countries(of),
        listed: grades(pass, true).chain(grades(fail, false)).collect(),
        numeric: numbers.map(|(min_e4, max_e4, pass_e4, step_e4, lower_is_better)| NumericGrades {
            min_e4,
            max_e4,
            pass_e4,
            step_e4,
            lower_is_better,
        }),
        sources: sources(published),
    })
}

fn grades(values: &'static str, pass: bool) -> impl Iterator<Item = ListedGrade> {
    let each = values.split('|').filter(|value| !value.is_empty());
    each.map(move |value| ListedGrade { value: value.to_owned(), pass })
}
