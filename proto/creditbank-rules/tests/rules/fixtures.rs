//! What tests put into registries and records: each fixture once. A test changes what it is about with `..`.

mod agreement;
mod publications;
mod qualification;
mod records;
mod registry;
mod values;

pub(crate) use agreement::{acceptance, between, name, proposal};
pub(crate) use publications::{distribution, equivalence};
pub(crate) use qualification::{credits, definition, node};
pub(crate) use records::{ACCOUNT, ALIAS, CLOSED_ALIAS, OTHER_ALIAS, credit, identity, outcome, record, result};
pub(crate) use registry::{
    ORIGIN, accreditation, admit_seed, institution, key, key_for, operator, seed_of, seeded, unit,
};
pub(crate) use values::{amount, course, date, day, fheq, grade, level, reference, sources, text};
