//! Fields of education: ISCED-F 2013, a parent before what is below it.

use creditbank_protocol::pb::FieldOfEducation;

use super::{english, sources, table};

const TABLE: &str = include_str!("../../data/seed/isced-f.csv");
/// The codes agree in number with the classification as it is commonly listed.
const SOURCE: &str = "An uis.unesco.org, ISCED Fields of Education and Training 2013";

pub(super) fn all() -> impl Iterator<Item = FieldOfEducation> {
    table(TABLE).map(|[code, name]| FieldOfEducation {
        code: code.to_owned(),
        names: english(name),
        sources: sources(&[SOURCE]),
    })
}
