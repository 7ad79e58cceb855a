//! `accreditation`: what an institution may award credit for, and when.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{self, Kind, Mode};
use creditbank_protocol::registry::RegistryKey;
use prost_reflect::prost::Message as _;

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::OneOrAll;
use crate::{entries, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add an accreditation; scopes that are left out mean all
    Add(Add),
    /// End an accreditation
    End {
        /// Number of the institution
        #[arg(long)]
        institution: InstitutionId,
        /// Number of the accreditation
        #[arg(long)]
        number: u32,
        /// Its last day or month
        #[arg(long, value_parser = values::date)]
        until: pb::Date,
    },
    /// All accreditations, or those of one institution
    List {
        #[command(flatten)]
        of: OneOrAll,
    },
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Number of the institution
    #[arg(long)]
    institution: InstitutionId,
    /// Number of the accreditation; left out: the next free one
    #[arg(long)]
    number: Option<u32>,
    /// Who accredits
    #[arg(long)]
    body: String,
    /// A level with its framework, as FHEQ:6; several may be given
    #[arg(long = "level", value_parser = values::level)]
    levels: Vec<pb::Level>,
    /// A field of education (ISCED-F 2013), as 06 or 0613
    #[arg(long = "field")]
    fields: Vec<String>,
    /// on-site, online, blended, work-based, rpl
    #[arg(long = "mode", value_parser = values::named::<Mode>)]
    modes: Vec<Mode>,
    /// Beginning of course codes
    #[arg(long = "programme")]
    programmes: Vec<String>,
    /// Name of a site
    #[arg(long = "site")]
    sites: Vec<String>,
    /// First day or month, against the end of the period of study
    #[arg(long, value_parser = values::date)]
    from: pb::Date,
    /// Last day or month; left out: open
    #[arg(long, value_parser = values::date)]
    until: Option<pb::Date>,
    /// Publish an entry anew that is there already
    #[arg(long)]
    replace: bool,
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add(add) => {
            let mut levels = add.levels;
            levels.sort_by_key(pb::Level::encode_to_vec);
            let bare = pb::Accreditation {
                institution: add.institution.0,
                number: 0,
                body: add.body,
                levels,
                fields: sorted(add.fields),
                modes: sorted(add.modes.into_iter().map(i32::from).collect()),
                programmes: sorted(add.programmes),
                sites: sorted(add.sites),
                from: Some(add.from),
                until: add.until,
            };
            let (whose, of) = ((global, &client), Some(add.institution));
            let entry = |number| pb::Accreditation { number, ..bare.clone() };
            let number = match add.number {
                Some(number) => number,
                None => entries::operator_number(whose, Kind::Accreditation, of, entry).await?,
            };
            let entry = entry(number);
            let what = format!("accreditation {number} of institution {}", entry.institution);
            let key = RegistryKey::Accreditation(entry.institution.into(), number);
            publish::refuse_known(&client, &key, &what, add.replace).await?;
            publish::run(global, &client, &[publish::entry(Kind::Accreditation, &entry)?], &what).await
        }
        Command::End { institution, number, until } => {
            let key = RegistryKey::Accreditation(institution, number);
            let missing = || format!("institution {institution} has no accreditation {number}");
            let mut entry: pb::Accreditation = entries::read(&client, &key, missing).await?;
            entry.until = Some(until);
            let what = format!("end of accreditation {number} of institution {institution}");
            publish::run(global, &client, &[publish::entry(Kind::Accreditation, &entry)?], &what).await
        }
        Command::List { of } => entries::list(global, &client, Kind::Accreditation, of.institution).await,
    }
}
