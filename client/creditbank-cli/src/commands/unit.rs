//! `unit`: parts of an institution that issue, each with a chain of its own.

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
        /// Publish an entry anew that is there already
        #[arg(long)]
        replace: bool,
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
        Command::Add { institution, unit, mut names, state, replace } => {
            // The list is a set: ascending by its encoded members, so that there is one spelling.
            names.sort_by_key(prost_reflect::prost::Message::encode_to_vec);
            let record = publish::entry(Kind::Unit, &pb::Unit { institution, unit, state, names })?;
            let what = format!("unit {unit} of institution {institution}");
            publish::refuse_known(&client, &RegistryKey::Unit(institution, unit), &what, replace).await?;
            publish::run(global, &client, &[record], &what).await
        }
        Command::List { institution } => registry::list(global, &client, Kind::Unit, institution).await,
    }
}
