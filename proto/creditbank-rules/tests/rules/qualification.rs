//! What an award asks for, and whether records fill it.

mod allocations;
mod definitions;
mod grades;
mod scene;
mod time;
