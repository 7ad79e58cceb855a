//! What can be worked out from records, over a read-only view: cases, balances, evaluations, the proofs of a
//! transcript.
