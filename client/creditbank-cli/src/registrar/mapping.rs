//! `mapping`: examples to start from.

use creditbank_client::import::{OULAD, TEMPLATE};

use crate::failure::Failure;
use crate::output;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a mapping: `creditbank mapping show template > my.toml`
    Show {
        /// Which one
        name: Name,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Name {
    /// With a comment on every key
    Template,
    /// Of the Open University Learning Analytics Dataset
    Oulad,
}

pub(crate) fn run(Command::Show { name }: &Command) -> Result<(), Failure> {
    output::line(match name {
        Name::Template => TEMPLATE.trim_end(),
        Name::Oulad => OULAD.trim_end(),
    })
}
