//! `distribution`: how an institution's grades are distributed, for the ECTS grading table.

use std::fs::File;
use std::path::PathBuf;

use creditbank_client::authoring::distribution::parse;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::counted;
use creditbank_protocol::pb::{self, Kind};
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::whose::OneOrAll;
use crate::{entries, output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Publish how many got which grade: a CSV with the columns grade and count, best first, failing grades too
    Publish(Box<Publish>),
    /// The distributions of an institution, or of all
    List {
        #[command(flatten)]
        of: OneOrAll,
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
    #[arg(long, value_parser = values::named::<pb::Cycle>)]
    cycle: pb::Cycle,
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

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::List { of } => entries::list(global, &client, Kind::GradeDistribution, of.institution).await,
        Command::Publish(publish) => {
            let Publish { file, scale, field, cycle, from, until, number, signing } = *publish;
            let unit = signing.unit(global, &client).await?;
            let number = if let Some(number) = number {
                number
            } else {
                let own = Some(unit.id.institution);
                entries::next_number(&client, Kind::GradeDistribution, own, &[]).await?
            };
            let about = pb::GradeDistribution {
                institution: unit.id.institution.0,
                number,
                scale,
                field,
                cycle: cycle.into(),
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
            let text = format!("{table}\ndistribution {name}: {}", counted(all, "result", "results"));
            signing.seal(global, &client, &unit, &contents, (value, text)).await
        }
    }
}
