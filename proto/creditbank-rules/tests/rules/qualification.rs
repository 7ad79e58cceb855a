//! What an award asks for, and whether records fill it.

mod allocations;
pub(crate) mod definitions;
mod grades;
pub(crate) mod scene;
mod time;
