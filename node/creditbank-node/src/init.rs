//! `init`: a new node.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use creditbank_protocol::dates::show_minute;
use creditbank_server::directory::{self, Config, StoreUrl};
use creditbank_server::environment::{ENGINES, Environment};

use crate::failure::Usage;
use crate::shown;

/// Where gRPC is served unless the configuration says otherwise; IPv4 and IPv6.
pub(crate) const LISTEN: &str = "[::]:7600";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A directory that holds no node yet; made when it is not there.
    #[arg(long)]
    dir: PathBuf,
    /// Where the registry key and the one that may follow are written, outside DIR [default: DIR-keys]
    ///
    /// Whoever has the registry key decides which institutions there are. Bring both away from the node, and the next
    /// key to another place than the first: it is what is left after a theft. docs/operate/key-ceremony.md has a
    /// script.
    #[arg(long, value_name = "DIR")]
    registry_keys: Option<PathBuf>,
    /// The name of the log, a host and a path, as credits.example/log. It stays, but for a theft of the log key
    /// (`creditbank-node succeed`).
    #[arg(long)]
    origin: String,
    #[arg(long, help = StoreUrl::help(ENGINES), default_value_t = StoreUrl::standard())]
    store: StoreUrl,
    /// Where gRPC will be served; can be changed in DIR/node.toml.
    #[arg(long, default_value = LISTEN)]
    listen: SocketAddr,
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { dir, registry_keys, origin, store, listen } = arguments;
    let registry_keys = registry_keys.unwrap_or_else(|| registry_keys_beside(&dir));
    if registry_keys.starts_with(&dir) {
        let (keys, dir) = (shown(&registry_keys), shown(&dir));
        return Err(Usage(format!("{keys} lies under {dir}: expected a directory outside, --registry-keys DIR")).into());
    }
    let sealed_minute = Environment::system().clock.now_ms() / 60_000;
    make(&dir, &registry_keys, &origin, store, listen)?;
    crate::say(&format!("A node for {origin} is in {}.", shown(&dir)));
    crate::say(&format!("  {}/trust.toml   give it to everybody who is to verify this log", shown(&dir)));
    crate::say(&format!("  {}/keys         back it up, show it to nobody", shown(&dir)));
    crate::say(&format!("  {}/registry.key        the registry key: not for this machine", shown(&registry_keys)));
    crate::say(&format!("  {}/next-registry.key   what follows it: to another place, offline", shown(&registry_keys)));
    crate::say(&format!(
        "Sealed at {} by this machine's clock. If that is not the time now, remove {} and the keys, set the clock and begin \
         again: times in a log never go back.",
        show_minute(sealed_minute),
        shown(&dir)
    ));
    crate::say(&format!("Next: creditbank-node serve --dir {}", shown(&dir)));
    Ok(())
}

/// The directory for the registry keys where none is named: beside that of the node.
pub(crate) fn registry_keys_beside(dir: &Path) -> PathBuf {
    let mut name = dir.components().as_path().as_os_str().to_owned();
    name.push("-keys");
    name.into()
}

/// Makes a node with its trust file.
pub(crate) fn make(
    dir: &Path,
    registry_keys: &Path,
    origin: &str,
    store: StoreUrl,
    listen: SocketAddr,
) -> anyhow::Result<Config> {
    let environment = Environment::system();
    let config = directory::init(&environment, dir, registry_keys, origin, store, listen)?;
    // Alone of all files it is for everybody.
    let path = dir.join("trust.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).with_context(|| path.display().to_string())?;
    Ok(config)
}
