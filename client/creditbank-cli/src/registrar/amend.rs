//! `amend`: another record stands in the place of one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use creditbank_client::Client;
use creditbank_client::correct::{Change, Correction, NewBody, Target, amendments};
use creditbank_client::import::Mapping;
use creditbank_protocol::Place;
use creditbank_protocol::pb::{AmendReason, Kind};
use serde_json::Value;

use super::correct::{Common, Work, one};
use super::survey::Accept;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Needs;
use crate::{edit, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV like the one that the records were issued from, with the values that are right; left out with --place
    #[arg(required_unless_present_any = ["place", "from"], requires = "mapping")]
    file: Option<PathBuf>,
    /// The mapping of the file; without --place-column, learner and reference say which record a line amends
    #[arg(long, requires = "file")]
    mapping: Option<PathBuf>,
    /// Column of the file that holds the place of the record, as 34/718
    #[arg(long, requires = "file")]
    place_column: Option<String>,
    /// One record: entry and index, as 34/718
    #[arg(long, conflicts_with = "file")]
    place: Option<Place>,
    /// With --place: FIELD=VALUE, as grade=B or amount=7.5; names as `record show --json` prints them
    #[arg(long = "set", conflicts_with = "file")]
    set: Vec<String>,
    /// What `record show --json` printed, with the values that are right
    #[arg(long, conflicts_with = "file")]
    from: Option<PathBuf>,
    /// error, appeal, late-result, name-change or other
    #[arg(long, value_parser = values::named::<AmendReason>)]
    reason: AmendReason,
    #[command(flatten)]
    accept: Accept,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, mapping, place_column, place, set, from, reason, accept, common } = arguments;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, "", Needs::Seeds).await?;
    let mapping = match &mapping {
        Some(path) => {
            let mapping = read_mapping(path, place_column.as_deref())?.accepting(accept.accept.iter().copied());
            Some(mapping.informed(&client).await?)
        }
        None => None,
    };
    let corrections = if let (Some(path), Some(mapping)) = (&file, &mapping) {
        amendments(mapping, File::open(path).map_err(Failure::file(path))?, reason)?
    } else {
        let (place, kind, body) = one_record(&client, place, &set, from.as_deref()).await?;
        let change = Change::Amend(reason, NewBody::Bytes(kind, body));
        one(Correction { line: 0, target: Target::At(place), change })
    };
    let work = Work { file: file.as_deref(), corrections, case_reference: "", verb: "amended" };
    common.run(global, &client, &unit, work).await
}

fn read_mapping(path: &Path, place_column: Option<&str>) -> Result<Mapping, Failure> {
    let mapping = Mapping::parse(&fs::read_to_string(path).map_err(Failure::file(path))?)?;
    Ok(match place_column {
        Some(column) => mapping.with_place(column),
        None => mapping,
    })
}

/// The place, kind and new body of one record: as a file says, or as it is now with some fields set.
async fn one_record(
    client: &Client,
    place: Option<Place>,
    set: &[String],
    from: Option<&Path>,
) -> Result<(Place, Kind, Vec<u8>), Failure> {
    let mut before = None;
    let (place, kind, mut body) = if let Some(path) = from {
        let wrong = |what: &str| Failure::Usage(format!("{}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(Failure::file(path))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        let of = |name: &str| value[name].as_str().ok_or_else(|| wrong(&format!("{name} is missing")));
        let own = of("place")?.parse::<Place>().map_err(|error| wrong(&error.to_string()))?;
        if place.is_some_and(|place| place != own) {
            return Err(wrong("it is about another place than --place"));
        }
        let kind = values::kind(of("kind")?).map_err(|error| wrong(&error))?;
        (own, kind, value["record"].clone())
    } else {
        let place = place.ok_or_else(|| Failure::Usage("pass --place or --from".to_owned()))?;
        if set.is_empty() {
            return Err(Failure::Usage("pass what changes: --set FIELD=VALUE, or --from FILE".to_owned()));
        }
        let read = client.record(place).await?;
        let info = read.disclosed.info;
        let shown = show::body(info.name(), &read.disclosed.body)?;
        before = Some(read.disclosed.body);
        (place, info.kind, shown)
    };
    for assignment in set {
        edit::set(show::message_of(kind), &mut body, assignment).map_err(Failure::Usage)?;
    }
    let bytes = edit::body(show::message_of(kind), &body).map_err(Failure::Usage)?;
    let before = match before {
        Some(before) => before,
        None => client.record(place).await?.disclosed.body,
    };
    if bytes == before {
        return Err(Failure::NotValid(format!("nothing was changed: {place} says so already")));
    }
    Ok((place, kind, bytes))
}
