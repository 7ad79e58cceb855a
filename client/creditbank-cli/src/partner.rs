//! What another institution, an employer or a learner does: a transcript, its check, and its newest status.

pub(crate) mod cut;
pub(crate) mod status;
pub(crate) mod transcript;
pub(crate) mod verify;
mod who;
mod why;
