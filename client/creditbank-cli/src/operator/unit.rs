//! `unit`: parts of an institution that issue, each with a chain of its own.

use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind, RegistryState};
use creditbank_protocol::registry::RegistryKey;

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::{OneOrAll, Unit};
use crate::{entries, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a unit
    Add {
        #[command(flatten)]
        unit: Unit,
        /// Its name with the language, as "en:Academic Registry"
        #[arg(long = "name", required = true, value_parser = values::text)]
        names: Vec<pb::Text>,
        /// active, suspended or closed
        #[arg(long, default_value = "active", value_parser = values::named::<RegistryState>)]
        state: RegistryState,
        /// Its blocks need the approval of a second person: see `creditbank approve`
        #[arg(long)]
        requires_approval: bool,
        /// Publish an entry anew that is there already
        #[arg(long)]
        replace: bool,
    },
    /// Change a unit's state, or whether its blocks need the approval of a second person
    Change {
        #[command(flatten)]
        unit: Unit,
        /// active, suspended or closed
        #[arg(long, value_parser = values::named::<RegistryState>)]
        state: Option<RegistryState>,
        /// true or false
        #[arg(long, value_name = "BOOL", required_unless_present = "state")]
        requires_approval: Option<bool>,
    },
    /// All units, or those of one institution
    List {
        #[command(flatten)]
        of: OneOrAll,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add { unit, mut names, state, requires_approval, replace } => {
            // The list is a set: ascending by its encoded members, so that there is one spelling.
            names.sort_by_key(prost_reflect::prost::Message::encode_to_vec);
            let UnitId { institution, number } = unit.id();
            let state = state.into();
            let entry = pb::Unit { institution: institution.0, unit: number, state, names, requires_approval };
            let record = publish::entry(Kind::Unit, &entry)?;
            publish::refuse_known(&client, &key_of(unit.id()), &name_of(unit.id()), replace).await?;
            publish::run(global, &client, &[record], &name_of(unit.id())).await
        }
        Command::Change { unit, state, requires_approval } => {
            let what = name_of(unit.id());
            let missing = || format!("{what} is not in the registry");
            let mut entry: pb::Unit = entries::read(&client, &key_of(unit.id()), missing).await?;
            entry.state = state.map_or(entry.state, i32::from);
            entry.requires_approval = requires_approval.unwrap_or(entry.requires_approval);
            publish::run(global, &client, &[publish::entry(Kind::Unit, &entry)?], &what).await
        }
        Command::List { of } => entries::list(global, &client, Kind::Unit, of.institution).await,
    }
}

fn key_of(unit: UnitId) -> RegistryKey {
    RegistryKey::Unit(unit)
}

fn name_of(unit: UnitId) -> String {
    format!("unit {} of institution {}", unit.number, unit.institution)
}
