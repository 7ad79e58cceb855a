//! The directory of an existing node. Every command except `init` and `restore` begins with it.

use std::path::{Path, PathBuf};

use creditbank_server::directory::{self, Config};
use creditbank_server::environment::Environment;

use crate::failure::Usage;

/// Where a node is.
#[derive(clap::Args)]
pub(crate) struct NodeDir {
    /// The node's directory.
    #[arg(long)]
    dir: PathBuf,
}

impl NodeDir {
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// The node's configuration. A directory without one holds no node.
    pub(crate) fn config(&self, environment: &Environment) -> anyhow::Result<Config> {
        if !self.dir.join("node.toml").exists() {
            let dir = self.dir.display();
            let what = format!(
                "{dir} holds no node: it has no node.toml. If it should hold one, check that its volume is mounted. To \
                 make a new node: creditbank-node init --dir {dir} --origin NAME"
            );
            return Err(Usage(what).into());
        }
        Ok(directory::read_config(environment, &self.dir)?)
    }
}
