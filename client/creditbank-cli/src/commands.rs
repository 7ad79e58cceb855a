//! One module for each command.

pub(crate) mod accreditation;
pub(crate) mod amend;
pub(crate) mod approve;
pub(crate) mod audit;
pub(crate) mod contested;
mod correct;
mod forecast;
mod format;
pub(crate) mod institution;
pub(crate) mod issue;
pub(crate) mod key;
pub(crate) mod keygen;
pub(crate) mod learner;
pub(crate) mod log;
pub(crate) mod mapping;
mod publish;
pub(crate) mod reconcile;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod revoke;
pub(crate) mod scale;
pub(crate) mod sync;
pub(crate) mod transcript;
pub(crate) mod unit;
pub(crate) mod verify;
