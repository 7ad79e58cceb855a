//! What can be worked out from records, over a read-only view: cases, balances, evaluations, previews of conversions,
//! and
//! what a transcript has to prove.
//!
//! Whoever holds the same records comes to the same answers: the node for its callers, a client or an auditor for
//! itself. Answers are typed; what they are called on the wire, and in words, is for the caller to say.

mod balance;
mod cases;
mod evaluate;
mod preview;
mod shown;
mod status;
mod transcript;
mod view;

pub use balance::{Line, balance};
pub use cases::{ApplicationCase, Consequences, Review, applications, consequences, reinstating, reviews};
pub use evaluate::{Converted, Evaluation, Question, Requirement, Unused, Verdict, evaluate};
pub use preview::{ConversionRequest, Preview, preview};
pub use shown::{ReadScope, Shown};
pub use status::{STATUS_BLOCKS_MAX, STATUS_IDS_MAX, StatusPlan, StatusQuestion, status};
pub use transcript::{
    PartPlan, PlanError, PlannedBlock, ProofView, TRANSCRIPT_RECORDS_MAX, TranscriptPlan, transcript,
};
pub use view::{MarkedRecord, QuestionError, ReadView, named_day, records_of};
