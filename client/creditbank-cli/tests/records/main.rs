//! What registrars record, as it is typed: enrolments, identities, documents of awards, notices, course codes, amendments.

#[path = "../desk/mod.rs"]
mod desk;

mod amend;
mod courses;
mod documents;
mod enrolment;
mod identity;
mod late;
mod notify;
