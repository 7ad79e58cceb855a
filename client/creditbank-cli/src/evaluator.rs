//! What whoever evaluates credit does: agreements, conversions, decisions on recognition, qualifications and awards.

pub(crate) mod agreement;
pub(crate) mod appeal;
pub(crate) mod applications;
pub(crate) mod apply;
pub(crate) mod award;
pub(crate) mod convert;
pub(crate) mod decide;
pub(crate) mod distribution;
pub(crate) mod equivalence;
mod late;
mod mandated;
pub(crate) mod notify;
pub(crate) mod qualification;
mod received;
pub(crate) mod recognise;
pub(crate) mod review;
mod shown;
