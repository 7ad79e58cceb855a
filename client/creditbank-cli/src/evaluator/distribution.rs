//! `distribution`: how an institution's grades are distributed, for the ECTS grading table.

use std::fs::File;
use std::path::PathBuf;

use creditbank_client::Client;
use creditbank_client::authoring::distribution::parse;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::registry::RegistryKey;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::operator::registry;
use crate::signing::Signing;
use crate::{output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Publish how many got which grade: a CSV with the columns grade and count, best first, failing grades too
    Publish(Box<Publish>),
    /// The distributions of an institution, or of all
    List {
        /// Number of the institution
        #[arg(long)]
        institution: Option<u64>,
    },
}

#[derive(clap::Args)]
pub(crate) struct Publish {
    /// The counts
    file: PathBuf,
    /// Code of the grade scale
    #[arg(long)]
    scale: String,
    /// ISCED-F 2013, two to four digits; left out: all fields
    #[arg(long, default_value = "")]
    field: String,
    /// short, first, second or third
    #[arg(long, value_parser = cycle)]
    cycle: i32,
    /// First day or month of the results
    #[arg(long, value_parser = values::date)]
    from: pb::Date,
    /// The last one; two or three years are usual
    #[arg(long, value_parser = values::date)]
    until: pb::Date,
    /// Its number at the institution [default: the next one]
    #[arg(long)]
    number: Option<u32>,
    #[command(flatten)]
    signing: Signing,
}

fn cycle(text: &str) -> Result<i32, String> {
    values::code("CYCLE", text, pb::Cycle::from_str_name)
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::List { institution } => registry::list(global, &client, Kind::GradeDistribution, institution).await,
        Command::Publish(publish) => {
            let Publish { file, scale, field, cycle, from, until, number, signing } = *publish;
            let unit = signing.unit(global, &client).await?;
            let number = match number {
                Some(number) => number,
                None => next(&client, unit.id.institution.0).await?,
            };
            let about = pb::GradeDistribution {
                institution: unit.id.institution.0,
                number,
                scale,
                field,
                cycle,
                period: Some(pb::Period { from: Some(from), until: Some(until) }),
                counts: Vec::new(),
            };
            let read = parse(File::open(&file).map_err(Failure::file(&file))?, about);
            let read = read.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
            let name = format!("{}.{number}", unit.id.institution.0);
            let all: u64 = read.counts.iter().map(|row| row.count).fold(0, u64::saturating_add);
            let rows = read.counts.iter().map(|row| vec![show::safe(&row.value), row.count.to_string()]);
            let table = output::table(&["grade", "results"], rows);
            let value = json!({ "distribution": name, "grades": read.counts.len(), "results": all });
            let contents = Contents::of([record(&unit, Kind::GradeDistribution, &read, &signing.reference)?]);
            let text = format!("{table}\ndistribution {name}: {all} results");
            signing.seal(global, &client, &unit, &contents, (value, text)).await
        }
    }
}

/// One more than the largest number of the institution's distributions.
async fn next(client: &Client, institution: u64) -> Result<u32, Failure> {
    let mut largest = 0;
    for item in client.registry_list(Kind::GradeDistribution, Some(institution)).await? {
        if let RegistryKey::GradeDistribution(_, number) = item.key {
            largest = largest.max(number);
        }
    }
    largest.checked_add(1).ok_or_else(|| Failure::Usage("pass --number".to_owned()))
}
