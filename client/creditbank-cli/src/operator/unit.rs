//! `unit`: parts of an institution that issue, each with a chain of its own.

use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind, RegistryState};
use creditbank_protocol::registry::RegistryKey;

use super::{publish, registry};
use crate::connect::Global;
use crate::failure::Failure;
use crate::values;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a unit
    Add {
        /// Number of the institution
        #[arg(long)]
        institution: u64,
        /// Number of the unit within it
        #[arg(long, default_value_t = 1)]
        unit: u32,
        /// Its name with the language, as "en:Academic Registry"
        #[arg(long = "name", required = true, value_parser = values::text)]
        names: Vec<pb::Text>,
        /// active, suspended or closed
        #[arg(long, default_value = "active", value_parser = state)]
        state: i32,
        /// Its blocks need the approval of a second person: see `creditbank approve`
        #[arg(long)]
        requires_approval: bool,
        /// Publish an entry anew that is there already
        #[arg(long)]
        replace: bool,
    },
    /// Change a unit's state, or whether its blocks need the approval of a second person
    Change {
        /// Number of the institution
        #[arg(long)]
        institution: u64,
        /// Number of the unit within it
        #[arg(long, default_value_t = 1)]
        unit: u32,
        /// active, suspended or closed
        #[arg(long, value_parser = state)]
        state: Option<i32>,
        /// true or false
        #[arg(long, value_name = "BOOL", required_unless_present = "state")]
        requires_approval: Option<bool>,
    },
    /// All units, or those of one institution
    List {
        /// Number of the institution
        #[arg(long)]
        institution: Option<u64>,
    },
}

fn state(text: &str) -> Result<i32, String> {
    values::code("REGISTRY_STATE", text, RegistryState::from_str_name)
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add { institution, unit, mut names, state, requires_approval, replace } => {
            // The list is a set: ascending by its encoded members, so that there is one spelling.
            names.sort_by_key(prost_reflect::prost::Message::encode_to_vec);
            let entry = pb::Unit { institution, unit, state, names, requires_approval };
            let record = publish::entry(Kind::Unit, &entry)?;
            let what = format!("unit {unit} of institution {institution}");
            publish::refuse_known(&client, &RegistryKey::Unit(UnitId::new(institution, unit)), &what, replace).await?;
            publish::run(global, &client, &[record], &what).await
        }
        Command::Change { institution, unit, state, requires_approval } => {
            let found = client.registry_entry(&RegistryKey::Unit(UnitId::new(institution, unit))).await?;
            let what = format!("unit {unit} of institution {institution}");
            let missing = || Failure::NotValid(format!("{what} is not in the registry"));
            let mut entry: pb::Unit = found.ok_or_else(missing)?.decode()?;
            entry.state = state.unwrap_or(entry.state);
            entry.requires_approval = requires_approval.unwrap_or(entry.requires_approval);
            publish::run(global, &client, &[publish::entry(Kind::Unit, &entry)?], &what).await
        }
        Command::List { institution } => registry::list(global, &client, Kind::Unit, institution).await,
    }
}
