//! `applications`: what waits for a decision, and what is late.

use creditbank_protocol::names;
use creditbank_protocol::pb::{self, RecognitionPurpose};
use creditbank_rpc::v1::ApplicationState;
use creditbank_rules::dates;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::OwnInstitution;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    institution: OwnInstitution,
    /// Only those whose deadline has passed
    #[arg(long)]
    overdue: bool,
}

fn value(one: &ApplicationState) -> Value {
    let place = |place: Option<&pb::Place>| place.map(values::show_place);
    json!({
        "place": place(one.place.as_ref()),
        "purpose": names::of_number::<RecognitionPurpose>(one.purpose),
        "stage": one.stage,
        "received": one.received.as_ref().map(dates::show),
        "due": one.due.as_ref().map(dates::show),
        "overdue": one.overdue,
        "appeal": place(one.appeal.as_ref()),
        "decision": place(one.decision.as_ref()),
        "appealable": one.appealable,
        "appeal_until": one.appeal_until.as_ref().map(dates::show),
        "alias": hex::encode(&one.alias),
    })
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let client = global.connect().await?;
    let institution = arguments.institution.id(&client).await?;
    let found = client.applications(institution, arguments.overdue).await?;
    let listed: Vec<Value> = found.iter().map(value).collect();
    output::print(global, &Value::Array(listed.clone()), || {
        let names = ["place", "purpose", "stage", "received", "due", "overdue", "decision", "appeal_until", "alias"];
        let cell = |one: &Value, name: &str| match (&one[name], name) {
            (Value::Bool(late), "overdue") => if *late { "OVERDUE" } else { "" }.to_owned(),
            (other, _) => show::line(other),
        };
        output::table(&names, listed.iter().map(|one| names.iter().map(|name| cell(one, name)).collect()))
    })
}
