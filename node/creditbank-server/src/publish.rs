//! What the log shows to everybody: checkpoints, receipts and proofs.

mod checkpoint;
mod receipts;

pub(crate) use checkpoint::publish;
pub use receipts::ReceiptError;
