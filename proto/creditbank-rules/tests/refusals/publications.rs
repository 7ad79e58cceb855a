//! What institutions publish.

use creditbank_protocol::pb::{self, Kind};

use super::case::Case;
use super::derived::{day, published};
use crate::world::text;

/// How grades were distributed at an institution in an academic year.
pub(crate) fn distribution(institution: u64) -> pb::GradeDistribution {
    let count = |value: &str, count| pb::GradeCount { value: value.to_owned(), count };
    pb::GradeDistribution {
        institution,
        number: 1,
        scale: "JP-SABC".to_owned(),
        cycle: pb::Cycle::First.into(),
        period: Some(pb::Period { from: day(2024, 9, 0), until: day(2026, 8, 0) }),
        counts: vec![count("S", 12), count("A", 30), count("B", 40), count("C", 15), count("D", 2), count("E", 1)],
        ..Default::default()
    }
}

pub(crate) fn refused() -> Vec<Case> {
    let country = pb::Country {
        alpha2: "IE".to_owned(),
        alpha3: "IRL".to_owned(),
        numeric: "372".to_owned(),
        names: vec![text("Ireland")],
        source: "ISO 3166-1".to_owned(),
    };
    vec![
        published(Some("NOT_THE_PUBLISHER"), "of another institution", Kind::GradeDistribution, &distribution(2)),
        published(Some("KIND_OUTSIDE_KEY"), "by a key for awards", Kind::GradeDistribution, &distribution(1))
            .with(|case| case.by_narrow(&[Kind::Award])),
        published(Some("KIND_NOT_ISSUED"), "a registry record by a unit", Kind::Country, &country),
        published(
            Some("NOT_THE_OPERATOR"),
            "what institutions publish, by the operator",
            Kind::GradeDistribution,
            &distribution(1),
        )
        .with(Case::by_operator),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![published(None, "a distribution", Kind::GradeDistribution, &distribution(1))]
}
