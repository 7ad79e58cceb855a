//! Allocations are found wherever there are some, and nowhere else.

#[path = "allocation/beside.rs"]
mod beside;
#[path = "allocation/brute.rs"]
mod brute;
#[path = "allocation/choices.rs"]
mod choices;
#[path = "allocation/generated.rs"]
mod generated;
#[path = "allocation/greedy.rs"]
mod greedy;
#[path = "allocation/scene.rs"]
mod scene;
