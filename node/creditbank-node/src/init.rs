//! `init`: a new node.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use creditbank_protocol::dates::show_minute;
use creditbank_server::directory::{self, Config, StoreUrl, Tls};
use creditbank_server::environment::{ENGINES, Environment};
use creditbank_server::serve::check_tls;

use crate::failure::Usage;
use crate::{shown, tls};

/// Where gRPC is served in clear text by default: only this machine reaches it.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7600);
/// Where it is served with TLS: all addresses, of IPv4 and IPv6.
const EVERYWHERE: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 7600);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A directory that holds no node yet. It is made if it does not exist.
    #[arg(long)]
    dir: PathBuf,
    /// Where the registry key and the next one are written, outside DIR [default: DIR-keys]
    ///
    /// The owner of the registry key decides which institutions are admitted. Take both keys away from the node, each
    /// to another place: after a theft only the next key helps. docs/operate/key-ceremony.md has a script.
    #[arg(long, value_name = "DIR")]
    registry_keys: Option<PathBuf>,
    /// The name of the log: a host and a path, as credits.example/log. It never changes, except after a theft of the
    /// log key (`creditbank-node succeed`).
    #[arg(long)]
    origin: String,
    #[arg(long, help = StoreUrl::help(ENGINES), default_value_t = StoreUrl::standard())]
    store: StoreUrl,
    /// Where gRPC will be served; can be changed in DIR/node.toml [default: 127.0.0.1:7600, with TLS `[::]:7600`]
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Serve with TLS: PEM files of the certificate chain, the server's first, and of its private key
    #[arg(long, value_name = "CERT,KEY", value_parser = tls::pair)]
    tls: Option<(PathBuf, PathBuf)>,
    /// For a trial: serve with TLS and a self-signed certificate for this host name or address
    ///
    /// The certificate is written to DIR/keys/tls-cert.pem. Clients need that file: `creditbank --ca tls-cert.pem`, or
    /// `CREDITBANK_CA`.
    #[arg(long, value_name = "HOST", conflicts_with = "tls")]
    tls_self_signed: Option<String>,
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { dir, registry_keys, origin, store, listen, tls, tls_self_signed } = arguments;
    let registry_keys = registry_keys.unwrap_or_else(|| registry_keys_beside(&dir));
    if registry_keys.starts_with(&dir) {
        let (keys, dir) = (shown(&registry_keys), shown(&dir));
        return Err(Usage(format!("{keys} is inside {dir}: expected one outside (--registry-keys DIR)")).into());
    }
    if let Some((certificate, key)) = &tls {
        let given = Tls { certificate: certificate.clone(), key: key.clone(), client_ca: None };
        check_tls(&given).map_err(|error| Usage(format!("--tls {},{}: {error}", shown(certificate), shown(key))))?;
    }
    let signed = tls_self_signed.as_deref().map(tls::sign_self).transpose()?;
    let own = tls.map(|(certificate, key)| Tls { certificate, key, client_ca: None });
    let served = own.or_else(|| signed.as_ref().map(|_| tls::self_signed()));
    let listen = listen.unwrap_or(if served.is_some() { EVERYWHERE } else { LOOPBACK });
    let in_clear = served.is_none() && !listen.ip().is_loopback();
    let sealed_minute = Environment::system().clock.now_ms() / 60_000;
    make(&dir, &registry_keys, &origin, store, listen, served)?;
    if let Some((certificate, key)) = &signed {
        tls::write(&*Environment::system().disk, &dir, certificate, key)?;
    }
    crate::say(&format!("A node for {origin} is in {}.", shown(&dir)));
    crate::say(&format!("  {}/trust.toml   give it to everybody who is to verify this log", shown(&dir)));
    crate::say(&format!("  {}/keys         back it up, and show it to nobody", shown(&dir)));
    crate::say(&format!("  {}/registry.key        the registry key: not for this machine", shown(&registry_keys)));
    crate::say(&format!("  {}/next-registry.key   the next one: to another place, offline", shown(&registry_keys)));
    crate::say(&format!(
        "Sealed at {} by this machine's clock. Compare it with another clock, because no later command can: if this \
         is not the time now, remove {} and the keys, set the clock and begin again. Times in a log never go back.",
        show_minute(sealed_minute),
        shown(&dir)
    ));
    if let Some(host) = &tls_self_signed {
        let certificate = dir.join(tls::CERTIFICATE);
        crate::say(&format!(
            "It speaks TLS with a self-signed certificate, for a trial. Give {} to its users: creditbank --node \
             https://{host}:{} --ca {}",
            shown(&certificate),
            listen.port(),
            shown(Path::new("tls-cert.pem"))
        ));
    }
    if in_clear {
        crate::say(&format!(
            "Other machines can reach {listen}, and this node has no certificate: serve refuses that without \
             --insecure. See --tls and --tls-self-signed."
        ));
    } else if listen.ip().is_loopback() {
        crate::say(&format!(
            "It serves on {listen}: only this machine can reach it. To serve other machines see --tls and \
             --tls-self-signed."
        ));
    }
    crate::say(&format!("Next: creditbank-node serve --dir {}", shown(&dir)));
    Ok(())
}

/// The default directory for the registry keys: beside that of the node.
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
    tls: Option<Tls>,
) -> anyhow::Result<Config> {
    let environment = Environment::system();
    let config = directory::init(&environment, dir, registry_keys, origin, store, listen, tls)?;
    // This is the only file that everybody may read.
    let path = dir.join("trust.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).with_context(|| path.display().to_string())?;
    Ok(config)
}
