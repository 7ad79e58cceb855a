//! Qualification frameworks.
//!
//! A national framework that is not here, such as that of a country which is about to have one, is loaded by the operator:
//! `creditbank registry publish` takes it and its level maps from a file.

use creditbank_protocol::pb::{Framework, FrameworkLevel};

use super::{countries, english, sources};

/// Code, name, countries, levels from the lowest, sources.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// "Qualifications can cross boundaries": the joint leaflet of the British and Irish bodies.
pub(super) const LEAFLET: &str = "Ac Qualifications can cross boundaries, joint leaflet of the UK and Irish bodies, \
     wales.gov.uk, comparing qualifications guide; copies: yumpu 26544243, docslib 5620981";

const FRAMEWORKS: &[Row] = &[
    ("AQF", "Australian Qualifications Framework", "AU", "1 2 3 4 5 6 7 8 9 10", &["An aqf.edu.au"]),
    (
        "AQRF",
        "ASEAN Qualifications Reference Framework",
        "",
        "1 2 3 4 5 6 7 8",
        &["Bo mqa.gov.my: voluntary; it informs, and does not decide"],
    ),
    ("CQFW", "Credit and Qualifications Framework for Wales", "GB", "E1 E2 E3 1 2 3 4 5 6 7 8", &[LEAFLET]),
    (
        "EQF",
        "European Qualifications Framework",
        "",
        "1 2 3 4 5 6 7 8",
        &[LEAFLET, "An eur-lex.europa.eu, Council Recommendation of 22 May 2017"],
    ),
    (
        "FHEQ",
        "Framework for Higher Education Qualifications",
        "GB",
        "4 5 6 7 8",
        &[
            "Bo imperial.ac.uk, national frameworks: levels 4 to 8",
            "An qaa.ac.uk, The Frameworks for Higher Education Qualifications, February 2024; copy: scribd 715967648",
        ],
    ),
    ("HKQF", "Hong Kong Qualifications Framework", "HK", "1 2 3 4 5 6 7", &["Ao hkqr.gov.hk"]),
    (
        "NCRF",
        "National Credit Framework",
        "IN",
        "0 1 2 3 4 4.5 5 5.5 6 6.5 7 8",
        &[
            "C thehindu.com 66729994, theweek.in, on the UGC: 0 to 4 school, from 4.5 on higher education",
            "An ugc.gov.in, Report on the National Credit Framework, April 2023: table of levels",
        ],
    ),
    ("NFQ-IE", "Irish National Framework of Qualifications", "IE", "1 2 3 4 5 6 7 8 9 10", &[LEAFLET]),
    (
        "NZQF",
        "New Zealand Qualifications and Credentials Framework",
        "NZ",
        "1 2 3 4 5 6 7 8 9 10",
        &["Ao nzqa.govt.nz, Listing and Operational Rules 2022, appendix"],
    ),
    ("RQF", "Regulated Qualifications Framework", "GB", "E1 E2 E3 1 2 3 4 5 6 7 8", &[LEAFLET]),
    (
        "SCQF",
        "Scottish Credit and Qualifications Framework",
        "GB",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        &["Ao sqa.org.uk", LEAFLET],
    ),
];

pub(super) fn all() -> impl Iterator<Item = Framework> {
    FRAMEWORKS.iter().map(|(code, name, of, levels, published)| Framework {
        code: (*code).to_owned(),
        names: english(name),
        countries: countries(of),
        levels: levels.split(' ').map(|level| FrameworkLevel { code: level.to_owned(), names: Vec::new() }).collect(),
        sources: sources(published),
    })
}
