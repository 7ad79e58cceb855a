//! `qualification progress`: a row for each requirement.

use creditbank_protocol::pb::{Allocation, Place};
use creditbank_rpc::v1::{
    EvaluateQualificationResponse, EvaluationOutcome, EvaluationReason, RequirementProgress, UnusedRecord,
};
use serde_json::{Value, json};

use super::{About, facts};
use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::OwnInstitution;
use crate::{output, show, values};

#[derive(clap::Args)]
#[command(mut_arg("institution", |arg| arg.help("The awarding institution; left out: the access key's own")))]
pub(crate) struct Arguments {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    institution: OwnInstitution,
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { about, institution } = arguments;
    let client = global.connect().await?;
    let institution = institution.id(&client).await?;
    let request = about.request(global, &client, institution, "").await?;
    let name = request.definition.clone().unwrap_or_default();
    let (answer, _) = client.evaluate(request).await?;
    output::print(global, &value(&answer), || facts(&name) + &text(&answer))
}

/// `34/718`, and of a result `34/718#2`.
fn shown(place: Option<Place>, result_plus_1: u32) -> String {
    let place = place.as_ref().map(values::show_place).unwrap_or_default();
    if result_plus_1 == 0 { place } else { format!("{place}#{result_plus_1}") }
}

fn filled(one: &Allocation) -> String {
    shown(one.record.as_ref().and_then(|record| record.place), one.result_plus_1)
}

/// In a word.
pub(super) fn outcome(answer: &EvaluateQualificationResponse) -> &'static str {
    match answer.outcome() {
        EvaluationOutcome::Met => "met",
        EvaluationOutcome::Missing => "missing",
        EvaluationOutcome::Undecided => "undecided",
        EvaluationOutcome::Unspecified => "unknown",
    }
}

/// Why it is undecided, or missing, in a word; empty where there is no more to say.
fn reason(reason: EvaluationReason) -> &'static str {
    match reason {
        EvaluationReason::Unspecified => "",
        EvaluationReason::Time => "time",
        EvaluationReason::TooLarge => "too large",
        EvaluationReason::Fault => "fault",
        EvaluationReason::Wishes => "use and keep",
    }
}

/// As programs get it.
pub(super) fn value(answer: &EvaluateQualificationResponse) -> Value {
    let requirement = |one: &RequirementProgress| {
        json!({
            "requirement": one.requirement, "depth": one.depth, "text": one.text, "met": one.met,
            "filled": one.filled.iter().map(filled).collect::<Vec<_>>(), "missing": one.missing,
        })
    };
    let unused = |one: &UnusedRecord| json!({ "place": shown(one.place, one.result_plus_1), "reason": one.reason });
    json!({
        "outcome": outcome(answer),
        "reason": reason(answer.reason()),
        "requirements": answer.requirements.iter().map(requirement).collect::<Vec<_>>(),
        "unused": answer.unused.iter().map(unused).collect::<Vec<_>>(),
        "awarded": answer.awarded.iter().map(values::show_place).collect::<Vec<_>>(),
    })
}

/// As people read it.
pub(super) fn text(answer: &EvaluateQualificationResponse) -> String {
    let row = |one: &RequirementProgress| {
        let indent = "  ".repeat(one.depth.min(32) as usize);
        vec![
            one.requirement.to_string(),
            indent + &show::safe(&one.text),
            if one.met { "yes" } else { "no" }.to_owned(),
            one.filled.iter().map(filled).collect::<Vec<_>>().join(" "),
            show::safe(&one.missing),
        ]
    };
    let heads = ["no", "requirement", "met", "filled by", "missing"];
    let mut text = output::table(&heads, answer.requirements.iter().map(row));
    text.push('\n');
    if !answer.unused.is_empty() {
        let row = |one: &UnusedRecord| vec![shown(one.place, one.result_plus_1), show::safe(&one.reason)];
        text.push_str(&output::table(&["at hand", "does not count because"], answer.unused.iter().map(row)));
        text.push('\n');
    }
    let last = match answer.outcome() {
        EvaluationOutcome::Met => "everything is met: the qualification can be awarded",
        EvaluationOutcome::Missing if answer.reason() == EvaluationReason::Wishes => {
            "everything could be met, but not with what is to be used and kept: leave out a --use or a --keep"
        }
        EvaluationOutcome::Missing => "not met yet",
        EvaluationOutcome::Undecided => undecided(answer.reason()),
        EvaluationOutcome::Unspecified => "the node gave no answer",
    };
    text + last + &awarded(answer)
}

/// Why there is neither a yes nor a no, and what to do.
fn undecided(reason: EvaluationReason) -> &'static str {
    match reason {
        EvaluationReason::TooLarge => {
            "undecided: there are more records or larger numbers than the solver takes; keep some back with --keep"
        }
        EvaluationReason::Fault => {
            "undecided: an answer was found that the rules of the ledger refuse; that is a fault of the node, report it"
        }
        EvaluationReason::Time | EvaluationReason::Unspecified | EvaluationReason::Wishes => {
            "undecided: no answer was found in the time that it may take, neither yes nor no; --use and --keep narrow it"
        }
    }
}

/// What the learner holds of the qualification already.
fn awarded(answer: &EvaluateQualificationResponse) -> String {
    let places: Vec<String> = answer.awarded.iter().map(values::show_place).collect();
    if places.is_empty() {
        return String::new();
    }
    let awards = places.join(", ");
    format!("\nawarded already ({awards}): another award needs another --specialisation, or one that is revoked")
}
