//! Countries, from the data set in `data/country-codes` (public domain).

use creditbank_protocol::pb::Country;

use super::{sources, table, texts};

const TABLE: &str = include_str!("../../data/country-codes/countries.csv");
const SOURCE: &str = "Bc ISO 3166-1 and UN M49; copy: github.com/datasets/country-codes (ODC-PDDL-1.0)";

pub(super) fn all() -> impl Iterator<Item = Country> {
    table(TABLE).map(|[alpha2, alpha3, numeric, english, french, chinese]| Country {
        alpha2: alpha2.to_owned(),
        alpha3: alpha3.to_owned(),
        numeric: numeric.to_owned(),
        names: texts(&[("en", english), ("fr", french), ("zh", chinese)]),
        sources: sources(&[SOURCE]),
    })
}
