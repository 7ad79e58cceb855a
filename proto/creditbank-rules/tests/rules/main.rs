//! The rules, tested from outside, in one program: what is right is admitted, what is wrong is refused by name, what is
//! computed is computed alike by everybody.

mod admission;
mod alone;
mod conversion;
mod courses;
mod fixtures;
mod ledger;
mod qualification;
mod refusals;
mod registry;
mod seen;
mod vectors;
mod work;
mod world;
