//! What institutions publish.

use creditbank_protocol::pb::{self, Kind};

use super::case::Case;
use super::derived::published;
use crate::fixtures::{self, sources, text};

pub(crate) fn distribution(institution: u64) -> pb::GradeDistribution {
    let counts = [("S", 12), ("A", 30), ("B", 40), ("C", 15), ("D", 2), ("E", 1)];
    fixtures::distribution(institution, 1, "JP-SABC:TOKAI", &counts)
}

pub(crate) fn refused() -> Vec<Case> {
    let country = pb::Country {
        alpha2: "IE".to_owned(),
        alpha3: "IRL".to_owned(),
        numeric: "372".to_owned(),
        names: vec![text("Ireland")],
        sources: sources("ISO 3166-1"),
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
