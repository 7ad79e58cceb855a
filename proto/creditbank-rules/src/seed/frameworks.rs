//! Qualification frameworks.
//!
//! A national framework that is not here, such as that of a country which is about to have one, is loaded by the operator:
//! `creditbank registry publish` takes it and its level maps from a file.

use creditbank_protocol::pb::{Framework, FrameworkLevel};

use super::{countries, english};

/// Code, name, countries, levels from the lowest, source.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FRAMEWORKS: &[Row] = &[
    ("AQF", "Australian Qualifications Framework", "AU", "1 2 3 4 5 6 7 8 9 10", "aqf.edu.au"),
    ("AQRF", "ASEAN Qualifications Reference Framework", "", "1 2 3 4 5 6 7 8", "www2.mqa.gov.my"),
    ("CQFW", "Credit and Qualifications Framework for Wales", "GB", "E1 E2 E3 1 2 3 4 5 6 7 8", "docslib 5620981"),
    ("EQF", "European Qualifications Framework", "", "1 2 3 4 5 6 7 8", "docslib 5620981"),
    (
        "FHEQ",
        "Framework for Higher Education Qualifications",
        "GB",
        "3 4 5 6 7 8",
        "QAA 2021; level 3 as the entry level of foundation study",
    ),
    (
        "GD-QF",
        "Guangdong Qualifications Framework",
        "CN",
        "1 2 3 4 5 6 7",
        "Guangdong lifelong education qualifications framework",
    ),
    ("HKQF", "Hong Kong Qualifications Framework", "HK", "1 2 3 4 5 6 7", "hkqr.gov.hk"),
    (
        "NCRF",
        "National Credit Framework",
        "IN",
        "1 1.5 2 2.5 3 3.5 4 4.5 5 5.5 6 6.5 7 7.5 8",
        "iasgatewayy.com; scribd 657057144: levels 1 to 8 in half steps",
    ),
    ("NFQ-IE", "Irish National Framework of Qualifications", "IE", "1 2 3 4 5 6 7 8 9 10", "docslib 5620981"),
    ("NZQF", "New Zealand Qualifications and Credentials Framework", "NZ", "1 2 3 4 5 6 7 8 9 10", "www2.nzqa.govt.nz"),
    ("RQF", "Regulated Qualifications Framework", "GB", "E1 E2 E3 1 2 3 4 5 6 7 8", "docslib 5620981"),
    ("SCQF", "Scottish Credit and Qualifications Framework", "GB", "1 2 3 4 5 6 7 8 9 10 11 12", "docslib 5620981"),
];

pub(super) fn all() -> impl Iterator<Item = Framework> {
    FRAMEWORKS.iter().map(|(code, name, of, levels, source)| Framework {
        code: (*code).to_owned(),
        names: english(name),
        countries: countries(of),
        levels: levels.split(' ').map(|level| FrameworkLevel { code: level.to_owned(), names: Vec::new() }).collect(),
        source: (*source).to_owned(),
    })
}
