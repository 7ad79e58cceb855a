//! What comes late: why, and that a second person approves it.

use creditbank_protocol::dates::{Day, day_of_ms, first_day};
use creditbank_protocol::pb;
use creditbank_rules::admission::late::{AWARD_DAYS, DECISION_DAYS};

use crate::failure::Failure;
use crate::show;
use crate::signing::Signing;

/// What a decision or a conversion of a day says of being late, if it is, with what the node says of today.
pub(super) fn of_decision(decided: &pb::Date, now: Option<pb::Late>) -> Option<pb::Late> {
    is_before(decided, DECISION_DAYS).then(|| now.unwrap_or_default())
}

/// The same of an award, by its day of conferral.
pub(super) fn of_award(conferred: &pb::Date, now: Option<pb::Late>) -> Option<pb::Late> {
    is_before(conferred, AWARD_DAYS).then(|| now.unwrap_or_default())
}

/// Whether a day lies more than so many days before today.
fn is_before(date: &pb::Date, days: Day) -> bool {
    day_of_ms(creditbank_client::now_ms()) - first_day(date) > days
}

/// That something is late, and what the rules give today.
pub(super) fn words(late: &pb::Late) -> String {
    let now = match late.on_recording.as_str() {
        "" => "the rules give the same today".to_owned(),
        rule => format!("today the rules would refuse it: {}", show::safe(rule)),
    };
    format!("it comes late; {now}\n")
}

/// Options of commands that record what was decided or conferred before.
#[derive(clap::Args)]
#[command(next_help_heading = "What comes late")]
pub(crate) struct WhyLate {
    /// Why it is recorded only now: for a decision or a conversion of more than 60 days ago, an award of more than 400
    ///
    /// A second person approves what is late: pass --require-approval. The record says what the rules give today.
    #[arg(long, value_name = "TEXT", requires = "late_case")]
    late_reason: Option<String>,
    /// The reference of the case
    #[arg(long, value_name = "TEXT", requires = "late_reason")]
    late_case: Option<String>,
}

impl WhyLate {
    /// Whether a reason was given.
    pub(crate) fn is_given(&self) -> bool {
        self.late_reason.is_some()
    }

    /// Completes what the node, or the day, says of being late. What is late without a reason is not sealed, nor is a
    /// reason where nothing is late.
    pub(crate) fn complete(&self, late: Option<pb::Late>, signing: &Signing) -> Result<Option<pb::Late>, Failure> {
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        match (late, &self.late_reason, &self.late_case) {
            (None, None, None) => Ok(None),
            (None, ..) => usage("--late-reason: nothing is late here: leave it out"),
            (Some(_), ..) if !signing.asks_for_approval() => {
                usage("what is late needs the approval of a second person: pass --require-approval")
            }
            (Some(late), Some(reason), Some(case_reference)) => {
                Ok(Some(pb::Late { reason: reason.clone(), case_reference: case_reference.clone(), ..late }))
            }
            (Some(_), ..) => usage(
                "its day lies so far back that it comes late: say why with --late-reason TEXT --late-case REFERENCE \
                 (if the day is wrong, correct it)",
            ),
        }
    }
}
