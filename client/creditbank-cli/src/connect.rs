//! Options of every command, and the connection that they describe.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use creditbank_client::{Client, ClientError, ConnectOptions, KeyPlace, Notice, Signer, key_file, trust};
use creditbank_protocol::Trust;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::Purpose;

use crate::failure::Failure;

/// Where a node of one's own listens.
const DEFAULT_NODE: &str = "http://127.0.0.1:7600";
/// How long somebody is waited for to say that the scheme is wrong.
const HINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The node
    #[arg(long, global = true, env = "CREDITBANK_NODE", default_value = DEFAULT_NODE, value_name = "URL")]
    node: String,
    /// The trust file: which log, witnesses and institutions to believe
    #[arg(long, global = true, env = "CREDITBANK_TRUST", value_name = "FILE")]
    trust: Option<PathBuf>,
    /// PEM of the authority that the node's certificate is signed by
    #[arg(long, global = true, env = "CREDITBANK_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// PEM of this client's certificate, where the node asks for one
    #[arg(long, global = true, requires = "client_key", value_name = "FILE")]
    client_certificate: Option<PathBuf>,
    /// PEM of that certificate's key
    #[arg(long, global = true, requires = "client_certificate", value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// Key file for calls that read personal data
    #[arg(long, global = true, env = "CREDITBANK_ACCESS_KEY", value_name = "FILE")]
    access_key: Option<PathBuf>,
    /// Key file of the operator, or pkcs11:..., for changes of the registry
    #[arg(long, global = true, env = "CREDITBANK_REGISTRY_KEY", value_name = "FILE")]
    registry_key: Option<KeyPlace>,
    /// Directory that keeps the largest checkpoint seen of each log between commands, so that a log that goes back or shows
    /// another history is refused [default: `$XDG_STATE_HOME/creditbank`, or ~/.local/state/creditbank]
    #[arg(long, global = true, env = "CREDITBANK_STATE", value_name = "DIR")]
    log_state: Option<PathBuf>,
    /// Keep and compare nothing between commands: for a machine that is made anew for each
    #[arg(long, global = true)]
    no_log_state: bool,
    /// Seconds after which a call counts as unanswered
    #[arg(long, global = true, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    timeout: u64,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// How the TLS library says that it knows nobody who has signed a certificate.
const UNKNOWN_ISSUER: &str = "UnknownIssuer";
/// How it begins what it says about a certificate.
const WRONG_CERTIFICATE: &str = "invalid peer certificate";

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(Failure::file(path))
}

/// A file of certificates in PEM. One that holds none would make every node's certificate that of an unknown issuer.
fn certificates(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("-----BEGIN CERTIFICATE-----") {
        return Ok(bytes);
    }
    let found = match text.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----")) {
        Some((kind, _)) if kind.len() <= 64 => format!("a {}", crate::show::safe(kind)),
        _ => "no PEM".to_owned(),
    };
    let shown = path.display();
    Err(Failure::Usage(format!(
        "--ca {shown}: expected certificates in PEM (-----BEGIN CERTIFICATE-----), found {found}"
    )))
}

