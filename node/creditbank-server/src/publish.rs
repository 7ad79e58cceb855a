//! What the log shows to everybody: checkpoints, receipts and proofs.

mod receipts;

pub use receipts::ReceiptError;
