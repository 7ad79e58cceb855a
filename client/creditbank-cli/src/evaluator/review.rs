//! `reviews` and `review`: records that stand on something that has changed, and what their institution makes of it.

use creditbank_client::sealing::{Contents, authority, effect};
use creditbank_protocol::pb::{self, Action, Basis, RecordReference};
use creditbank_protocol::{Place, names};
use creditbank_rpc::v1::ReviewState;
use creditbank_rules::dates;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::whose::OwnInstitution;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    institution: OwnInstitution,
}

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Stand by a record that is under review: it counts again as it is. Otherwise `amend` or `revoke` it
    Close {
        /// The record: entry and index, as 34/718
        place: Place,
        #[command(flatten)]
        signing: Signing,
    },
}

fn value(one: &ReviewState) -> Value {
    let place = one.record.as_ref().and_then(|record| record.place);
    json!({
        "place": place.as_ref().map(values::show_place),
        "kind": names::of(one.kind()),
        "because_of_entry": one.entry,
        "since": one.since.as_ref().map(dates::show),
        "due": one.due.as_ref().map(dates::show),
        "overdue": one.overdue,
    })
}

pub(crate) async fn list(global: &Global, arguments: &List) -> Result<(), Failure> {
    let client = global.connect().await?;
    let institution = arguments.institution.id(&client).await?;
    let listed: Vec<Value> = client.reviews(institution).await?.iter().map(value).collect();
    output::print(global, &Value::Array(listed.clone()), || {
        let names = ["place", "kind", "because_of_entry", "since", "due", "overdue"];
        let cell = |one: &Value, name: &str| match (&one[name], name) {
            (Value::Bool(late), "overdue") => if *late { "OVERDUE" } else { "" }.to_owned(),
            (other, _) => show::line(other),
        };
        output::table(&names, listed.iter().map(|one| names.iter().map(|name| cell(one, name)).collect()))
    })
}

pub(crate) async fn run(global: &Global, Command::Close { place, signing }: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let read = client.record(place).await?;
    let by_right = if unit.id.institution == read.subject() {
        authority(Basis::Issuer)
    } else {
        pb::Authority { institution: read.subject().0, ..authority(Basis::Custodian) }
    };
    let mut contents = Contents::default();
    let record = RecordReference { place: place.written(), status_id: read.status_id.0.to_vec(), ..Default::default() };
    contents.add(by_right, effect(&record, Action::CloseReview));
    let shown = place.to_string();
    let text = format!("{shown}: the review is closed, the record stands as it is");
    signing.seal(global, &client, &unit, &contents, (json!({ "place": shown }), text)).await
}