impl Global {
    /// The trust file.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let missing = || Failure::Usage("pass the trust file of the log: --trust FILE, or CREDITBANK_TRUST".to_owned());
        Ok(trust::read(self.trust.as_ref().ok_or_else(missing)?)?)
    }

    /// A connection; with the access key where one is given.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        let mut options = ConnectOptions::new(&self.node);
        options.timeout = Duration::from_secs(self.timeout);
        options.state = self.state_dir()?;
        options.notices = Some(|notice: &Notice| eprintln!("note: {}", crate::show::safe(&notice.to_string())));
        options.ca = self.ca.as_ref().map(certificates).transpose()?;
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            options.identity = Some((read(certificate)?, read(key)?));
        }
        let access = self.access_key.as_deref().map(key_file::read).transpose()?;
        let connected = Client::connect(&options, self.trust()?, access).await;
        connected.map_err(|error| match error {
            ClientError::Unreachable(why) => {
                ClientError::Unreachable(format!("{}: {why}", self.node_shown(&why))).into()
            }
            other => other.into(),
        })
    }

    /// What earlier commands have seen of this side's logs, where that can be read.
    pub(crate) fn seen(&self, trust: &Trust) -> Vec<Checkpoint> {
        let Some(dir) = self.state_dir().ok().flatten() else { return Vec::new() };
        creditbank_client::seen(&dir, trust).unwrap_or_else(|error| {
            eprintln!("note: what was seen of the log is not compared: {error}");
            Vec::new()
        })
    }

    /// Where what was seen is kept.
    fn state_dir(&self) -> Result<Option<PathBuf>, Failure> {
        if self.no_log_state {
            return Ok(None);
        }
        if let Some(dir) = &self.log_state {
            return Ok(Some(dir.clone()));
        }
        // The XDG Base Directory Specification: a path that is not absolute does not count.
        let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let dir = of("XDG_STATE_HOME").or_else(|| of("HOME").map(|home| home.join(".local/state")));
        let dir = dir.ok_or_else(|| {
            let what = "there is no HOME to keep what was seen of the log";
            Failure::Usage(format!(
                "{what}: pass --log-state DIR (or CREDITBANK_STATE), or --no-log-state to keep nothing"
            ))
        })?;
        Ok(Some(dir.join("creditbank")))
    }

    /// The node's address, where it was said, and what may be wrong with it.
    fn node_shown(&self, why: &str) -> String {
        let node = &self.node;
        let of_environment = std::env::var("CREDITBANK_NODE").is_ok_and(|said| said == *node);
        let said = match (of_environment, node == DEFAULT_NODE) {
            (true, _) => "from CREDITBANK_NODE",
            (false, true) => "the default; --node URL names another",
            (false, false) => "from --node",
        };
        let hint = match why {
            why if why.contains(UNKNOWN_ISSUER) => self.issuer_hint(),
            // The error says what is wrong with it.
            why if why.contains(WRONG_CERTIFICATE) => "",
            _ => self.scheme_hint(),
        };
        format!("{node} ({said}){hint}")
    }

    /// The node speaks TLS, with a certificate that nobody known here has signed.
    fn issuer_hint(&self) -> &'static str {
        if self.ca.is_some() {
            "; the node's certificate is signed by none of the authorities in the file of --ca (or CREDITBANK_CA): ask \
             the node's operator for the right file"
        } else {
            "; no authority known to this machine has signed the node's certificate: get the authority's certificate, \
             or a self-signed one itself, from the node's operator, and pass the file (PEM) with --ca FILE or \
             CREDITBANK_CA"
        }
    }

    /// Where something answers at the address, the scheme is most likely the wrong one.
    fn scheme_hint(&self) -> &'static str {
        let Some((scheme, rest)) = self.node.split_once("://") else {
            return "; expected http:// or https:// before the host";
        };
        let address = rest.split('/').next().unwrap_or_default();
        let answers = std::net::ToSocketAddrs::to_socket_addrs(address).ok().and_then(|mut all| all.next());
        let answers = answers.is_some_and(|at| std::net::TcpStream::connect_timeout(&at, HINT_TIMEOUT).is_ok());
        match (scheme, answers) {
            ("http", true) => {
                "; something answers there, and speaks no plain HTTP/2, or has ended the connection: if it speaks TLS, use \
                 https://; a node ends connections of an address that has too many, or asks too much: try again later"
            }
            ("https", true) => {
                "; something answers there, and not in TLS that this side accepts, or has ended the connection: if it speaks no \
                 TLS, use http://; a node ends connections of an address that has too many, or asks too much: try again later"
            }
            _ => "",
        }
    }

    /// Whether a log is named that a node can be asked about.
    pub(crate) fn has_trust(&self) -> bool {
        self.trust.is_some()
    }

    /// Whether the operator's registry key is given.
    pub(crate) fn has_registry_key(&self) -> bool {
        self.registry_key.is_some()
    }

    /// Where the operator's blocks stand while they are under way: beside the registry key.
    pub(crate) fn registry_work(&self) -> PathBuf {
        let file = self.registry_key.as_ref().and_then(KeyPlace::file);
        file.map_or_else(|| PathBuf::from(format!("creditbank{}", self.work_name())), |key| self.work_beside(key))
    }

    /// The same, beside another key.
    pub(crate) fn work_beside(&self, key: &Path) -> PathBuf {
        crate::files::beside(key, &self.work_name())
    }

    /// After each succession of the log another one: notes of a former origin may name blocks that are lost.
    fn work_name(&self) -> String {
        match self.trust().map_or(0, |trust| trust.former.len()) {
            0 => ".blocks".to_owned(),
            former => format!(".{}.blocks", former + 1),
        }
    }

    /// The operator's registry key.
    pub(crate) fn registry_key(&self) -> Result<Arc<dyn Signer>, Failure> {
        let missing = || {
            let what = "changes of the registry are signed by the operator";
            let next =
                "--registry-key FILE, or CREDITBANK_REGISTRY_KEY; `creditbank-node init` has written registry.key";
            Failure::Usage(format!("{what}: pass {next} beside the node's directory"))
        };
        Ok(self.registry_key.as_ref().ok_or_else(missing)?.open(Purpose::Registry)?)
    }
}
