//! What a registrar does: records into the ledger, corrections, comparisons, and a look at what is there.

pub(crate) mod amend;
pub(crate) mod approve;
mod balance;
pub(crate) mod contested;
pub(crate) mod correct;
pub(crate) mod course;
pub(crate) mod enrolment;
mod forecast;
mod format;
mod identity;
pub(crate) mod issue;
pub(crate) mod learner;
pub(crate) mod mapping;
pub(crate) mod reconcile;
pub(crate) mod record;
pub(crate) mod reinstate;
pub(crate) mod revoke;
pub(crate) mod seed_secrets;
mod source;
mod survey;
pub(crate) mod sync;
