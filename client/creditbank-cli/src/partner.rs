//! What another institution, an employer or a learner does: a transcript, and its check.

pub(crate) mod transcript;
pub(crate) mod verify;
