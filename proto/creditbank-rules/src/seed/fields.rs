//! Fields of education: ISCED-F 2013, a parent before what is below it.

use creditbank_protocol::pb::FieldOfEducation;

use super::{english, table};

const TABLE: &str = include_str!("../../data/seed/isced-f.csv");

pub(super) fn all() -> impl Iterator<Item = FieldOfEducation> {
    table(TABLE).map(|[code, name]| FieldOfEducation {
        code: code.to_owned(),
        names: english(name),
        source: "UNESCO UIS, ISCED Fields of Education and Training 2013".to_owned(),
    })
}
