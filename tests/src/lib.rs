//! Harness: nodes in this process behind real gRPC, universities that may issue, and blocks of every shape.
#![forbid(unsafe_code)]

pub mod acts;
pub mod chain;
pub mod corrections;
pub mod degrees;
pub mod desk;
pub mod node;
pub mod scene;
pub mod university;

pub use chain::Chain;
pub use desk::Desk;
pub use node::TestNode;
pub use scene::Scene;
pub use university::{University, set};
