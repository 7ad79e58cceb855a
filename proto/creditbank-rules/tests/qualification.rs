//! What an award asks for, and whether records fill it.

#[path = "qualification/allocations.rs"]
mod allocations;
#[path = "qualification/definitions.rs"]
mod definitions;
#[path = "qualification/grades.rs"]
mod grades;
#[path = "qualification/scene.rs"]
mod scene;
#[path = "qualification/time.rs"]
mod time;
