//! `equivalence`: what an institution accepts as a course of its own.

use std::fs;
use std::path::PathBuf;

use creditbank_client::authoring::equivalence::{TEMPLATE, parse};
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::registry::RegistryKey;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::whose::OneOrAll;
use crate::{entries, output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a commented equivalence to start from
    Template,
    /// Publish an equivalence of your institution; a later version replaces the ones before it
    Publish {
        /// The equivalence: see `creditbank equivalence template`
        file: PathBuf,
        #[command(flatten)]
        signing: Box<Signing>,
    },
    /// The equivalences of an institution, or of all
    List {
        #[command(flatten)]
        of: OneOrAll,
    },
    /// One equivalence
    Show {
        /// Institution, code and version, as 2/CALC-1.1
        #[arg(value_parser = values::owned_name)]
        name: (InstitutionId, String, u32),
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Template => output::line(TEMPLATE.trim_end()),
        Command::Publish { file, signing } => {
            let text = fs::read_to_string(&file).map_err(Failure::file(&file))?;
            let client = global.connect().await?;
            let unit = signing.unit(global, &client).await?;
            let read = parse(&text, unit.id.institution.0);
            let read = read.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
            let name = format!("{}/{}.{}", read.institution, read.code, read.version);
            let bytes = encode(&read).map_err(|error| Failure::NotValid(error.to_string()))?;
            let shown = show::body("Equivalence", &bytes)?;
            let text = output::facts([
                ("equivalence", show::safe(&name)),
                ("accepts", show::safe(&format!("{} of institution {}", read.source_course, read.source_institution))),
                ("least", show::line(&shown["minimum"])),
                ("counts as", show::line(&shown["target"])),
                ("amount", show::line(&shown["amount"])),
            ]);
            let contents = Contents::of([record(&unit, Kind::Equivalence, &read, &signing.reference)?]);
            let value = json!({ "equivalence": name, "terms": shown });
            signing.seal(global, &client, &unit, &contents, (value, text)).await
        }
        Command::List { of } => {
            entries::list(global, &global.connect().await?, Kind::Equivalence, of.institution).await
        }
        Command::Show { name: (institution, code, version) } => {
            let key = RegistryKey::Equivalence(institution, code, version);
            entries::one(global, &global.connect().await?, &key).await
        }
    }
}
